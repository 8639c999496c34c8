"""The files of the built page."""

from pathlib import Path

from zoo.errors import ZooError

PAGE_FOLDER = Path(__file__).parents[1] / "page"
"""Folder of the page, built by `make page` and included in wheels."""

INDEX, MODEL = "index.html", "model.tflite"

COLLECT = "collect"
"""The address of the page that records for a class, whose file is `collect.html`: short, for it is in a QR code."""


def page_files(model: Path, folder: Path = PAGE_FOLDER) -> dict[str, Path]:
    """Returns the files of the page by URL path, with the given model.

    Args:
        model: `.tflite` file for the page to run.
        folder: Folder of the built page.

    Returns:
        Files by URL path, such as `/` and `/sw.js`. Nothing else is served.

    Raises:
        ZooError: If the page has not been built. The message names the command that builds it.
    """
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
    files = {f"/{path.relative_to(folder).as_posix()}": path for path in inside}
    return files | {"/": folder / INDEX, f"/{COLLECT}": folder / f"{COLLECT}.html", f"/{MODEL}": model}
