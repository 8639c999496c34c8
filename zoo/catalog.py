"""Finds presets and models by name. This module imports no third-party library."""

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import ZooError, unknown_name
from zoo.files import read_json
from zoo.hub import SCHEME, fetch

_PACKAGE = Path(__file__).parent
PRESETS_FOLDER = next(
    # In a wheel the folder is inside the package; in a checkout it is next to the package.
    (folder for folder in (_PACKAGE / "saved_models", _PACKAGE.parent / "saved_models") if folder.is_dir()),
    _PACKAGE / "saved_models",
)
"""Folder of the presets, with one folder for each."""

START = "activity_gru_phone"
"""The preset that the phone page starts with, and whose weights are the best start for recordings of any phone."""


def preset_names() -> list[str]:
    """Lists the presets whose weights are installed."""
    return sorted(path.parent.name for path in PRESETS_FOLDER.glob("[!.]*/model.keras"))


def find_folder(name_or_folder: str | os.PathLike[str]) -> Path:
    """Returns the folder of a preset, or of a model of a hub, `hf://owner/name@revision`, which is downloaded."""
    if not isinstance(name_or_folder, str | os.PathLike):
        raise ZooError(
            f"model is of the type {type(name_or_folder).__name__}; expected the name of a preset, or a folder"
        )
    if str(name_or_folder).startswith(SCHEME):
        return fetch(str(name_or_folder))
    path = Path(name_or_folder)
    # Of a name that is too long, Path.is_file raises.
    if os.path.isfile(path / "model.keras"):  # noqa: PTH113
        refuse_ambiguous(name_or_folder)
        return path
    folder = PRESETS_FOLDER / str(name_or_folder)
    if os.path.isfile(folder / "model.keras"):  # noqa: PTH113
        return folder
    if os.path.isdir(path):  # noqa: PTH112
        if file := min(path.glob("*.tflite"), default=None):
            raise ZooError(f"{path}: holds exported files and no model.keras: pass one of them, such as {file}")
        raise ZooError(f"{path}: holds no model.keras; expected a folder written by `zoo train` or save_to_preset")
    if os.path.isfile(path):  # noqa: PTH113
        raise ZooError(f"{path}: expected a .keras or .tflite file, a folder that `zoo train` wrote, or a preset")
    error = str(unknown_name("preset or folder", str(name_or_folder), preset_names()))
    raise ZooError(f"{error}{' A' if error.endswith('?') else '; a'} folder that `zoo train` wrote works, too")


def function_in(name: Any) -> tuple[Path, str] | None:
    """The file and the name of a function in `FILE:FUNCTION`, at its last colon; None for the name of a model.

    >>> function_in("my_networks.py:separable")
    Traceback (most recent call last):
    ...
    zoo.errors.ZooError: my_networks.py: no such file
    """
    if str(name).endswith(".py"):
        raise ZooError(f"{name}: name a function in it, such as {name}:build")
    file, colon, function = str(name).rpartition(":")
    if not colon or not file.endswith(".py"):
        return None
    if not Path(file).is_file():
        raise ZooError(f"{file}: no such file")
    if not function.isidentifier():
        raise ZooError(f"{name}: expected FILE:FUNCTION, such as my_networks.py:separable")
    return Path(file), function


def refuse_ambiguous(name: str | os.PathLike[str]) -> None:
    """Refuses the name of a preset that a folder here has as well; a `Path` or a text with a slash means the folder."""
    preset = PRESETS_FOLDER / name
    if isinstance(name, Path) or name != preset.name or not Path(name).is_dir():
        return
    if (preset / "model.keras").is_file() and not Path(name).samefile(preset):
        raise ZooError(f"{name}: is a preset, and a folder here: pass ./{name} for the folder, or rename it")


def read_config(folder: Path, *, alone: bool = False) -> dict[str, Any]:
    """The `config.json` of a model; for a file `alone`, empty where there is none, or one of another program."""
    path = folder / "config.json"
    document = read_json(path) if path.is_file() or not alone else {}
    if not isinstance(document, dict) or not {"class", "arguments"} <= set(document):
        if alone:
            return {}
        raise ZooError(f"{path}: describes no model; expected names and values, as `zoo train` writes them")
    return document


def preset_metrics(name: str) -> dict[str, Any]:
    """Reads `metrics.json` of a preset; empty if it has not been evaluated."""
    path = PRESETS_FOLDER / name / "metrics.json"
    return dict(read_json(path)) if path.is_file() else {}


def exported_file(
    model: str | os.PathLike[str], files: Sequence[str] = ("model.dynamic.tflite", "model.float32.tflite")
) -> Path:  # fmt: skip
    """Returns an exported file: itself, or of a preset or folder the first of these names, or else any other kind."""
    path, kinds = Path(model), {Path(name).suffix for name in files}
    if path.suffix in kinds:
        return path
    if path.is_file():
        raise ZooError(f"{path}: expected a {' or '.join(sorted(kinds))} file, or a preset or folder with one")
    # What `zoo export` wrote may be without model.keras.
    if path.is_dir():
        refuse_ambiguous(model)
    folder = path if path.is_dir() else find_folder(model)
    others = sorted(path.name for kind in kinds for path in folder.glob(f"model.*{kind}"))
    for name in (*files, *others):
        if (file := folder / name).is_file():
            return file
    raise ZooError(f"{folder}: holds none of {', '.join(files)}: write one with `zoo export`")


def split_names(text: str) -> list[str]:
    """The names of a text with commas. One that has commas itself stands in quotes, as in CSV."""
    try:
        (found,) = csv.reader([text], skipinitialspace=True)
    except csv.Error:
        found = text.split(",")
    return [name.strip() for name in found] or [""]


def joined_names(names: Iterable[str]) -> str:
    """Names as a text that `split_names` reads.

    Example:
        >>> split_names(joined_names(["ann", "Doe, Jane"]))
        ['ann', 'Doe, Jane']
    """
    return ", ".join(f'"{name}"' if "," in name else name for name in names)
