"""The card of a language model."""

from zoo.presets import Preset
from zoo.report.cards.page import Document, files, table, trained, use


def card(name: str, preset: Preset, metrics: Document, config: Document) -> list[str]:
    """The parts of the page, in order."""
    test = metrics["test"]
    return [
        f"# {name}\n\n{preset.description}.",
        _what(config, metrics),
        trained(config, metrics),
        "**Intended use**: to teach how words become numbers and how a language model is measured. Its words are 250, "
        "its context three: it writes no sense.\n",
        "## How it was measured\n",
        table(
            ("on the test rows", "cross-entropy", "perplexity", "top-1", "top-5", "top-10", "top-1 seen",
             "top-1 unseen"),
            [("**this model**", *_scores(test))]
            + [(key.replace("_", " "), *_scores(row)) for key, row in test["baselines"].items()],
        ),
        f"\n{test['rows']:,} rows from the end of the text, in nats; {test['seen']['rows']:,} of their contexts occur "
        f"in training, {test['unseen']['rows']:,} do not. The baselines are counted in the same training rows.\n",
        _seeds(metrics),
        f"{preset.note}\n" if preset.note else "",
        _starts(metrics),
        "![training](training.png)\n",
        "![words](embedding.png)\n",
        "## Where it fails\n",
        f"After contexts that training lacks it tells {_share(test['unseen']['top1'])} of the words, after others "
        f"{_share(test['seen']['top1'])}. It reads three words and forgets what came before them.\n",
        files(metrics, {"cross_entropy": "cross-entropy", "top1": "top-1"}, "row"),
        _use(name, metrics),
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


def _what(config: Document, metrics: Document) -> str:
    arguments = config["arguments"]
    return f"""
{config["class"]} with {metrics["training"]["parameters"]:,} parameters: {arguments["vocabulary"]} words, \
{arguments["embedding"]} numbers a word, {arguments["layers"]} hidden layers of {arguments["hidden_units"]} units \
({arguments["activation"]}). It reads {arguments["context"]} words and gives the probability of each word to follow. \
Its equations stand in `zoo/models/trigram.py`.
"""


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
    program = f"""import numpy as np
from zoo import Model

model = Model.from_preset("{name}")
logits = model(np.array([[5, 9, 2]]))  # numbers of three words, from 0"""
    device = f"""import numpy as np
from zoo.runtime import Interpreter

model = Interpreter("saved_models/{name}/{metrics["artefacts"][-1]["file"]}")
answer = model.run("next_word", ids=np.array([[5, 9, 2]], "int32"))
print([model.metadata.words[i] for i in answer["top_ids"][0]])"""
    return use(name, program, device, metrics)
