"""What the public functions return: plain data that knows its Markdown. Importing this module imports no NumPy.

The terminal prints `to_json()` with `--json`, else the Markdown.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from zoo.errors import ArgumentError, ZooError, either

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

FigureFormat = Literal["png", "svg", "pdf"]

_SHOWN = 10
"""Predictions that are shown at most."""


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Result:
    """What the results of public functions have in common.

    On standard error, the terminal prints `warnings`, a sentence each, `written`, where things are, and the `next`
    command. A `failure` says why the command ends with status 1 although there is a result.
    """

    warnings: Sequence[str] = ()
    written: str = ""
    next: str = ""
    failure: str = ""

    def to_json(self) -> Any:
        """Returns the result as JSON types, as `--json` prints it."""
        raise NotImplementedError

    def _repr_markdown_(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        return self._repr_markdown_()


@dataclass(frozen=True, repr=False, eq=False)
class Document(Result, Mapping[str, Any]):
    """Names and values, which `render` turns into Markdown, and `draw` into figures by their names."""

    content: dict[str, Any]
    render: Callable[[Any], str]
    draw: "Callable[[dict[str, Any]], Mapping[str, Figure]] | None" = None

    def __getitem__(self, name: str) -> Any:
        return self.content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.content)

    def __len__(self) -> int:
        return len(self.content)

    def to_json(self) -> dict[str, Any]:
        """Returns the names and values."""
        return self.content

    def figures(self, folder: str | Path, figure_format: FigureFormat = "png") -> list[Path]:
        """Draws the figures into a folder, which is created if it is missing, and returns their paths.

        Args:
            folder: Where to.
            figure_format: Their format: png, svg or pdf.
        """
        if figure_format not in get_args(FigureFormat):
            raise ArgumentError("figure_format", value=figure_format, expected=either(get_args(FigureFormat)))
        if self.draw is None:
            raise ZooError("figures: there are none of this result")
        # Drawing takes a second to import.
        from zoo.report import drawing

        return drawing.save_all(self.draw(self.content), Path(folder), figure_format)

    def _repr_markdown_(self) -> str:
        return self.render(self.content)


@dataclass(frozen=True, repr=False, eq=False)
class Records(Result, Sequence[Any]):
    """A sequence, such as of records, which `render` turns into Markdown; `document` where that says more."""

    content: Sequence[Any]
    render: Callable[[Any], str]
    document: Any = None

    def __getitem__(self, place: Any) -> Any:
        return self.content[place]

    def __len__(self) -> int:
        return len(self.content)

    def to_json(self) -> Any:
        """Returns the records, or the document."""
        return list(self.content) if self.document is None else self.document

    def _repr_markdown_(self) -> str:
        return self.render(self.to_json())


@dataclass(frozen=True, repr=False, eq=False)
class Evaluation(Document):
    """Metrics of a model and its baselines by name, which print as tables.

    Example:
        >>> evaluation = Evaluation({"macro_f1": 0.9}, str)
        >>> evaluation["macro_f1"], evaluation.metrics
        (0.9, {'macro_f1': 0.9})
    """

    @property
    def metrics(self) -> dict[str, Any]:
        """All metrics, as JSON types."""
        return self.content

    def to_frame(self) -> "pd.DataFrame":
        """Returns the scores as a DataFrame: a row for the model and for each baseline, a column per metric."""
        import pandas as pd

        rows = {"model": self.content, **self.content.get("baselines", {})}
        scores = {
            name: {key: value for key, value in row.items() if isinstance(value, float)} for name, row in rows.items()
        }
        return pd.DataFrame.from_dict(scores, orient="index")


@dataclass(frozen=True, repr=False, eq=False)
class CrossValidation(Evaluation):
    """Metrics of a recipe over groups of people, which print as tables.

    Args:
        folder: Folder with the report, the figures and the folds; None if it was a temporary one.

    Example:
        >>> CrossValidation({"groups": 5}, str)["groups"]
        5
    """

    folder: Path | None = None


@dataclass(frozen=True, repr=False, eq=False)
class Benchmark(CrossValidation):
    """Networks and baselines on the same folds, compared; prints as tables.

    Example:
        >>> Benchmark({"best": "activity_gru", "methods": {}}, str)["best"]
        'activity_gru'
    """

    def to_frame(self) -> "pd.DataFrame":
        """Returns a DataFrame with a row for each method, the best first, and scores by class, study and people."""
        import pandas as pd

        rows = {}
        for name, row in self.content["methods"].items():
            gap, (low, high) = row["difference"] or {}, row["macro_f1_interval"] or (None, None)
            rows[name] = {
                "macro_f1": row["macro_f1"], "low": low, "high": high, "behind": gap.get("macro_f1", 0.0),
                "standard_error": gap.get("standard_error"), "p": gap.get("p"), "seed_deviation": row["seed_deviation"],
                "accuracy": row["accuracy"], **{f"worst_{key}": value for key, value in row["worst"].items()},
                "parameters": row.get("parameters"), "kilobytes": row["bytes"] / 1000 if row.get("bytes") else None,
                "milliseconds": row.get("milliseconds"), "streams": row.get("streams"),
                **{f"f1_{label}": part["f1"] for label, part in row["per_class"].items()},
                **{f"study_{study}": part["macro_f1"] for study, part in row.get("per_study", {}).items()},
                **{f"people_{who}": part.get("macro_f1") for who, part in row.get("learning_curve", {}).items()},
            }  # fmt: skip
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method").astype({"parameters": "Int64"})


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class TuneResult(Document):
    """The result of a search: the names and values of its `result.json`, which print as tables.

    Args:
        chosen: Number of the trial that was chosen.
        model: Folder of the chosen model, trained again.
        report: The report.

    Example:
        >>> TuneResult({"chosen": 0}, str, chosen=0, model=Path("best"), report=Path("report.md")).chosen
        0
    """

    chosen: int
    model: Path
    report: Path


@dataclass(frozen=True, repr=False, eq=False)
class TrainResult(Result):
    """What a training returns. Prints as its summary.

    Args:
        training: What was trained, and how: a `zoo.training.Training`.
        model: The trained model.
        history: One record per epoch; where folds validate the model, the validation numbers are their means.
        summary: `parameters`, `epochs`, `steps_per_epoch`, `best_epoch`, `seconds`, `validation`, `warnings`, how much
            data there was, the `batch_size` where there were fewer rows than the recipe's batch, and the `start_share`
            where some of the initial weights were kept.

    Example:
        >>> from zoo import Recipe, simulate, train
        >>> import tempfile
        >>> data = simulate("activity", f"{tempfile.mkdtemp()}/data3.h5", subjects=3, seconds=8)
        >>> result = train("activity_cnn", data, Recipe(epochs=1, validation=0.0), verbose=False)
        >>> len(result.history), result.summary["parameters"]
        (1, 8922)
    """

    training: Any
    model: Any
    history: list[dict[str, float]]
    summary: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Returns the summary."""
        return self.summary

    def to_frame(self) -> "pd.DataFrame":
        """Returns the history as a DataFrame with a row per epoch."""
        import pandas as pd

        return pd.DataFrame(self.history)

    def _repr_markdown_(self) -> str:
        return str(self.training.task.report.training(self.summary))

    def __repr__(self) -> str:
        return f"<{self.training.name}> {self._repr_markdown_()}"


