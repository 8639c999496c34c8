"""Tables of searches."""

from rich.console import Console

from zoo.report.tables.layout import Document, number, table


def result(console: Console, found: Document) -> None:
    """What a search came to."""
    shown = table(
        f"the best again, with other seeds; {found['objective']} on validation", "trial", "in the search", "mean",
        "deviation", "each seed",
    )  # fmt: skip
    for final in found["finals"]:
        shown.add_row(
            str(final["trial"]), number(final["score"], 4), number(final["mean"], 4), number(final["deviation"], 4),
            "  ".join(number(score, 4) for score in final["scores"]),
            style="bold" if final["trial"] == found["chosen"] else "",
        )  # fmt: skip
    console.print(shown)
    chosen = next(final for final in found["finals"] if final["trial"] == found["chosen"])
    values = ", ".join(f"{name} {number(value, 4)}" for name, value in chosen["values"].items())
    console.print(f"chosen: trial {found['chosen']}: {values}", highlight=False)
    test = found["test"]
    names = ("macro_f1", "accuracy", "cross_entropy", "top1", "mse", "r2")
    numbers = ", ".join(f"{name} {test[name]:.4f}" for name in names if name in test)
    simulated = ", SIMULATED" if test["simulated"] else ""
    console.print(f"{found['training']['parameters']:,} parameters; test data, looked at once{simulated}: {numbers}",
                  highlight=False)  # fmt: skip
    console.print(f"report in {found['report']}, model in {found['model']}", highlight=False, markup=False)
