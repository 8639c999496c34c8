"""Reports of language models."""

from collections.abc import Mapping

from zoo.report import markdown as md
from zoo.report.markdown import Document
from zoo.report.pages import Pages

TITLE = "Language models"
SCORE, MAXIMIZE = "cross_entropy", False
FILE_SCORES = ("cross_entropy", "top1")
EXAMPLE = "row"
RESULTS = ("cross_entropy", "perplexity", "top1", "top5", "top10")


pages = Pages("text/report.md.j2", RESULTS=RESULTS)
training, evaluation, predictions, interface = pages.training, pages.evaluation, pages.predictions, pages.interface


def headline(test: Document) -> tuple[str, str]:
    """Returns the score on test data, and that of the best baseline."""
    rows: Mapping[str, Document] = test.get("baselines", {})
    best = min(rows, key=lambda name: rows[name][SCORE], default="")
    baseline = f"{md.label(best)} {rows[best][SCORE]:.3f}, {md.say(rows[best], 'top1')}" if best else "-"
    return md.say(test, SCORE, "top1"), baseline
