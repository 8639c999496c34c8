"""Model files that are damaged, or whose parts do not belong together."""

import io
import json
import pickle
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pytest
from hostile.test_hdf5 import CHANGES, NUMBERS, replaced

from zoo import ZooError
from zoo.files import read_arrays
from zoo.runtime.interpreter import Interpreter
from zoo.runtime.metadata import embed, extract

pytestmark = pytest.mark.hostile

REGIONS = 48


def damaged(materials, tmp_path, suffix, damage):
    """A model file under its own name, after `damage` of its bytes."""
    source = materials.recognizer / "model.keras" if suffix == ".keras" else materials.exported / "model.float32.tflite"
    path = tmp_path / f"model{suffix}"
    path.write_bytes(damage(source.read_bytes()))
    return path


@pytest.mark.parametrize("region", range(REGIONS))
@pytest.mark.parametrize("suffix", [".keras", ".tflite"])
def test_a_flipped_byte_of_a_model_file_is_named(suffix, region, materials, tmp_path, refused):
    with zipfile.ZipFile(materials.recognizer / "model.keras") as archive:
        inside = {info.header_offset: info for info in archive.infolist()}
        start = archive.start_dir

    def flipped(content):
        offset = region * (start if suffix == ".keras" else len(content)) // REGIONS
        if suffix == ".keras":
            # Dates, attributes and versions in the headers mean nothing to a reader.
            header = max(place for place in inside if place <= offset)
            offset = max(offset, header + 30 + len(inside[header].filename))
        return content[:offset] + bytes([content[offset] ^ 0xFF]) + content[offset + 1 :]

    path = damaged(materials, tmp_path, suffix, flipped)
    refused(["info", path], str(path))


READERS = {
    ".keras": ["info", "evaluate", "predict", "export", "finetune"],
    ".tflite": ["info", "stream", "predict", "bench", "serve"],
}
CUT = [(suffix, command, share) for suffix, commands in READERS.items() for command in commands
       for share in (0, 1, 8, 30, 100, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)]  # fmt: skip


@pytest.mark.parametrize(("suffix", "command", "share"), CUT)
def test_a_model_file_that_was_cut_is_named(suffix, command, share, materials, tmp_path, refused):
    path = damaged(
        materials, tmp_path, suffix,
        lambda content: content[: int(share * len(content)) if isinstance(share, float) else share],
    )  # fmt: skip
    more = {
        "evaluate": ["--data", materials.windows], "predict": ["--data", materials.windows],
        "export": ["--to", tmp_path / "out"], "finetune": ["--data", materials.windows, "--out", tmp_path / "out"],
        "stream": ["--simulate", "walking"],
    }  # fmt: skip
    refused([command, path, *more.get(command, [])], str(path))


@pytest.mark.parametrize("suffix", [".keras", ".tflite"])
@pytest.mark.parametrize("name", ["of another kind", "of text", "of a data set", "of zeros"])
def test_a_file_of_another_kind_under_the_name_of_a_model_is_named(name, suffix, materials, tmp_path, refused):
    other = materials.exported / "model.float32.tflite" if suffix == ".keras" else materials.recognizer / "model.keras"
    content = {
        "of another kind": other.read_bytes(), "of text": b"text\n" * 99, "of zeros": bytes(4096),
        "of a data set": materials.windows.read_bytes(),
    }  # fmt: skip
    path = damaged(materials, tmp_path, suffix, lambda _: content[name])
    refused(["info", path], str(path))


