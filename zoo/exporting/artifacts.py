"""Export: artifacts are written to a temporary folder, run, compared with Keras, and only then published."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.saving import load_model
from numpy.typing import NDArray

from zoo.errors import StorageError, ZooError, option, shown
from zoo.exporting.c99 import Network, source
from zoo.exporting.formats import EXTRAS, FORMATS, Converter, UnsupportedError, load_saved_model, write_saved_model
from zoo.exporting.signatures import Signature
from zoo.files import atomic_folder, exclusive, require_empty, sha256, temporary_folder, write_json
from zoo.loading import Loaded
from zoo.runtime import Interpreter
from zoo.runtime.metadata import embed
from zoo.task import require_tensorflow

_TIMED, _SECONDS = 200, 0.2
"""Number of calls whose median is the latency, and the time limit of all calls, which only Keras reaches."""

_ROUNDING = 1e-6
"""Difference of two probabilities that are equal within rounding."""

_TIE = 0.05
"""Difference of two probabilities that count as equal on simulated rows, which often lie between classes."""


Outputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Tolerance:
    """Limits: the largest absolute error, and the smallest fraction of rows with the same most probable class."""

    error: float
    agreement: float = 0.0


EXACT = {
    "keras": Tolerance(1e-6, 1.0),
    "saved_model": Tolerance(1e-5, 1.0),
    "float32": Tolerance(1e-5, 1.0),
    "onnx": Tolerance(1e-5, 1.0),
}
"""Tolerances of the formats with float32 weights, for all families."""


@dataclass(frozen=True)
class Parity:
    """Absolute errors of an artifact, and the fraction of rows with the same most probable class, None without any."""

    largest_error: float
    mean_error: float
    agreement: float | None
    rows: int


class ParityError(ZooError):
    """An artifact differs from Keras by more than its tolerance."""

    def __init__(self, message: str, parity: Parity, tolerance: Tolerance) -> None:
        super().__init__(message)
        self.parity, self.tolerance = parity, tolerance


@dataclass(frozen=True)
class Exportable:
    """How a family is exported.

    Artifacts are compared with Keras on `golden` inputs `(N, ...)`, by signature and name, within `tolerances` by
    format; `simulated` ones are for want of data. Integers are calibrated on `calibration`, which must not be test
    data. Formats in `signatures_of_format` contain only those; `derived_outputs` computes what the first one would
    return. `impossible` ones are refused, with the reason. On request alone are written formats that need `EXTRAS`,
    `extra_formats`, which have other signatures, `sources`, functions that take the float32 file and a folder and
    return the paths that they write, and `code`, in C.
    """

    signatures: Callable[[keras.Model], list[Signature]]
    golden: Mapping[str, Mapping[str, NDArray[Any]]]
    tolerances: Mapping[str, Tolerance]
    signatures_of_format: Mapping[str, Sequence[str]] = field(default_factory=dict)
    derived_outputs: Callable[[Path], dict[str, Outputs]] | None = None
    impossible: Mapping[str, str] = field(default_factory=dict)
    calibration: Mapping[str, Mapping[str, NDArray[Any]]] | None = None
    extra_formats: Mapping[str, Callable[[keras.Model], list[Signature]]] = field(default_factory=dict)
    sources: Mapping[str, Callable[[Path, Path], list[Path]]] = field(default_factory=dict)
    code: Mapping[str, Callable[[Any], Network]] = field(default_factory=dict)
    score: Callable[[Mapping[str, Outputs]], dict[str, float]] = lambda outputs: {}
    simulated: bool = False

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats written by default."""
        requested = (*EXTRAS, *self.extra_formats, *self.code)
        return tuple(name for name in self.tolerances if name not in requested)


def as_in_files(model: keras.Model, **changes: Any) -> keras.Model:
    """The model with some arguments changed; files compute in float32, whatever it was trained in."""
    if any(layer.compute_dtype != "float32" for layer in model._flatten_layers()):
        changes["dtype"] = "float32"
    return model.copy(**changes) if changes else model


