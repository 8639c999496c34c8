"""Time and memory for different numbers of people: windowing, reading, training, evaluation; and folds per minute.

    python benchmarks/scale.py | tee benchmarks/scale.json
    python benchmarks/scale.py --page docs/scale.md  # writes tables and figure of scale.json into the page

The data is of 5, 50 and 500 simulated people who do six activities twice, for a minute each. Each step runs in its own
process, whose peak memory includes Python and its libraries:

windowing   recordings to a file of windows, as `zoo data windows`
reading     the checks of a file, and a pass over its training windows in shuffled blocks
training    an epoch of `activity_gru_pocket` in batches of 64: the second one, so that nothing is compiled
evaluation  `zoo evaluate` of the published preset on the test people, without baselines

Smaller data is measured several times, in turns, and the minimum is reported. Times are CPU times, which depend less on
the load of the machine than wall times; the JSON has both. The four folds of a cross-validation of fifty people run
with 1, 2 and 4 workers, each a process with one thread.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PEOPLE, REPEATS = (5, 50, 500), (3, 2, 1)
STEPS = ("windowing", "reading", "training", "evaluation")
WORKERS = (1, 2, 4)
SEED = 0
PLANNED = 10_000


def make(folder: Path, people: int) -> None:
    """Writes recordings of simulated people."""
    from zoo.activity import recordings, simulate

    source = "simulated by pocket-zoo: nobody made these windows"
    people_walking = simulate.simulate(people, SEED)
    recordings.write_recordings(folder / "recordings.h5", people_walking, source=source, simulated=True)


class Clock:
    """Seconds on the wall, and seconds that this process's threads computed, which other programs do not lengthen."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begins anew."""
        self.wall, self.computed = time.perf_counter(), time.process_time()

    def read(self, items: int) -> dict[str, float]:
        """What has passed since the start, in which so many items were done."""
        return {
            "seconds": time.perf_counter() - self.wall, "cpu_seconds": time.process_time() - self.computed,
            "items": items,
        }  # fmt: skip


def windowing(folder: Path) -> dict[str, float]:
    """Cuts recordings into windows; a quarter of the people are for test."""
    from zoo.activity import recordings
    from zoo.activity.cutting import Windowing, choose_test_subjects, write_windows

    clock = Clock()
    index = recordings.read_recordings(folder / "recordings.h5")
    test = choose_test_subjects(index.subjects, 0.25, SEED)
    write_windows(index, folder / "windows.h5", Windowing(), test)
    return clock.read(len(index))


def reading(folder: Path) -> dict[str, float]:
    """Checks a file and passes over its training windows as training does."""
    from zoo.activity import data as activity

    clock = Clock()
    data = activity.from_file(folder / "windows.h5")
    windows = sum(len(labels) for _, labels in data.train.blocks((SEED, 0)))
    return clock.read(windows)


def training(folder: Path) -> dict[str, float]:
    """Trains two epochs and gives the time of the second."""
    import keras

    from zoo.activity.task import TASK
    from zoo.training import Training, fit

    found: list[dict[str, float]] = []
    clock = Clock()

    def note(epoch: int, logs: object) -> None:
        found.append(clock.read(len(split.train)))
        clock.start()

    changes = {"epochs": 2, "warmup_epochs": 1, "batch_size": 64, "validation": 0.0}
    plan = Training.of("activity_gru_pocket", changes)
    split = TASK.split(folder / "windows.h5", plan.recipe)
    model = TASK.build(plan, split)
    callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=note)]
    fit(model, plan.recipe, TASK.feed(model, split, plan.recipe), callbacks=callbacks)
    return found[1]


def evaluation(folder: Path) -> dict[str, float]:
    """Measures the published preset on the test people."""
    from zoo import loading
    from zoo.activity.task import TASK

    loaded = loading.load("activity_gru_pocket")
    clock = Clock()
    report = TASK.evaluate(loaded, folder / "windows.h5", baselines=False)
    return clock.read(report["windows"])


