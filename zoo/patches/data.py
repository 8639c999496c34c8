"""Patches of natural images: the course's data1.h5, its reader and its writer, and the photographs it is cut from.

`data (N, 3, S, S)` holds patches `(channel, column, row)`, red, green, blue, about [0, 1]: `data[i].T` is the upright
image. The optional `source (N,)` and `source_names` name the photograph that each patch was cut from, so that whole
photographs can be held out. A vector of pixels is a patch's luminance in the file's order, column by column.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from zoo.data import LAYOUTS, hdf5
from zoo.data.dataset import MEMORY_BYTES, Column, Data, DataSet, Values
from zoo.errors import ZooError, option, printable
from zoo.files import require_file

with suppress(ImportError):
    # The extra `heic`: Pillow then opens the photographs of iPhones like any other picture.
    from pi_heif import register_heif_opener

    register_heif_opener()

SCHEMA = LAYOUTS["patches"]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Weights of red, green and blue (ITU-R BT.709)."""

_DEVIATIONS, _LOWEST, _HIGHEST = 3.0, 0.1, 0.9

_FLAT = 0.02
"""A patch with a smaller standard deviation of luminance is flat."""


class Scale(NamedTuple):
    """The course's preprocessing, with the constants that it fits.

    Y = luminance minus the patch's mean, clipped to [-limit, limit], limit = 3 standard deviations of all pixels; then
    0.1 + 0.8 (Y - low) / (high - low), with low and high the minimum and maximum after clipping.
    """

    limit: float
    low: float
    high: float

    @classmethod
    def fit(cls, patches: DataSet) -> "Scale":
        """Fits the constants on patches `(N, 3, S, S)`, read in blocks."""
        if not len(patches):
            raise ZooError("no patches to fit the preprocessing on: those of a file are all in its train")
        squares = count = 0.0
        least, greatest = np.inf, -np.inf
        for block, _ in patches.blocks():
            centered = _centered(block)
            squares, count = squares + float((centered**2).sum()), count + centered.size
            least, greatest = min(least, float(centered.min())), max(greatest, float(centered.max()))
        # The mean of all pixels is 0, since each patch's is.
        limit = _DEVIATIONS * float(np.sqrt(squares / count))
        if limit < 1e-6:
            raise ZooError("every patch is of one color: nothing can be learned from it")
        return cls(limit, max(least, -limit), min(greatest, limit))

    def apply(self, patches: NDArray[Any]) -> NDArray[np.float32]:
        """Preprocesses `(N, 3, S, S)`, about [0, 1], to `(N, S * S)`, in [0.1, 0.9] for those that were fitted."""
        clipped = np.clip(_centered(patches), -self.limit, self.limit)
        share = (clipped - self.low) / (self.high - self.low)
        return (_LOWEST + (_HIGHEST - _LOWEST) * share).astype(np.float32)


def _centered(patches: NDArray[Any]) -> NDArray[np.float64]:
    gray = np.tensordot(patches.astype(np.float64), LUMINANCE, axes=(1, 0)).reshape(-1, patches.shape[-1] ** 2)
    return np.asarray(gray - gray.mean(axis=1, keepdims=True))


def vectors(patches: DataSet, scale: Scale) -> Values:
    """All patches of a data set's file, preprocessed: in memory up to `MEMORY_BYTES`, beyond that as they are read."""
    rgb = patches.inputs
    shape = (len(rgb), int(rgb.shape[2] ** 2))
    column = Column(shape, lambda rows: scale.apply(rgb[rows]), getattr(rgb, "run", 1))
    if 4 * shape[0] * shape[1] > MEMORY_BYTES:
        return column
    size = patches.block_rows()
    return np.concatenate([column[start : start + size] for start in range(0, len(column), size)])


def prepared(patches: DataSet) -> DataSet:
    """What models read: vectors that are preprocessed with a `Scale` of these patches."""
    return patches.with_columns({"input": vectors(patches, Scale.fit(patches))})


def hold_out(data: Data, fraction: float, seed: int) -> tuple[DataSet, DataSet]:
    """Patches for training and those held out: a fraction in [0, 1) of the photographs, or of the patches without.

    The seed decides which; above 0, at least one is held out.
    """
    if not fraction:
        return data.train, data.train.empty()
    photographs = data.train.column("photograph")
    kind, owners = ("patches", data.train.rows) if photographs is None else ("photographs", photographs)
    units = np.unique(owners)
    count = max(1, round(fraction * len(units)))
    if len(units) <= count:
        raise ZooError(f"{data.name}: {len(units)} {kind}, of which {count} cannot be held out: add some")
    mask = np.isin(owners, np.random.default_rng([seed, 1]).permutation(units)[:count])
    return data.train.where(~mask), data.train.where(mask)


