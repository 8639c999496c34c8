"""The parts of the report of a search that the terminal shows as well."""

from zoo.report import for_task
from zoo.report import markdown as md
from zoo.report.markdown import Document


def result(found: Document) -> str:
    """Renders the result of a search."""
    chosen = next(final for final in found["finals"] if final["trial"] == found["chosen"])
    return md.page(
        finals(found),
        f"Chosen: trial {found['chosen']}, {md.count(found['training']['parameters'], 'parameter')}: "
        f"{md.show(chosen['values'], form='.3g')}",
        against_default(found),
        f"Test data, used once: {test_score(found)}",
        f"Report: {md.escape(found['report'])}. Model: {md.escape(found['model'])}."
        f"{md.given(found, 'preset', lambda folder: f' Copy of the model: {md.escape(folder)}.')}",
    )


def against_default(found: Document) -> str:
    """Says whether the search found something better than its first trial, which has the default values."""
    if found["chosen"] == 0:
        return "Trial 0 has the default values: the search found nothing better."
    score = found["default_score"]
    known = f"{md.label(found['objective'])} {score:.4f} in the search" if score is not None else "not scored"
    return f"Trial 0 has the default values ({known}): the search found something better."


def finals(found: Document) -> str:
    """Renders the best trials, trained again with other seeds."""
    keys = ("in search:.4f", "mean of seeds:.4f", "deviation:.4f", "each seed:.4f")
    rows = [
        (
            f"**{final['trial']} (chosen)**" if final["trial"] == found["chosen"] else str(final["trial"]),
            {"in search": final["score"], "mean of seeds": final["mean"], "deviation": final["deviation"],
             "each seed": final["scores"]},
        )
        for final in found["finals"]
    ]  # fmt: skip
    return md.page(
        f"The best trials, trained again with seeds that the search did not use; "
        f"{md.label(found['objective'])} on validation:",
        md.columns(rows, keys, "trial"),
        "The score in the search is the best of many, so it is biased; the mean over the seeds is not.",
    )


def test_score(found: Document) -> str:
    """Returns the score on test data as text."""
    measured: str = for_task(found["task"]).headline(found["test"])[0]
    return f"**{measured}**{' on SIMULATED data' if found['test']['simulated'] else ''}"
