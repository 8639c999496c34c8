"""Photographs: reads them, and cuts them into patches in the layout of the course's data1.h5."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from zoo.data import hdf5
from zoo.errors import ZooError
from zoo.files import require_file
from zoo.patches.data import LUMINANCE, Part, write

_FLAT = 0.02
"""A patch with a smaller standard deviation of luminance is flat."""

_GRAY = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
"""Pillow's modes without color."""


@dataclass(frozen=True)
class Photograph:
    """A picture to cut patches from.

    Args:
        name: The picture's name, stored in the file of patches.
        pixels: `(height, width, 3)` float32 in [0, 1].
        credit: Author and license, stored likewise.
    """

    name: str
    pixels: NDArray[np.float32]
    credit: str = "the user's own"


def open_photograph(path: Path) -> Photograph:
    """Reads a picture in color, in any format that Pillow knows, and turns it upright.

    Raises:
        ZooError: If it is missing, cannot be decoded, is gray, or is partly transparent.
    """
    require_file(path)
    try:
        with Image.open(path) as image:
            gray, mode = image.mode in _GRAY, image.mode
            if not gray and not image.has_transparency_data:
                upright = ImageOps.exif_transpose(image).convert("RGB")
                return Photograph(path.name, np.asarray(upright, np.float32) / np.float32(255))
    except Exception as error:
        # Pillow's decoders raise nearly anything: SyntaxError for a broken PNG, MemoryError for what a damaged one
        # declares, TypeError for a TIFF whose strips start at a fraction.
        reason = str(error) or type(error).__name__
        raise ZooError(f"{path}: not a picture that can be decoded ({reason}): leave it out") from None
    if gray:
        raise ZooError(f"{path}: a gray picture (mode {mode}); expected colors: leave it out")
    raise ZooError(f"{path}: has a fourth channel, transparency; expected three: save it without")


class Photographs(Sequence[Photograph]):
    """Pictures that are read when they are indexed, so that one is in memory at a time.

    Args:
        paths: Pictures and folders of pictures; hidden files are skipped, others sorted by name.

    Raises:
        ZooError: If one is missing, a folder is empty, or two pictures have the same name.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.files: list[Path] = []
        for path in paths:
            files = [path]
            if not path.exists():
                raise ZooError(
                    f"{path}: no such file or folder; without one, the photographs that scikit-learn and scikit-image "
                    "install are used"
                )
            if path.is_dir():
                files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
            if not files:
                raise ZooError(f"{path}: no picture in this folder")
            self.files += files
        places = {file.name: file for file in self.files}
        for file in self.files:
            if places[file.name] is not file:
                raise ZooError(f"{file} and {places[file.name]}: pictures of the same name: rename or leave out one")

    def __len__(self) -> int:
        return len(self.files)

    @overload
    def __getitem__(self, place: int) -> Photograph: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Photograph]: ...

    def __getitem__(self, place: int | slice) -> Photograph | Sequence[Photograph]:
        if isinstance(place, slice):
            return Photographs(self.files[place])
        return open_photograph(self.files[place])


def shipped_photographs() -> list[Photograph]:
    """The natural photographs that scikit-learn ships, and those of scikit-image where it is installed."""
    from sklearn.datasets import load_sample_images

    credits = {
        "china.jpg": "danielbuechele, CC BY 2.0", "flower.jpg": "vultilion, CC BY 2.0",
    }  # fmt: skip
    images = load_sample_images()
    found = [
        Photograph(Path(name).name, np.asarray(pixels, np.float32) / np.float32(255), credits[Path(name).name])
        for name, pixels in zip(images.filenames, images.images, strict=True)
    ]
    try:
        from skimage import data
    except ImportError:
        return found
    for name, credit in (("astronaut", "NASA, public domain"), ("chelsea", "S. van der Walt, CC0"),
                         ("coffee", "R. Michotte, CC0"), ("rocket", "SpaceX, public domain")):  # fmt: skip
        found.append(Photograph(name, np.asarray(getattr(data, name)(), np.float32)[..., :3] / np.float32(255), credit))
    return found


def write_patches(
    path: Path, photographs: Sequence[Photograph], count: int, size: int, seed: int, *, simulated: bool = False
) -> int:
    """Cuts equally many patches from each photograph at random places, and writes them in the course's layout.

    Args:
        path: The file, written whole or not at all.
        photographs: What to cut from.
        count: Number of patches.
        size: Pixels a side.
        seed: Decides where they are cut.
        simulated: Whether a program drew the pictures.

    Returns:
        How many flat patches were refused.

    Raises:
        ZooError: If a photograph is smaller than a patch, or shows nothing but flat patches.
    """
    if count < 1 or size < 2:
        raise ZooError(f"{count} patches of {size} pixels a side: expected 1 or more of 2 or more")
    random = np.random.default_rng(seed)
    refused = 0

    def parts() -> Iterator[Part]:
        nonlocal refused
        hdf5.require_space(path, 12 * count * size**2)
        for number, photograph in enumerate(photographs):
            share = count // len(photographs) + (number < count % len(photographs))
            patches, flat = cut(photograph, share, size, random)
            refused += flat
            yield photograph.name, photograph.credit, patches

    write(path, size, parts(), {"simulated": simulated, "seed": seed})
    return refused


def cut(photograph: Photograph, count: int, size: int, random: np.random.Generator) -> tuple[NDArray[np.float32], int]:
    """Cuts patches at random places of a photograph; flat ones are refused.

    Args:
        photograph: What to cut from.
        count: How many patches.
        size: S, pixels a side.
        random: Decides where.

    Returns:
        `(count, 3, S, S)`, and how many flat patches were refused.

    Raises:
        ZooError: If it is smaller than a patch, or shows nothing but flat patches.
    """
    height, width = photograph.pixels.shape[:2]
    if min(height, width) < size:
        raise ZooError(f"{photograph.name}: {width} x {height} pixels; a patch needs {size} x {size}: leave it out")
    patches: list[NDArray[np.float32]] = []
    flat = 0
    while len(patches) < count:
        if flat > 50 * (count + 1):
            raise ZooError(f"{photograph.name}: almost nothing but flat patches: choose another photograph")
        top, left = random.integers(0, height - size + 1), random.integers(0, width - size + 1)
        patch = photograph.pixels[top : top + size, left : left + size]
        if (patch @ LUMINANCE).std() < _FLAT:
            flat += 1
            continue
        patches.append(patch.T)
    return np.array(patches, np.float32).reshape(-1, 3, size, size), flat
