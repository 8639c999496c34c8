"""Export from end to end: every artefact is written aside, run, compared with Keras, and only then named."""

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.export import parity, saved_model, tflite
from zoo.export.parity import Outputs, Tolerance
from zoo.export.signatures import Signature
from zoo.files import require_empty, sha256, whole_folder, write_json
from zoo.metadata import embed
from zoo.runtime import Interpreter
from zoo.tasks.loading import Loaded

_TIMED = 200
"""Calls that a latency is the median of."""


@dataclass(frozen=True)
class SourceCode:
    """A format that is source code around a TFLite file.

    Args:
        holds: The format of the file inside.
        write: From that file and a folder to the files written there.
    """

    holds: str
    write: Callable[[Path, Path], list[Path]]


@dataclass(frozen=True)
class Exportable:
    """What export must know of a family; the first signature of a file is the one that is timed.

    Args:
        signatures: Makes the signatures of a Keras model.
        golden: Inputs `(N, ...)` of each signature, on which artefacts and Keras are compared.
        tolerances: Formats that the family can be written in, and what each may differ by.
        batch: The fixed batch of TFLite files, or None for any.
        held: For formats that hold only some of the signatures: their names.
        replay: How a file of such a format answers the golden inputs of the signatures that it lacks.
        calibration: Inputs that 8-bit arithmetic is calibrated on, never those of a test; the golden ones by default.
        apart: Formats with signatures of their own, made of the Keras model; written only where they are named.
        sources: Formats that are source code around a TFLite file, written only where they are named.
        score: From the outputs of a format on the golden inputs to what they are worth, by name.
    """

    signatures: Callable[[keras.Model], list[Signature]]
    golden: Mapping[str, Mapping[str, NDArray[Any]]]
    tolerances: Mapping[str, Tolerance]
    batch: int | None = None
    held: Mapping[str, Sequence[str]] = field(default_factory=dict)
    replay: Callable[[Path], dict[str, Outputs]] | None = None
    calibration: Mapping[str, Mapping[str, NDArray[Any]]] | None = None
    apart: Mapping[str, Callable[[keras.Model], list[Signature]]] = field(default_factory=dict)
    sources: Mapping[str, SourceCode] = field(default_factory=dict)
    score: Callable[[Mapping[str, Outputs]], dict[str, float]] = lambda outputs: {}

    @property
    def formats(self) -> tuple[str, ...]:
        """What the family is written in where nobody names formats."""
        return tuple(name for name in self.tolerances if name not in self.apart)


