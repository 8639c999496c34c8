"""Export: artifacts are written to a temporary folder, run, compared with Keras, and only then published."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError, option
from zoo.exporting import parity
from zoo.exporting.c99 import Network, compiler, source
from zoo.exporting.formats import FORMATS, Converter, load_saved_model, write_saved_model
from zoo.exporting.parity import Outputs, ParityError, Tolerance
from zoo.exporting.signatures import Signature
from zoo.files import atomic_folder, exclusive, require_empty, sha256, temporary_folder, write_json
from zoo.loading import Loaded
from zoo.runtime import Interpreter
from zoo.runtime.metadata import embed
from zoo.task import require_tensorflow

_TIMED, _SECONDS = 200, 0.2
"""Number of calls whose median is the latency, and the time limit of all calls, which only Keras reaches."""


@dataclass(frozen=True)
class Exportable:
    """Description of how a family is exported. The latency is that of the first signature.

    Args:
        signatures: Function from a Keras model to its signatures.
        golden: Inputs `(N, ...)` by signature and name, on which artifacts are compared with Keras.
        tolerances: Limits of the difference from Keras, by format.
        signatures_of_format: Names of the signatures by format, for formats that contain only some of them.
        derived_outputs: Function that computes the outputs of a missing signature from those that a file has, on the
            golden inputs.
        calibration: Inputs to calibrate 8-bit arithmetic on, which must not be test data. The golden inputs by default.
        extra_formats: Formats with other signatures, written only on request, with the functions that create them.
        sources: Formats that are source code and the float32 file, written only on request: functions that take the
            file and a folder, write there, and return the paths.
        code: Formats that are C code, written only on request: functions from a Keras model to its description in C.
        score: Function from the outputs of a format on the golden inputs to scores by name.
        simulated: Whether the golden inputs are simulated, for want of data.
    """

    signatures: Callable[[keras.Model], list[Signature]]
    golden: Mapping[str, Mapping[str, NDArray[Any]]]
    tolerances: Mapping[str, Tolerance]
    signatures_of_format: Mapping[str, Sequence[str]] = field(default_factory=dict)
    derived_outputs: Callable[[Path], dict[str, Outputs]] | None = None
    calibration: Mapping[str, Mapping[str, NDArray[Any]]] | None = None
    extra_formats: Mapping[str, Callable[[keras.Model], list[Signature]]] = field(default_factory=dict)
    sources: Mapping[str, Callable[[Path, Path], list[Path]]] = field(default_factory=dict)
    code: Mapping[str, Callable[[Any], Network]] = field(default_factory=dict)
    score: Callable[[Mapping[str, Outputs]], dict[str, float]] = lambda outputs: {}
    simulated: bool = False

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats written by default."""
        return tuple(name for name in self.tolerances if name not in self.extra_formats and name not in self.code)


