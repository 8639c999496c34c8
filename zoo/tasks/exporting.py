"""Export: every artifact is written to a temporary folder, run, compared with Keras, and only then published."""

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.files import atomic_folder, require_empty, sha256, write_json
from zoo.formats import parity, saved_model, tflite
from zoo.formats.parity import Outputs, ParityError, Tolerance
from zoo.formats.signatures import Signature
from zoo.metadata import embed
from zoo.runtime import Interpreter
from zoo.tasks.loading import Loaded

_TIMED, _SECONDS = 200, 0.5
"""Calls whose median is the latency, and the seconds they may take together: Keras, which is slow, runs fewer."""


@dataclass(frozen=True)
class Artifact:
    """A file, or a folder, that was written, run, and compared with Keras.

    Args:
        file: Where it lies.
        format: Such as `float32` or `int8`.
        bytes: Its size.
        largest_error: Of a number that it returns, against Keras.
        record: All numbers of it, as `zoo export --json` prints them.
    """

    file: Path
    format: str
    bytes: int
    largest_error: float
    record: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class SourceCode:
    """A format that is source code around a TFLite file.

    Args:
        file_format: The format of that file.
        write: Takes the file and a folder, returns the files that it wrote there.
    """

    file_format: str
    write: Callable[[Path, Path], list[Path]]


@dataclass(frozen=True)
class Exportable:
    """How a family is exported; the first signature is the one that is timed.

    Args:
        signatures: Makes the signatures of a Keras model.
        golden: Inputs `(N, ...)` of each signature, on which artifacts and Keras are compared.
        tolerances: Formats of the family, and how far each may differ.
        signatures_of_format: For formats that hold only some of the signatures: their names.
        derived_outputs: Computes the outputs of a signature that a file lacks from those it has, on the golden inputs.
        calibration: Inputs that 8-bit arithmetic is calibrated on, never those of a test; the golden ones by default.
        extra_formats: Formats with signatures of their own, made of the Keras model; written only on request.
        sources: Formats that are source code around a TFLite file, written only on request.
        score: Takes the outputs of a format on the golden inputs, returns its scores by name.
    """

    signatures: Callable[[keras.Model], list[Signature]]
    golden: Mapping[str, Mapping[str, NDArray[Any]]]
    tolerances: Mapping[str, Tolerance]
    signatures_of_format: Mapping[str, Sequence[str]] = field(default_factory=dict)
    derived_outputs: Callable[[Path], dict[str, Outputs]] | None = None
    calibration: Mapping[str, Mapping[str, NDArray[Any]]] | None = None
    extra_formats: Mapping[str, Callable[[keras.Model], list[Signature]]] = field(default_factory=dict)
    sources: Mapping[str, SourceCode] = field(default_factory=dict)
    score: Callable[[Mapping[str, Outputs]], dict[str, float]] = lambda outputs: {}

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats written by default."""
        return tuple(name for name in self.tolerances if name not in self.extra_formats)

    def compared(self, kind: str, signatures: Sequence[Signature]) -> list[str]:
        """Signatures on which an artifact is compared: all that it should have, or the first one, derived from them."""
        first, text = signatures[0].name, [s.name for s in signatures if s.text and kind in tflite.FORMATS]
        names = self.signatures_of_format.get(kind, [name for name in self.golden if name not in text])
        return list(names) if first in names and kind not in self.extra_formats else [first]


def export(
    loaded: Loaded, family: Exportable, folder: Path, formats: Sequence[str] | None = None,
    refused: dict[str, str] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Writes a model in several formats, all or none.

    Args:
        loaded: The model; a `.tflite` file cannot be exported again.
        family: How it is exported.
        folder: Where to; must be empty.
        formats: Names of formats, `default` for the usual ones, which are also the default.
        refused: Filled with the formats that differ from Keras by too much, and the reasons, while the others are
            written; without it such a format is an error.

    Returns:
        A record for each artifact: `format`, `file`, `bytes`, `sha256`, `largest_error`, `mean_error`, `agreement`,
        `rows`, the scores, `milliseconds` (the median of one row; of TFLite files on one thread, of Keras as a compiled
        function), `timed` (the signature that took them), and of TFLite files `activation_bytes` (see
        `Interpreter.activation_bytes`).

    Raises:
        ZooError: If a format is unknown, the converter fails, or an artifact differs from Keras.
    """
    model = loaded.keras_model
    usual = {"default": family.formats}
    formats = list(dict.fromkeys(kind for name in formats or ["default"] for kind in usual.get(name, (name,))))
    known = (*family.tolerances, *family.sources)
    unknown = [name for name in formats if name not in known]
    if unknown:
        raise ZooError(f"format {unknown[0]!r}: expected {', '.join(known)}")
    require_empty(folder)
    signatures = family.signatures(model)
    numeric = [signature for signature in signatures if not signature.text]
    expected = _outputs({s.name: s for s in signatures}, family.golden)
    with tempfile.TemporaryDirectory() as name:
        draft = Path(name)
        file_formats = {name: family.sources[name].file_format if name in family.sources else name for name in formats}
        converted = {key: draft / file for key, file in tflite.FORMATS.items() if key in file_formats.values()}
        for kind in set(converted) & set(family.extra_formats):
            tflite.convert(family.extra_formats[kind](model), {kind: converted.pop(kind)})
        if converted:
            samples = family.calibration or {s.name: family.golden[s.name] for s in numeric}
            tflite.convert(numeric, converted, loaded.metadata.batch, samples, family.signatures_of_format)
        records, files = [], []
        for name in formats:
            kind = file_formats[name]
            path = _write(loaded, signatures, kind, draft)
            found, cost = _run(family, signatures, kind, path)
            wanted = {key: expected[key] for key in family.compared(kind, signatures)}
            try:
                same = parity.compare(str(folder / path.name), wanted, found, family.tolerances[kind])
            except ParityError as error:
                if refused is None:
                    raise
                refused[name] = str(error)
                continue
            written = family.sources[name].write(path, draft) if name in family.sources else [path]
            records.append({
                "format": name, "file": written[0].name, "bytes": sum(map(_size, written)),
                "sha256": sha256(written[0]) if written[0].is_file() else None, **asdict(same), **cost,
                **family.score(found),
            })  # fmt: skip
            files += [file.name for file in written]
        _publish(draft, folder, files)
    return records


