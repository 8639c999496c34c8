"""A live view of an exported file at work, on the terminal."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from zoo.runtime import Prediction, Recognizer, Stream

_BARS = " ▁▂▃▄▅▆▇█"


def follow(
    stream: Stream, samples: Iterable[tuple[float, float, float, float]], every: bool, as_json: bool, notes: Console
) -> None:
    """Prints what is recognized, a line at a time, while samples come.

    Args:
        stream: What follows them.
        samples: Seconds and m/s^2.
        every: Whether to print every answer, or only changes of the label.
        as_json: Whether each line is a JSON document.
        notes: Where warnings go, and in the end what was left out.
    """
    shown, reported = None, 0
    for prediction in stream.feed(samples):
        for warning in stream.warnings[reported:]:
            notes.print(f"{prediction.time:.2f} s: {warning}", style="yellow", highlight=False, markup=False)
        reported = len(stream.warnings)
        label = prediction.label or "?"
        if every or label != shown:
            shown = label
            line = f"{prediction.time:9.2f} s  {label:<12} {prediction.probability:4.0%}"
            print(_json(stream, prediction) if as_json else line, flush=True)
    for reason, count in stream.skipped.items():
        notes.print(f"left out: {count} {reason}", style="yellow", highlight=False, markup=False)


def _json(stream: Stream, prediction: Prediction) -> str:
    scores = dict(zip(stream.metadata.classes, prediction.probabilities.tolist(), strict=True))
    found = {"time": prediction.time, "label": prediction.label, "probability": prediction.probability}
    return json.dumps(found | {"probabilities": scores})


def show(
    recognizer: Recognizer, rows: NDArray[np.float32], truth: Sequence[str], speed: float, console: Console
) -> None:
    """Streams a simulated signal through a file, and shows what it recognizes, half a second at a time.

    Args:
        recognizer: The file.
        rows: `(N, 3)` m/s^2 at the file's rate.
        truth: What the simulated person does in each row.
        speed: Times real time; 0 for no waiting.
        console: Where to; a line a moment where it is no terminal.
    """
    metadata, stream = recognizer.metadata, recognizer.stream()
    hop = max(1, round(metadata.rate / 2))
    right, moments = 0, 0
    with Live(console=console, auto_refresh=False, transient=False) as live:
        for stop in range(hop, len(rows) + 1, hop):
            start = time.perf_counter()
            part = zip(range(stop - hop, stop), rows[stop - hop : stop].tolist(), strict=True)
            answers = list(stream.feed((i / metadata.rate, x, y, z) for i, (x, y, z) in part))
            milliseconds = 1e3 * (time.perf_counter() - start)
            if speed:
                time.sleep(max(0.0, hop / metadata.rate / speed - milliseconds / 1e3))
            if not answers:
                continue
            answer, label, moments = answers[-1], answers[-1].label or "?", moments + 1
            right += label == truth[stop - 1]
            scores = dict(zip(metadata.classes, answer.probabilities.tolist(), strict=True))
            moment = f"{answer.time:5.1f} s"
            if console.is_terminal:
                seen = rows[max(0, stop - metadata.window) : stop]
                live.update(_screen(seen, scores, label, truth[stop - 1], moment, milliseconds), refresh=True)
            else:
                console.print(
                    f"{moment}  {label:<11} {answer.probability:4.0%}  (really {truth[stop - 1]}, "
                    f"{milliseconds:.2f} ms)",
                    highlight=False,
                )
    console.print(f"{right} of {moments} moments right (simulated person; a change is seen after a moment)")


def _screen(
    window: NDArray[np.float32],
    scores: Mapping[str, float],
    label: str,
    truth: str,
    moment: str,
    milliseconds: float,
) -> RenderableType:
    bars = Table.grid(padding=(0, 1))
    for name, score in scores.items():
        style = "bold green" if name == label else "dim"
        bars.add_row(Text(name, style), Text("█" * round(30 * score), style), Text(f"{score:4.0%}", style))
    signals = Table.grid(padding=(0, 1))
    for name, axis in zip("xyz", window.T, strict=True):
        signals.add_row(Text(name, "cyan"), Text(_spark(axis), "cyan"), Text(f"{axis[-1]:+6.1f} m/s^2", "dim"))
    head = Text.assemble((label, "bold green"), f"   the simulated person is {truth}", style="")
    foot = Text(f"{moment}   {milliseconds:.2f} ms for half a second of signal", "dim")
    return Panel(Group(head, Text(), bars, Text(), signals, foot), title="SIMULATED signal, exported file", width=76)


def _spark(axis: NDArray[np.float32], width: int = 48) -> str:
    parts = [float(part.mean()) for part in np.array_split(axis, width)]
    places = np.clip((np.array(parts) + 25) / 50 * (len(_BARS) - 1), 0, len(_BARS) - 1).astype(int)
    return "".join(_BARS[place] for place in places)
