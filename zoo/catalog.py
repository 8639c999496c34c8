"""Where the presets' weights lie, and how a name becomes a folder. Needs no library."""

import difflib
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.files import read_json

_PACKAGE = Path(__file__).parent
PRESETS_FOLDER = next(
    # Inside a wheel the folder lies in the package, in a checkout beside it.
    (folder for folder in (_PACKAGE / "saved_models", _PACKAGE.parent / "saved_models") if folder.is_dir()),
    _PACKAGE / "saved_models",
)
"""Where the presets' weights lie, one folder each."""


def preset_names() -> list[str]:
    """Presets whose weights are here."""
    return sorted(path.parent.name for path in PRESETS_FOLDER.glob("[!.]*/model.keras"))


def find_folder(name_or_folder: str | Path) -> Path:
    """The folder of a preset, or a folder that holds a model.

    Args:
        name_or_folder: `activity_gru_pocket`, or a path.

    Raises:
        ZooError: If it is neither; names the nearest preset.
    """
    path = Path(name_or_folder)
    if (path / "model.keras").is_file():
        return path
    folder = PRESETS_FOLDER / str(name_or_folder)
    if (folder / "model.keras").is_file():
        return folder
    if path.is_dir():
        raise ZooError(f"{path}: holds no model.keras; expected a folder that `zoo train` or save_to_preset wrote")
    raise unknown_name("preset or folder", str(name_or_folder), preset_names())


def preset_metrics(name: str) -> dict[str, Any]:
    """`metrics.json` of a preset; empty where it was not measured."""
    if name not in preset_names():
        raise unknown_name("preset", name, preset_names())
    path = PRESETS_FOLDER / name / "metrics.json"
    return dict(read_json(path)) if path.is_file() else {}


def unknown_name(what: str, name: str, known: list[str]) -> ZooError:
    """An error that suggests the nearest known name.

    Example:
        >>> str(unknown_name("preset", "activity_gr", ["activity_gru_course", "trigram_lm_best"]))
        "unknown preset 'activity_gr': did you mean activity_gru_course?"
    """
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known) or 'none'}"
    return ZooError(f"unknown {what} {name!r}: {hint}")