def export(
    loaded: Loaded, family: Exportable, folder: Path, formats: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Writes a model in several formats, all or none.

    Args:
        loaded: The model; a `.tflite` file cannot be exported again.
        family: What export must know of it.
        folder: Where to; must be empty.
        formats: Of `family.formats`; all by default.

    Returns:
        A record for each artefact: `format`, `file`, `bytes`, `sha256`, `largest_error`, `mean_error`, `agreement`,
        `rows`, and the scores; of those that run by themselves also `milliseconds` (the median of one row on one
        thread), `timed` (the signature that took them) and `activation_bytes` (see `Interpreter.activation_bytes`).

    Raises:
        ZooError: If a format is unknown, the converter fails, or an artefact differs from Keras.
    """
    model = loaded.keras_model
    formats = list(dict.fromkeys(formats or family.formats))
    known = (*family.tolerances, *family.sources)
    unknown = [name for name in formats if name not in known]
    if unknown:
        raise ZooError(f"format {unknown[0]!r}: expected {', '.join(known)}")
    require_empty(folder)
    signatures = family.signatures(model)
    expected = _answers({s.name: s for s in signatures}, family.golden)
    with tempfile.TemporaryDirectory() as name:
        aside = Path(name)
        held = {name: family.sources[name].holds if name in family.sources else name for name in formats}
        converted = {key: aside / file for key, file in tflite.FORMATS.items() if key in held.values()}
        for kind in set(converted) & set(family.apart):
            tflite.convert(family.apart[kind](model), {kind: converted.pop(kind)})
        if converted:
            numeric = [signature for signature in signatures if not signature.text]
            samples = family.calibration or {s.name: family.golden[s.name] for s in numeric}
            tflite.convert(numeric, converted, family.batch, samples, family.held)
        records, files = [], []
        for kind in formats:
            path = _write(loaded, signatures, held[kind], aside)
            found, cost = _run(family, signatures, held[kind], path)
            same = parity.compare(str(folder / path.name), expected, found, family.tolerances[held[kind]])
            written = family.sources[kind].write(path, aside) if kind in family.sources else [path]
            records.append({
                "format": kind, "file": written[0].name, "bytes": sum(map(_size, written)),
                "sha256": sha256(written[0]) if written[0].is_file() else None, **asdict(same), **cost,
                **family.score(found),
            })  # fmt: skip
            files += [file.name for file in written]
        _publish(aside, folder, files)
    return records


def _answers(
    functions: Mapping[str, Callable[..., Mapping[str, Any]]], inputs: Mapping[str, Mapping[str, NDArray[Any]]]
) -> dict[str, Outputs]:
    answers = {name: functions[name](**rows) for name, rows in inputs.items()}
    return {name: {key: np.asarray(value) for key, value in outputs.items()} for name, outputs in answers.items()}


def _write(loaded: Loaded, signatures: Sequence[Signature], kind: str, aside: Path) -> Path:
    if kind == "keras":
        path = aside / "model.keras"
        loaded.keras_model.save(path)
        write_json(aside / "config.json", loaded.config)
    elif kind == "saved_model":
        path = aside / "saved_model"
        saved_model.write(signatures, path)
    else:
        path = aside / tflite.FORMATS[kind]
        embed(path, loaded.metadata)
    return path


def _run(
    family: Exportable, signatures: Sequence[Signature], kind: str, path: Path
) -> tuple[dict[str, Outputs], dict[str, Any]]:
    """What an artefact answers on the golden inputs, and what a row costs."""
    if kind == "keras":
        model = keras.saving.load_model(path, compile=False)
        return _answers({s.name: s for s in family.signatures(model)}, family.golden), {"milliseconds": None}
    if kind == "saved_model":
        return _answers(saved_model.load(path), family.golden), {"milliseconds": None}
    interpreter = Interpreter(path)
    names = [name for name in family.golden if name in interpreter.signatures]
    if family.replay is not None and signatures[0].name not in names:
        found = family.replay(path)
    else:
        found = {name: _rows(interpreter, name, family.golden[name], family.batch) for name in names}
    if not names:
        return found, {"milliseconds": None}
    cost = {"milliseconds": _median(interpreter, names[0], family.golden[names[0]]), "timed": names[0]}
    return found, cost | {"activation_bytes": interpreter.activation_bytes(names[0])}


def _rows(
    interpreter: Interpreter, signature: str, inputs: Mapping[str, NDArray[Any]], batch: int | None
) -> dict[str, NDArray[Any]]:
    if batch is None:
        return interpreter.run(signature, **inputs)
    count = len(next(iter(inputs.values())))
    answers = [
        interpreter.run(signature, **{name: rows[i : i + batch] for name, rows in inputs.items()})
        for i in range(0, count, batch)
    ]
    return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}


def _median(interpreter: Interpreter, signature: str, inputs: Mapping[str, NDArray[Any]]) -> float:
    times = []
    for i in range(min(_TIMED, len(next(iter(inputs.values()))))):
        row = {name: rows[i : i + 1] for name, rows in inputs.items()}
        start = time.perf_counter()
        interpreter.run(signature, **row)
        times.append(time.perf_counter() - start)
    return round(1e3 * float(np.median(times)), 4)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())


def _publish(aside: Path, folder: Path, names: list[str]) -> None:
    if (aside / "config.json").is_file():
        names = [*names, "config.json"]
    with whole_folder(folder) as temporary:
        for name in names:
            _copy(aside / name, temporary / name)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)