def apart(step: str, folder: Path) -> dict[str, float]:
    """A step in a process of its own: `seconds`, `items` and `megabytes`."""
    program = [sys.executable, __file__, "--step", step, "--folder", str(folder)]
    told = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True).stdout
    found: dict[str, float] = json.loads(told.splitlines()[-1])
    print(step, folder.name, found, file=sys.stderr)
    return found


def peak() -> float:
    """The most memory that this process held, in megabytes."""
    # Not getrusage: its maximum counts what the parent had in memory before exec.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def against_people(scratch: Path, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Each step for each number of people."""
    rows = []
    for people, repeats in zip(numbers, REPEATS, strict=True):
        folder = scratch / str(people)
        folder.mkdir()
        make(folder, people)
        found: dict[str, list[dict[str, float]]] = {step: [] for step in STEPS}
        for _ in range(repeats):
            for step in STEPS:
                found[step].append(apart(step, folder))
        steps = {
            step: {
                **{key: round(min(run[key] for run in runs), 3) for key in ("seconds", "cpu_seconds")},
                "items": runs[0]["items"],
                "megabytes": round(max(run["megabytes"] for run in runs)),
            }
            for step, runs in found.items()
        }  # fmt: skip
        sizes = {name: (folder / f"{name}.h5").stat().st_size for name in ("recordings", "windows")}
        rows.append({"people": people, "bytes": sizes, "steps": steps})
        (folder / "recordings.h5").unlink()
    return rows


def against_workers(scratch: Path, data: Path) -> list[dict[str, Any]]:
    """Four folds of a network."""
    from zoo.crossval import Protocol, cross_validate
    from zoo.training import Training

    plan = Training.of("activity_gru_pocket", {"epochs": 2, "warmup_epochs": 1, "validation": 0.0})
    rows = []
    for workers in WORKERS:
        started = time.perf_counter()
        found = cross_validate(plan, data, scratch / f"workers {workers}", Protocol(4), workers=workers)
        rows.append({"workers": workers, "seconds": round(time.perf_counter() - started, 1), "folds": 4,
                     "macro_f1": found["macro_f1"]})  # fmt: skip
        print(rows[-1], file=sys.stderr)
    return rows


def figure(measured: dict[str, Any], path: Path) -> None:
    """Draws time, memory and folds per minute, on logarithmic axes."""
    from matplotlib.axes import Axes
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    from zoo.report import drawing

    def plain(axis: Axes, ticks: list[int]) -> None:
        axis.set(xscale="log", yscale="log")
        axis.set_xticks(ticks)
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.xaxis.set_minor_formatter(NullFormatter())

    rows, workers = measured["people"], [row["workers"] for row in measured["workers"]]
    people = [row["people"] for row in rows]
    with drawing.subplots(drawing.WIDTH, 7.6, rows=3) as (drawn, (time, memory, speed)):
        for axis, ticks in ((time, people), (memory, people), (speed, workers)):
            plain(axis, ticks)
        for number, step in enumerate(STEPS):
            style = {"color": drawing.COLORS[number], "marker": "osD^"[number], "markersize": 5, "label": step}
            seconds = [row["steps"][step]["cpu_seconds"] for row in rows]
            time.plot(people, seconds, **style)
            time.plot(people, [seconds[-1] * n / people[-1] for n in people], color=drawing.COLORS[number], alpha=0.4,
                      linestyle="--", linewidth=1)  # fmt: skip
            memory.plot(people, [row["steps"][step]["megabytes"] for row in rows], **style)
        memory.plot(people, [row["bytes"]["windows"] / 1e6 for row in rows], color=drawing.GRAY, linestyle=":",
                    label="the file")  # fmt: skip
        speed.plot(workers, [row["folds"] * 60 / row["seconds"] for row in measured["workers"]], "o-")
        speed.set(yscale="linear", ylim=(0, None))
        time.set_title("CPU seconds (dashed: proportional)")
        memory.set(title="peak memory of the process, MB", xlabel="simulated people")
        speed.set(title="folds per minute", xlabel=f"workers, on {measured['cores']} cores")
        for axis in (time, memory):
            drawing.name_lines(axis)
    drawing.save(drawn, path)


