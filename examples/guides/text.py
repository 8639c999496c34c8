"""Writes a text that stands in for yours."""

from pathlib import Path

from zoo.text import simulate

_ = Path("book.txt").write_text("\n".join(simulate.simulate(6000, seed=0)))