def repacked(source: Path, target: Path, members: Mapping[str, bytes | None]) -> Path:
    """A copy of a .keras file with other members; None leaves one out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name, content in ({name: old.read(name) for name in old.namelist()} | dict(members)).items():
            if content is not None:
                new.writestr(name, content)
    return target


def member(file: Path, name: str) -> bytes:
    with zipfile.ZipFile(file) as archive:
        return archive.read(name)


CONFIG, WEIGHTS = "config.json", "model.weights.h5"
MEMBERS: dict[str, dict[str, bytes | None]] = {
    "without its configuration": {CONFIG: None},
    "without its weights": {WEIGHTS: None},
    "with an empty configuration": {CONFIG: b""},
    "with a configuration of noise": {CONFIG: bytes(range(256))},
    "with a configuration that is a list": {CONFIG: b"[]"},
    "with a configuration nested 100,000 deep": {CONFIG: b"[" * 100_000},
    "with a configuration of NaN": {CONFIG: b"NaN"},
    "with empty weights": {WEIGHTS: b""},
    "with weights of noise": {WEIGHTS: bytes(range(256)) * 16},
}
TOUCH = {"command": "touch MARK", "args": "touch MARK", "shell": True}
CLASSES = {
    **{f"{module}.{name}": {"module": module, "class_name": name, "registered_name": name, "config": TOUCH} for module,
       name in (("os", "system"), ("builtins", "exec"), ("subprocess", "Popen"), ("zoo.jobs", "python"))},
    "a lambda": {"module": "keras.layers", "class_name": "Lambda", "config": {"function": {"class_name": "__lambda__",
                 "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}}},
    "a layer": {"module": "keras.layers", "class_name": "Dense", "config": {"units": 1}},
    "no class": {},
}  # fmt: skip
MEMBERS |= {
    f"of {name}": {CONFIG: json.dumps({"registered_name": None, **config}).encode()} for name, config in CLASSES.items()
}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_keras_file_with_other_members_runs_no_code_and_is_named(name, materials, tmp_path, refused):
    # What it created in the folder would be seen.
    mark = str(tmp_path / "executed").encode()
    members = {name: content and content.replace(b"MARK", mark) for name, content in MEMBERS[name].items()}
    path = repacked(materials.recognizer / "model.keras", tmp_path / "model.keras", members)
    refused(["info", path], str(path))


def test_documents_that_unpack_to_gigabytes_are_refused(materials, tmp_path, refused):
    sound = materials.recognizer / "model.keras"
    for name in (CONFIG, "metadata.json"):
        path = tmp_path / f"large-{name}.keras"
        with zipfile.ZipFile(repacked(sound, path, {name: None}), "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, member(sound, name) + b" " * (1 << 25))
        refused(["info", path], str(path), f"{name} in it unpacks to")


def test_members_that_are_no_part_of_a_model_are_written_nowhere(materials, tmp_path, zoo_cli):
    names = ("../evil", "../../evil", "/evil", "assets/../../evil", "notes.txt")
    path = repacked(materials.recognizer / "model.keras", tmp_path / "model.keras", dict.fromkeys(names, b"evil"))
    assert zoo_cli("info", path).status == 0
    assert list(tmp_path.iterdir()) == [path]
    assert not [
        place for place in ("/evil", tmp_path.parent / "evil", tempfile.gettempdir() + "/evil") if Path(place).exists()
    ]


ARGUMENTS = {"units": 10**30, "window": None, "classes": ["a"], "no_such_argument": 1, "name": "x" * 10_000_000}
"""Some that a constructor refuses, of which models/test_arguments.py has more, and some that the weights do not fit."""


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_keras_file_with_other_arguments_is_named(name, materials, tmp_path, refused):
    source = materials.recognizer / "model.keras"
    config = json.loads(member(source, CONFIG))
    config["config"][name] = ARGUMENTS[name]
    path = repacked(source, tmp_path / "model.keras", {CONFIG: json.dumps(config).encode()})
    refused(["info", path], str(path))


def weights(source: Path, change) -> bytes:
    buffer = io.BytesIO(member(source, WEIGHTS))
    with h5py.File(buffer, "r+") as file:
        found = []
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) and item.ndim else None)
        change(file, found[0])
    return buffer.getvalue()


DAMAGE = ("NaN", "infinity", "a row less", "text", "missing", "an external link", "stored in /etc/passwd")


@pytest.mark.parametrize("name", DAMAGE)
def test_weights_that_cannot_be_are_named(name, materials, tmp_path, refused):
    source = materials.recognizer / "model.keras"
    path = repacked(source, tmp_path / "model.keras", {WEIGHTS: weights(source, (CHANGES | NUMBERS)[name])})
    refused(["evaluate", path, "--data", materials.windows], str(path))


@pytest.fixture
def folder(materials, tmp_path):
    return shutil.copytree(materials.recognizer, tmp_path / "model")


def test_weights_of_another_model_are_refused(folder, materials, tmp_path, refused):
    other = weights(folder / "model.keras", replaced(lambda item: item[:] + 1))
    repacked(folder / "model.keras", tmp_path / "other.keras", {WEIGHTS: other}).replace(folder / "model.keras")
    refused(["evaluate", folder, "--data", materials.windows], "config.json")


CONFIGS = {
    "nothing": b"", "noise": bytes(range(256)), "a list": b"[]", "a number": b"7", "cut": b'{"class": "Activity',
    "another class": b'{"class": "TrigramLM", "arguments": {}}', "metadata of text": b'{"metadata": "text"}',
    "nested 100,000 deep": b"[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_a_configuration_that_is_none_is_named(name, folder, materials, refused):
    (folder / "config.json").write_bytes(CONFIGS[name])
    refused(["evaluate", folder, "--data", materials.windows], "config.json")


@pytest.mark.parametrize(
    "document", ["[]", "7", '{"model_type": "bert"}', '{"metadata": {}, "training": {}, "data": {}}']
)
def test_a_configuration_of_another_program_is_no_matter_for_a_file_and_is_named_for_a_folder(
    document, folder, materials, refused, zoo_cli
):
    (folder / "config.json").write_text(document)
    file = folder / "model.keras"
    assert zoo_cli("evaluate", file, "--data", materials.windows, "--no-baselines", "--json").status == 0
    for command in (["info", folder], ["push", folder, "hf://a/b"]):
        refused(command, "config.json: describes no model")


@pytest.mark.parametrize(("part", "value"), [
    ("training", {}), ("training", 7), ("metadata", {}), ("metadata", {"task": "speech"}), ("data", []),
    ("metadata", None), ("arguments", 3),
])  # fmt: skip
def test_a_configuration_that_was_edited_by_hand_is_named(part, value, folder, refused):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {part: value}))
    refused(["info", folder], "config.json: holds other", "zoo train")


class Harmful:
    """Creates a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_arrays_of_objects_are_refused_and_execute_nothing(tmp_path):
    mark, objects = tmp_path / "executed", np.empty(1, object)
    objects[0] = Harmful(mark)
    np.savez(tmp_path / "arrays.npz", kernel=objects)
    (tmp_path / "pickled.npz").write_bytes(pickle.dumps(Harmful(mark)))
    for name in ("arrays.npz", "pickled.npz"):
        with pytest.raises(ZooError, match=f"{name}: "):
            read_arrays(tmp_path / name)
    assert not mark.exists()


def test_a_tflite_file_with_a_flipped_bit_in_the_name_of_a_tensor_is_named(materials, tmp_path):
    path = tmp_path / "model.tflite"
    content = bytearray((materials.exported / "model.float32.tflite").read_bytes())
    content[content.rindex(b"window:0")] ^= 0x80
    path.write_bytes(content)
    embed(path, extract(materials.exported / "model.float32.tflite"))
    with pytest.raises(ZooError, match=r"model\.tflite: does not run"):
        Interpreter(path)


def test_a_file_without_its_hash_is_named(materials, tmp_path, refused):
    path = tmp_path / "model.tflite"
    path.write_bytes((materials.exported / "model.float32.tflite").read_bytes().replace(b"sha256:", b"sha255:"))
    for command in (["info", path], ["stream", path, "--simulate", "walking"]):
        refused(command, str(path), "SHA-256", "export it again")
