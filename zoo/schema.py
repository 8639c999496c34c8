"""Schemas: what data or a document must hold, stated once.

Files, arrays and documents are checked by a schema; the features of TensorFlow Datasets are made of it, and the tables
of docs/layouts.md are compared with it. Needs NumPy alone, as inference on a device does.
"""

import dataclasses
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

KINDS: dict[str, tuple[str, str]] = {
    "number": ("fiu", "numbers"),
    "integer": ("iu", "whole numbers"),
    "flag": ("b", "true or false"),
    "text": ("SOU", "text"),
    "name": ("SOU", "1 to 200 letters, none a control"),
    "id": ("iuSOU", "whole numbers or text"),
}
"""Kinds of values: the types that an array may have, as NumPy's letters, and the kind in words."""

_TYPES = {"number": (int, float), "integer": (int,), "flag": (bool,), "text": (str,), "name": (str,), "id": (int, str)}
_NAME = re.compile(r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]{1,200}")
_LONGEST = 1000
"""Letters of a text in a document at most."""


@dataclass(frozen=True)
class Field:
    """A column of data, or a fact about it.

    `shape` has a digit for each size that is fixed and a letter for each that is free; equal letters are equal sizes,
    and a single value has none. `kind` is a key of `KINDS`, and `key` the name in a file, after the prefix of a split.
    Numbers are between `least` and `most`; values are of the `choices`, if there are any, and may have to be
    `distinct`. What is `optional` may be missing or an empty list; `default` is a fact that a file does not state.
    """

    name: str
    shape: str = ""
    kind: str = "number"
    meaning: str = ""
    key: str = ""
    unit: str = ""
    least: float = -math.inf
    most: float = math.inf
    positive: bool = False
    choices: tuple[Any, ...] = ()
    distinct: bool = False
    optional: bool = False
    default: Any = None

    def shape_problem(self, shape: tuple[int, ...], sizes: dict[str, int]) -> str:
        """Why a shape does not fit, such as `has shape (3,); expected (2,)`; empty if it fits, and sizes are noted."""
        noted = dict(sizes)
        # Sizes are noted only if all of them fit.
        fits = len(shape) == len(self.shape) and all(
            size == (int(letter) if letter.isdigit() else noted.setdefault(letter, size))
            for letter, size in zip(self.shape, shape, strict=True)
        )
        if fits:
            sizes.update(noted)
            return ""
        expected = ", ".join(str(sizes.get(letter, letter)) for letter in self.shape)
        return f"has shape {shape}; expected ({expected}{',' if len(self.shape) == 1 else ''})"

    def type_problem(self, dtype: np.dtype[Any]) -> str:
        """Why the type of an array does not fit; empty if it does."""
        letters, words = KINDS[self.kind]
        return "" if dtype.kind in letters else f"holds {dtype}; expected {words}"

    def problem(self, value: Any, sizes: dict[str, int] | None = None) -> str:
        """Why a value of a document, or an array, does not fit; empty if it does.

        >>> Field("prior", "K", least=0, most=1).problem([0.5, 2], {"K": 2})
        'is [0.5, 2]; expected 0 to 1'
        """
        is_array = isinstance(value, np.ndarray)
        if is_array and (wrong := self.type_problem(value.dtype)):
            return wrong
        shown = f"is {str(value) if is_array else json.dumps(value, default=repr):.60}; expected "
        if isinstance(value, Mapping) or (isinstance(value, list | tuple) != bool(self.shape) and not is_array):
            return shown + ("a list" if self.shape else f"{KINDS[self.kind][1]}")
        try:
            shape = np.shape(value)
        except ValueError:
            return shown + "lists of one length"
        is_empty = bool(self.shape) and 0 in shape
        if self.optional and is_empty:
            return ""
        if (wrong := self.shape_problem(shape, {} if sizes is None else sizes)) or is_empty:
            return wrong
        is_number = self.kind in ("number", "integer")
        if is_array and is_number:
            return self._range_problem(value, f"holds numbers from {value.min()} to {value.max()}; expected ")
        items = np.array(value, dtype=object).ravel().tolist()
        items = [item.item() if isinstance(item, np.generic) else item for item in items]
        if not all(isinstance(item, _TYPES[self.kind]) and isinstance(item, bool) <= (self.kind == "flag")
                   for item in items):  # fmt: skip
            return shown + KINDS[self.kind][1]
        strange, expected = self._strange(items)
        if strange:
            return (f"holds {strange[0]!r:.60}; expected " if is_array else shown) + expected
        return self._range_problem(np.array(items, np.float64), shown) if is_number else ""

    def _strange(self, items: list[Any]) -> tuple[list[Any], str]:
        """Those of some items that cannot be, and what is expected."""
        if self.choices and (strange := [item for item in items if item not in self.choices]):
            return strange, " or ".join(map(json.dumps, self.choices))
        if self.distinct and len(set(items)) < len(items):
            return [item for item, count in Counter(items).items() if count > 1], "different entries"
        if self.kind == "name":
            return [item for item in items if not (_NAME.fullmatch(item) and item.strip())], KINDS["name"][1]
        return [item for item in items if self.kind == "text" and len(item) > _LONGEST], f"at most {_LONGEST} letters"

    def _range_problem(self, numbers: np.ndarray[Any, Any], shown: str) -> str:
        if self.positive and not (numbers > 0).all():
            return f"{shown}{KINDS[self.kind][1]} above 0"
        # NaN is within no limits.
        if ((numbers >= self.least) & (numbers <= self.most) & np.isfinite(numbers)).all():
            return ""
        lower, upper = math.isfinite(self.least), math.isfinite(self.most)
        if lower and upper:
            return f"{shown}{self.least:g} to {self.most:g}"
        return shown + (f"{self.least:g} or more" if lower else f"at most {self.most:g}" if upper else "finite numbers")


