"""The public door to data: a file in any of the layouts, or a build of TensorFlow Datasets.

The layout of a file is named after its task, and what reads and describes such data is in the task's folder:
`zoo.TASK.data` has `read` and `describe`.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from zoo.data import hdf5
from zoo.data.examples import Data
from zoo.errors import ZooError, refuse

_BUILD = "tfds:"


def load_data(source: str | Path | Data, *, data_dir: str | Path | None = None, levels: float = 1.0) -> Data:
    """Checks and opens data, as `zoo.load_data` says."""
    scaled = None if levels == 1.0 else levels
    if not isinstance(source, str | Path):
        refuse("does not apply to data in memory", data_dir=data_dir, levels=scaled)
    if isinstance(source, Data):
        return source
    if hasattr(source, "columns"):
        found: Data = import_module("zoo.activity.cutting").from_frame(source)
        return found
    if not isinstance(source, str | Path):
        raise ZooError(
            f"data is of the type {type(source).__name__}; expected a path, `tfds:NAME`, or what `load_data` returned; "
            "arrays of windows become data with `zoo.activity.windows.from_arrays`"
        )
    named, path = str(source).startswith(_BUILD), Path(source)
    if data_dir is not None and not named:
        raise ZooError(f"data_dir: goes with tfds:NAME; {path} is a file")
    # Of a name that is too long, Path.is_file raises.
    if named or os.path.isfile(path / "dataset_info.json"):  # noqa: PTH113
        from zoo.data import tfds

        refuse("does not apply to a build", levels=scaled)
        place = None if data_dir is None else Path(data_dir)
        return tfds.load(str(source).removeprefix(_BUILD), place) if named else tfds.open_build(path)
    layout = hdf5.identify(path)
    if layout == "recordings":
        raise ZooError(f"{path}: holds recordings; cut them into windows first, with `zoo data windows`")
    if layout != "patches" and levels != 1.0:
        raise ZooError(f"{path}: holds {layout}; levels are for patches alone")
    data: Data = import_module(f"zoo.{layout}.data").read(path, **({} if levels == 1.0 else {"levels": levels}))
    return data


D = TypeVar("D", bound=Data)


def load_as(kind: type[D], source: str | Path | Data, *, levels: float = 1.0) -> D:
    """Loads data that must be of one kind, such as `ActivityData`."""
    data = load_data(source, levels=levels)
    if not isinstance(data, kind):
        raise ZooError(f"{data.name}: holds {data.task} data; expected {kind.task} data, such as {kind.file}")
    return data


def describe(source: str | Path | Data, data_dir: Path | None = None) -> dict[str, Any]:
    """Describes a data file, a build or data, as `zoo.describe` says."""
    if not isinstance(source, str | Path) or str(source).startswith(_BUILD) or Path(source).is_dir():
        content: Any = load_data(source, data_dir=data_dir)
        layout, sizes = content.task, content.sizes
        attributes = {"source": content.source, "simulated": content.simulated}
    else:
        content = Path(source)
        layout = hdf5.identify(content)
        sizes, attributes = hdf5.check(content, layout), hdf5.attributes(content)
    found = {"file": str(content), "layout": layout, "sizes": sizes, "attributes": attributes, "problems": []}
    try:
        details = import_module(f"zoo.{'activity' if layout == 'recordings' else layout}.data").describe(content)
    except ZooError as error:
        details = {"problems": [str(error)]}
    return {**found, **details}
