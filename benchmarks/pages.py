"""What the benchmarks share whose numbers stand in a page of the docs: the option `--page`, and cells of tables."""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zoo.report import markdown

Tables = Mapping[str, Callable[[Any], str]]
"""Functions that render what was measured, for each mark of a page."""


def parser(description: str | None) -> argparse.ArgumentParser:
    """Returns a parser with the option, described by the docstring of a benchmark."""
    found = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--page", type=Path, help="write what was measured into this page, and measure nothing")
    return found


def measured(script: str) -> Any:
    """The document that a script printed before, which lies next to it."""
    return json.loads(Path(script).with_suffix(".json").read_text())


def fill(page: Path, script: str, tables: Tables) -> None:
    """Puts tables into a page.

    Args:
        page: The page.
        script: The file of the benchmark.
        tables: What renders the tables.
    """
    document = measured(script)
    for mark, render in tables.items():
        put(page, mark, render(document))


def put(page: Path, mark: str, text: str) -> None:
    """Replaces what a page has between the lines `<!-- mark -->` and `<!-- end -->`."""
    before, start, rest = page.read_text(encoding="utf-8").partition(f"<!-- {mark} -->\n")
    _, end, after = rest.partition("<!-- end -->")
    if not end:
        raise ValueError(f"{page}: has no place between <!-- {mark} --> and <!-- end -->")
    markdown.write(page, f"{before}{start}\n{text.rstrip()}\n\n{end}{after}")


def stream_cell(row: Mapping[str, float]) -> str:
    """What is shown of the streams of a study: right / walking as stairs; delays; false changes per hour."""
    if "delay" not in row:
        # Of walking alone, a label that never changes would be right.
        return f"{row['walking_as_stairs']:.1%}"
    right = f"{row['right']:.3f} / {row['walking_as_stairs']:.1%}"
    return f"{right}; {row['delay']:.1f}, {row['other_delay']:.1f} s; {row['false_per_hour']:.0f}"


def measured_before(known: Mapping[str, Any]) -> dict[str, Any]:
    """How the numbers of an earlier document that are kept were measured; empty without one."""
    how = {key: known[key] for key in ("command", "machine", "versions", "measured_before") if key in known}
    return {"measured_before": how} if how else {}
