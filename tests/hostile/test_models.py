"""Model files that are damaged, or whose parts do not belong together."""

import contextlib
import io
import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pytest
from ai_edge_litert.tools import flatbuffer_utils

from zoo.errors import ZooError
from zoo.runtime import Recognizer
from zoo.runtime.metadata import extract

pytestmark = pytest.mark.hostile

REGIONS = 48
STILL = np.full((1, 150, 3), (0, 9.8, 0), np.float32)


def damaged(materials, tmp_path, suffix, damage):
    """A model file under its own name, after `damage` of its bytes."""
    source = materials.recognizer / "model.keras" if suffix == ".keras" else materials.exported / "model.float32.tflite"
    path = tmp_path / f"model{suffix}"
    path.write_bytes(damage(source.read_bytes()))
    return path


def flipped(content: bytes, offset: int) -> bytes:
    return content[:offset] + bytes([content[offset] ^ 0xFF]) + content[offset + 1 :]


@pytest.mark.parametrize("region", range(REGIONS))
def test_a_flipped_byte_of_a_keras_file_is_named(region, materials, tmp_path, refused):
    with zipfile.ZipFile(materials.recognizer / "model.keras") as archive:
        inside = {info.header_offset: info for info in archive.infolist()}
        start = archive.start_dir
    # Dates, attributes and versions in the headers mean nothing to a reader.
    offset = region * start // REGIONS
    header = max(place for place in inside if place <= offset)
    offset = max(offset, header + 30 + len(inside[header].filename))
    path = damaged(materials, tmp_path, ".keras", lambda content: flipped(content, offset))
    refused(["info", path], str(path))


