"""Reports of activity recognizers, and of cross-validations."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from markupsafe import Markup

from zoo.activity.studies import STUDIES
from zoo.report import markdown as md
from zoo.report.markdown import Document, Pages, methods
from zoo.results import Benchmark, CrossValidation
from zoo.runtime.labels import COUNTED
from zoo.runtime.metadata import OTHER
from zoo.runtime.streaming import NOT_SURE

TITLE = "Activity recognizers"
SCORE, MAXIMIZE = "macro_f1", True
FILE_SCORES = ("accuracy", "macro_f1")
EXAMPLE = "window"
RESULTS = ("accuracy", "macro_f1", "macro_f1_interval", "stairs_as_one", "all_classes")
COLUMNS = ("macro_f1", "macro_f1_interval")


def headline(test: Document) -> tuple[str, str]:
    """Returns the score on test data, and that of the best baseline."""
    how = ", cross-validated" if test["split"] == "cross-validation" else ""
    interval = test["macro_f1_interval"]
    measured = md.say(test, SCORE) + (f" ({md.show(interval, 'interval')})" if interval else "") + how
    if "other" in test:
        measured += f", recall of other movements {test['other']['recall']:.3f}"
    name, score = baseline(test)
    return measured, f"{name} {score:.3f}" if score is not None else "-"


def baseline(test: Document) -> tuple[str, float | None]:
    """Returns the name and the score of the best baseline."""
    rows: Mapping[str, Document] = test.get("baselines", {})
    best = max(rows, key=lambda name: rows[name][SCORE], default="")
    return md.label(best), rows[best][SCORE] if best else None


def with_summaries(rows: Sequence[tuple[str, Document]]) -> list[tuple[str, Document]]:
    """Rows of scores with the macro-F1 of other classes.

    `stairs_as_one`: upstairs and downstairs are one class, since many a study has stairs alone. `all_classes`: windows
    of other movements count as well, as a class of their own.
    """
    return [(name, {**row, "stairs_as_one": _stairs_as_one(row), "all_classes": _of_all(row)}) for name, row in rows]


def _of_all(row: Document) -> float | None:
    return fmean(own["f1"] for own in row["per_class"].values()) if row.get("other") else None


def _stairs_as_one(row: Document) -> float | None:
    names = row.get("classes", ())
    if "confusion" not in row or not {"upstairs", "downstairs"} <= set(names):
        return None
    places = np.array([names.index("downstairs" if name == "upstairs" else name) for name in names])
    table = np.zeros((len(names), len(names)))
    np.add.at(table, (places[:, None], places), row["confusion"])
    # Of known activities, as the macro-F1 of six classes. Other movements are the last class.
    known = len(names) - (OTHER in names)
    totals, right = (table[:known].sum(axis=0) + table.sum(axis=1))[:known], np.diag(table)[:known]
    return float((2 * right[totals > 0] / totals[totals > 0]).mean())


def _as_stairs(report: Document) -> float | None:
    """The share of windows of walking that were taken for stairs."""
    names = report["classes"]
    row = report["confusion"][names.index("walking")]
    stairs = sum(row[names.index(name)] for name in ("upstairs", "downstairs"))
    return stairs / sum(row) if sum(row) else None


def shown(streams: Document) -> str:
    """Returns what is shown of the streams of all studies, in words."""
    settled = [(row["settled"], "turns" in row) for row in streams["studies"].values()]
    # Of walking alone, a label that never changes is right all the time.
    right = [row["right"]["share"] for row, changes in settled if changes]
    stairs = [row["walking_as_stairs"]["share"] for row, _ in settled]
    return (
        f"right {min(right):.3f} to {max(right):.3f} after 5 s, walking shown as stairs {min(stairs):.1%} to "
        f"{max(stairs):.1%}"
    )


def _people_used(test: Document) -> list[str]:
    used = Counter(name.partition("/")[0] for name in test["per_subject"])
    return [
        f"{count} of the {STUDIES[study].people} people of {STUDIES[study].title}"
        for study, count in sorted(used.items())
        if study in STUDIES and count < STUDIES[study].people
    ]


def _mistaken(test: Document, name: str) -> list[tuple[int, str]]:
    """The two classes that windows of a class were taken for most often, with their numbers of windows."""
    row = zip(test["confusion"][test["classes"].index(name)], test["classes"], strict=True)
    return sorted(((windows, other) for windows, other in row if other != name and windows), reverse=True)[:2]


def _tenth(people: Document, key: str) -> float:
    """The tenth percentile of a score over people."""
    scores = sorted(row[key] for row in people.values())
    return float(scores[len(scores) // 10])


def _stream_rows(metrics: Document) -> list[tuple[str, str, Document]]:
    """Study, what the networks were trained without, and what its streams show."""
    found = [("these people", metrics["streams_of_people"]), ("this study", metrics["streams_of_studies"])]
    return [
        (study, without, streams["studies"][study])
        for study in found[0][1]["studies"] for without, streams in found if study in streams["studies"]
    ]  # fmt: skip


def _share(found: Document | None, form: str = ".1%") -> str:
    """A share of time, with its interval over people, or the lowest and the highest of a few people."""
    return f"{found['share']:{form}}{_spread(found, form)}" if found and found["share"] is not None else "-"


def _spread(found: Document | None, form: str = ".1f") -> str:
    """The interval over people of something, or the lowest and the highest of a few people; a delay may be `never`."""
    if not found:
        return ""
    bounds, who = found.get("interval"), ""
    if "by_person" in found:
        each = sorted(found["by_person"].values(), key=lambda number: np.inf if number is None else number)
        bounds, who = (each[0], each[-1]), f", {found['people']} people"
    shown = " to ".join("never" if bound is None else f"{bound:{form}}" for bound in bounds or ())
    return f" ({shown}{who})" if bounds else ""


def delay(row: Document, key: str = "delay_median") -> str:
    """A quantile of the delays of some changes, `never` where so many are missed; nothing without a change."""
    if not row.get("changes", True) or key not in row:
        return "-"
    return "never" if row[key] is None else f"{row[key]:.1f}"


def _changes(delays: Mapping[str, Mapping[str, Document]]) -> str:
    """A table of the median delays, from each activity to each other."""
    after = sorted({name for row in delays.values() for name in row})
    rows = [[md.escape(name), *(delay(row.get(other, {})) for other in after)] for name, row in delays.items()]
    return Markup(md.table(["from \\ to", *map(md.escape, after)], rows))


def minutes(labels: Iterable[str | None], seconds: float) -> str:
    """Minutes by label, the most first, such as `walking 1.5, not sure 0.1`; each label stands for some seconds."""
    counts = Counter(NOT_SURE if label is None else label for label in labels)
    return ", ".join(f"{label} {count * seconds / 60:.1f}" for label, count in counts.most_common())


pages = Pages(
    "activity/report.md.j2", RESULTS=RESULTS, FILE_SCORES=FILE_SCORES, COUNTED=COUNTED, as_stairs=_as_stairs,
    people_used=_people_used, mistaken=_mistaken, tenth=_tenth, delay=delay, changes=_changes,
    share=_share, spread=_spread, stream_rows=_stream_rows, with_summaries=with_summaries, minutes=minutes,
)  # fmt: skip
training, evaluation, predictions = map(pages.macro, ("training", "evaluation", "predictions"))
streaming, interface = pages.macro("streaming"), pages.macro("interface")


def _scores(result: Document) -> list[tuple[str, Document]]:
    rows = with_summaries(methods(result, result["preset"]))
    return [(name, {**row, "mean of folds": row["mean"]}) for name, row in rows]


def _people(result: Document) -> list[tuple[str, Document]]:
    others = {md.label(name): row["per_subject"] for name, row in result["baselines"].items()}
    return [
        (name, row | {other: scores.get(name, {}).get("macro_f1") for other, scores in others.items()})
        for name, row in sorted(result["per_subject"].items(), key=lambda item: item[1]["macro_f1"])
    ]


def _failed(result: Document) -> list[tuple[str, Document]]:
    rows = {result["preset"]: result, **result["baselines"]}
    return [(name, fold) for name, row in rows.items() for fold in row.get("folds", ()) if fold["status"] == "failed"]


cross_validation = Pages("activity/crossval.md.j2", scores=_scores, people=_people, failed=_failed).macro("page")


def write_cross_validation(found: CrossValidation, folder: Path) -> Path:
    """Writes `report.md` and its figures into the folder of a cross-validation, and returns its path."""
    found.figures(folder)
    return md.write(folder / "report.md", cross_validation(found.content))


benchmark = Pages("activity/benchmark.md.j2").macro("page")


def write_benchmark(found: Benchmark, folder: Path) -> Path:
    """Writes `report.md`, figures and tables into the folder of a benchmark, and returns the path of the report."""
    frame = found.to_frame()
    md.write(folder / "table.csv", frame.to_csv())
    table = frame.loc[:, :"streams"].reset_index()
    md.write(folder / "table.tex", table.to_latex(index=False, escape=True, float_format="%.3f", na_rep="-"))
    found.figures(folder, "svg")
    found.figures(folder, "pdf")
    return md.write(folder / "report.md", benchmark(found.content))