@dataclass(frozen=True)
class Rule:
    """What must hold across fields, the arguments of `holds`, if all are there; `words` say what is expected."""

    names: tuple[str, ...]
    holds: Callable[..., bool]
    words: str


@dataclass(frozen=True)
class Schema:
    """What a kind of data, or a document, holds: columns of equally many rows in each split, and facts about all.

    `splits` have the prefix of their keys in a file, which may lack those that are `absent`, and the letter of their
    number of rows. `maker` is the command of `zoo data` that makes such a file.
    """

    name: str
    columns: tuple[Field, ...] = ()
    facts: tuple[Field, ...] = ()
    rules: tuple[Rule, ...] = ()
    splits: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=lambda: {"train": ("", "N")})
    absent: tuple[str, ...] = ()
    maker: str = ""

    def problem(self, document: Mapping[str, Any]) -> str:
        """What is wrong with the facts in a document, in words that name one; empty if nothing is."""
        sizes = dict[str, int]()
        if missing := [field.name for field in self.facts if not field.optional and field.name not in document]:
            return f"lacks {', '.join(missing)}"
        for field in self.facts:
            if field.name in document and (wrong := field.problem(document[field.name], sizes)):
                return f"{field.name!r} {wrong}"
        for rule in self.rules:
            values = [document[name] for name in rule.names if name in document]
            if len(values) == len(rule.names) and not rule.holds(*values):
                shown = ", ".join(json.dumps(value, default=repr)[:60] for value in values)
                verb = "is" if len(values) == 1 else "are"
                return f"{', '.join(map(repr, rule.names))} {verb} {shown}; expected {rule.words}"
        return ""

    def fact(self, name: str) -> Field:
        """A fact by its name."""
        return next(field for field in self.facts if field.name == name)

    def column(self, name: str) -> Field:
        """A column by its name."""
        return next(field for field in self.columns if field.name == name)

    def in_file(self, column: Field, split: str) -> Field:
        """A column as it is in a file: one of N rows has the prefix and the letter of a split."""
        key = column.key or column.name
        if not column.shape.startswith("N"):
            return replace(column, key=key)
        prefix, letter = self.splits[split]
        optional = column.optional or split in self.absent
        return replace(column, key=prefix + key, shape=letter + column.shape[1:], optional=optional)

    def fields_in_file(self) -> list[Field]:
        """All columns of all splits as they are in a file."""
        fields = (self.in_file(column, split) for column in self.columns for split in self.splits)
        return list({field.key: field for field in fields}.values())

    def lacking(self, keys: Container[str]) -> list[str]:
        """The keys that a file needs, of those that are not among its own."""
        return [field.key for field in self.fields_in_file() if not field.optional and field.key not in keys]
