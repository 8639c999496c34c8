"""Reports of activity recognizers."""

from collections import Counter
from collections.abc import Mapping

from zoo.activity.studies import STUDIES
from zoo.report import markdown as md
from zoo.report.markdown import Document
from zoo.report.pages import Pages
from zoo.runtime.label_sets import COUNTED

TITLE = "Activity recognizers"
SCORE, MAXIMIZE = "macro_f1", True
FILE_SCORES = ("accuracy", "macro_f1")
EXAMPLE = "window"
RESULTS = ("accuracy", "macro_f1", "macro_f1_interval")


def headline(test: Document) -> tuple[str, str]:
    """Returns the score on test data, and that of the best baseline."""
    how = ", cross-validated" if test["split"] == "cross-validation" else ""
    measured = f"{md.say(test, SCORE)} ({md.show(test['macro_f1_interval'], 'interval')}){how}"
    rows: Mapping[str, Document] = test.get("baselines", {})
    best = max(rows, key=lambda name: rows[name][SCORE], default="")
    return measured, f"{md.label(best)} {rows[best][SCORE]:.3f}" if best else "-"


def _as_stairs(report: Document) -> float | None:
    """Returns the share of windows of walking that were taken for stairs."""
    names = report["classes"]
    row = report["confusion"][names.index("walking")]
    stairs = sum(row[names.index(name)] for name in ("upstairs", "downstairs"))
    return stairs / sum(row) if sum(row) else None


def _people_used(test: Document) -> list[str]:
    """Says of which studies not everyone is in the data."""
    used = Counter(name.partition("/")[0] for name in test["per_subject"])
    return [
        f"{count} of the {STUDIES[study].people} people of {STUDIES[study].title}"
        for study, count in sorted(used.items())
        if study in STUDIES and count < STUDIES[study].people
    ]


def _mistaken(test: Document, name: str) -> list[tuple[int, str]]:
    """Returns the two classes that windows of a class were taken for most often, with their numbers of windows."""
    row = zip(test["confusion"][test["classes"].index(name)], test["classes"], strict=True)
    return sorted(((windows, other) for windows, other in row if other != name and windows), reverse=True)[:2]


pages = Pages(
    "activity/report.md.j2", RESULTS=RESULTS, FILE_SCORES=FILE_SCORES, COUNTED=COUNTED, as_stairs=_as_stairs,
    people_used=_people_used, mistaken=_mistaken,
)  # fmt: skip
training, evaluation, predictions, streaming = pages.training, pages.evaluation, pages.predictions, pages.streaming
interface = pages.interface