def _outputs(
    functions: Mapping[str, Callable[..., Mapping[str, Any]]], inputs: Mapping[str, Mapping[str, NDArray[Any]]]
) -> dict[str, Outputs]:
    outputs = {name: functions[name](**rows) for name, rows in inputs.items()}
    return {name: {key: np.asarray(value) for key, value in found.items()} for name, found in outputs.items()}


def _write(loaded: Loaded, signatures: Sequence[Signature], kind: str, draft: Path) -> Path:
    if kind == "keras":
        path = draft / "model.keras"
        loaded.keras_model.save(path)
        write_json(draft / "config.json", loaded.config)
    elif kind == "saved_model":
        path = draft / "saved_model"
        saved_model.write(signatures, path)
    else:
        path = draft / tflite.FORMATS[kind]
        embed(path, loaded.metadata)
    return path


def _run(
    family: Exportable, signatures: Sequence[Signature], kind: str, path: Path
) -> tuple[dict[str, Outputs], dict[str, Any]]:
    """The outputs of an artifact on the golden inputs, and the cost of a row."""
    first = signatures[0].name
    if kind == "keras":
        again = family.signatures(keras.saving.load_model(path, compile=False))
        return _outputs({s.name: s for s in again}, family.golden), _cost(again[0].compiled(), first, family.golden)
    if kind == "saved_model":
        endpoints = saved_model.load(path)
        missing = sorted(set(family.golden) - set(endpoints))
        if missing:
            raise ZooError(f"{path}: lacks the signature {missing[0]!r}; not written")
        return _outputs(endpoints, family.golden), _cost(endpoints[first], first, family.golden)
    interpreter = Interpreter(path)
    for name in family.signatures_of_format.get(kind, ()):
        if name not in interpreter.signatures:
            raise ZooError(f"{path.name}: lacks the signature {name!r}; not written")
    names = [name for name in family.golden if name in interpreter.signatures]
    if family.derived_outputs is not None and first not in names:
        found = family.derived_outputs(path)
    else:
        found = {name: interpreter.run_rows(name, **family.golden[name]) for name in names}
    timed, inputs = _timed(interpreter, family.golden)
    cost = _cost(partial(interpreter.run, timed), timed, {timed: inputs})
    return found, cost | {"activation_bytes": interpreter.activation_bytes(timed)}


def _timed(
    interpreter: Interpreter, golden: Mapping[str, Mapping[str, NDArray[Any]]]
) -> tuple[str, Mapping[str, NDArray[Any]]]:
    """The first signature that takes golden inputs, by its name or, like `infer`, by theirs."""
    own = {name: set(signature["inputs"]) for name, signature in interpreter.signatures.items()}
    for name, inputs in golden.items():
        for signature in sorted(own, key=lambda known: known != name):
            if own[signature] == set(inputs):
                return signature, inputs
    raise ZooError(f"{interpreter.path}: no signature takes the inputs of {', '.join(golden)}")


def _cost(
    call: Callable[..., Any], name: str, golden: Mapping[str, Mapping[str, NDArray[Any]]]
) -> dict[str, float | str]:
    """The median time of one row."""
    inputs, times = golden[name], list[float]()
    count = min(_TIMED, len(next(iter(inputs.values()))))
    rows = [{key: values[i : i + 1] for key, values in inputs.items()} for i in range(count)]
    call(**rows[0])  # the first call of a graph traces it
    for row in rows:
        start = time.perf_counter()
        call(**row)
        times.append(time.perf_counter() - start)
        if sum(times) > _SECONDS:
            break
    return {"milliseconds": round(1e3 * float(np.median(times)), 4), "timed": name}


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())


def _publish(draft: Path, folder: Path, names: list[str]) -> None:
    if (draft / "config.json").is_file():
        names = [*names, "config.json"]
    with atomic_folder(folder) as temporary:
        for name in names:
            _copy(draft / name, temporary / name)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)