@dataclass(frozen=True, eq=False)
class Artifact:
    """An exported file or folder that has been run and compared with Keras.

    Args:
        file: Path of the file or folder.
        format: Name of the format, such as `float32` or `int8`.
        bytes: Size in bytes.
        largest_error: Largest absolute difference from the outputs of Keras. None if it was not compared: C code on a
            machine without a C compiler, whose record has a `note` that says so.
        record: All results, as printed by `zoo export --json`.

    Example:
        >>> Artifact(Path("model.int8.tflite"), "int8", 12_000, 0.002, {"format": "int8"}).to_json()
        {'format': 'int8'}
    """

    file: Path
    format: str
    bytes: int
    largest_error: float | None
    record: dict[str, Any] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """Returns all results."""
        return self.record


@dataclass(frozen=True, repr=False, eq=False)
class Predictions(Result):
    """Predictions for N inputs.

    Args:
        labels: Most probable labels or words, `(N,)`; None where a recognizer is not sure. Empty for an autoencoder;
            numbers for a regression.
        probabilities: Calibrated probabilities `(N, K)`; `(N, 0)` for an autoencoder or a regression.
        classes: The K labels or words.
        times: Seconds from the start of a recording, `(N,)`. None if the inputs are not a recording.
        codes: Codes `(N, H)` of an autoencoder.
        reconstructions: Reconstructions `(N, D)` of an autoencoder, on the scale of preprocessed patches.
        document: What `to_json` returns. The records by default.
        render: Function that renders the document as Markdown.

    Example:
        >>> import numpy as np
        >>> predictions = Predictions(np.array(["walk"]), np.array([[0.9, 0.1]], "float32"), ("walk", "run"))
        >>> predictions
        Predictions(walk 90%)
        >>> [(label, round(share, 1)) for label, share in predictions.top(1)[0]]
        [('walk', 0.9)]
    """

    labels: "NDArray[Any]"
    probabilities: "NDArray[np.float32]"
    classes: tuple[str, ...]
    times: "NDArray[np.floating[Any]] | None" = None
    codes: "NDArray[np.float32] | None" = None
    reconstructions: "NDArray[np.float32] | None" = None
    document: Any = None
    render: Callable[[Any], str] | None = None

    def __len__(self) -> int:
        return len(self.labels) if self.codes is None else len(self.codes)

    def __repr__(self) -> str:
        if self.codes is not None:
            return f"Predictions(codes of shape {self.codes.shape})"
        labels = [
            f"{'not sure' if label is None else label} {row.max():.0%}" if row.size else f"{label:.3g}"
            for label, row in zip(self.labels[:_SHOWN], self.probabilities, strict=False)
        ]
        more = [f"... {len(self)} in all"] if len(self) > _SHOWN else []
        return f"Predictions({', '.join([*labels, *more])})"

    def to_json(self) -> Any:
        """Returns the predictions as JSON types."""
        return self.records() if self.document is None else self.document

    def to_frame(self) -> "pd.DataFrame":
        """Returns the records as a DataFrame with a row per input."""
        import pandas as pd

        return pd.json_normalize(self.records())

    def _repr_markdown_(self) -> str:
        return repr(self) if self.render is None else self.render(self.to_json())

    def records(self) -> list[dict[str, Any]]:
        """Returns a record of JSON types per input: `window`, `time`, `label`, `probability`, `probabilities`.

        Of an autoencoder, a record has `patch` and `code`.
        """
        if self.codes is not None:
            return [{"patch": number, "code": code.tolist()} for number, code in enumerate(self.codes)]
        return [
            {
                "window": number, "time": None if self.times is None else round(float(self.times[number]), 3),
                "label": None if label is None else str(label), "probability": float(row.max()),
                "probabilities": dict(zip(self.classes, row.tolist(), strict=True)),
            }
            for number, (label, row) in enumerate(zip(self.labels, self.probabilities, strict=True))
        ]  # fmt: skip

    def top(self, count: int = 5) -> list[list[tuple[str, float]]]:
        """Returns the most probable labels of each input, with their probabilities."""
        order = (-self.probabilities).argsort(axis=1, kind="stable")[:, :count]
        return [
            [(self.classes[place], float(row[place])) for place in places]
            for row, places in zip(self.probabilities, order, strict=True)
        ]
