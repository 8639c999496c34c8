"""Reports of language models."""

from collections.abc import Mapping

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
    """Returns the score on test data, and that of the best baseline."""
    rows = test.get("baselines", {})
    best = _best(rows)
    other = f"{md.label(best)} {rows[best][SCORE]:.3f}, {md.say(rows[best], 'top1')}" if best else "-"
    return md.say(test, SCORE, "top1"), other


def baseline(test: Document) -> tuple[str, float | None]:
    """Returns the name and the score of the best baseline."""
    rows = test.get("baselines", {})
    best = _best(rows)
    return md.label(best), rows[best][SCORE] if best else None


def _best(rows: Mapping[str, Document]) -> str:
    return min(rows, key=lambda name: rows[name][SCORE], default="")
