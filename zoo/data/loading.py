"""The public door to data: files in any of the layouts, builds of TensorFlow Datasets, arrays, tables.

The layout of a file is named after its task, and what reads and describes such data is in the task's folder:
`zoo.TASK.data` has `from_file`, `from_arrays` and `describe`.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data import OF_WINDOWS, hdf5
from zoo.data.dataset import Data
from zoo.errors import ArgumentError, ZooError, refuse, shown
from zoo.families import TASKS
from zoo.runtime.interpreter import numbers

_BUILD, CUT_RATE = "tfds:", 50.0
"""What the names of builds begin with; Hz of the windows that a sensor's rows are cut into."""
_OF_TASK = {"activity": ("classes", "rate", "unit", "other", "label_sets"), "text": ("words",), "patches": ("levels",)}
"""Facts that arrays do not hold, and that `load_data` takes for a task, or finds in a table of `to_frame`."""


_DESCRIBING = dict.fromkeys(("activity", "recordings"), "zoo.activity.description")
"""What describes data, where that is not the module `data` of its task, which every training imports."""


def load_data(
    source: Any, *, task: str | None = None, subjects: Any = None, levels: float | None = None,
    data_dir: str | Path | None = None, **facts: Any,
) -> Data:  # fmt: skip
    """Checks and opens data, as `zoo.load_data` says, by whose names the facts go; refuses data of another task."""
    if task is not None and task not in TASKS:
        raise ZooError(f"task {shown(task)}: expected {', '.join(TASKS)}")
    white = None if levels == 1.0 else levels
    facts = {name: value for name, value in (facts | {"levels": white}).items() if value is not None}
    stated = facts if subjects is None else facts | {"subjects": subjects}
    is_named = isinstance(source, str) and source.startswith(_BUILD)
    if data_dir is not None and not is_named:
        raise ArgumentError("data_dir", ": requires tfds:NAME; leave it out")
    if isinstance(source, Data):
        refuse("does not apply to data in memory", **stated)
        data = source
    elif not isinstance(source, str | Path):
        return _from_arrays(source, task, subjects, facts)
    else:
        refuse("applies to arrays alone; a file states its own", **{k: v for k, v in stated.items() if k != "levels"})
        path = Path(source)
        # Of a name that is too long, Path.is_file raises.
        if is_named or os.path.isfile(path / "dataset_info.json"):  # noqa: PTH113
            from zoo.data import tfds

            refuse("does not apply to a build", levels=white)
            name = str(source).removeprefix(_BUILD)
            data = tfds.load(name if is_named else path, None if data_dir is None else Path(data_dir))
        elif (layout := hdf5.identify(path)) == "recordings":
            raise ZooError(f"{path}: holds recordings; cut them into windows first, with `zoo data windows`")
        elif layout != "patches" and white is not None:
            raise ZooError(f"{path}: holds {layout}; levels are for patches alone")
        else:
            options = {} if white is None else {"levels": white}
            data = import_module(f"zoo.{layout}.data").from_file(path, **options)
    if task not in (None, data.task):
        file = f"{TASKS[task].file} of `zoo data {hdf5.layouts()[task].maker}`"
        raise ZooError(f"{data.name}: holds {data.task} data; expected {task} data, such as {file}")
    return data


def _from_arrays(source: Any, task: str | None, subjects: Any, facts: dict[str, Any]) -> Data:
    """Makes data of `x`, `(x, y)`, a pair of these for training and test, or tables."""
    is_pair = isinstance(source, tuple | list) and len(source) == 2 and all(map(_is_part, source))
    parts = source if is_pair else [source]
    owners = subjects if is_pair and subjects is not None else [subjects, None]
    if len(owners) != 2:
        raise ZooError("subjects: expected a pair, those of training and those of test")
    splits = {
        split: _columns(part, facts) | ({} if people is None else {"subject": _array("subjects", people, "fiubSUO")})
        for split, part, people in zip(("train", "test"), parts, owners, strict=False)
    }
    is_frame = hasattr(parts[0], "columns")
    if is_frame and "input" in parts[0].columns:
        # Of names that a user states, the sets are known by their signs alone.
        stored = {"label_sets": None} if "classes" in facts else {}
        facts = {**parts[0].attrs.get("facts", {}), **stored, **facts}
    elif is_frame:
        # Rows of a sensor, which have been cut.
        facts = {name: facts[name] for name in facts if name not in ("rate", "unit")} | {"rate": CUT_RATE}
    origin = {"simulated": True} if facts.pop("simulated", False) else {}
    task = task or _task_of(np.shape(splits["train"]["input"]))
    applying = _OF_TASK.get(task, tuple(facts))
    why = f"does not apply to {task}, which x of shape {np.shape(splits['train']['input'])} is"
    refuse(why, **{name: value for name, value in facts.items() if name not in applying})
    if "target" not in splits["train"] and task != "patches":
        raise ZooError("arrays: expected (x, y), inputs and targets, or a pair of these for training and test")
    module = import_module(f"zoo.{task}.data")
    if not hasattr(module, "from_arrays"):
        raise ZooError(f"the task {task} reads files; expected the path of one")
    data: Data = module.from_arrays(splits, facts, name="arrays")
    digest = hashlib.sha256()
    for rows in data.splits().values():
        for values in (*rows.arrays(), rows.subjects):
            digest.update(b"" if values is None else np.ascontiguousarray(values).tobytes())
    fingerprint = digest.hexdigest()
    # People of another table are others, whatever they are called.
    data = data.with_facts(source=f"DataFrame #{fingerprint[:8]}", **origin) if is_frame else data
    return replace(data, fingerprint=fingerprint)


