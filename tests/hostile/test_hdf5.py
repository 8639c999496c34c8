"""Data sets of HDF5 files that are not what their layout says, or try to read other files."""

import io
import warnings
from collections.abc import Callable, Iterator

import h5py
import numpy as np
import pytest

from zoo.data import LAYOUTS

pytestmark = pytest.mark.hostile

COMMANDS = {
    "activity": ("windows", ["evaluate", "{recognizer}", "--no-baselines", "--data"]),
    "text": ("trigrams", ["evaluate", "{language_model}", "--no-baselines", "--data"]),
    "patches": ("patches", ["evaluate", "{autoencoder}", "--no-baselines", "--data"]),
    "recordings": ("recordings", ["data", "windows", "-o", "{out}"]),
}
"""For each layout, the sound file and the command that reads it."""

Change = Callable[[h5py.File, str], None]


def replaced(make: Callable[[h5py.Dataset], object]) -> Change:
    """A change of one data set: other values under the same key."""

    def change(file: h5py.File, key: str) -> None:
        values = make(file[key])
        del file[key]
        file[key] = values

    return change


def created(**options: object) -> Change:
    """A change of one data set: another one that `create_dataset` makes."""

    def change(file: h5py.File, key: str) -> None:
        shape = file[key].shape
        del file[key]
        file.create_dataset(key, **{"shape": shape, **options})

    return change


def linked(link: object) -> Change:
    def change(file: h5py.File, key: str) -> None:
        file.move(key, "elsewhere")
        file[key] = link

    return change


def virtual(file: h5py.File, key: str) -> None:
    shape, dtype = file[key].shape, file[key].dtype
    del file[key]
    layout = h5py.VirtualLayout(shape=shape, dtype=dtype)
    layout[...] = h5py.VirtualSource("/etc/passwd", "x", shape=shape)
    file.create_virtual_dataset(key, layout)


CHANGES: dict[str, Change] = {
    "missing": lambda file, key: file.__delitem__(key),
    "a group": lambda file, key: (file.__delitem__(key), file.create_group(key)),
    "null": replaced(lambda item: h5py.Empty("f4")),
    "no rows": replaced(lambda item: item[:0]),
    "a row less": replaced(lambda item: item[:-1]),
    "a scalar": replaced(lambda item: item[(0,) * item.ndim]),
    "an axis more": replaced(lambda item: item[:][..., None]),
    "an axis less": replaced(lambda item: item[:].reshape(-1) if item.ndim > 1 else item[0:1].reshape(())),
    "complex": replaced(lambda item: np.ones(item.shape, "c8")),
    "Booleans": created(dtype="?", fillvalue=True),
    "compound": created(dtype=[("a", "f4"), ("b", "i4")]),
    "variable length": created(dtype=h5py.vlen_dtype("f4")),
    "stored in /etc/passwd": created(dtype="u1", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)]),
    "virtual": virtual,
    "an external link": linked(h5py.ExternalLink("/etc/passwd", "/x")),
    "a link to nowhere": linked(h5py.SoftLink("/nowhere")),
    "a link into the file": linked(h5py.SoftLink("/elsewhere")),
    "10^9 rows that are not there": lambda file, key: created(
        shape=(10**9, *file[key].shape[1:]), dtype=file[key].dtype, chunks=(1, *file[key].shape[1:])
    )(file, key),
}

NUMBERS: dict[str, Change] = {
    "NaN": replaced(lambda item: np.full(item.shape, np.nan, "f4")),
    "infinity": replaced(lambda item: with_first(item, np.inf)),
    "1e38": replaced(lambda item: with_first(item, 1e38)),
    "text": replaced(lambda item: np.full(item.shape, b"text")),
}
TEXTS: dict[str, Change] = {
    "numbers in place of text": replaced(lambda item: np.zeros(item.shape, "f4")),
    "not UTF-8": replaced(lambda item: np.full(item.shape, b"\xff\xfe")),
    "long words": replaced(lambda item: np.full(item.shape, b"x" * 2000)),
}
ACCEPTED = {
    ("activity", "missing"): {"trS", "tstS"},
    ("patches", "missing"): {"source", "source_names"},
    ("recordings", "missing"): {"study", "position", "device", "orientation", "trimmed"},
}
"""What a layout says may be missing."""


def with_first(item: h5py.Dataset, value: float) -> np.ndarray:
    values = np.array(item[:], np.float32)
    values.reshape(-1)[0] = value
    return values


def keys(layout: str) -> Iterator[tuple[str, str]]:
    for key in LAYOUTS[layout].fields_in_file():
        if key.name not in ("rotation", "study", "position", "device", "orientation", "trimmed",
                            "decided", "photograph", "source_names"):  # fmt: skip
            yield key.key, key.kind


CASES = [
    (layout, key, name, change)
    for layout in COMMANDS
    for key, kind in keys(layout)
    for name, change in (CHANGES | (TEXTS if kind in ("text", "name") else NUMBERS)).items()
    if not (kind == "id" and name == "text")  # ids may be text
    if key not in ACCEPTED.get((layout, name), ())
]


@pytest.fixture
def read_bytes(materials, tmp_path, refused):
    def act(layout: str, damage: Callable[[bytes], bytes], *says: str) -> None:
        source, command = COMMANDS[layout]
        path = tmp_path / "damaged.h5"
        path.write_bytes(damage(getattr(materials, source).read_bytes()))
        places = materials._asdict() | {"out": tmp_path / "out.h5"}
        line = refused([*(each.format(**places) for each in command), path], str(path), *says)
        assert "root:" not in line

    return act


