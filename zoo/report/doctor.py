"""The findings of `zoo doctor`, fit to be pasted in a bug report."""

from zoo.report import markdown as md
from zoo.report.markdown import Document


def doctor(found: Document) -> str:
    """Versions, programs, the self-test, and what is wrong or missing."""
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
            "Self-test: a tiny recognizer of simulated people",
            md.table(("step", "result", "s"), tested, text=2) if tested else "",
            f"```text\n{output}\n```" if output else "",
        ),
        *(md.note(f"{row['what']}: {row['breaks']}; {row['mend']}", "broken" if row["fatal"] else "note")
          for row in problems),
        "All that is needed works." if found["sound"] else "Something that is needed is broken.",
    )  # fmt: skip
