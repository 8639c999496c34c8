"""Streams that all runtimes must follow alike, and the protocol by which their programs are asked.

    python tests/streams/golden.py

writes golden.json: models of several kinds, streams of several rates with jitter, gaps and faults, and what
`zoo.runtime` predicts. In place of a network is `step`, which can be written in a line of any language.

A program reads lines: the time and the values of a sample, or `new` for another stream. It writes a line per prediction
(time, number of the label, probability, probabilities; without a label, the number is -1 less the place of the reason
in `REASONS`), and at the end of each stream a line for each reason why samples were dropped (`dropped`, how many, why)
and a line `end`.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from zoo.activity import simulate
from zoo.activity.device import groups_of
from zoo.catalog import PRESETS_FOLDER
from zoo.runtime import Recognizer, Stream
from zoo.runtime.faults import AT_REST, NO_SIGNAL, SHAKEN, TOO_SLOW
from zoo.runtime.filtering import default_groups
from zoo.runtime.metadata import CLASSES, INERTIAL, Metadata, Streaming
from zoo.runtime.streaming import NOT_SURE, SOMETHING_ELSE

FILE = Path(__file__).with_name("golden.json")

REASONS = (NOT_SURE, SOMETHING_ELSE, AT_REST, NO_SIGNAL, TOO_SLOW, SHAKEN)
"""Why there is no label."""

EDGES = [0.0, -0.02, 0.9, 0.99, 1.0, 1.01, 1.5, 30.0, 3600.0, -3600.0]
"""Seconds between samples that are special."""


def models():
    """Metadata of models with states, streamed in several ways, and of one without, by name."""
    file = PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite"
    known = replace(
        Recognizer(file).metadata, classes=CLASSES, threshold=None, train_subjects=(), mean=(), variance=(), prior=()
    )
    tree = Streaming(groups=groups_of(CLASSES))
    at_once = replace(default_groups(CLASSES)[0], evidence=1000.0, stay=(1e-9,) * len(CLASSES))
    return {
        "one group": replace(known, streaming=Streaming()),
        "a tree of groups": replace(known, streaming=tree),
        "one state for ever": replace(known, streaming=replace(tree, restart=0, copies=1, warmup=0), threshold=0.7),
        "many states": replace(known, streaming=replace(tree, restart=60, copies=4, warmup=15, margin=0.0), rate=31.25),
        "windows": replace(known, streaming=tree, states={}, window=40, hop=15, rate=20.0),
        "gyroscope": replace(known, streaming=tree, axes=INERTIAL),
        "other labels": replace(
            known, classes=("lying", "rowing", "walking", "other"),
            streaming=replace(tree, groups=groups_of(("lying", "rowing", "walking", "other"), ["lying"], 3)),
        ),
        "parts that end at once": replace(
            known, streaming=Streaming(groups=(at_once,)), states={}, window=40, hop=40, rate=20.0
        ),
        "one label": replace(known, classes=("only",), streaming=Streaming()),
    }  # fmt: skip


def step(frame, states, classes):
    """Returns the answer `(1, classes)` of a network, and its new states."""
    carried = states["h_1"][:, :1] if states else np.float32(0)
    signal = np.float32(0.9) * carried + np.abs(frame[:, 0, :1]) + np.abs(frame[:, -1, -1:])
    # The power makes most answers sure, some of 0, and where there is no signal, they are no numbers.
    scores = np.abs(np.sin(np.float64(signal[0, 0]) * np.arange(1, classes + 1))) ** 8
    with np.errstate(invalid="ignore"):
        answer = (scores / scores.sum()).astype(np.float32)[None]
    return answer, {name: np.repeat(signal, 32, 1) for name in states}


def faulty(random, count, rate, share, channels=3):
    """Samples with jitter, changes of rate, and a share of each fault: of values, of stamps, gaps and set clocks."""
    rates = rate * np.repeat(random.choice([1.0, 0.5, 3.0], count // 500 + 1), 500)[:count]
    steps = random.uniform(0.5, 1.5, count) / rates
    jumps = random.random(count) < share / 10
    steps[jumps] = random.choice(EDGES, jumps.sum())
    samples = np.column_stack([np.cumsum(steps), random.normal(0, 4, (count, channels))])
    samples[:, 2] += 9.8
    for value in (np.nan, np.inf, 200.0, -1e30):
        places = np.flatnonzero(random.random(count) < share / 8)
        samples[places, random.integers(1, channels + 1, len(places))] = value
    for shift in (-0.1, -5.0, 7200.0, np.nan):
        samples[random.random(count) < share / 8, 0] += shift
    return samples


FAULTS = (0.0, 0.02, 0.2)
"""Shares of faulty samples in a stream."""


def drawn(random, metadata, seconds, share):
    """A stream of random rate, as `read` returns it."""
    rate = random.choice([12.0, 20.0, 31.25, 50.0, 51.3, 100.0, 200.0])
    samples = faulty(random, round(seconds * rate), rate, share, len(metadata.axes))
    # Now and then the phone lies still.
    for start in range(0, len(samples), 60):
        if random.random() < 0.3:
            samples[start : start + 60, 1:] = samples[start, 1:]
    return shifted(random, samples)


UNJUDGED = ("table", "hand", "unit")
"""Kinds of streams that have no label."""


def unjudged(random, metadata, fault, seconds=8.0):
    """A stream of a phone on a table in any pose, of one that a hand shakes, or in g, as `read` returns it."""
    rate = random.choice([12.0, 25.0, 50.0, 60.0, 100.0] if fault == "unit" else [25.0, 50.0, 60.0, 100.0])
    count = round(seconds * rate)
    if fault == "hand":
        (values,) = simulate.shaken(1, count, rate, random)
    else:
        gravity = random.normal(size=3)
        noise = random.normal(0, random.choice([0.0, 0.01, 0.02, 0.05]), (count, 3))
        values = np.round(9.8 * gravity / np.linalg.norm(gravity) + noise, random.choice([1, 4]))
    if fault == "unit":
        values /= random.choice([9.8, 0.2])
    # It is picked up in between.
    values[round(0.8 * count) : round(0.85 * count)] += random.normal(0, 3, 3)
    turning = 0.3 * (random.random((count, len(metadata.axes) - 3)) < 1 / count)
    times = np.cumsum(random.uniform(0.8, 1.2, count)) / rate
    return shifted(random, np.column_stack([times, values, turning]))


def shifted(random, samples):
    """Samples of any clock."""
    samples[:, 0] += random.choice([0.0, -3.0, 1e6, 1.7e9])
    return measured(np.round(samples, 4))


def others():
    """A stream of 80 samples at 20 Hz, which `step` comes to take for the fourth class of four."""
    return measured([[number / 20, 0.02, 9.8, 0.017] for number in range(80)])


def measured(samples):
    """Samples `(N, 1 + channels)` whose values are floats, as phones measure and programs in C read them."""
    samples = np.array(samples, float)
    samples[:, 1:] = samples[:, 1:].astype(np.float32)
    return samples


def follow(metadata, samples):
    """What `zoo.runtime` predicts, as rows of numbers `(N, 3 + classes)`, and how many samples it drops and why."""
    count = len(metadata.classes)
    numbers = {label: number for number, label in enumerate(metadata.classes)}
    stream = Stream(metadata, lambda frame, states: step(frame, states, count))
    rows = [
        [p.time, numbers[p.label] if p.label else -1 - REASONS.index(p.reason), p.probability, *p.probabilities]
        for p in stream.feed(samples)
    ]
    return np.array(rows).reshape(len(rows), 3 + count), dict(stream.skipped)


def lines(streams):
    """What a program reads."""
    spelled = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return "".join(
        "new\n" + "".join(" ".join(spelled.get(text := repr(number), text) for number in row) + "\n" for row in samples)
        for samples in (np.asarray(stream, float).tolist() for stream in streams)
    )


def answers(output, metadata):
    """What a program wrote: for each stream, what `follow` returns."""
    found, rows, dropped = [], [], {}
    for line in output.splitlines():
        first, *rest = line.split(" ", 2)
        if first == "end":
            found.append((np.array(rows, float).reshape(len(rows), 3 + len(metadata.classes)), dropped))
            rows, dropped = [], {}
        elif first == "dropped":
            dropped[rest[1]] = int(rest[0])
        else:
            rows.append(line.split())
    return found


def read():
    """Metadata by name, and streams: name, samples, predictions, dropped samples."""
    document = json.loads(FILE.read_text())
    known = {name: Metadata.from_json(each, name) for name, each in document["models"].items()}
    streams = [
        (each["model"], measured(each["samples"]), np.array(each["predictions"]), each["dropped"])
        for each in document["streams"]
    ]
    return known, streams


def make():
    """Returns the content of the golden file."""
    random, known = np.random.default_rng(34), models()
    names = [[*known][number % len(known)] for number in range(10)]
    random_ones = [drawn(random, known[name], 8.0, FAULTS[place % len(FAULTS)]) for place, name in enumerate(names)]
    streams = []
    special = [("one group", unjudged(random, known["one group"], fault)) for fault in UNJUDGED]
    for name, samples in [*zip(names, random_ones, strict=True), *special, ("other labels", others())]:
        predictions, dropped = follow(known[name], samples)
        streams.append({
            "model": name, "samples": np.round(samples, 4).tolist(), "predictions": np.round(predictions, 7).tolist(),
            "dropped": dropped,
        })  # fmt: skip
    return {"models": {name: each.to_json() for name, each in known.items()}, "streams": streams}


if __name__ == "__main__":
    # With NaN and Infinity, which JSON lacks and Python reads.
    content = json.dumps(make(), separators=(",", ":"))
    FILE.write_text(content.replace("],[", "],\n[") + "\n")