@pytest.fixture
def read(read_bytes):
    """Reads a layout's file that `change` has changed."""

    def act(layout: str, change: Callable[[h5py.File], object], *says: str) -> None:
        def damage(content: bytes) -> bytes:
            buffer = io.BytesIO(content)
            with warnings.catch_warnings(action="ignore"), h5py.File(buffer, "r+") as file:
                change(file)
            return buffer.getvalue()

        read_bytes(layout, damage, *says)

    return act


@pytest.mark.timeout(60, func_only=True)
@pytest.mark.parametrize(("layout", "key", "name", "change"), CASES, ids=[f"{c[0]} {c[1]} {c[2]}" for c in CASES])
def test_a_data_set_that_is_not_of_the_layout_is_named(layout, key, name, change, read):
    read(layout, lambda file: change(file, key))


ATTRIBUTES = {
    ("activity", "classes"): [b"\xff", "", ",", "a,a,b,c,d,e", "a", 7, np.nan, h5py.Empty("f4"), "x" * 60000],
    ("activity", "rate_hz"): [0, -50, np.nan, np.inf, "fast", "", h5py.Empty("f4"), [50, 60], 1e300, True],
    ("activity", "unit"): ["g", "", 7, h5py.Empty("f4"), ["m/s^2", "g"], b"\xff"],
    ("activity", "convention"): ["ios", "", 7, h5py.Empty("f4"), b"\xff"],
    ("activity", "axes"): ["a,b,c", "", 7, h5py.Empty("f4"), b"\xff", "x,y"],
    ("activity", "label_sets"): ["a+b", "walking", "walking+walking", 7, b"\xff"],
    ("recordings", "unit"): ["g", "", 7, h5py.Empty("f4"), b"\xff"],
    ("recordings", "convention"): ["ios", "", 7, h5py.Empty("f4"), b"\xff"],
    ("recordings", "axes"): ["a,b,c", "", 7, h5py.Empty("f4"), "x,y"],
}
ATTRIBUTE_CASES = [(layout, name, value) for (layout, name), values in ATTRIBUTES.items() for value in values]


@pytest.mark.parametrize(
    ("layout", "name", "value"), ATTRIBUTE_CASES, ids=[f"{c[0]} {c[1]}={str(c[2])[:20]!a}" for c in ATTRIBUTE_CASES]
)
def test_an_attribute_with_another_value_is_named(layout, name, value, read):
    read(layout, lambda file: file.attrs.__setitem__(name, value), name)


VALUES = {
    ("activity", "trS", "a person of the test set"): lambda item: np.full(item.shape, item.file["tstS"][0]),
    ("activity", "trS", "empty ids"): lambda item: np.full(item.shape, b""),
    ("activity", "trS", "ids of blanks"): lambda item: np.full(item.shape, b"  "),
    ("text", "trainx", "a word id too large"): lambda item: np.full(item.shape, 10**6, "i4"),
    ("text", "trainx", "a negative word id"): lambda item: np.full(item.shape, -1, "i4"),
    ("text", "traind", "a word id too large"): lambda item: np.full(item.shape, 10**6, "i4"),
    ("text", "words", "equal words"): lambda item: np.full(item.shape, b"same"),
    ("text", "words", "empty words"): lambda item: np.full(item.shape, b""),
    ("patches", "data", "bytes in place of shares"): lambda item: item[:] * 255,
    ("patches", "data", "negative"): lambda item: item[:] - 3,
    ("recordings", "offsets", "falling"): lambda item: item[:][::-1],
    ("recordings", "offsets", "negative"): lambda item: item[:] - 1,
    ("recordings", "offsets", "all 0"): lambda item: np.zeros(item.shape, "i8"),
    ("recordings", "offsets", "beyond the rows"): lambda item: item[:] * 2,
    ("recordings", "rate", "0"): lambda item: np.zeros(item.shape),
    ("recordings", "rate", "negative"): lambda item: -item[:],
    ("recordings", "rate", "1e300"): lambda item: np.full(item.shape, 1e300),
    ("recordings", "rate", "1e-300"): lambda item: np.full(item.shape, 1e-300),
    ("recordings", "acceleration", "in g"): lambda item: item[:] / 9.8,
    ("recordings", "acceleration", "without gravity"): lambda item: item[:] - item[:].mean(axis=0),
    ("recordings", "subject", "empty ids"): lambda item: np.full(item.shape, b""),
    ("recordings", "activity", "empty labels"): lambda item: np.full(item.shape, b""),
    ("recordings", "activity", "labels with commas"): lambda item: np.full(item.shape, b"a,b"),
}


@pytest.mark.parametrize(("layout", "key", "name"), VALUES, ids=" ".join)
def test_values_that_cannot_be_are_refused(layout, key, name, read):
    read(layout, lambda file: replaced(VALUES[layout, key, name])(file, key))


@pytest.mark.parametrize("layout", COMMANDS)
@pytest.mark.parametrize("share", [0, 1, 8, 100, 500, 0.25, 0.5, 0.75, 0.9, 0.99])
def test_a_file_that_was_cut_is_named(layout, share, read_bytes):
    read_bytes(layout, lambda content: content[: int(share * len(content)) if isinstance(share, float) else share])