@pytest.mark.parametrize("region", range(REGIONS))
def test_a_flipped_byte_of_a_tflite_file_is_named(region, materials, tmp_path, refused):
    path = damaged(materials, tmp_path, ".tflite", lambda content: flipped(content, region * len(content) // REGIONS))
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
    **{f"with {name}": {name: b"MARK"} for name in ("../evil", "/evil", "assets/../../evil", "notes.txt", "a\nb")},
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


def test_documents_that_unpack_to_gigabytes_and_members_that_are_there_twice_are_refused(materials, tmp_path, refused):
    sound = materials.recognizer / "model.keras"
    for name in (CONFIG, "metadata.json"):
        path = tmp_path / f"large-{name}.keras"
        with zipfile.ZipFile(repacked(sound, path, {name: None}), "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, member(sound, name) + b" " * (1 << 25))
        refused(["info", path], str(path), f"{name} in it unpacks to")
    path = repacked(sound, tmp_path / "twice.keras", {})
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(CONFIG, member(sound, CONFIG))
    refused(["info", path], str(path), f"{CONFIG} is in it twice")


ARGUMENTS = {
    "units": ["8", 10**30],
    "frame": [7],
    "window": [None],
    "classes": [["a"], 7],
    "channels": ["a"],
    "dropout": [1],
    "no_such_argument": [1],
    "name": [7, "x" * 10_000_000],
    "provenance": [7, {"still": [7]}],
    "mean": ["a", [1e300, 0, 0]],
    "seed": [-1],
}
"""Some that a constructor refuses, of which models/test_arguments.py has more, and some that the weights do not fit."""

ARGUMENT_CASES = [(name, value) for name, values in ARGUMENTS.items() for value in values]


@pytest.mark.parametrize(("name", "value"), ARGUMENT_CASES, ids=[f"{n}={v!a:.40}" for n, v in ARGUMENT_CASES])
def test_a_keras_file_with_other_arguments_is_named(name, value, materials, tmp_path, refused):
    source = materials.recognizer / "model.keras"
    config = json.loads(member(source, CONFIG))
    config["config"][name] = value
    path = repacked(source, tmp_path / "model.keras", {CONFIG: json.dumps(config).encode()})
    refused(["info", path], str(path))


def weights(source: Path, change) -> bytes:
    buffer = io.BytesIO(member(source, WEIGHTS))
    with h5py.File(buffer, "r+") as file:
        found = []
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) and item.ndim else None)
        change(file, found[0])
    return buffer.getvalue()


def replaced(make):
    def change(file, key):
        values = make(file[key][:])
        del file[key]
        file[key] = values

    return change


CHANGES = {
    "NaN": replaced(lambda values: np.full_like(values, np.nan)),
    "one infinity": replaced(lambda values: np.concatenate([np.full_like(values[:1], np.inf), values[1:]])),
    "another shape": replaced(lambda values: values[:-1]),
    "text": replaced(lambda values: np.full(values.shape, b"text")),
    "nothing": lambda file, key: file.__delitem__(key),
    "a link to nowhere": lambda file, key: (file.__delitem__(key), file.__setitem__(key, h5py.SoftLink("/nowhere"))),
    "an external link": lambda file, key: (
        file.__delitem__(key), file.__setitem__(key, h5py.ExternalLink("/etc/passwd", "/x")),
    ),
    "external storage": lambda file, key: (
        file.__delitem__(key), file.create_dataset(key, (9,), "u1", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_weights_that_cannot_be_are_named(name, materials, tmp_path, refused):
    source = materials.recognizer / "model.keras"
    path = repacked(source, tmp_path / "model.keras", {WEIGHTS: weights(source, CHANGES[name])})
    refused(["evaluate", path, "--data", materials.windows], str(path))


@pytest.fixture
def folder(materials, tmp_path):
    """A copy of the folder of a model."""
    return shutil.copytree(materials.recognizer, tmp_path / "model")


def test_weights_of_another_model_are_refused(folder, materials, tmp_path, refused):
    other = weights(folder / "model.keras", replaced(lambda values: values + 1))
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


INSIDE = {
    "arguments": [], "recipe": 7, "metadata": ["a"], "training": 3, "data": [1], "versions": "1", "class": 3,
}  # fmt: skip


@pytest.mark.parametrize(
    "command", [["info"], ["evaluate", "--data", "DATA"], ["finetune", "--data", "DATA", "-o", "OUT"]]
)
@pytest.mark.parametrize("key", INSIDE)
def test_values_of_another_kind_in_a_configuration_are_named(key, command, folder, materials, tmp_path, refused):
    document = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(document | {key: INSIDE[key]}))
    places = {"DATA": materials.windows, "OUT": tmp_path / "out"}
    refused(
        [command[0], folder, *(places.get(word, word) for word in command[1:])], f"config.json: {key} is of the type"
    )


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


@pytest.mark.parametrize("text", ["7", "[[1]]", '[{"epoch": "a"}]'])
def test_a_history_that_is_none_is_named(text, folder, materials, tmp_path, refused):
    (folder / "history.json").write_text(text)
    command = ["evaluate", folder, "--data", materials.windows, "--no-baselines", "--figures", tmp_path / "figures"]
    refused(command, "history.json: expected a record of numbers")


METADATA = {
    "schema": [0, 2, "1", None, True],
    "task": ["", "walking", None, 7, []],
    "family": ["", None, 7, "a\nb"],
    "preset": ["", None, "a\nfun main()", "a\u2028b", "x" * 1000],
    "version": [None, 7, ""],
    "weights_sha256": [None, 7],
    "hop": [0, -1, None, "a"],
    "frame": [0, -1, None, "a", 2.5],
    "chunk": [0, -1, None],
    "convention": ["ios", "", None],
}
"""Some of each kind; runtime/test_metadata.py has more."""

METADATA_CASES = [(name, value) for name, values in METADATA.items() for value in values]


def with_metadata(source: Path, target: Path, text: bytes) -> Path:
    model = flatbuffer_utils.read_model(str(source))
    for entry in model.metadata:
        if entry.name == b"pocket_zoo":
            model.buffers[entry.buffer].data = list(text)
    # Whoever changes metadata on purpose would not leave the hash of the file as it was.
    model.metadata = [entry for entry in model.metadata if entry.name != b"pocket_zoo_sha256"]
    for buffer in model.buffers:
        if buffer.data is not None and bytes(buffer.data).startswith(b"pocket_zoo_sha256:"):
            buffer.data = [0]
    flatbuffer_utils.write_model(model, str(target))
    return target


def unsigned(materials, target: Path) -> Path:
    source = materials.exported / "model.float32.tflite"
    return with_metadata(source, target, json.dumps(extract(source).to_json()).encode())


def test_a_file_without_its_hash_is_tried_and_runs(materials, tmp_path):
    expected = Recognizer(materials.exported / "model.float32.tflite").predict(STILL)
    np.testing.assert_array_equal(Recognizer(unsigned(materials, tmp_path / "a.tflite")).predict(STILL), expected)


def test_a_file_of_nan_weights_without_its_hash_is_named(materials, tmp_path, refused):
    path = unsigned(materials, tmp_path / "model.tflite")
    model = flatbuffer_utils.read_model(str(path))
    tensors = (tensor for graph in model.subgraphs for tensor in graph.tensors if tensor.type == 0)
    for buffer in [model.buffers[each.buffer] for each in tensors]:
        if buffer.data is not None:
            buffer.data = list(np.full(len(buffer.data) // 4, np.nan, "float32").tobytes())
    flatbuffer_utils.write_model(model, str(path))
    refused(["stream", path, "--simulate", "walking"], str(path), "NaN or infinity")


@pytest.mark.parametrize("seed", range(8))
def test_damage_to_a_file_without_its_hash_ends_no_process(seed, materials, tmp_path, monkeypatch):
    # Some damage makes a loop that hardly ends.
    monkeypatch.setattr("zoo.runtime.interpreter._SECONDS", 5)
    content = bytearray(unsigned(materials, tmp_path / "model.tflite").read_bytes())
    random = np.random.default_rng(seed)
    for place in random.integers(8, len(content), 3):
        content[place] ^= 1 << int(random.integers(8))
    (tmp_path / "model.tflite").write_bytes(content)
    with contextlib.suppress(ZooError):
        assert np.isfinite(Recognizer(tmp_path / "model.tflite").predict(STILL)).all()


@pytest.mark.parametrize(
    ("name", "value"), METADATA_CASES, ids=[f"{name}={str(value)[:20]!a}" for name, value in METADATA_CASES]
)
def test_metadata_with_another_value_is_named(name, value, materials, tmp_path, refused):
    source = materials.exported / "model.float32.tflite"
    document = extract(source).to_json() | {name: value}
    path = with_metadata(source, tmp_path / "model.tflite", json.dumps(document).encode())
    refused(["info", path], str(path), name)


DOCUMENTS = {
    "nothing": b"", "noise": bytes(range(256)), "a list": b"[]", "text": b'"a"', "cut": b'{"schema": 1, "task"',
    "nested 100,000 deep": b"[" * 100_000, "null": b"null", "no keys": b"{}", "a schema alone": b'{"schema": 1}',
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_metadata_that_is_no_document_is_named(name, materials, tmp_path, refused):
    path = with_metadata(materials.exported / "model.float32.tflite", tmp_path / "model.tflite", DOCUMENTS[name])
    refused(["info", path], str(path))
