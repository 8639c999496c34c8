"""Recognition in a signal that arrives row by row: of a simulated person, of a CSV file, or of standard input."""

import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from zoo.activity.samples import read_samples
from zoo.activity.simulate import walk_through
from zoo.errors import ZooError
from zoo.report.document import say
from zoo.runtime import Prediction, Recognizer
from zoo.runtime.metadata import CLASSES, INERTIAL

_SINCE_1970 = 1e8
"""Seconds from which time stamps are taken to count from 1970."""

_LONGEST_LINE = 1 << 16
"""Letters of the longest line of a stream."""


class Simulated:
    """Predictions for a simulated person, every half second; arguments are those of `zoo.stream`."""

    def __init__(
        self, file: Path, model: str, activities: Sequence[str], seconds: float, speed: float, seed: int,
        threshold: float | None,
    ) -> None:  # fmt: skip
        recognizer = Recognizer(file)
        known = [name for name in recognizer.metadata.classes if name in CLASSES]
        unknown = [name for name in activities if name not in known]
        if unknown and not known:
            labels = ", ".join(recognizer.metadata.classes)
            raise ZooError(
                f"{model}: recognizes {labels}, none of which can be simulated; stream recordings with csv=FILE"
            )
        if unknown:
            raise ZooError(f"activity {unknown[0]!r}: expected {', '.join(known)}, which {model} knows")
        self._metadata, self._speed = recognizer.metadata, speed
        self._stream = recognizer.stream(threshold=threshold)
        gyroscope = recognizer.metadata.axes == INERTIAL
        self._rows, self._truth = walk_through(activities, seconds, self._metadata.rate, seed, gyroscope=gyroscope)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for moment in self._moments():
            yield {key: value for key, value in moment.items() if key != "window"}

    def _moments(self) -> Iterator[dict[str, Any]]:
        metadata, rows = self._metadata, self._rows
        hop = max(1, round(metadata.rate / 2))
        for stop in range(hop, len(rows) + 1, hop):
            start = time.perf_counter()
            samples = [(i / metadata.rate, *rows[i].tolist()) for i in range(stop - hop, stop)]
            predictions = list(self._stream.feed(samples))
            milliseconds = 1e3 * (time.perf_counter() - start)
            if self._speed:
                time.sleep(max(0.0, hop / metadata.rate / self._speed - milliseconds / 1e3))
            if predictions:
                window = rows[max(0, stop - metadata.window) : stop]
                yield _document(predictions[-1], metadata.classes) | {
                    "truth": self._truth[stop - 1], "milliseconds": milliseconds, "window": window,
                }  # fmt: skip

    def show(self) -> None:
        """Prints the signal and the predictions, and how many were right."""
        from zoo.report.progress import StreamBoard

        console, right = Console(), []
        with StreamBoard(console).shown() as board:
            for moment in self._moments():
                board.update(moment)
                right.append(moment["label"] == moment["truth"])
        console.print(
            f"{sum(right)} of {len(right)} moments right (simulated person; a change takes a moment to be recognized)",
            highlight=False, soft_wrap=not console.is_terminal,
        )  # fmt: skip


class Followed:
    """Predictions for lines of CSV as they arrive; arguments are those of `zoo.stream`.

    Args:
        file: Exported model.
        csv: CSV file, or `-` for standard input.
        columns: Function that returns how it is read.
        every: Whether to give every prediction.
        threshold: Probability below which a label is None.
    """

    def __init__(
        self, file: Path, csv: str, columns: Callable[..., Any], every: bool, threshold: float | None
    ) -> None:  # fmt: skip
        recognizer = Recognizer(file)
        self._stream, self._csv, self._every = recognizer.stream(threshold=threshold), csv, every
        gyroscope = recognizer.metadata.axes == INERTIAL
        self._columns = columns(subject="=me", activity="=unknown", gyroscope=gyroscope)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Every prediction."""
        for prediction in self._predictions():
            yield _document(prediction, self._stream.metadata.classes)

    def _predictions(self) -> Iterator[Prediction]:
        stream, warned, none = self._stream, 0, True
        name = "standard input" if self._csv == "-" else self._csv
        for prediction in stream.feed(read_samples(_lines(self._csv), name, self._columns)):
            for warning in stream.warnings[warned:]:
                say(f"{_moment(prediction.time).strip()}: {warning}", style="yellow")
            warned, none = len(stream.warnings), False
            yield prediction
        for reason, count in stream.skipped.items():
            say(f"left out: {reason} ({count})", style="yellow")
        if none:
            seconds = stream.metadata.window / stream.metadata.rate
            say(f"no prediction: the signal is too short; the model reads windows of {seconds:g} s", style="yellow")

    def show(self) -> None:
        """Prints a line for each change, or with `every` for each prediction."""
        shown: str | None = ""
        for prediction in self._predictions():
            if self._every or prediction.label != shown:
                label = f"{prediction.label or '?':<12} {prediction.probability:4.0%}"
                print(f"{_moment(prediction.time)}  {label}", flush=True)
                shown = prediction.label


def _document(prediction: Prediction, classes: Sequence[str]) -> dict[str, Any]:
    return {
        "time": prediction.time, "label": prediction.label, "probability": prediction.probability,
        "probabilities": dict(zip(classes, prediction.probabilities.tolist(), strict=True)),
    }  # fmt: skip


def _moment(seconds: float) -> str:
    """A time stamp: seconds, or the local time of day where they count from 1970."""
    if seconds < _SINCE_1970:
        return f"{seconds:9.2f} s"
    return f"{datetime.fromtimestamp(seconds).astimezone():%H:%M:%S.%f}"[:-4]


def _lines(csv: str) -> Iterator[str]:
    name = "standard input" if csv == "-" else csv
    if csv == "-" and isinstance(sys.stdin, io.TextIOWrapper):
        # In some locales, Python reads undecodable bytes as characters.
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")
    try:
        with nullcontext(sys.stdin) if csv == "-" else Path(csv).open(encoding="utf-8-sig") as file:
            # Of a line without end, no more than this is held.
            yield from iter(lambda: file.readline(_LONGEST_LINE), "")
    except FileNotFoundError:
        raise ZooError(f"{csv}: no such file") from None
    except IsADirectoryError:
        raise ZooError(f"{csv}: is a folder, not a file") from None
    except UnicodeDecodeError as error:
        raise ZooError(f"{name}: not UTF-8 text ({error.reason} at byte {error.start})") from None
