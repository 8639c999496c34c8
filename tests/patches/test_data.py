"""Patches of photographs: the course's preprocessing, reading, making and simulating."""

import importlib.util
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import message, refused, write_h5
from sklearn.datasets import load_sample_images

from zoo import load_data
from zoo.data import hdf5
from zoo.data.dataset import DataSet
from zoo.patches import simulate
from zoo.patches.data import (
    Photograph,
    Scale,
    find_pictures,
    from_file,
    hold_out,
    open_photograph,
    prepared,
    shipped_photographs,
    write_patches,
)

RANDOM = np.random.default_rng(0)


def photograph(*shape, name="noise"):
    return Photograph(name, RANDOM.uniform(size=(*shape, 3)).astype("float32"))


def save(path, shape=(10, 12, 3), random=RANDOM):
    """A picture of noise in a file."""
    Image.fromarray(random.integers(0, 255, shape).astype(np.uint8)).save(path)
    return path


def test_preprocessing_computes_the_course_steps():
    rgb = RANDOM.uniform(size=(50, 3, 16, 16)).astype("float32")
    scale = Scale.fit(DataSet.of({"input": rgb}))
    Y = 0.2126 * rgb[:, 0] + 0.7152 * rgb[:, 1] + 0.0722 * rgb[:, 2]
    Y = Y.reshape(50, 256).astype(np.float64)
    Y -= Y.mean(axis=1, keepdims=True)
    Y = np.clip(Y, -3 * Y.std(), 3 * Y.std())
    expected = 0.1 + 0.8 * (Y - Y.min()) / (Y.max() - Y.min())
    np.testing.assert_allclose(scale.apply(rgb), expected, atol=1e-6)


def test_a_patch_is_cut_from_its_photograph_and_stands_upright_when_transposed(tmp_path):
    source = photograph(40, 60)
    write_patches(tmp_path / "a.h5", [source], 12, 8, seed=1)
    for patch in hdf5.read_column(tmp_path / "a.h5", "data"):
        upright = patch.T
        places = np.argwhere(np.isclose(source.pixels[:33, :53, 0], upright[0, 0, 0]))
        assert any(np.allclose(source.pixels[r : r + 8, c : c + 8], upright) for r, c in places)


def test_patches_come_evenly_from_all_photographs_and_whole_photographs_are_held_out(tmp_path):
    write_patches(tmp_path / "a.h5", [photograph(30, 30, name=name) for name in "abcd"], 42, 8, seed=1)
    data = from_file(tmp_path / "a.h5")
    photographs = data.train.column("photograph")
    assert [int((photographs == name).sum()) for name in "abcd"] == [11, 11, 10, 10]
    training, held_out = hold_out(data, 0.25, seed=0)
    assert len(training) + len(held_out) == 42
    assert len(held_out.names("photograph")) == 1
    assert not set(held_out.names("photograph")) & set(training.names("photograph"))
    refused("cannot be held out", hold_out, data, 0.9, seed=0)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ({}, "4 patches, of which 4"),
        ({"source": [0, 0, 1, 1], "source_names": ["a", "b"]}, "2 photographs, of which 2"),
    ],
)
def test_something_is_held_out_and_something_left_whatever_the_share(tmp_path, names, kind):
    data = from_file(write_h5(tmp_path / "a.h5", data=RANDOM.uniform(size=(4, 3, 8, 8)), **names))
    assert all(len(part) > 0 for part in hold_out(data, 0.01, seed=0))
    refused(f"^{data.path}: {kind} cannot be held out: add some$", hold_out, data, 0.99, seed=0)


def test_the_same_seed_cuts_the_same_patches(tmp_path):
    picture = [photograph(30, 30)]
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_patches(tmp_path / name, picture, 10, 8, seed)
    a, b, c = (hdf5.read_column(tmp_path / name, "data") for name in "abc")
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_flat_patches_are_refused_and_counted(tmp_path):
    half = np.zeros((40, 80, 3), "float32")
    half[:, 40:] = RANDOM.uniform(size=(40, 40, 3))
    assert write_patches(tmp_path / "a.h5", [Photograph("half", half)], 20, 8, seed=0) > 0
    gray = [Photograph("gray", half[:, :20])]
    refused("^gray: almost nothing but flat patches: choose", write_patches, tmp_path / "b.h5", gray, 5, 8, seed=0)
    assert not (tmp_path / "b.h5").exists()


