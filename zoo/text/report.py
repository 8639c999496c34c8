"""Reports of language models."""

from zoo.report import markdown as md
from zoo.report.markdown import Document, Pages

TITLE = "Language models"
SCORE, MAXIMIZE = "cross_entropy", False
FILE_SCORES = ("cross_entropy", "top1")
EXAMPLE = "row"
RESULTS = ("cross_entropy", "perplexity", "top1", "top5", "top10")
COLUMNS = ("cross_entropy",)

pages = Pages("text/report.md.j2", RESULTS=RESULTS)
training, evaluation, predictions = map(pages.macro, ("training", "evaluation", "predictions"))
interface = pages.macro("interface")


def headline(test: Document) -> tuple[str, str]:
    """The score on test data, and that of the best baseline."""
    name, best = _best(test)
    other = f"{name} {best[SCORE]:.3f}, {md.say(best, 'top1')}" if best else "-"
    return md.say(test, SCORE, "top1"), other


def baseline(test: Document) -> tuple[str, float | None]:
    """The name and the score of the best baseline."""
    name, best = _best(test)
    return name, best.get(SCORE)


def _best(test: Document) -> tuple[str, Document]:
    rows = [(md.label(name), row) for name, row in test.get("baselines", {}).items()]
    return min(rows, key=lambda named: named[1][SCORE], default=("", {}))
