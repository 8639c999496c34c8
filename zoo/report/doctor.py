"""Report of `zoo doctor`, suitable for bug reports."""

from zoo.report import markdown as md
from zoo.report.markdown import Document


def doctor(found: Document) -> str:
    """Renders versions, programs, the self-test, and problems."""
    versions = [
        (row["name"], md.show(row["installed"]), row["needed"] or "any", row["purpose"])
        for row in [*found["packages"], *found["programs"]]
    ]
    problems = sorted(found["problems"], key=lambda problem: problem["fatal"], reverse=True)
    tested = [(row["step"], md.escape(row["found"]), f"{row['seconds']:.1f}") for row in found["self_test"] or []]
    output = "\n".join(found["self_test_output"]) if found["self_test"] is not None else ""
    return md.page(
        f"pocket-zoo {found['pocket_zoo']}, {found['presets']} presets, page {'' if found['page'] else 'not '}built",
        f"Python {found['python']}, {md.escape(found['platform'])}, {md.escape(found['machine'])}",
        md.table(("package", "installed", "needed", "for"), versions, text=4),
        md.section(
            "Self-test: a tiny recognizer on simulated people",
            md.table(("step", "result", "s"), tested, text=2) if tested else "",
            f"```text\n{output}\n```" if output else "",
        ),
        *(md.note(f"{row['what']}: {row['breaks']}; {row['mend']}", "broken" if row["fatal"] else "note")
          for row in problems),
        "Everything essential works." if found["sound"] else "Something essential is broken.",
    )  # fmt: skip