def test_dead_leaves_are_simulated_cover_the_picture_and_say_so(tmp_path):
    picture = simulate.draw("leaves", 48, np.random.default_rng(0))
    assert picture.pixels.shape == (48, 48, 3)
    assert 0 <= picture.pixels.min() < picture.pixels.max() <= 1
    write_patches(tmp_path / "a.h5", [picture], 10, 8, seed=0, simulated=True)
    assert from_file(tmp_path / "a.h5").simulated


def test_the_shipped_photographs_name_their_authors_and_licenses():
    photographs = shipped_photographs()
    assert {"china.jpg", "flower.jpg"} <= {photograph.name for photograph in photographs}
    assert all("CC" in photograph.credit or "public domain" in photograph.credit for photograph in photographs)


def test_a_picture_is_opened_as_red_green_blue_and_turned_upright_as_the_camera_says(tmp_path):
    picture = Image.fromarray(RANDOM.integers(0, 256, (10, 12, 3)).astype(np.uint8))
    exif = picture.getexif()
    for orientation, quarters in ((1, 0), (6, -1)):
        exif[0x0112] = orientation
        picture.save(tmp_path / "a.png", exif=exif)
        expected = np.rot90(np.asarray(picture), quarters) / 255
        np.testing.assert_allclose(open_photograph(tmp_path / "a.png").pixels, expected, atol=1e-6)


def test_transparent_parts_become_white(tmp_path):
    rgba = np.full((2, 2, 4), (255, 0, 0, 255), np.uint8)
    rgba[0, 0, 3], rgba[0, 1, 3] = 0, 51
    for name in ("a.png", "a.webp"):
        Image.fromarray(rgba).save(tmp_path / name, lossless=True)
        pixels = open_photograph(tmp_path / name).pixels
        np.testing.assert_allclose(pixels[0], [[1, 1, 1], [1, 0.8, 0.8]], atol=0.01)
        np.testing.assert_allclose(pixels[1], [[1, 0, 0], [1, 0, 0]])
    Image.fromarray(rgba).convert("P").save(tmp_path / "p.gif", transparency=0)
    assert open_photograph(tmp_path / "p.gif").pixels.shape == (2, 2, 3)


def test_a_photograph_of_an_iphone_is_read_with_the_extra_and_named_without():
    heic = Path(__file__).with_name("flower.heic")
    if importlib.util.find_spec("pi_heif") is None:
        refused("flower.heic: HEIC, which needs `pip install 'pocket-zoo.heic.'`", open_photograph, heic)
        pytest.skip("needs pi-heif: pip install '.[heic]'")
    pixels = open_photograph(heic).pixels
    assert pixels.shape == (64, 64, 3)
    # It was cut from the flower of scikit-learn.
    flower = load_sample_images().images[1][100:164, 200:264] / 255
    assert np.abs(pixels - flower).mean() < 0.05


def test_what_is_not_a_picture_or_small_is_refused(tmp_path):
    (tmp_path / "a.png").write_text("not a picture")
    for name, words in (("b.png", "no such file"), ("a.png", "a.png: not a picture that can be decoded")):
        refused(words, open_photograph, tmp_path / name)
    small = [photograph(4, 9, name="small")]
    refused(
        "^small: 9 x 4 pixels; a patch needs 8 x 8: leave it out$", write_patches, tmp_path / "a.h5", small, 1, 8, 0
    )


