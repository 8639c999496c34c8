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
        f"Test data, used once: {test_score(found)}",
        f"Report: {md.escape(found['report'])}. Model: {md.escape(found['model'])}.",
    )


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