def symmetric(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The eight symmetries of each patch: `(8 N, D)` from `(N, D)`, row `k N + i` the k-th symmetry of row i."""
    side = round(vectors.shape[1] ** 0.5)
    turned = [np.rot90(vectors.reshape(-1, side, side), quarter, (1, 2)) for quarter in range(4)]
    return np.concatenate([*turned, *(patches[:, ::-1] for patches in turned)]).reshape(-1, side * side)


def from_file(path: Path, levels: float = 1.0) -> Data:
    """Checks a file in the course's layout and opens it; `levels` is the value of white in it, 1 or 255."""
    hdf5.check_layout(path, "patches")
    photographs = None
    if hdf5.has(path, "source"):
        names = hdf5.read_column(path, "source_names", SCHEMA.column("source_names"))
        number = replace(SCHEMA.column("photograph"), least=0, most=len(names) - 1)
        photographs = np.asarray(names[hdf5.read_column(path, "source", number)])
    columns = {"input": hdf5.open_column(path, "data", factor=1 / levels), "photograph": photographs}
    facts = hdf5.read_facts(path, "patches") | ({} if levels == 1 else {"levels": levels})
    patches = _checked(DataSet.of(columns, prepare=prepared, **facts), f"{path}: key 'data'", levels)
    return Data.of("patches", {"train": patches}, str(path), path=path)


def from_arrays(splits: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Any], **about: Any) -> Data:
    """Makes data of patches `input (N, 3, S, S)`, all in `train`, and perhaps the `photograph` of each."""
    columns, levels = dict(splits["train"]), float(facts.get("levels", 1.0))
    inputs, targets = np.asarray(columns["input"], np.float32), columns.get("target")
    if len(splits) > 1 or (targets is not None and np.shape(targets) != inputs.shape):
        raise ZooError("patches: expected x alone: what is held out, the recipe says")
    if wrong := SCHEMA.column("input").shape_problem(inputs.shape, {}):
        raise ZooError(f"x: {wrong}{': transpose to (patch, channel, column, row)' * (inputs.shape[-1] in (3, 4))}")
    owners = columns.get("subject", columns.get("photograph"))
    names = None if owners is None else np.array([str(name) for name in np.asarray(owners).tolist()])
    if names is not None and names.shape != (len(inputs),):
        raise ZooError(f"x: subjects have shape {names.shape}; expected ({len(inputs)},), a photograph for each patch")
    patches = DataSet.of({"input": inputs / np.float32(levels), "photograph": names}, prepare=prepared)
    return Data.of("patches", {"train": _checked(patches, "x", levels)}, **about)


def _checked(patches: DataSet, where: str, levels: float) -> DataSet:
    """The patches, with notes about what is unusual. Refuses wrong values."""
    low, high, flat, done = np.inf, -np.inf, True, 0
    for block, _ in patches.blocks():
        finite = np.isfinite(block).all(axis=(1, 2, 3))
        if not finite.all():
            row = done + int(np.flatnonzero(~finite)[0])
            raise ZooError(f"{where} patch {row} holds NaN or infinity: make the file again")
        low, high, done = min(low, float(block.min())), max(high, float(block.max())), done + len(block)
        flat = flat and bool((np.ptp(block, axis=(2, 3)) == 0).all())
    held = f"{where} holds values from {low * levels:g} to {high * levels:g}"
    if high > 2 or low < -1:
        hint = "255" if high > 1 and high * levels <= 255 else "WHITE, the value of white in it"
        raise ZooError(
            f"{held}; expected about [0, {levels:g}]: train, evaluate and export with {option('levels', hint)}"
        )
    if levels > 2 and high * levels <= 2:
        raise ZooError(f"{held}, not up to {levels:g}: leave {option('levels')} out")
    white = next((white for white in _WHITES if high * levels < white + 1), levels)
    if levels > 3 * white:
        raise ZooError(f"{held}, not up to {levels:g}: pass {option('levels', white)}")
    if flat:
        raise ZooError(f"{where}: every patch is of one color: nothing can be learned from it")
    notes = [f"values from {low:.3f} to {high:.3f} overshoot [0, 1]"] if low < 0 or high > 1 else []
    if "photograph" not in patches.columns:
        notes.append("no photographs named: patches of one may be on both sides of a split")
    return patches.with_columns({}, notes=tuple(notes))


