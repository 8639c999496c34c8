"""A live view of an exported file at work, on the terminal."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from zoo.runtime import Recognizer

_BARS = " ▁▂▃▄▅▆▇█"


def show(
    recognizer: Recognizer, rows: NDArray[np.float32], truth: Sequence[str], speed: float, console: Console
) -> None:
    """Feeds a simulated signal to a file, half a second at a time, and shows what it recognizes.

    Args:
        recognizer: The file.
        rows: `(N, 3)` m/s^2 at the file's rate.
        truth: What the simulated person does in each row.
        speed: Times real time; 0 for no waiting.
        console: Where to; a line a moment where it is no terminal.
    """
    metadata = recognizer.metadata
    hop = max(1, round(metadata.rate / 2))
    right = 0
    moments = range(metadata.window, len(rows) + 1, hop)
    with Live(console=console, auto_refresh=False, transient=False) as live:
        for stop in moments:
            window = rows[stop - metadata.window : stop]
            start = time.perf_counter()
            probabilities = recognizer.predict(window[None])[0]
            milliseconds = 1e3 * (time.perf_counter() - start)
            label = metadata.classes[int(probabilities.argmax())]
            right += label == truth[stop - 1]
            scores = dict(zip(metadata.classes, probabilities.tolist(), strict=True))
            moment = f"{stop / metadata.rate:5.1f} s"
            if console.is_terminal:
                live.update(_screen(window, scores, label, truth[stop - 1], moment, milliseconds), refresh=True)
            else:
                console.print(
                    f"{moment}  {label:<11} {scores[label]:4.0%}  (really {truth[stop - 1]}, {milliseconds:.2f} ms)",
                    highlight=False,
                )
            if speed:
                time.sleep(max(0.0, hop / metadata.rate / speed - milliseconds / 1e3))
    console.print(f"{right} of {len(moments)} moments right (simulated person; windows span changes of activity)")


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
    foot = Text(f"{moment}   {milliseconds:.2f} ms a window", "dim")
    return Panel(Group(head, Text(), bars, Text(), signals, foot), title="SIMULATED signal, exported file", width=76)


def _spark(axis: NDArray[np.float32], width: int = 48) -> str:
    parts = [float(part.mean()) for part in np.array_split(axis, width)]
    places = np.clip((np.array(parts) + 25) / 50 * (len(_BARS) - 1), 0, len(_BARS) - 1).astype(int)
    return "".join(_BARS[place] for place in places)
