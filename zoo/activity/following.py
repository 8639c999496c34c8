"""Recognition of a signal that arrives row by row, for `zoo stream`: of a simulated person, or of lines of CSV."""

import io
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from zoo.activity.report import minutes
from zoo.errors import ZooError, option, shown
from zoo.report.screen import say
from zoo.runtime import Prediction, Recognizer
from zoo.runtime.metadata import CLASSES, INERTIAL

if TYPE_CHECKING:
    import pandas as pd

    from zoo.activity.columns import CsvColumns

GRACE = 5.0
"""Seconds after a change of activity during which a wrong label counts as a delay, not as a false alarm."""
_SINCE_1970 = 1e8
"""Seconds from which time stamps are taken to count from 1970."""
_LONGEST_LINE = 1 << 16
"""Letters of the longest line of a stream."""


class Simulated:
    """Predictions for a simulated person, every half second; arguments are those of `zoo.stream`."""

    def __init__(
        self, file: Path, model: str, activities: Sequence[str], *, seconds: float = 10.0, speed: float = 1.0,
        seed: int = 1, threshold: float | None = None,
    ) -> None:  # fmt: skip
        from zoo.activity.simulate import walk_through

        self._recognizer, self._speed, self._threshold = Recognizer(file), speed, threshold
        self._each, metadata = seconds, self._recognizer.metadata
        possible = [name for name in metadata.classes if name in CLASSES]
        if unknown := [name for name in activities if name not in possible]:
            advice = f"expected {', '.join(possible)}, which {model} knows"
            if not possible:
                labels = ", ".join(metadata.classes)
                advice = f"{model} recognizes {labels}, none of which can be simulated; stream recordings with "
                advice += option("csv", "FILE")
            raise ZooError(f"activity {shown(unknown[0])}: {advice}")
        gyroscope = metadata.axes == INERTIAL
        self._rows, self._truth = walk_through(activities, seconds, metadata.rate, seed, gyroscope=gyroscope)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for moment in self._moments():
            yield {key: value for key, value in moment.items() if key != "window"}

    def _moments(self) -> Iterator[dict[str, Any]]:
        metadata, rows = self._recognizer.metadata, self._rows
        stream = self._recognizer.stream(threshold=self._threshold)
        hop = max(1, round(metadata.rate / 2))
        for stop in range(hop, len(rows) + 1, hop):
            start = time.perf_counter()
            samples = [(i / metadata.rate, *rows[i].tolist()) for i in range(stop - hop, stop)]
            predictions = list(stream.feed(samples))
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

        console, right = Console(), dict[tuple[float, float], bool]()
        with StreamBoard(console).shown() as board:
            for moment in self._moments():
                board.update(moment)
                # By the number of the activity, and the seconds since it began.
                right[divmod(moment["time"] - 1e-6, self._each)] = moment["label"] == moment["truth"]
        grace = min(GRACE, self._each / 2)
        settled = [is_right for (_, since), is_right in right.items() if since > grace]
        delays = [
            next((f"{at[1]:.1f} s" for at, is_right in right.items() if is_right and at[0] == place), "never")
            for place in range(1, round(len(self._rows) / self._recognizer.metadata.rate / self._each))
        ]
        late = f"; changes were recognized after {', '.join(delays)}" if delays else ""
        console.print(
            f"simulated person: {sum(settled)} of {len(settled)} moments right that lie {grace:g} s or more after a "
            f"change{late}", highlight=False, soft_wrap=not console.is_terminal,
        )  # fmt: skip


class Followed:
    """Predictions for lines of CSV as they arrive, or for a DataFrame; arguments are those of `zoo.stream`."""

    def __init__(
        self, file: Path, csv: "str | pd.DataFrame", columns: "CsvColumns", every: bool, threshold: float | None
    ) -> None:  # fmt: skip
        self._recognizer, self._csv, self._every, self._threshold = Recognizer(file), csv, every, threshold
        self._columns = columns.replace(gyroscope=self._recognizer.metadata.axes == INERTIAL)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Every prediction."""
        for prediction in self._predictions():
            yield _document(prediction, self._recognizer.metadata.classes)

    def _predictions(self) -> Iterator[Prediction]:
        from zoo.activity.columns import read_samples
        from zoo.activity.tables import exists, lines_of, name_of

        stream, warned, none = self._recognizer.stream(threshold=self._threshold), 0, True
        name, source = name_of(self._csv), self._csv
        name = "standard input" if name == "-" else name
        if isinstance(source, str) and source != "-" and exists(Path(source)):
            source = Path(source)
        lines = _lines(source, name) if isinstance(source, str) else lines_of(source)
        # After the last prediction, None: what is still to be said.
        for prediction in chain(stream.feed(read_samples(lines, name, self._columns)), [None]):
            for warning in stream.warnings[warned:]:
                say(warning if prediction is None else f"{_moment(prediction.time).strip()}: {warning}", "warning")
            warned = len(stream.warnings)
            if prediction is not None:
                none = False
                yield prediction
        for reason, count in stream.skipped.items():
            say(f"left out: {reason} ({count})", "warning")
        if none:
            seconds = stream.metadata.window / stream.metadata.rate
            short = "" if stream.skipped else f": the signal is too short; the model reads windows of {seconds:g} s"
            say(f"no prediction{short}", "warning")

    def show(self) -> None:
        """Prints a line for each change, or with `every` for each prediction, and at the end the minutes of each."""
        shown, counts, metadata = "", Counter[str](), self._recognizer.metadata
        for prediction in self._predictions():
            label = str(prediction.label or prediction.reason)
            counts[label] += 1
            if self._every or label != shown:
                print(f"{_moment(prediction.time)}  {label:<12} {prediction.probability:4.0%}", flush=True)
                shown = label
        if counts:
            step = (metadata.frame if metadata.states else metadata.hop) / metadata.rate
            say(f"minutes: {minutes(counts.elements(), step)}")


def _document(prediction: Prediction, classes: Sequence[str]) -> dict[str, Any]:
    return {
        "time": prediction.time, "label": prediction.label, "reason": prediction.reason,
        "probability": prediction.probability,
        "probabilities": dict(zip(classes, prediction.probabilities.tolist(), strict=True)),
    }  # fmt: skip


def _moment(seconds: float) -> str:
    """A time stamp: seconds, or the local time of day where they count from 1970."""
    if seconds < _SINCE_1970:
        return f"{seconds:9.2f} s"
    return f"{datetime.fromtimestamp(seconds).astimezone():%H:%M:%S.%f}"[:-4]


def _lines(csv: str, name: str) -> Iterator[str]:
    """The lines of standard input, a pipe or a device, as they arrive."""
    if csv == "-" and isinstance(sys.stdin, io.TextIOWrapper):
        # In some locales, Python reads undecodable bytes as characters.
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")
    try:
        with nullcontext(sys.stdin) if csv == "-" else Path(csv).open(encoding="utf-8-sig") as file:
            # Of a line without end, no more than this is held.
            yield from iter(lambda: file.readline(_LONGEST_LINE), "")
    except OSError as error:
        raise ZooError(f"{name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ZooError(f"{name}: not UTF-8 text ({error.reason} at byte {error.start})") from None