def describe(data: Data) -> dict[str, Any]:
    """Counts patches, by photograph where they are known."""
    photographs = data.train.column("photograph")
    names = Counter([] if photographs is None else photographs.tolist())
    return {
        "patches": len(data.train), "photographs": dict(sorted(names.items())), "simulated": data.simulated,
        "problems": list(data.facts["notes"]),
    }  # fmt: skip


@dataclass(frozen=True)
class Photograph:
    """A picture to cut patches from: `(height, width, 3)` in [0, 1], its name, and its author and license."""

    name: str
    pixels: NDArray[np.float32]
    credit: str = "the user's own"


def open_photograph(path: Path) -> Photograph:
    """Reads a picture in any format that Pillow knows, turns it upright, and gives a gray one three equal channels.

    Gray of more than 8 bits is scaled by the range of 8, 10, 12, 14 or 16 bits that its values need. Transparent parts
    become white.
    """
    require_file(path)
    if reason := _unfit(path):
        raise ZooError(f"{path}: {reason}")
    try:
        with Image.open(path) as image:
            # Loading the picture empties the list of its tiles.
            is_gray, is_deep = image.mode.startswith("I"), ";16" in str(image.tile)
            upright = ImageOps.exif_transpose(image)
            if upright.has_transparency_data and not is_gray:
                above = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)
            pixels = np.asarray(upright if is_gray else upright.convert("RGB"), np.float32)
    except Exception as error:
        raise ZooError(f"{path}: {_UNDECODED} ({str(error) or type(error).__name__}): leave it out") from None
    low, high = float(pixels.min()), float(pixels.max())
    if low < 0 or high > _WHITES[-1]:
        raise ZooError(f"{path}: holds values from {low:.0f} to {high:.0f}; expected 0 to {_WHITES[-1]}: convert it")
    if not is_gray:
        # Of 16 bits a color, Pillow keeps the upper eight.
        if is_deep and high < _DARK:
            raise ZooError(f"{path}: uses only the lower ones of its 16 bits a color: save it with 8 bits")
        return Photograph(path.name, pixels / np.float32(255))
    white = next(white for white in _WHITES if high <= white)
    return Photograph(path.name, np.repeat(pixels[..., None] / np.float32(white), 3, axis=2))


_UNDECODED = "not a picture that can be decoded"
_WHITES = (255, 1023, 4095, 16383, 65535)
"""White in gray pictures: many cameras store 10, 12 or 14 bits in numbers of 16."""
_DARK = 64
"""Of 255: what 14 bits or fewer in numbers of 16 stay below."""


def _unfit(path: Path, size: int = 1, *, decoded: bool = False) -> str:
    """Why a file is not a picture to cut patches from; empty if it is one.

    Looks at its name and its first bytes; with `decoded`, at all of it, as a copy that was broken off begins well.
    """
    if wrong := SCHEMA.column("source_names").problem([path.name]):
        return f"the name {wrong}: rename it"
    try:
        with Image.open(path) as image:
            if image.mode == "F":
                return "a gray picture of decimal numbers; expected 8 or 16 bits: convert it"
            width, height = image.size
            if min(width, height) < size:
                return f"{width} x {height} pixels; a patch needs {size} x {size}: leave it out"
            if decoded:
                # A JPEG file is read to its end at an eighth of its size, in a fraction of the time.
                image.draft("L", (1, 1))
                image.load()
            return ""
    # Decoders raise nearly anything: SyntaxError for a broken PNG, MemoryError for what a damaged one declares,
    # TypeError for a TIFF whose strips start at a fraction.
    except Exception as error:
        if path.suffix.lower() in (".heic", ".heif") and ".heic" not in Image.registered_extensions():
            return "HEIC, which needs `pip install 'pocket-zoo[heic]'`: install it, or save it as JPEG"
        return f"{_UNDECODED} ({str(error) or type(error).__name__}): leave it out"


def find_pictures(paths: Sequence[Path], size: int = 1) -> tuple[list[Path], dict[str, str]]:
    """Pictures, and those in folders at any depth; other files, broken pictures and small ones, with reasons."""
    files, skipped = list[Path](), dict[str, str]()
    for path in paths:
        if not path.exists():
            raise ZooError(
                f"{path}: no such file or folder; without one, the photographs that scikit-learn and scikit-image "
                "install are used"
            )
        inside = [path]
        if not path.is_dir():
            require_file(path)
        else:
            there = (file for file in path.rglob("*") if file.is_file())
            inside = sorted(file for file in there if not any(p.startswith(".") for p in file.relative_to(path).parts))
        unfit = {file: _unfit(file, size, decoded=True) for file in inside}
        skipped |= {str(file): reason for file, reason in unfit.items() if reason}
        if path.is_dir() and all(unfit.values()):
            raise ZooError(f"{path}: no picture in this folder; left out: {listing(skipped) or 'nothing'}")
        files += [file for file, reason in unfit.items() if not reason]
    if skipped and not files:
        raise ZooError("; ".join(f"{file}: {reason}" for file, reason in skipped.items()))
    places = {file.name: file for file in files}
    for file in files:
        if places[file.name] is not file:
            raise ZooError(f"{file} and {places[file.name]}: pictures of the same name: rename or leave out one")
    return files, skipped


