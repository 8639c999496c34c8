"""Writes a text that stands in for yours."""

from pathlib import Path

from zoo.data import grammar

_ = Path("book.txt").write_text("\n".join(grammar.sentences(6000, seed=0)))
