"""Patches of natural images: the course's data1.h5, its reader and its writer.

`data (N, 3, S, S)` holds patches `(channel, column, row)`, red, green, blue, about [0, 1]: `data[i].T` is the upright
image. The optional `source (N,)` and `source_names` name the photograph that each patch was cut from, so that whole
photographs can be held out. A vector of pixels is a patch's luminance in the file's order, column by column.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from zoo.data import hdf5
from zoo.data.examples import MEMORY_BYTES, Data, Examples, Sliceable
from zoo.data.hdf5 import Rows
from zoo.errors import ZooError

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Weights of red, green and blue (ITU-R BT.709)."""

_DEVIATIONS = 3.0
_LOWEST, _HIGHEST = 0.1, 0.9


@dataclass(frozen=True)
class Scale:
    """The course's preprocessing, with the constants that it fits.

    Y = luminance minus the patch's mean, clipped to [-limit, limit], limit = 3 standard deviations of all pixels; then
    0.1 + 0.8 (Y - low) / (high - low), with low and high the minimum and maximum after clipping.

    Args:
        limit: Above 0.
        low: At least -limit.
        high: At most limit.
    """

    limit: float
    low: float
    high: float

    @property
    def constants(self) -> list[float]:
        """Limit, low and high."""
        return [self.limit, self.low, self.high]

    @classmethod
    def fit(cls, patches: Sliceable, rows: NDArray[np.int64]) -> "Scale":
        """Fits the constants on some patches, read in blocks.

        Args:
            patches: `(N, 3, S, S)`.
            rows: Which.

        Raises:
            ZooError: If the patches are constant.
        """
        squares = count = 0.0
        least, greatest = np.inf, -np.inf
        for block in _blocks(patches, rows):
            centered = _centered(block)
            squares, count = squares + float((centered**2).sum()), count + centered.size
            least, greatest = min(least, float(centered.min())), max(greatest, float(centered.max()))
        # The mean of all pixels is 0, since each patch's is.
        limit = _DEVIATIONS * float(np.sqrt(squares / count))
        if limit < 1e-6:
            raise ZooError("every patch is of one color: nothing can be learned from it")
        return cls(limit, max(least, -limit), min(greatest, limit))

    def apply(self, patches: NDArray[Any]) -> NDArray[np.float32]:
        """Preprocesses patches.

        Args:
            patches: `(N, 3, S, S)`, about [0, 1].

        Returns:
            `(N, S * S)` float32 in [0.1, 0.9] for the patches that were fitted.

        Example:
            >>> random = np.random.default_rng(0)
            >>> patches = random.uniform(size=(10, 3, 4, 4))
            >>> scale = Scale.fit(patches, np.arange(10))
            >>> [round(float(end), 3) for end in (scale.apply(patches).min(), scale.apply(patches).max())]
            [0.1, 0.9]
        """
        clipped = np.clip(_centered(patches), -self.limit, self.limit)
        share = (clipped - self.low) / (self.high - self.low)
        return (_LOWEST + (_HIGHEST - _LOWEST) * share).astype(np.float32)

    def invert(self, vectors: NDArray[Any]) -> NDArray[np.float64]:
        """Luminance minus its patch's mean, `(N, S * S)`, from the output of `apply`, up to the clipping."""
        share = (np.asarray(vectors, np.float64) - _LOWEST) / (_HIGHEST - _LOWEST)
        return self.low + share * (self.high - self.low)


def _centered(patches: NDArray[Any]) -> NDArray[np.float64]:
    gray = np.tensordot(patches.astype(np.float64), LUMINANCE, axes=(1, 0)).reshape(len(patches), -1)
    return np.asarray(gray - gray.mean(axis=1, keepdims=True))