def _is_part(part: Any) -> bool:
    """Whether one of a pair is a training or test set of its own, and not the inputs or the targets of one."""
    return hasattr(part, "columns") or (isinstance(part, tuple | list) and len(part) == 2 and np.ndim(part[0]) > 1)


def _columns(part: Any, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a table, of `(x, y)` or of `x`; a sensor's rows are cut into windows."""
    if hasattr(part, "columns"):
        if "input" in part.columns:
            # Who is missing is refused later, by what is no text; a study, a position or who decided may be unknown.
            circumstances = {name: part[name] for name in OF_WINDOWS if name in part}
            table = part.assign(**{name: values.where(values.notna(), "") for name, values in circumstances.items()})
            return {name: table[name].to_numpy() for name in table} | {"input": np.array(part["input"].tolist())}
        cut: dict[str, Any] = import_module("zoo.activity.cutting").cut_frame(
            part, facts.get("rate"), facts.get("unit")
        )
        return cut
    if isinstance(part, tuple | list):
        if len(part) != 2:
            raise ZooError(f"data has {len(part)} parts; expected x, (x, y), or ((x, y), (x, y)) for training and test")
        return {"input": _array("x", part[0], "fiu"), "target": _array("y", part[1], "fiubSUO")}
    if not hasattr(part, "shape"):
        expected = "a path, `tfds:NAME`, arrays (x, y), a DataFrame, or what `load_data` returned"
        raise ZooError(f"data is of the type {type(part).__name__}; expected {expected}")
    return {"input": _array("x", part, "fiu")}


def _array(name: str, values: Any, kinds: str) -> NDArray[Any]:
    array = numbers(name, values, kinds)
    if array.dtype.kind in "SUO":
        # What is missing among texts stays so. h5py reads texts as bytes.
        whole = np.asarray(values, object).ravel().tolist()
        texts = [value.decode() if isinstance(value, bytes) else value for value in whole]
        array = np.array(texts, object).reshape(array.shape)
    return array


def _task_of(shape: tuple[int, ...]) -> str:
    """The task whose inputs have so many axes, if one alone has."""
    axes = {name: hdf5.layouts()[name].column("input").shape for name in _OF_TASK}
    fitting = [name for name, letters in axes.items() if len(letters) == len(shape)]
    # Of two axes are contexts of text alone, which are short; windows may have been flattened.
    if len(fitting) != 1 or (len(shape) == 2 and shape[1] != int(axes["text"][1])):
        expected = ", ".join(f"({', '.join(letters)}) for {name}" for name, letters in axes.items())
        advice = ": if these are windows, pass x.reshape(len(x), -1, 3)" if len(shape) == 2 else ""
        raise ZooError(f"x: has shape {shape}; expected {expected}{advice}")
    return fitting[0]


def _sizes(data: Data) -> dict[str, int]:
    """The sizes of data by the letters of its layout, as `hdf5.check_layout` finds them in a file."""
    schema = hdf5.layouts()[data.task]
    sizes = {letter: len(getattr(data, split)) for split, (_, letter) in schema.splits.items()}
    sizes |= dict(zip(schema.column("input").shape[1:], data.train.inputs.shape[1:], strict=True))
    sizes |= {
        letter: len(data.facts[name]) for name, letter in (("classes", "K"), ("words", "V")) if name in data.facts
    }
    return {letter: size for letter, size in sizes.items() if not letter.isdigit()}


def describe(source: Any) -> tuple[dict[str, Any], Any]:
    """Describes a data file, a build or data, as `zoo.describe` says, and returns its opened content as well."""
    is_file = isinstance(source, str | Path) and not str(source).startswith(_BUILD) and not Path(source).is_dir()
    content: Any = Path(source) if is_file else load_data(source)
    if not is_file:
        layout, sizes = content.task, _sizes(content)
        attributes = {"source": content.source, "simulated": content.simulated}
    else:
        layout = hdf5.identify(content)
        sizes, attributes = hdf5.check_layout(content, layout), hdf5.attributes(content)
    description = {"file": str(content), "layout": layout, "sizes": sizes, "attributes": attributes, "problems": []}
    module = import_module(_DESCRIBING.get(layout, f"zoo.{layout}.data"))
    try:
        content = module.from_file(content) if is_file else content
        description |= module.describe(content)
    except ZooError as error:
        description["problems"] = [str(error)]
    return description, content