def test_what_a_folder_holds_beside_pictures_is_left_out_and_listed_at_once(tmp_path, zoo_cli):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, side in (("a.png", 40), ("b.jpg", 40), ("icon.png", 4)):
        save(folder / name, (side, side, 3))
    (folder / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (folder / "notes.txt").write_text("our holidays")
    sizes = ("--count", 10, "--size", 8)
    status, printed, err = zoo_cli("data", "make", "patches", folder, "-o", tmp_path / "a.h5", *sizes, "--json")
    assert status == 0, err
    found = json.loads(printed)
    assert list(found["photographs"]) == ["a.png", "b.jpg"]
    assert [Path(name).name for name in found["skipped"]] == ["IMG_1.HEIC", "Thumbs.db", "icon.png", "notes.txt"]
    (line,) = [line for line in err.splitlines() if "left out, 4:" in line]
    assert all(Path(name).name in line for name in found["skipped"])
    assert "notes.txt (not a picture that can be decoded (" in line
    (folder / "a.png").unlink()
    (folder / "b.jpg").unlink()
    refused("no picture in this folder; left out: IMG_1.HEIC", find_pictures, [folder], 8)


def test_a_picture_that_was_broken_off_is_listed_whether_in_a_folder_or_named_and_alone_it_is_an_error(
    tmp_path, zoo_cli
):
    folder, out = tmp_path / "pictures", tmp_path / "a.h5"
    folder.mkdir()
    for name in ("whole.jpg", "broken.jpg", "broken.png"):
        save(folder / name, (60, 60, 3))
    for broken in (folder / "broken.jpg", folder / "broken.png"):
        broken.write_bytes(broken.read_bytes()[:2000])
    for paths in ([folder], sorted(folder.iterdir())):
        status, printed, err = zoo_cli("data", "make", "patches", *paths, "-o", out, "--count", 9, "--json", "--force")
        assert status == 0, err
        found = json.loads(printed)
        assert (list(found["photographs"]), found["patches"]) == (["whole.jpg"], 9)
        assert [Path(name).name for name in found["skipped"]] == ["broken.jpg", "broken.png"]
        assert "left out, 2: broken.jpg (not a picture that can be decoded (" in err
    (folder / "whole.jpg").unlink()
    for paths in ([folder], sorted(folder.iterdir())):
        status, _, err = zoo_cli("data", "make", "patches", *paths, "-o", tmp_path / "b.h5")
        assert status == 1
        assert "broken.jpg" in err
        assert not (tmp_path / "b.h5").exists()


def test_a_picture_under_two_names_is_refused(tmp_path):
    for name, seed in (("a.png", 0), ("b.png", 1), ("c.png", 0)):
        save(tmp_path / name, (20, 24, 3), np.random.default_rng(seed))
    says, out = "^c.png: is the same picture as a.png: leave one of them out$", tmp_path / "data1.h5"
    refused(says, write_patches, out, find_pictures([tmp_path])[0], 30, 8, seed=0)
    assert not out.exists()


def test_a_folder_gives_its_pictures_by_name_without_the_hidden_files(tmp_path):
    for name in ("b.png", "a.png"):
        save(tmp_path / name)
    (tmp_path / ".DS_Store").write_bytes(b"hidden")
    (tmp_path / ".trash").mkdir()
    (tmp_path / "holiday").mkdir()
    for name in (".trash/d.png", "holiday/c.png"):
        save(tmp_path / name)
    assert [picture.name for picture in find_pictures([tmp_path])[0]] == ["a.png", "b.png", "c.png"]
    refused("pictures of the same name: rename or leave out one", find_pictures, [tmp_path, tmp_path / "a.png"])
    (tmp_path / "empty").mkdir()
    refused("no picture in this folder", find_pictures, [tmp_path / "empty"])


def test_values_that_overshoot_a_little_are_accepted_and_reported(tmp_path):
    data = from_file(write_h5(tmp_path / "a.h5", data=np.linspace(-0.1, 1.2, 192).reshape(1, 3, 8, 8), xForm=np.eye(2)))
    assert "values from -0.100 to 1.200 overshoot [0, 1]" in data.facts["notes"]


def test_values_to_255_are_refused_unless_white_is_said_to_be_255_and_levels_that_cannot_be_are_refused(tmp_path):
    shares, bright, brighter = (
        write_h5(tmp_path / f"{name}.h5", data=data)
        for name, data in (
            ("a", FOUR), ("b", RANDOM.integers(0, 256, (5, 3, 8, 8))), ("c", RANDOM.integers(0, 65536, (5, 3, 8, 8))),
        )
    )  # fmt: skip
    refused("train, evaluate and export with levels=255$", from_file, bright)
    block = from_file(bright, levels=255).train.inputs[0:5]
    assert 0 <= block.min() < block.max() <= 1
    refused("not up to 255: leave levels out$", from_file, shares, levels=255)
    for levels in (0.0, -1.0, np.nan, np.inf):
        refused("^levels is", load_data, shares, levels=levels)
    refused("with levels=WHITE, the value of white in it$", from_file, brighter)


FOUR = RANDOM.uniform(size=(4, 3, 8, 8))
ONE_COLOR = np.broadcast_to(FOUR[:, :, :1, :1], FOUR.shape)
NAMED = {"source": [0, 1, 0, 1], "source_names": ["a", "b"]}


@pytest.mark.parametrize(
    ("data", "names", "words"),
    [
        (FOUR, NAMED | {"source": [0, 1, 2, 0]}, "key 'source' holds numbers from 0 to 2; expected 0 to 1"),
        (FOUR, NAMED | {"source": np.zeros(4)}, "key 'source' holds float64; expected whole numbers"),
        (FOUR, NAMED | {"source": [0, 1, 0]}, "key 'source' has shape (3,); expected (4,)"),
        (FOUR, NAMED | {"source_names": ["a\nb", "c"]}, "key 'source_names' holds 'a\\nb'; expected 1 to 200 letters"),
        (FOUR, {"source": [0, 1, 0, 1]}, "no key 'source_names'; found data, source"),
        (0 * FOUR + 0.5, {}, "key 'data': every patch is of one color: nothing can be learned from it"),
        (ONE_COLOR, {}, "key 'data': every patch is of one color: nothing can be learned from it"),
        (np.where(FOUR[3, 0, 0, 0] == FOUR, np.nan, FOUR), {}, "key 'data' patch 3 holds NaN or infinity"),
        *((np.zeros(shape), {}, f"key 'data' has shape {shape}; expected (N, 3, S, S): {advice}") for shape, advice in (
            *((shape, "these are gray or transparent: cut patches from pictures in color")
              for shape in ((4, 16, 16), (4, 1, 16, 16), (4, 4, 16, 16))),
            ((4, 16, 16, 3), "channels come second: transpose to (patch, channel, column, row)"),
            ((4, 3, 16, 8), "make it with `zoo data make patches`"),
        )),
    ],
)  # fmt: skip
def test_a_file_that_is_not_as_it_should_be_is_refused_with_what_to_do(tmp_path, data, names, words):
    path = write_h5(tmp_path / "a.h5", data=data, **names)
    assert message(lambda: from_file(path)).startswith(f"{path}: {words}")


def test_patches_of_one_color_have_no_scale_and_no_patches_neither():
    patches = DataSet.of({"input": np.array(ONE_COLOR)}, prepare=prepared)
    refused("every patch is of one color", patches.dataset, 32)
    refused("no patches to fit the preprocessing on", patches.empty().dataset, 32)


@pytest.mark.real
def test_the_real_patches_are_read_and_their_photographs_known(real):
    data = from_file(real / "images" / "data1.h5")
    assert len(data.train.names("photograph")) == 15
    training, held_out = hold_out(data, 0.25, seed=0)
    scaled = Scale.fit(training).apply(data.train.inputs[0:8084])
    assert (scaled.min(), scaled.max()) == (pytest.approx(0.1), pytest.approx(0.9))
    assert scaled.var() == pytest.approx(0.0161, abs=1e-3)
    assert len(held_out) > 0


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_gray_of_fewer_bits_than_its_numbers_have_is_scaled_by_its_range(bits, kind, tmp_path):
    values = RANDOM.integers(0, 2**bits, (64, 64)).astype(np.uint16)
    values[0, 0] = 2**bits - 1
    Image.fromarray(values).save(tmp_path / f"gray.{kind}")
    pixels = open_photograph(tmp_path / f"gray.{kind}").pixels
    gray = np.repeat(values[..., None] / (2**bits - 1), 3, axis=2)
    np.testing.assert_allclose(pixels, gray, atol=1e-6)
    assert write_patches(tmp_path / "data1.h5", [tmp_path / f"gray.{kind}"], 10, 8, 0) == 0


def test_gray_of_more_than_16_bits_and_color_that_uses_the_lower_bits_alone_are_refused_with_the_reason(tmp_path):
    Image.fromarray(RANDOM.integers(0, 2**20, (64, 64)).astype(np.int32)).save(tmp_path / "gray.tiff")
    refused(r"gray\.tiff: holds values from .*; expected 0 to 65535", open_photograph, tmp_path / "gray.tiff")

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    # Pillow reads color of 16 bits, and does not write it.
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in RANDOM.integers(0, 4096, (32, 32, 3)))
    size = struct.pack(">IIBBBBB", 32, 32, 16, 2, 0, 0, 0)
    parts = chunk(b"IHDR", size), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    refused(r"deep\.png: .* save it with 8 bits", open_photograph, tmp_path / "deep.png")
