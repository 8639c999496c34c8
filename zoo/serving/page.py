"""The files of the built page."""

import json
from collections.abc import Sequence
from pathlib import Path

from zoo.errors import ZooError

PAGE_FOLDER = Path(__file__).parents[1] / "page"
"""Folder of the page, built by `make page` and stored in the repository but for LiteRT.js and a model.

Files that the page's own interpreter runs need neither.
"""

INDEX, MODEL, MODELS = "index.html", "model.tflite", "models.json"

Content = Path | bytes
"""A file, or what there is no file of."""

COLLECT = "collect"
"""The address of the page that records for a class, whose file is `collect.html`: short, for it is in a QR code."""


def page_files(models: Path | Sequence[Path], folder: Path = PAGE_FOLDER) -> dict[str, Content]:
    """Returns the files of the built page by URL path, with models to choose from, first the one to start with."""
    if not (folder / INDEX).is_file():
        checkout = folder.parents[1]
        if (checkout / "examples" / "phone").is_dir():
            how = f"build it once with `make -C {checkout} page`, which needs Node 20.19 or newer"
        else:
            how = "install a wheel that was made by `make wheel`, which has the page inside"
        raise ZooError(f"{folder}: the page is not built; {how}")
    inside = (
        path for path in sorted(folder.rglob("*"))
        # Hidden files, such as those of editors and of version control, are no part of the page.
        if path.is_file() and not path.is_symlink() and "/." not in f"/{path.relative_to(folder).as_posix()}"
    )  # fmt: skip
    files: dict[str, Content] = {f"/{path.relative_to(folder).as_posix()}": path for path in inside}
    # The given models take the place of the one that was built in.
    files.pop(f"/{MODEL}", None)
    first, *others = chosen = [models] if isinstance(models, Path) else list(models)
    places = [f"model{first.suffix}", *(f"models/{n}{model.suffix}" for n, model in enumerate(others, 2))]
    listed = [{"name": name, "file": place} for name, place in zip(_names(chosen), places, strict=True)]
    files |= {f"/{place}": model for place, model in zip(places, chosen, strict=True)}
    pages = {"/": folder / INDEX, f"/{COLLECT}": folder / f"{COLLECT}.html"}
    return files | pages | {f"/{MODELS}": json.dumps(listed).encode()}


def _names(models: Sequence[Path]) -> list[str]:
    """The presets or folders of models, or their files where these say more.

    Example:
        >>> _names([Path("mine/model.float32.tflite"), Path("a.tflite")])
        ['mine', 'a']
    """
    short = [model.parent.name if model.name.startswith("model.") else model.stem for model in models]
    whole = [f"{model.parent.name}/{model.name.removesuffix('.tflite')}" for model in models]
    return [full if short.count(name) > 1 else name for name, full in zip(short, whole, strict=True)]