def export(
    loaded: Loaded, family: Exportable, folder: Path, formats: Sequence[str] | None = None,
    refused: dict[str, ZooError] | None = None, on_progress: Callable[[str], None] = lambda step: None,
    converter: Converter | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Writes a model in several formats, and returns a record of each.

    One that fails is left out, and its error raised when the others are written, or put into `refused` if it differs
    too much from Keras, or if TFLite lacks an operation of it.
    """
    require_tensorflow("export")
    chosen = [kind for name in formats or ["default"] for kind in (family.formats if name == "default" else [name])]
    possible = (*family.tolerances, *family.sources)
    if unknown := next((name for name in chosen if name not in possible), None):
        hint = ""
        if unknown == "c99_int16x8":
            hint = "; integers alone are no longer written in C: use c99_int8"
        elif "tflite" in unknown.lower():
            hint = "; a .tflite file is float32, float16, dynamic, int8 or int16x8"
        raise ZooError(f"format {shown(unknown)}: expected {', '.join(possible)}{hint}")
    kinds = {name: "float32" if name in family.sources else name for name in chosen}
    with exclusive(folder, "folder"):
        require_empty(folder)
        with temporary_folder() as draft, nullcontext(converter) if converter else Converter() as converter:
            records, failed = _export(loaded, family, folder, draft, kinds, on_progress, converter)
    for name, error in failed.items():
        if refused is not None and isinstance(error, ParityError | UnsupportedError):
            refused[name] = error
        elif not records or isinstance(error, StorageError):
            raise error
        else:
            error.args = (f"{error}; written without it: {', '.join(record['format'] for record in records)}",)
            raise error
    return records


def _export(
    loaded: Loaded, family: Exportable, folder: Path, draft: Path, kinds: Mapping[str, str],
    on_progress: Callable[[str], None], converter: Converter,
) -> tuple[list[dict[str, Any]], dict[str, ZooError]]:  # fmt: skip
    """The records, and the errors, of formats, each of a kind: sources come with the float32 file."""
    signatures = family.signatures(loaded.keras_model)
    files = {kind: draft / file for kind, file in FORMATS.items() if kind in {*kinds.values()} - {*family.impossible}}
    if files:
        on_progress(f"converting to {', '.join(files)}")
        _convert(converter, loaded, family, signatures, files, draft)
    expected = _outputs("Keras", {signature.name: signature for signature in signatures}, family.golden)
    made, failed = dict[str, _Made](), dict[str, ZooError]()
    records, publish = list[dict[str, Any]](), dict[Path, None]()
    for place, (name, kind) in enumerate(kinds.items(), 1):
        on_progress(f"comparing {name} with Keras ({place} of {len(kinds)})")
        try:
            if kind in family.impossible:
                raise UnsupportedError(f"{name}: {family.impossible[kind]}")
            if kind in files:
                converter.wait(files[kind])
            if kind not in made:
                made[kind] = _make(loaded, family, signatures, kind, draft, expected)
            path, outputs, _ = made[kind]
            compared: dict[str, Any] = {"largest_error": None, "mean_error": None, "agreement": None, "rows": 0}
            if outputs is not None:
                # C code may lack outputs, such as the most probable words.
                lacks = outputs if kind in family.code else expected
                wanted = {key: {part: expected[key][part] for part in lacks[key]} for key in outputs}
                what = f"{name}: {folder / path.name}"
                compared = asdict(compare(what, wanted, outputs, family.tolerances[kind], family.simulated))
            written = family.sources[name](path, draft) if name in family.sources else [path]
        except ZooError as error:
            failed[name] = error
            continue
        inside = [file for path in written for file in (path, *path.rglob("*")) if file.is_file()]
        records.append({
            "format": name, "file": written[0].name, "bytes": sum(file.stat().st_size for file in inside),
            **({"files": [file.name for file in written]} if len(written) > 1 else {}),
            "sha256": sha256(written[0]) if written[0].is_file() else None, **compared,
            **(family.score(outputs) if outputs else {}),
        })  # fmt: skip
        publish |= dict.fromkeys([*written, *([draft / "config.json"] if kind == "keras" else [])])
    if records:
        # Files are timed when no conversion runs beside them.
        costs = {kind: cost() for kind, (_, _, cost) in made.items()}
        for record in records:
            record |= costs[kinds[record["format"]]]
        with atomic_folder(folder) as temporary:
            for path in publish:
                (shutil.copytree if path.is_dir() else shutil.copy)(path, temporary / path.name)
    return records, failed


def _convert(
    converter: Converter, loaded: Loaded, family: Exportable, signatures: Sequence[Signature],
    files: Mapping[str, Path], draft: Path,
) -> None:  # fmt: skip
    """Begins to convert to all TFLite formats in one process."""
    usual = {kind: path for kind, path in files.items() if kind not in family.extra_formats}
    if usual:
        numeric = [signature for signature in signatures if not signature.text]
        samples = family.calibration or {signature.name: family.golden[signature.name] for signature in numeric}
        (draft / "usual").mkdir()
        converter.add(numeric, usual, draft / "usual", loaded.metadata.batch, samples, family.signatures_of_format)
    for kind in files.keys() - usual.keys():
        (draft / kind).mkdir()
        converter.add(family.extra_formats[kind](loaded.keras_model), {kind: files[kind]}, draft / kind)
    converter.run()


_Made = tuple[Path, dict[str, Outputs] | None, Callable[[], dict[str, Any]]]
"""An artifact, its outputs on the golden inputs if it was run, and a function that measures the cost of a row."""


def _make(
    loaded: Loaded, family: Exportable, signatures: Sequence[Signature], kind: str, draft: Path,
    expected: Mapping[str, Outputs],
) -> _Made:  # fmt: skip
    """Writes an artifact, of which the converter wrote the TFLite files, and runs it."""
    first, golden = signatures[0].name, family.golden
    numeric = [signature.name for signature in signatures if not signature.text and kind not in family.extra_formats]
    names = family.signatures_of_format.get(kind, numeric)
    if kind == "keras":
        path = draft / "model.keras"
        model = loaded.keras_model
        model.save(path)
        facts = {"class": type(model).__name__, "arguments": model.get_config(), "metadata": loaded.metadata.to_json()}
        write_json(draft / "config.json", loaded.config | facts)
        again = {signature.name: signature for signature in family.signatures(load_model(path, compile=False))}
        # The fastest way to run it in Keras.
        compiled = replace(again[first], function=tf.function(again[first].function))
        return path, _outputs(kind, again, golden), partial(_cost, compiled, first, golden[first])
    if kind == "saved_model":
        path = draft / "saved_model"
        write_saved_model(signatures, path)
        endpoints = load_saved_model(path)
        return path, _outputs(kind, endpoints, golden), partial(_cost, endpoints[first], first, golden[first])
    if kind == "onnx":
        from zoo.exporting import onnx  # needs an extra

        path = draft / kind
        onnx.write([signature for signature in signatures if signature.name in names], loaded.metadata, path)
        endpoints = onnx.load(path)
        outputs = _outputs(kind, endpoints, {name: golden[name] for name in names})
        return path, outputs, partial(_cost, endpoints[first], first, golden[first])
    if kind in family.code:
        return _code(loaded, family, kind, draft / kind, expected)
    path = draft / FORMATS[kind]
    embed(path, loaded.metadata)
    interpreter = Interpreter(path)
    runs = {name: partial(interpreter.run_rows, name) for name in interpreter.signatures}
    outputs = _outputs(kind, runs, {name: golden[name] for name in names})
    if first not in outputs and family.derived_outputs is not None:
        outputs = family.derived_outputs(path)
    # The first signature that takes golden inputs is timed: by its name, or like `infer` by the names of its inputs.
    timed, inputs = next(
        (name, rows)
        for key, rows in golden.items()
        for name in sorted(runs, key=lambda name: name != key)
        if set(interpreter.signatures[name]["inputs"]) == rows.keys()
    )
    size = {"activation_bytes": interpreter.activation_bytes(timed)}
    return path, outputs, lambda: _cost(partial(interpreter.run, timed), timed, inputs) | size


def _code(loaded: Loaded, family: Exportable, kind: str, path: Path, expected: Mapping[str, Outputs]) -> _Made:
    """Writes a model as C code, and runs it if this machine has a compiler."""
    network = family.code[kind](loaded.keras_model)
    first = next(iter(network.functions))
    golden = {name: rows[0] for name, rows in (*family.golden[first].items(), *expected[first].items())}
    source.write(network, loaded.metadata, kind, golden, path)
    outputs = source.run(network, path, family.golden)
    if outputs is None:
        return path, None, lambda: {"milliseconds": None, "timed": None, "note": source.NO_COMPILER}
    seconds = [answers.pop("seconds") for answers in outputs.values()]
    milliseconds = round(1e3 * float(np.median(seconds[0])), 5)
    return path, {**outputs}, lambda: {"milliseconds": milliseconds, "timed": first}


def _outputs(
    kind: str, functions: Mapping[str, Callable[..., Outputs]], inputs: Mapping[str, Mapping[str, NDArray[Any]]]
) -> dict[str, Outputs]:
    """Runs the functions of an artifact that have golden inputs."""
    if lacking := inputs.keys() - functions.keys():
        raise ZooError(f"{kind}: lacks the signature {min(lacking)!r}; not written")
    outputs = {name: functions[name](**rows) for name, rows in inputs.items()}
    return {name: {key: np.asarray(value) for key, value in values.items()} for name, values in outputs.items()}


def compare(
    what: str, expected: Mapping[str, Outputs], actual: Mapping[str, Outputs], tolerance: Tolerance,
    simulated: bool = False,
) -> Parity:  # fmt: skip
    """Compares the outputs `(N, ...)` of an artifact with those of Keras, by the names of signature and output.

    The agreement is computed from outputs named `probabilities`, `(N, ..., K)`. Integers are not compared.
    """
    differences, agreements, rows = [], [], 0
    for signature, name in ((signature, name) for signature, outputs in expected.items() for name in outputs):
        wanted, output = expected[signature][name], actual[signature].get(name)
        if not np.issubdtype(wanted.dtype, np.floating):
            continue
        if output is None or output.shape != wanted.shape or not np.isfinite(output).all():
            state = "lacks the output" if output is None else "returns other shapes, NaN or infinity as"
            raise ZooError(f"{what}: signature {signature!r} {state} {name}; not written")
        rows = max(rows, len(wanted))
        differences.append(np.abs(output.astype(np.float64) - wanted).ravel())
        if name == "probabilities":
            chosen = np.take_along_axis(wanted, output.argmax(axis=-1, keepdims=True), axis=-1)[..., 0]
            # Equally probable classes do not count as a disagreement.
            agreements.append(float((wanted.max(axis=-1) - chosen < (_TIE if simulated else _ROUNDING)).mean()))
    error = np.concatenate(differences)
    agreement = min(agreements) if agreements else None
    parity = Parity(float(error.max()), float(error.mean()), agreement, rows)
    if parity.largest_error > tolerance.error or (agreement is not None and agreement < tolerance.agreement):
        share = "" if agreement is None else f", classes agree on {agreement:.2%} (at least {tolerance.agreement:.2%})"
        difference = f"{parity.largest_error:.2g} (allowed {tolerance.error:g}){share} of {rows} rows"
        use_data = f"the rows are simulated, so give your data with {option('data')}, or " if simulated else ""
        advice = f"{use_data}leave this format out with {option('formats')}"
        raise ParityError(f"{what}: differs from Keras by {difference}; not written: {advice}", parity, tolerance)
    return parity


def _cost(call: Callable[..., Any], name: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """The median time of one row, and the signature that was timed."""
    times = list[float]()
    count = min(_TIMED, len(next(iter(inputs.values()))))
    rows = [{key: values[i : i + 1] for key, values in inputs.items()} for i in range(count)]
    call(**rows[0])  # the first call traces the graph
    for row in rows:
        start = time.perf_counter()
        call(**row)
        times.append(time.perf_counter() - start)
        if sum(times) > _SECONDS:
            break
    return {"milliseconds": round(1e3 * float(np.median(times)), 4), "timed": name}