def _blocks(patches: Sliceable, rows: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
    return (block for block, _ in Examples(patches, patches, rows).blocks())


@dataclass(frozen=True, repr=False)
class Patches(Examples):
    """Patches `(3, S, S)` float32 as inputs and targets, and their photographs as groups."""

    @property
    def photographs(self) -> NDArray[np.str_] | None:
        """`(len(self),)` the photograph of each patch; None where photographs are not known."""
        return self.groups


@dataclass(frozen=True, kw_only=True, repr=False)
class PatchData(Data):
    """Patches for training; how many photographs are held out is up to the recipe.

    Args:
        notes: What is unusual about the values.
    """

    task: ClassVar[str] = "patches"
    layout: ClassVar[str] = "patches"
    file: ClassVar[str] = "data1.h5 of `zoo data make patches`"
    train: Patches
    validation: Patches
    test: Patches
    notes: tuple[str, ...] = ()

    @property
    def patches(self) -> Sliceable:
        """`(N, 3, S, S)` float32, on the disk."""
        return self.train.inputs

    @property
    def photographs(self) -> NDArray[np.str_] | None:
        """`(N,)` the photograph of each patch; None where photographs are not known."""
        return self.train.photographs

    @property
    def pixels(self) -> int:
        """Pixels in a patch."""
        return int(self.patches.shape[2] ** 2)

    def blocks(self, rows: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
        """Patches of some rows, `(n, 3, S, S)`, a block at a time."""
        return _blocks(self.patches, rows)

    def vectors(self, scale: Scale) -> Sliceable:
        """All patches, preprocessed: in memory up to `MEMORY_BYTES`, beyond that whenever they are read."""
        if 4 * len(self.patches) * self.pixels > MEMORY_BYTES:
            return Preprocessed(self.patches, scale)
        return np.concatenate([scale.apply(block) for block in self.blocks(np.arange(len(self.patches)))])

    def hold_out(self, fraction: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Divides the patches into training and test: by whole photographs where they are known.

        Args:
            fraction: Share of the photographs, or of the patches, to hold out, in (0, 1); at least one.
            seed: Decides which.

        Returns:
            Row numbers for training, and for test.

        Raises:
            ZooError: If nothing would be left for training.
        """
        random = np.random.default_rng([seed, 1])
        of_photographs = self.photographs is not None
        names = sorted(set(self.photographs.tolist())) if self.photographs is not None else []
        units = np.array(names) if of_photographs else np.arange(len(self.patches))
        count = max(1, round(fraction * len(units)))
        if len(units) <= count:
            kind = "photographs" if of_photographs else "patches"
            raise ZooError(f"{self.name}: {len(units)} {kind}, of which {count} cannot be held out: add some")
        held_out = random.permutation(units)[:count]
        mask = np.isin(self.photographs if self.photographs is not None else units, held_out)
        return np.flatnonzero(~mask), np.flatnonzero(mask)


def symmetric(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The eight symmetries of each patch: `(8 N, D)` from `(N, D)`, row `k N + i` the k-th symmetry of row i.

    Example:
        >>> symmetric(np.array([[1.0, 2.0, 3.0, 4.0]], np.float32))[:2].tolist()
        [[1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 1.0, 3.0]]
    """
    side = round(vectors.shape[1] ** 0.5)
    turned = [np.rot90(vectors.reshape(-1, side, side), quarter, (1, 2)) for quarter in range(4)]
    return np.concatenate([*turned, *(patches[:, ::-1] for patches in turned)]).reshape(-1, side * side)


class Preprocessed:
    """Patches that are preprocessed when they are read, for files larger than memory.

    Args:
        patches: `(N, 3, S, S)`, on the disk.
        scale: The constants.
    """

    def __init__(self, patches: Sliceable, scale: Scale) -> None:
        self.patches, self.scale = patches, scale
        self.shape = (len(patches), int(patches.shape[2] ** 2))
        self.run: int = getattr(patches, "run", 1)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> NDArray[np.float32]:
        return self.scale.apply(self.patches[rows])


def read(path: Path, levels: float = 1.0) -> PatchData:
    """Checks a file in the course's layout and opens it.

    Args:
        path: data1.h5 or a file with the same layout.
        levels: The value of white in the file: 1, or 255.

    Raises:
        ZooError: If the shape is not `(N, 3, S, S)`, a value is not finite, values lie far outside [0, 1] or would be
            inside with other levels, no patch shows anything, or photographs are not named as they should be.
    """
    if not 0 < levels < np.inf:
        raise ZooError(f"levels {levels:g}: expected the value of white in the file, such as 1 or 255")
    hdf5.check(path, "patches")
    rows = Rows(path, "data", factor=1 / levels)
    patches = Patches.all(rows, rows, _photographs(path))
    data = PatchData(
        name=str(path), path=path, train=patches, validation=patches.empty(), test=patches.empty(),
        **hdf5.provenance(hdf5.attributes(path)),
    )  # fmt: skip
    return check(data, levels)


def check(data: PatchData, levels: float = 1.0) -> PatchData:
    """Refuses patches with wrong values, and notes what is unusual."""
    low, high, flat = _survey(data)
    _check_levels(data.name, low * levels, high * levels, levels)
    if flat:
        raise ZooError(f"{data.name}: key 'data': every patch is of one color: nothing can be learned from it")
    notes = [f"values from {low:.3f} to {high:.3f} overshoot [0, 1]"] if low < 0 or high > 1 else []
    if data.photographs is None:
        notes.append("no photographs named: patches of one may be on both sides of a split")
    return replace(data, notes=tuple(notes))


def _survey(data: PatchData) -> tuple[float, float, bool]:
    """The minimum and the maximum, and whether every patch is of one color."""
    low, high, flat, done = np.inf, -np.inf, True, 0
    for block, _ in data.train.blocks():
        finite = np.isfinite(block).all(axis=(1, 2, 3))
        if not finite.all():
            row = done + int(np.flatnonzero(~finite)[0])
            raise ZooError(f"{data.name}: key 'data' patch {row} holds NaN or infinity: make the file again")
        low, high, done = min(low, float(block.min())), max(high, float(block.max())), done + len(block)
        flat = flat and bool((np.ptp(block, axis=(2, 3)) == 0).all())
    return low, high, flat


def _check_levels(name: str, low: float, high: float, levels: float) -> None:
    found = f"{name}: key 'data' holds values from {low:g} to {high:g}"
    if high > 2 * levels or low < -levels:
        hint = "255" if levels < high <= 255 else "WHITE, the value of white in it"
        raise ZooError(f"{found}; expected about [0, {levels:g}]: train, evaluate and export with --levels {hint}")
    if levels > 2 and high <= 2:
        raise ZooError(f"{found}, not up to {levels:g}: leave --levels out")


def _photographs(path: Path) -> NDArray[np.str_] | None:
    """The name of each patch's photograph; None where the file has none."""
    keys = ("source", "source_names")
    there = [key for key in keys if hdf5.has(path, key)]
    if not there:
        return None
    if len(there) == 1:
        (lacking,) = set(keys) - set(there)
        raise ZooError(f"{path}: key '{there[0]}' without '{lacking}': add it, or leave both out")
    numbers, names = (hdf5.read(path, key) for key in keys)
    if numbers.min() < 0 or numbers.max() >= len(names):
        raise ZooError(
            f"{path}: key 'source' holds numbers from {numbers.min()} to {numbers.max()}; expected 0 to "
            f"{len(names) - 1}, a photograph's place in 'source_names': make the file again"
        )
    return np.asarray(names[numbers])


Part = tuple[str, str, NDArray[np.float32]]
"""The name of a photograph, its credit, and its patches `(n, 3, size, size)`."""


def write(path: Path, size: int, parts: Iterator[Part], attributes: Mapping[str, Any]) -> None:
    """Writes patches in the course's layout, those of one photograph after another.

    Args:
        path: The file, written whole or not at all.
        size: Pixels a side.
        parts: The photographs, one after another.
        attributes: Of the file.
    """
    names, credits = [], []
    with hdf5.create(path, "patches") as file:
        data = hdf5.growing(file, "data", (3, size, size), "f4", chunk=256)
        source = hdf5.growing(file, "source", (), "i4", chunk=1024)
        for number, (name, credit, patches) in enumerate(parts):
            hdf5.append(data, patches)
            hdf5.append(source, np.full(len(patches), number, np.int32))
            names.append(name)
            credits.append(f"{name}: {credit}")
        file["source_names"] = names
        file.attrs.update({"source": "; ".join(credits), **attributes})