def export(
    loaded: Loaded, family: Exportable, folder: Path, formats: Sequence[str] | None = None,
    refused: dict[str, ParityError] | None = None, on_progress: Callable[[str], None] = lambda step: None,
    converter: Converter | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Writes a model in several formats, all or none; formats that `refused` receives are left out.

    Returns:
        A record for each artifact: `format`, `file`, `bytes`, `sha256`, `largest_error`, `mean_error`, `agreement`,
        `rows`, the scores, `milliseconds` (median time of one row, on one thread for TFLite files and as a compiled
        function for Keras), `timed` (the signature that was timed), and for TFLite files `activation_bytes`. C code
        that was not compared has a `note` instead. Where a format is several files, `files` names them, the `file`
        first, and `bytes` is their sum.
    """
    require_tensorflow("export")
    usual = {"default": family.formats}
    formats = list(dict.fromkeys(kind for name in formats or ["default"] for kind in usual.get(name, (name,))))
    known = (*family.formats, *family.extra_formats, *family.sources, *family.code)
    unknown = [name for name in formats if name not in known]
    if unknown:
        tflite = "tflite" in unknown[0].lower()
        hint = "; a .tflite file is float32, float16, dynamic, int8 or int16x8" if tflite else ""
        if unknown[0] == "c99_int16x8":
            hint = "; integers alone are no longer written in C: use c99_int8"
        raise ZooError(f"format {unknown[0]!r}: expected {', '.join(known)}{hint}")
    with exclusive(folder, "folder"):
        require_empty(folder)
        with temporary_folder() as draft, nullcontext(converter) if converter else Converter() as converter:
            return _export(loaded, family, folder, draft, formats, refused, on_progress, converter)


def _export(
    loaded: Loaded, family: Exportable, folder: Path, draft: Path, formats: Sequence[str],
    refused: dict[str, ParityError] | None, on_progress: Callable[[str], None], converter: Converter,
) -> list[dict[str, Any]]:  # fmt: skip
    kinds = ["float32" if name in family.sources else name for name in formats]
    signatures = family.signatures(loaded.keras_model)
    if files := {kind: draft / file for kind, file in FORMATS.items() if kind in kinds}:
        on_progress(f"converting to {', '.join(files)}")
        _convert(converter, loaded, family, files, draft)
    expected = _outputs({signature.name: signature for signature in signatures}, family.golden)
    records, publish, made = list[dict[str, Any]](), list[Path](), dict[str, _Made]()
    for place, (name, kind) in enumerate(zip(formats, kinds, strict=True), 1):
        on_progress(f"comparing {name} with Keras ({place} of {len(formats)})")
        if kind in family.code:
            made[kind] = _code(loaded, family, kind, draft / kind, expected)
        elif kind not in made:
            if kind in files:
                converter.wait(files[kind])
            made[kind] = _make(loaded, family, signatures, kind, draft)
        path, found, _ = made[kind]
        compared: dict[str, Any] = {"largest_error": None, "mean_error": None, "agreement": None, "rows": 0}
        if found is not None:
            try:
                names = list(found) if kind in family.code else _compared(family, signatures, kind)
                wanted = {key: expected[key] for key in names}
                if kind in family.code:
                    # C code may lack outputs, such as the most probable words.
                    wanted = {key: {each: wanted[key][each] for each in found[key]} for key in names}
                compared = asdict(parity.compare(str(folder / path.name), wanted, found, family.tolerances[kind]))
            except ParityError as error:
                use_data = f"the rows are simulated, so give your data with {option('data')}, or "
                advice = f"{use_data if family.simulated else ''}leave this format out with {option('formats')}"
                advised = ParityError(f"{error}: {advice}", error.parity, error.tolerance)
                if refused is None:
                    raise advised from None
                refused[name] = advised
                continue
        written = family.sources[name](path, draft) if name in family.sources else [path]
        records.append({
            "format": name, "file": written[0].name, "bytes": sum(map(_size, written)),
            **({"files": [file.name for file in written]} if len(written) > 1 else {}),
            "sha256": sha256(written[0]) if written[0].is_file() else None, **compared,
            **(family.score(found) if found else {}),
        })  # fmt: skip
        publish += [*written, *([draft / "config.json"] if kind == "keras" else [])]
    # Files are timed when no conversion runs beside them.
    costs = {kind: cost() for kind, (_, _, cost) in made.items()}
    for record in records:
        record |= costs["float32" if record["format"] in family.sources else record["format"]]
    with atomic_folder(folder) as temporary:
        for path in dict.fromkeys(publish):
            (shutil.copytree if path.is_dir() else shutil.copy)(path, temporary / path.name)
    return records


def _convert(
    converter: Converter, loaded: Loaded, family: Exportable, files: Mapping[str, Path], draft: Path
) -> None:  # fmt: skip
    """Begins to convert to all TFLite formats in one process."""
    usual = {kind: path for kind, path in files.items() if kind not in family.extra_formats}
    jobs = [(kind, family.extra_formats[kind](loaded.keras_model)) for kind in files.keys() - usual.keys()]
    if usual:
        numeric = [each for each in family.signatures(loaded.keras_model) if not each.text]
        samples = family.calibration or {each.name: family.golden[each.name] for each in numeric}
        (draft / "usual").mkdir()
        converter.add(numeric, usual, draft / "usual", loaded.metadata.batch, samples, family.signatures_of_format)
    for kind, own in jobs:
        (draft / kind).mkdir()
        converter.add(own, {kind: files[kind]}, draft / kind)
    converter.run()


_Made = tuple[Path, dict[str, Outputs] | None, Callable[[], dict[str, Any]]]
"""An artifact, its outputs on the golden inputs if it was run, and a function that measures the cost of a row."""


def _compared(family: Exportable, signatures: Sequence[Signature], kind: str) -> list[str]:
    """Returns the signatures to compare: all that an artifact should have, or the first one, derived from them."""
    first, text = signatures[0].name, [each.name for each in signatures if each.text and kind in FORMATS]
    names = family.signatures_of_format.get(kind, [name for name in family.golden if name not in text])
    return list(names) if first in names and kind not in family.extra_formats else [first]


def _code(loaded: Loaded, family: Exportable, kind: str, path: Path, expected: Mapping[str, Outputs]) -> _Made:
    """Writes a model as C code, and runs it if this machine has a compiler."""
    network = family.code[kind](loaded.keras_model)
    first = next(iter(network.functions))
    golden = {name: rows[0] for name, rows in (*family.golden[first].items(), *expected[first].items())}
    source.write(network, loaded.metadata, kind, golden, path)
    found = compiler.run(network, path, family.golden)
    if found is None:
        return path, None, lambda: {"milliseconds": None, "timed": None, "note": compiler.NO_COMPILER}
    seconds = [outputs.pop("seconds") for outputs in found.values()]
    milliseconds = round(1e3 * float(np.median(seconds[0])), 5)
    return path, {**found}, lambda: {"milliseconds": milliseconds, "timed": first}


def _outputs(
    functions: Mapping[str, Callable[..., Mapping[str, Any]]], inputs: Mapping[str, Mapping[str, NDArray[Any]]]
) -> dict[str, Outputs]:
    outputs = {name: functions[name](**rows) for name, rows in inputs.items()}
    return {name: {key: np.asarray(value) for key, value in found.items()} for name, found in outputs.items()}


def _make(loaded: Loaded, family: Exportable, signatures: Sequence[Signature], kind: str, draft: Path) -> _Made:
    """Writes an artifact, of which the converter wrote the TFLite files, and runs it."""
    first = signatures[0].name
    if kind == "keras":
        path = draft / "model.keras"
        model, metadata = loaded.keras_model, loaded.metadata.to_json()
        model.save(path)
        own = {"class": type(model).__name__, "arguments": model.get_config(), "metadata": metadata}
        write_json(draft / "config.json", loaded.config | own)
        again = family.signatures(keras.saving.load_model(path, compile=False))
        outputs = _outputs({each.name: each for each in again}, family.golden)
        return path, outputs, partial(_cost, again[0].compiled(), first, family.golden[first])
    if kind == "saved_model":
        path = draft / "saved_model"
        write_saved_model(signatures, path)
        endpoints = load_saved_model(path)
        missing = sorted(set(family.golden) - set(endpoints))
        if missing:
            raise ZooError(f"{path}: lacks the signature {missing[0]!r}; not written")
        cost = partial(_cost, endpoints[first], first, family.golden[first])
        return path, _outputs(endpoints, family.golden), cost
    path = draft / FORMATS[kind]
    embed(path, loaded.metadata)
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
    bytes_ = interpreter.activation_bytes(timed)
    return path, found, lambda: {
        **_cost(partial(interpreter.run, timed), timed, inputs), "activation_bytes": bytes_
    }  # fmt: skip


def _timed(
    interpreter: Interpreter, golden: Mapping[str, Mapping[str, NDArray[Any]]]
) -> tuple[str, Mapping[str, NDArray[Any]]]:
    """Finds the first signature that takes golden inputs: by its name, or like `infer` by the names of its inputs."""
    inputs_of = {name: set(signature["inputs"]) for name, signature in interpreter.signatures.items()}
    for name, inputs in golden.items():
        for signature in sorted(inputs_of, key=lambda other: other != name):
            if inputs_of[signature] == set(inputs):
                return signature, inputs
    raise ZooError(f"{interpreter.path}: no signature takes the inputs of {', '.join(golden)}")


def _cost(call: Callable[..., Any], name: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Measures the median time of one row."""
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


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