def duration(seconds: float) -> str:
    """A time for people."""
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def planned_memory(rows: Sequence[dict[str, Any]], step: str) -> int:
    """Megabytes for `PLANNED` people, if what was added between the last two measurements goes on to be added."""
    (few, less), (many, more) = ((row["people"], row["steps"][step]["megabytes"]) for row in rows[-2:])
    slope = max(0.0, (more - less) / (many - few))
    return int(round(max(less, more) + slope * (PLANNED - many), -1))


def tables(measured: dict[str, Any]) -> str:
    """The tables of the page: what was measured, and what follows for 10,000 people."""
    from zoo.presets import PRESETS

    rows, largest = measured["people"], measured["people"][-1]
    names = {step: "training, one epoch" if step == "training" else step for step in STEPS}
    head = "| people | file of windows | " + " | ".join(names.values()) + " |\n|---:|---:|" + "---:|" * len(STEPS)
    lines = [
        f"| {row['people']:,} | {row['bytes']['windows'] / 1e6:,.0f} MB | "
        + " | ".join(
            f"{duration(found['cpu_seconds'])}, {found['megabytes']:,} MB"
            for found in (row["steps"][step] for step in STEPS)
        )
        + " |"
        for row in rows
    ]
    times = PLANNED / largest["people"]
    windows = round(times * (largest["steps"]["training"]["items"] + largest["steps"]["evaluation"]["items"]), -5)
    plan = [
        "| step | CPU time | peak memory |", "|---|---:|---:|",
        *(
            f"| {name} | {duration(times * largest['steps'][step]['cpu_seconds'])} | "
            f"{planned_memory(rows, step):,} MB |"
            for step, name in names.items()
        ),
    ]  # fmt: skip
    epochs = PRESETS["activity_gru_pocket"].recipe.length
    hours = epochs * times * largest["steps"]["training"]["cpu_seconds"] / 3600
    disk = {name: times * size / 1e9 for name, size in largest["bytes"].items()}
    return "\n".join([
        head, *lines, "", f"Measured on {measured['machine']}, at niceness {measured['niceness']}, with a load average "
        f"of {measured['load']:g}.", "", "## 10,000 people", "",
        f"These are estimates: CPU times are those of {largest['people']} people multiplied by {times:g}, and memory "
        f"is extrapolated linearly. There would be {windows:,.0f} windows, in a file of {disk['windows']:.1f} GB; the "
        f"recordings that they are cut from would take another {disk['recordings']:.1f} GB.",
        "",
        *plan, "", f"The {epochs} epochs of the preset's recipe would take {hours:.0f} hours on one core.",
    ])  # fmt: skip


def write_page(page: Path) -> None:
    """Puts the tables into the page, between its marks, and draws its figure."""
    import pages

    pages.fill(page, __file__, {"scale": tables})
    figure(pages.measured(__file__), page.parent / "assets" / "scale.png")


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs=3, default=PEOPLE)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--page", type=Path, help="write tables and figure into this page, and measure nothing")
    options = parser.parse_args()
    if options.step:
        print(json.dumps(globals()[options.step](options.folder) | {"megabytes": peak()}))
        return
    if options.page:
        write_page(options.page)
        return
    from zoo.provenance import versions

    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        rows = against_people(scratch, options.people)
        workers = against_workers(scratch, scratch / str(options.people[1]) / "windows.h5")
    own = versions()
    result = {
        "command": "python benchmarks/scale.py", "seed": SEED, "data": "simulated people", "people": rows,
        "workers": workers, "cores": os.cpu_count(), "niceness": os.nice(0), "load": round(os.getloadavg()[2], 1),
        "minutes": round((time.perf_counter() - started) / 60, 1), "machine": own.pop("machine"), "versions": own,
    }  # fmt: skip
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
