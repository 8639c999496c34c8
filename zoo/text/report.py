"""Reports of language models."""

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.presets import Preset
from zoo.report import card as cards
from zoo.report import markdown as md
from zoo.report.markdown import Document

TITLE = "Language models"
SCORE, MAXIMIZE = "cross_entropy", False
FILE_SCORES = ("cross_entropy", "top1")
EXAMPLE = "row"
RESULTS = ("cross_entropy", "perplexity", "top1", "top5", "top10")


def training(summary: Document) -> str:
    """Renders the summary of a training run."""
    scores = summary["validation"]
    validation = f"Validation: {md.say(scores, 'cross_entropy', 'top1')}" if scores else ""
    return md.trained(summary, "row", "train_rows", validation)


def evaluation(report: Document) -> str:
    """Renders an evaluation: scores with baselines, and the hardest words."""
    simulated = " of SIMULATED text" if report["simulated"] else ""
    return md.page(
        f"# {md.escape(report['model'])} on {md.escape(report['data'])}",
        f"{md.count(report['rows'], 'row')}{simulated}, {report['split']} set.",
        _scores(report),
        md.section("Hardest words", _hardest(report)),
        *map(md.note, report["notes"]),
    )


def _scores(report: Document) -> str:
    methods = {"**this model**": report} | {md.label(k): row for k, row in report.get("baselines", {}).items()}
    rows = [
        (name, {**row, "top1 seen": row["seen"]["top1"], "top1 unseen": row["unseen"]["top1"]})
        for name, row in methods.items()
    ]
    return md.page(
        md.columns(rows, (*RESULTS, "top1 seen", "top1 unseen"), "model"),
        f"Cross-entropy in nats. Seen: the {md.count(report['seen']['rows'], 'row')} whose context occurs in the "
        f"training set; unseen: the {report['unseen']['rows']:,} others.",
    )


def _hardest(report: Document) -> str:
    rows = [
        (md.code(row["word"]), md.code(row["taken_for"]), md.show(row["times"]), md.show(row["rows"]),
         f"{row['top1']:.1%}")
        for row in report["hardest_words"]
    ]  # fmt: skip
    return md.page(
        "The words that are predicted worst (lowest top-1), of those that occur at least 100 times:",
        md.table(("word", "most often mistaken for", "times", "of rows", "top-1"), rows, text=2),
    ) if rows else ""  # fmt: skip


def predictions(found: Any) -> str:
    """Renders next words, similar words, generated text, or predictions for rows of a file."""
    if not isinstance(found, Mapping):
        return _examples(found)
    if "text" in found:
        return md.escape(found["text"])
    near = "nearest" in found
    rows = [{**row, "word": md.code(row["word"])} for row in found["nearest" if near else "next"]]
    title = f"Nearest to {md.code(found['word'])}:" if near else f"{md.escape(' '.join(found['context']))} ..."
    key = "cosine" if near else "probability:.2%"
    return md.page(title, md.columns([(row["word"], row) for row in rows], [key], "word"))


def _examples(found: Sequence[Document]) -> str:
    """Renders a column per context, with the actual next word in parentheses, and a row per predicted word."""
    contexts = [md.escape(f"{' '.join(row['context'])} ({row['wanted']})") for row in found]
    words = [
        [
            f"{'**' * right}{md.escape(known['word'])}{'**' * right} {known['probability']:.1%}"
            for known in row["next"]
            for right in [known["word"] == row["wanted"]]
        ]
        for row in found
    ]
    return md.page(
        "Random test rows, with the actual next word in parentheses.",
        md.table(contexts, list(zip(*words, strict=True)), len(found)),
    )


def headline(test: Document) -> tuple[str, str]:
    """Returns the score on test data, and that of the best baseline."""
    rows: Mapping[str, Document] = test.get("baselines", {})
    best = min(rows, key=lambda name: rows[name][SCORE], default="")
    baseline = f"{md.label(best)} {rows[best][SCORE]:.3f}, {md.say(rows[best], 'top1')}" if best else "-"
    return md.say(test, SCORE, "top1"), baseline


def interface(known: Document) -> dict[str, str]:
    """Describes input and output of a model."""
    vocabulary = known.get("words") or known["vocabulary"]
    return {
        "input": f"{md.count(known['context'], 'word')} from a vocabulary of "
        f"{vocabulary if isinstance(vocabulary, int) else len(vocabulary)}",
        "output": "the probability of each word being the next one",
    }


def card(name: str, preset: Preset, metrics: Document, known: Document) -> dict[str, tuple[str, ...]]:
    """Renders the parts of a card that only language models have, by heading."""
    test = metrics["test"]
    return {
        "Intended use": (
            "Teaching word embeddings and the evaluation of language models. With such a small vocabulary and short "
            "context, the model does not generate meaningful text.",
        ),
        "Training": (
            md.given(metrics, "seeds", _seeds), preset.note, _starts(metrics) if "starts" in metrics else "",
            md.figures("training.png"),
        ),
        "Evaluation": (
            _scores(test),
            f"Split by position: the {md.count(test['rows'], 'test row')} are from the end of the text. The baselines "
            "are fitted to the same training rows.",
            md.figures("embedding.png"),
        ),
        "Limitations": (_limitations(test, known["context"]), _hardest(test)),
        "Usage": (
            cards.usage(
                name, metrics, "print(model(np.array([[5, 9, 2]])))  # logits after three words, numbered from 0",
                'next_word(ids=np.array([[5, 9, 2]], "int32"))["top_ids"]', "new Int32Array([5, 9, 2]), [1, 3]",
            ),
            "The file contains the vocabulary: `zoo.runtime.Interpreter(file).metadata.words`. On the command line: "
            f'`zoo predict {name} "in the right"`.',
        ),
    }  # fmt: skip


def _seeds(runs: Sequence[Document]) -> str:
    return (
        f"Trained with {md.count(len(runs), 'seed')}: validation cross-entropy {md.span(runs, 'cross_entropy')}, top-1 "
        f"{md.span(runs, 'top1')}. The model with the lowest validation cross-entropy is published."
    )


def _limitations(test: Document, context: int) -> str:
    return (
        f"Top-1 is {md.show(test['seen']['top1'], 'top1')} after contexts that occur in the training set, "
        f"{md.show(test['unseen']['top1'], 'top1')} after others. The model reads only {md.count(context, 'word')} and "
        "ignores everything before them."
    )


def _starts(metrics: Document) -> str:
    rows = [
        (
            name, *(f"{epoch['val_loss']:.3f}, {epoch['val_accuracy']:.1%}" for epoch in run["first_epochs"]),
            f"{run['val_loss']:.3f}, {run['val_accuracy']:.2%}", str(run["epochs"]),
        )
        for name, run in metrics["starts"].items()
    ]  # fmt: skip
    epochs = [f"epoch {epoch['epoch']}" for epoch in next(iter(metrics["starts"].values()))["first_epochs"]]
    stop, training = metrics.get("rounded_stop"), metrics["training"]
    return md.page(
        f"Early stopping compares unrounded validation losses, and kept epoch {training['best_epoch']} of "
        f"{training['epochs']}. With losses rounded to three decimals, as in the course, it would have kept epoch "
        f"{stop['best_epoch']} of {stop['epochs']}, with a loss of {stop['val_loss']:.3f}."
        if stop
        else "",
        "Validation cross-entropy and top-1 with either initializer, one seed each:",
        md.table(("initializer", *epochs, "best", "epochs"), rows),
    )
