"""The files of the built page."""

from pathlib import Path

from zoo.errors import ZooError

PAGE_FOLDER = Path(__file__).parents[1] / "page"
"""The page as built by `make phone`, and as packed in a wheel."""

INDEX, MODEL = "index.html", "model.tflite"


def page_files(model: Path, folder: Path = PAGE_FOLDER) -> dict[str, Path]:
    """Files of the built page by their address, with another model in place of its own.

    Args:
        model: The `.tflite` file that the page runs.
        folder: The built page.

    Returns:
        Files by `/`, `/sw.js` and so on; nothing else is served.

    Raises:
        ZooError: If the page is not built.
    """
    if not (folder / INDEX).is_file():
        raise ZooError(f"{folder}: no page is built here; run `make phone` in a checkout of pocket-zoo")
    inside = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    files = {f"/{path.relative_to(folder).as_posix()}": path for path in inside}
    return files | {"/": folder / INDEX, f"/{MODEL}": model}
