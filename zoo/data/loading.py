"""The public door to data: a file in any of the three layouts, a build of TensorFlow Datasets, or a simulator.

The layout of a file is named after its task, and what reads, describes and simulates such data is in the task's folder:
`zoo.TASK.data` has `read` and `describe`, `zoo.TASK.simulate` has `write_simulated`.
"""

import importlib
from pathlib import Path
from typing import Any, TypeVar

from zoo.data import hdf5
from zoo.data.examples import Data
from zoo.errors import ZooError
from zoo.files import new_file


def load_data(source: str | Path | Data, *, data_dir: str | Path | None = None, levels: float = 1.0) -> Data:
    """Checks and opens data, as `zoo.load_data` says."""
    if isinstance(source, Data):
        return source
    if hasattr(source, "columns"):
        found: Data = _module("activity", "cutting").from_frame(source)
        return found
    if not isinstance(source, str | Path):
        raise ZooError(
            f"data is of the type {type(source).__name__}; expected a path, `tfds:NAME`, or what `load_data` returned; "
            "arrays of windows become data with `zoo.activity.windows.from_arrays`"
        )
    name = build_name(source)
    if name:
        from zoo.data import tfds

        return tfds.load(name, None if data_dir is None else Path(data_dir))
    path = Path(source)
    if data_dir is not None:
        raise ZooError(f"--data-dir: goes with --data tfds:NAME; {path} is a file")
    if (path / "dataset_info.json").is_file():
        from zoo.data import tfds

        return tfds.open_build(path)
    layout = hdf5.identify(path)
    if layout == "recordings":
        raise ZooError(f"{path}: holds recordings; cut them into windows first, with `zoo data windows`")
    if layout != "patches" and levels != 1.0:
        raise ZooError(f"{path}: holds {layout}; levels are for patches alone")
    data: Data = _module(layout, "data").read(path, **({} if levels == 1.0 else {"levels": levels}))
    return data


D = TypeVar("D", bound=Data)


def load_as(kind: type[D], source: str | Path | Data, *, levels: float = 1.0) -> D:
    """Loads data that must be of one kind, such as `ActivityData`; arguments are those of `load_data`.

    Raises:
        ZooError: If the data is of another kind.
    """
    data = load_data(source, levels=levels)
    if not isinstance(data, kind):
        raise ZooError(f"{data.name}: holds {data.task} data; expected {kind.task} data, such as {kind.file}")
    return data


def build_name(source: str | Path) -> str:
    """NAME of `tfds:NAME`; empty for a file."""
    prefix, colon, name = str(source).partition(":")
    return name if prefix == "tfds" and colon else ""


def _module(task: str, name: str) -> Any:
    """A module of a task's folder, which imports this one."""
    return importlib.import_module(f"zoo.{task}.{name}")


def describe(source: str | Path | Data, data_dir: Path | None = None) -> dict[str, Any]:
    """Describes a data file, a build or data, as `zoo.describe` says."""
    if isinstance(source, Data) or build_name(source) or Path(source).is_dir():
        data = load_data(source, data_dir=data_dir)
        found = {"file": data.name, "layout": data.task, "sizes": data.sizes, "attributes": {
            "source": data.source, "simulated": data.simulated,
        }}  # fmt: skip
        details: dict[str, Any] = _module(data.task, "data").describe(data)
        return found | {"problems": []} | details
    path = Path(source)
    layout = hdf5.identify(path)
    found = {
        "file": str(path), "layout": layout, "sizes": hdf5.check(path, layout), "attributes": hdf5.attributes(path),
        "problems": [],
    }  # fmt: skip
    try:
        details = _module("activity" if layout == "recordings" else layout, "data").describe(path)
    except ZooError as error:
        return found | {"problems": [str(error)]}
    return found | details


def simulate(task: str, path: str | Path, *, seed: int = 0, force: bool = False, **sizes: Any) -> Data:
    """Simulates data and opens it, as `zoo.simulate` says; sizes are those of the task's `write_simulated`."""
    path = Path(path)
    with new_file(path, force):
        _module(task, "simulate").write_simulated(path, seed=seed, **sizes)
    return load_data(path)