def listing(skipped: Mapping[str, str], most: int = 10) -> str:
    """The files that were skipped, with the reason of each."""
    shown = [f"{printable(Path(name).name)} ({reason.partition(':')[0]})" for name, reason in skipped.items()]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


_CREDITS = {
    "china.jpg": "danielbuechele, CC BY 2.0", "flower.jpg": "vultilion, CC BY 2.0", "astronaut": "NASA, public domain",
    "chelsea": "S. van der Walt, CC0", "coffee": "R. Michotte, CC0", "rocket": "SpaceX, public domain",
}  # fmt: skip
"""Of the photographs that scikit-learn ships, which are files, and scikit-image."""


def shipped_photographs() -> list[Photograph]:
    """The natural photographs that scikit-learn ships, and those of scikit-image where it is installed."""
    from sklearn.datasets import load_sample_images

    images = load_sample_images()
    pictures = {Path(name).name: pixels for name, pixels in zip(images.filenames, images.images, strict=True)}
    with suppress(ImportError):
        from skimage import data

        pictures |= {name: getattr(data, name)() for name in _CREDITS if name not in pictures}
    return [
        Photograph(name, np.asarray(pixels, np.float32)[..., :3] / np.float32(255), _CREDITS[name])
        for name, pixels in pictures.items()
    ]


def write_patches(
    path: Path, photographs: Sequence[Path | Photograph], count: int, size: int, seed: int, *, simulated: bool = False
) -> int:
    """Cuts equally many patches from each photograph at random places, and writes them in the course's layout.

    Files are opened one after another: one is in memory at a time. Returns how many flat patches were refused.
    """
    random, refused = np.random.default_rng(seed), 0
    names, credits, known = [], [], dict[bytes, str]()
    with hdf5.create(path, "patches") as file:
        hdf5.require_space(path, 12 * count * size**2)
        for number, given in enumerate(photographs):
            photograph = open_photograph(given) if isinstance(given, Path) else given
            # A copy would be in training where the other one is held out.
            other = known.setdefault(photograph.pixels[::5, ::5].tobytes(), photograph.name)
            if other != photograph.name:
                raise ZooError(f"{photograph.name}: is the same picture as {other}: leave one of them out")
            share = count // len(photographs) + (number < count % len(photographs))
            patches, flat = cut(photograph, share, size, random)
            refused += flat
            owners = np.full(len(patches), number, np.int32)
            hdf5.add_rows(file, "patches", {"input": patches, "photograph": owners})
            names.append(photograph.name)
            credits.append(f"{photograph.name}: {photograph.credit}")
        file["source_names"] = names
        file.attrs.update({"source": "; ".join(credits), "simulated": simulated, "seed": seed})
    return refused


def tiles(photograph: Photograph, size: int) -> NDArray[np.float32]:
    """All `(N, 3, size, size)` of a photograph, row by row; what is left over at its right and its bottom is not used.

    Example:
        >>> picture = Photograph("stripes", np.linspace(0, 1, 60, dtype="float32").reshape(4, 5, 3))
        >>> tiles(picture, 2).shape
        (4, 3, 2, 2)
    """
    _require_size(photograph, size)
    rows, columns = (length // size for length in photograph.pixels.shape[:2])
    used = photograph.pixels[: rows * size, : columns * size].reshape(rows, size, columns, size, 3)
    return used.transpose(0, 2, 4, 3, 1).reshape(-1, 3, size, size)


def _require_size(photograph: Photograph, size: int) -> None:
    height, width = photograph.pixels.shape[:2]
    if min(height, width) < size:
        raise ZooError(f"{photograph.name}: {width} x {height} pixels; a patch needs {size} x {size}: leave it out")


def cut(photograph: Photograph, count: int, size: int, random: np.random.Generator) -> tuple[NDArray[np.float32], int]:
    """Cuts `(count, 3, size, size)` at random places of a photograph, and counts the flat ones, which are refused."""
    _require_size(photograph, size)
    height, width = photograph.pixels.shape[:2]
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
