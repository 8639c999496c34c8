"""The card of a language model."""

from zoo.presets import Preset
from zoo.report.cards import page
from zoo.report.cards.page import Document, table


def card(name: str, preset: Preset, metrics: Document, config: Document) -> list[str]:
    """The parts of the page, in order."""
    test, arguments = metrics["test"], config["arguments"]
    return [
        page.head(name, preset, _glance(config, metrics), metrics),
        _equations(config),
        "## Intended use\n\nTo teach how words become numbers and how a language model is measured. Its words are "
        f"{len(arguments['vocabulary'])}, its context {arguments['context']}: it writes no sense.\n",
        page.trained(config, metrics),
        "## How it was measured\n",
        table(
            ("on the test rows", "cross-entropy", "perplexity", "top-1", "top-5", "top-10", "top-1 seen",
             "top-1 unseen"),
            [("**this model**", *_scores(test))]
            + [(key.replace("_", " "), *_scores(row)) for key, row in test["baselines"].items()],
        ),
        f"\nSplit by place: {test['rows']:,} rows from the end of the text, in nats; {test['seen']['rows']:,} of their "
        f"contexts occur in training, {test['unseen']['rows']:,} do not. The baselines are counted in the same "
        "training rows.\n",
        _seeds(metrics),
        f"{preset.note}\n" if preset.note else "",
        _starts(metrics),
        "![training](training.png)\n",
        "![words](embedding.png)\n",
        "## Where it fails\n",
        _failures(test),
        page.files(metrics, {"cross_entropy": "cross-entropy", "top1": "top-1"}, "row"),
        _use(name, metrics),
        page.again(name, metrics),
    ]  # fmt: skip


def headline(test: Document) -> tuple[str, str]:
    """What was measured, and what stands beside it."""
    beside = test["baselines"]["kneser_ney"]
    return (
        f"cross-entropy {test['cross_entropy']:.3f}, top-1 {test['top1']:.2%}",
        f"Kneser-Ney {beside['cross_entropy']:.3f}, {beside['top1']:.2%}",
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _scores(row: Document) -> tuple[str, ...]:
    return (
        f"{row['cross_entropy']:.3f}", f"{row['perplexity']:.2f}",
        *(f"{row[key]:.2%}" for key in ("top1", "top5", "top10")),
        _share(row["seen"]["top1"]), _share(row["unseen"]["top1"]),
    )  # fmt: skip


def _glance(config: Document, metrics: Document) -> dict[str, str]:
    arguments = config["arguments"]
    layers = f"{arguments['num_layers']} hidden layer{'s' * (arguments['num_layers'] > 1)}"
    return {
        "model": f"{config['class']}, {metrics['training']['parameters']:,} parameters: {arguments['embedding']} "
        f"numbers a word, {layers} of {arguments['hidden_units']} units ({arguments['activation']})",
        "reads": f"{arguments['context']} words of {len(arguments['vocabulary'])}",
        "gives": "the probability of each word to follow",
        "measured": "{}, beside it {}".format(*headline(metrics["test"])),
    }


def _equations(config: Document) -> str:
    arguments = config["arguments"]
    symbols = (
        f"V = {len(arguments['vocabulary'])}, C = {arguments['context']}, D = {arguments['embedding']}, P = "
        f"{arguments['hidden_units']}, L = {arguments['num_layers']}, act = {arguments['activation']}; the loss is the "
        "mean of -log y[d], d the word that followed"
    )
    return page.computes(page.specification("trigram")[0], symbols, "trigram")


def _failures(test: Document) -> str:
    rows = [
        (f"`{row['word']}`", f"{row['rows']:,}", f"{row['top1']:.1%}", f"`{row['taken_for']}` {row['times']:,} times")
        for row in test["hardest_words"]
    ]
    return (
        f"After contexts that training lacks it tells {_share(test['unseen']['top1'])} of the words, after others "
        f"{_share(test['seen']['top1'])}. It reads three words and forgets what came before them. The hardest of the "
        "words that follow at least 100 times:\n\n"
        + table(("word", "rows", "told", "most often taken for"), rows)
        + "\n"
    )


def _seeds(metrics: Document) -> str:
    runs = metrics["seeds"]
    losses = [run["cross_entropy"] for run in runs]
    shares = [run["top1"] for run in runs]
    return (
        f"Trained with {len(runs)} seeds: validation cross-entropy {min(losses):.3f} to {max(losses):.3f}, top-1 "
        f"{min(shares):.2%} to {max(shares):.2%}; the one with the lowest validation cross-entropy is kept.\n"
    )


def _starts(metrics: Document) -> str:
    if "starts" not in metrics:
        return ""
    lines = [
        (
            start, *(f"{epoch['val_loss']:.3f}, {epoch['val_accuracy']:.1%}" for epoch in run["first_epochs"]),
            f"{run['val_loss']:.3f}, {run['val_accuracy']:.2%}", str(run["epochs"]),
        )
        for start, run in metrics["starts"].items()
    ]  # fmt: skip
    epochs = [str(epoch["epoch"]) for epoch in next(iter(metrics["starts"].values()))["first_epochs"]]
    head = ("start", *(f"epoch {number}" for number in epochs), "best", "epochs")
    return "Validation cross-entropy and top-1 with either start, one seed:\n\n" + table(head, lines) + "\n"


def _use(name: str, metrics: Document) -> str:
    small = page.portable(metrics, "dynamic", "float32")
    keras = f"""import numpy as np
from zoo import Model

model = Model.from_preset("{name}")
print(model(np.array([[5, 9, 2]])))  # logits after three words, numbered from 0"""
    litert = f"""import numpy as np
from ai_edge_litert.interpreter import Interpreter

next_word = Interpreter("saved_models/{name}/{small}").get_signature_runner("next_word")
print(next_word(ids=np.array([[5, 9, 2]], "int32"))["top_ids"])"""
    file = page.portable(metrics, "float32")
    web = page.javascript(file, "next_word", "ids", "new Int32Array([5, 9, 2])", (1, 3), "top_ids")
    after = (
        "The words by their numbers are in the file: `Interpreter(file).metadata.words` of `zoo.runtime`. On the "
        f'command line: `zoo predict {name} "in the right"`.'
    )
    return page.use(keras, litert, web, after)
