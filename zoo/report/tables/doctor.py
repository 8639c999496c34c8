"""What `zoo doctor` found, fit to be pasted in a bug report."""

from rich.console import Console

from zoo.report.tables.layout import Document, number, table


def report(console: Console, found: Document) -> None:
    """Versions, programs, the self-test, and what is wrong or missing."""
    page = "" if found["page"] else "not "
    console.print(f"pocket-zoo {found['pocket_zoo']}, {found['presets']} presets, page {page}built", highlight=False)
    console.print(f"Python {found['python']}, {found['platform']}, {found['machine']}\n", highlight=False)
    versions = table("", "package", "installed", "needed", "for")
    for column in versions.columns[1:]:
        column.justify = "left"
    for row in [*found["packages"], *found["programs"]]:
        style = None if row["fits"] else "yellow"
        versions.add_row(row["name"], number(row["installed"]), row["needed"] or "any", row["purpose"], style=style)
    console.print(versions)
    if found["self_test"] is not None:
        steps = table("\nself-test: a tiny recognizer of simulated people", "step", "s", "found")
        steps.columns[2].justify = "left"
        for row in found["self_test"]:
            steps.add_row(row["step"], f"{row['seconds']:.1f}", row["found"])
        console.print(steps)
        for line in found["self_test_output"]:
            console.print(f"  {line}", highlight=False, markup=False)
    console.print()
    for problem in sorted(found["problems"], key=lambda problem: problem["fatal"], reverse=True):
        kind, style = ("broken", "bold red") if problem["fatal"] else ("note", "yellow")
        console.print(f"{kind}: ", style=style, end="")
        console.print(f"{problem['what']}: {problem['breaks']}; {problem['mend']}", highlight=False, markup=False)
    console.print("All that is needed works." if found["sound"] else "Something that is needed is broken.")
