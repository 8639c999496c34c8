"""Reports of cross-validations."""

from pathlib import Path
from typing import Any

from zoo.report import markdown as md
from zoo.report.markdown import Document
from zoo.report.pages import Pages, methods


def _scores(result: Document) -> list[tuple[str, Document]]:
    """Returns the scores of the model and of the baselines, with those that random windows would have claimed."""
    random = result["random"] or {}
    return [
        (name, {**row, "mean of folds": row["mean"], "random windows": random.get(key, {}).get("macro_f1")})
        for key, (name, row) in zip(_methods(result), methods(result, result["preset"]), strict=True)
    ]


def _methods(result: Document) -> dict[str, Any]:
    return {result["preset"]: result, **result["baselines"]}


def _people(result: Document) -> list[tuple[str, Document]]:
    """Returns the scores of each subject, with the macro-F1 of the baselines, the worst first."""
    others = {md.label(name): row["per_subject"] for name, row in result["baselines"].items()}
    return [
        (name, row | {other: scores.get(name, {}).get("macro_f1") for other, scores in others.items()})
        for name, row in sorted(result["per_subject"].items(), key=lambda item: item[1]["macro_f1"])
    ]


def _failed(result: Document) -> list[tuple[str, Document]]:
    return [
        (name, fold) for name, row in _methods(result).items() for fold in row["folds"] if fold["status"] == "failed"
    ]


cross_validation = Pages("activity/crossval.md.j2", scores=_scores, people=_people, failed=_failed).page


def write(result: Document, folder: Path) -> Path:
    """Writes `report.md` and its figures into the folder of a cross-validation, and returns its path."""
    # Drawing takes a second to import.
    from zoo.activity.figures import crossval

    crossval(result, folder)
    return md.write(folder / "report.md", cross_validation(result))
