"""The built page: which files it has, and where its model lies."""

from pathlib import Path

from zoo.errors import ZooError

PAGE_FOLDER = Path(__file__).parents[1] / "page"
"""Where `make phone` builds the page, and where a wheel carries it."""

INDEX, MODEL = "index.html", "model.tflite"


def page_files(model: Path, folder: Path = PAGE_FOLDER) -> dict[str, Path]:
    """Paths of addresses to files: those of the built page, with a model in place of its own.

    Args:
        model: The `.tflite` file that the page shall run.
        folder: Of the built page.

    Returns:
        From `/`, `/sw.js` and so on to files. What is not among them is not served.

    Raises:
        ZooError: If the page is not built.
    """
    if not (folder / INDEX).is_file():
        raise ZooError(f"{folder}: no page is built here; run `make phone` in a checkout of pocket-zoo")
    inside = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    files = {f"/{path.relative_to(folder).as_posix()}": path for path in inside}
    return files | {"/": folder / INDEX, f"/{MODEL}": model}
