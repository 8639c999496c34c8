"""The JSON Schema of the metadata, and the check of a document against it. `docs/metadata.schema.json` is its text.

python -m zoo.runtime.schema > docs/metadata.schema.json
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_TEXT = {"type": "string", "maxLength": 1000}
# Names are shown on screens and written into sources, where a line break would end a comment.
_NAME = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+$"}
_NAMES = {"type": "array", "items": _NAME, "uniqueItems": True, "maxItems": 1_000_000}
_SIZE = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
_COUNT = {"type": "integer", "minimum": 0, "maximum": 1_000_000_000}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_POSITIVE_SHARE = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
_NUMBER = {"type": "number", "minimum": -1e6, "maximum": 1e6}
_POSITIVE = {"type": "number", "exclusiveMinimum": 0, "maximum": 1e6}

_AXES = ["x", "y", "z"]
_ALL: dict[str, Any] = {
    "family": _NAME, "preset": _NAME, "simulated": {"type": "boolean"}, "source": _TEXT, "data_sha256": _TEXT,
    "weights_sha256": _TEXT, "license": _TEXT, "version": _NAME, "schema": {"enum": [1]},
}  # fmt: skip
_TASKS: dict[str, dict[str, Any]] = {
    "activity": {
        "classes": {**_NAMES, "minItems": 1}, "rate": {"type": "number", "minimum": 0.1, "maximum": 100_000},
        "window": _SIZE, "hop": _SIZE, "frame": _SIZE, "chunk": _SIZE,
        "states": {"type": "object", "additionalProperties": _SIZE},
        "mean": {"type": "array", "items": _NUMBER}, "variance": {"type": "array", "items": _POSITIVE},
        "unit": {"enum": ["m/s^2"]}, "axes": {"enum": [_AXES, [*_AXES, "gyro_x", "gyro_y", "gyro_z"]]},
        "convention": {"enum": ["android"]}, "temperature": _POSITIVE,
        "streaming": {
            "type": "object", "additionalProperties": False,
            "required": ["restart", "copies", "warmup", "smoothing", "margin"],
            "properties": {
                "restart": _COUNT, "copies": {**_SIZE, "maximum": 100}, "warmup": _COUNT,
                "smoothing": {"type": "number", "minimum": 0, "maximum": 3600}, "margin": _SHARE,
                # Of older files.
                "threshold": _SHARE,
            },
        },
        "split_by": {"enum": ["subject", "window", "not stated"]},
        # Equal entries are of different studies.
        "train_subjects": {"type": "array", "items": _NAME, "maxItems": 1_000_000},
        "prior": {"type": "array", "items": _POSITIVE_SHARE}, "threshold": _SHARE,
    },
    "patches": {
        "size": _SIZE, "hidden_units": _SIZE, "sparsity_target": _SHARE,
        "scale": {"type": "array", "items": _NUMBER, "minItems": 3, "maxItems": 3}, "held_out": _NAMES,
    },
    "text": {"words": {**_NAMES, "minItems": 1}, "context": _SIZE},
}  # fmt: skip

_OPTIONAL = ("prior", "threshold")
"""Properties that documents of older files lack."""


def task_schema(task: str) -> dict[str, Any]:
    """Returns the schema of the documents of a task."""
    properties = {"task": {"enum": [task]}, **_ALL, **_TASKS[task]}
    required = [name for name in properties if name not in _OPTIONAL]
    return {"type": "object", "required": required, "properties": properties}


def json_schema() -> dict[str, Any]:
    """Returns the JSON Schema of the metadata of all tasks."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Metadata of a model of pocket-zoo",
        "oneOf": [task_schema(task) for task in _TASKS],
    }  # fmt: skip


_TYPES: dict[str, tuple[Any, str]] = {
    "string": (str, "text"), "integer": (int, "a whole number"), "number": ((int, float), "a number"),
    "boolean": (bool, "true or false"), "array": (list, "a list"), "object": (Mapping, "names and values"),
}  # fmt: skip


def violation(value: Any, schema: Mapping[str, Any], key: str = "") -> str:
    """Returns what is wrong with a value of JSON types, in words; empty if it fits the schema.

    Only those keywords of JSON Schema are known that the schema uses.

    Example:
        >>> violation({"window": 0}, {"type": "object", "properties": {"window": _SIZE}})
        "'window' is 0; expected 1 or more"
    """
    found = f"{key!r} is {json.dumps(value)[:60]}; expected "
    if "enum" in schema:
        choices = " or ".join(map(json.dumps, schema["enum"]))
        return "" if any(value == each and type(value) is type(each) for each in schema["enum"]) else found + choices
    kind, words = _TYPES[schema["type"]]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        return found + words
    wrong = _limits(value, schema)
    if wrong:
        return found + wrong
    if isinstance(value, Mapping):
        return _entries(value, schema, key)
    items = enumerate(value) if isinstance(value, list) else ()
    return next((wrong for place, item in items if (wrong := violation(item, schema["items"], f"{key}[{place}]"))), "")


def _limits(value: Any, schema: Mapping[str, Any]) -> str:
    """What is expected of a number, a text or a list that is out of its limits."""
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema["maxLength"]:
            return f"{schema.get('minLength', 0)} to {schema['maxLength']} letters"
        return "" if re.search(schema.get("pattern", ""), value) else "no control characters"
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            return f"{schema.get('minItems', 0)} entries or more"
        unique = schema.get("uniqueItems") and len({json.dumps(each) for each in value}) < len(value)
        return "different entries" if unique else ""
    if isinstance(value, int | float):
        # NaN is in no range.
        if not value >= schema.get("minimum", value):
            return f"{schema['minimum']:g} or more"
        if not value > schema.get("exclusiveMinimum", float("-inf")):
            return f"a number above {schema['exclusiveMinimum']:g}"
        if not value <= schema.get("maximum", value):
            return f"at most {schema['maximum']:g}"
    return ""


def _entries(value: Mapping[str, Any], schema: Mapping[str, Any], key: str) -> str:
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        return f"{repr(key) + ' ' if key else ''}lacks {', '.join(missing)}"
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, entry in value.items():
        inner = known.get(name, others)
        if inner is False:
            return f"{key!r} has {name!r}, which is unknown"
        if isinstance(inner, Mapping) and (wrong := violation(entry, inner, f"{key}.{name}" if key else name)):
            return wrong
    return ""


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2, ensure_ascii=True))
