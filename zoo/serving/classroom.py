"""The page of a class for a projector: what has arrived, and a model that is trained on it.

It has a token of its own, for it shows names and starts a training. Phones never get it.
"""

import glob
import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np

from zoo.catalog import START
from zoo.errors import ZooError
from zoo.jobs import Job, failure, python, run_jobs
from zoo.serving.collection import Collection
from zoo.serving.server import Refusal, Routes

EVENTS, TRAINING = "/class/events", "/class/training"
"""Addresses of the stream of states, and of the training, which is started by POST and canceled by DELETE."""

_EPOCHS = 3
_SCORES, _MESSAGES = "evaluate.log", "evaluate-messages.log"  # what else is printed is no part of the document

_LOOK_SECONDS = 0.3  # between two looks at what has changed
_PULSE_SECONDS = 15.0  # after which a client that is gone is noticed
_ALARM_SECONDS = 180.0  # in which a refusal is shown, unless its phone sends something else

_TRACE_SECONDS, _TRACE_ROWS = 5.0, 250


class Classroom:
    """What a projector shows of a collection, for who knows a token: what has arrived, and a model trained on it.

    Each training is a folder next to the recordings, such as `class-trained-1` for `class`. `publish` serves the page
    with a model, and returns its address; models of an earlier server are published again. Phones scan the `address`.
    """

    def __init__(self, token: str, address: str, collection: Collection, publish: Callable[[int, Path], str]) -> None:
        self._token, self._address, self._collection, self._publish = token, address, collection, publish
        self._recordings = collection.folder.absolute()
        self._newest: dict[str, Any] | None = None
        # Of each address, when something of it was refused last, and what is said of it.
        self._refused = dict[str, tuple[float, str]]()
        # Its `status` is `running`, `failed` with a `reason`, or `done`.
        self._training: dict[str, Any] | None = None
        self._lock, self._thread = threading.Lock(), threading.Thread()
        self._closed, self._canceled = threading.Event(), threading.Event()
        for number in self._numbers():
            with suppress(OSError, ValueError, ZooError):
                self._training = self._result(number)

    def routes(self) -> Routes:
        """What the page may ask a server."""
        return {
            ("GET", EVENTS): (self._token, self._events), ("POST", TRAINING): (self._token, self._train),
            ("DELETE", TRAINING): (self._token, self._cancel),
        }  # fmt: skip

    def tell(self, event: Mapping[str, Any]) -> None:
        """Notes a recording that is new or was refused."""
        self._refused.pop(event["address"], None)
        if "said" in event:
            self._refused[event["address"]] = time.monotonic(), f"{event['time']}. {event['said']}"
            return
        # Its owner may have deleted it since.
        with suppress(OSError, ValueError):
            rows = _trace(Path(event["file"]))
            self._newest = {"person": event["person"], "activity": event["activity"], "rows": rows}

    def state(self) -> dict[str, Any]:
        """All that is shown. Recordings whose files were deleted are left out."""
        people: dict[str, dict[str, float]] = {}
        kept = [minute for minute in list(self._collection.minutes.values()) if minute.file.is_file()]
        for minute in kept:
            seconds = people.setdefault(minute.person, {})
            seconds[minute.activity] = round(seconds.get(minute.activity, 0) + minute.seconds, 1)
        alarms = [said for moment, said in [*self._refused.values()] if time.monotonic() - moment < _ALARM_SECONDS]
        used = [*dict.fromkeys(activity for seconds in people.values() for activity in seconds)]
        # One person is held out; one label needs no model.
        wanted = ((2 - len(people), "person", "people"), (2 - len(used), "activity", "activities"))
        return {
            "address": self._address, "labels": [*self._collection.labels] or used, "recordings": len(kept),
            "people": [{"name": name, "seconds": seconds} for name, seconds in people.items()],
            "newest": self._newest, "refused": alarms, "training": self._training,
            "missing": [f"{more} more {one if more == 1 else many}" for more, one, many in wanted if more > 0],
        }  # fmt: skip

    def close(self) -> None:
        """Ends the streams, and the training."""
        self._closed.set()
        self._cancel()

    def _events(self, *_: object) -> Iterator[bytes]:
        """The state, now, after each change and from time to time, as server-sent events."""
        sent, pulse = None, 0.0
        while not self._closed.wait(_LOOK_SECONDS if sent else 0):
            state, now = self.state(), time.monotonic()
            if state != sent or now - pulse > _PULSE_SECONDS:
                sent, pulse = state, now
                yield f"data: {json.dumps(state, ensure_ascii=False)}\n\n".encode()

    def _train(self, *_: object) -> Mapping[str, Any]:
        """Starts a training by the commands of the guide, unless one is running."""
        if missing := self.state()["missing"]:
            raise Refusal(HTTPStatus.CONFLICT, f"missing: {', '.join(missing)}")
        with self._lock:
            if self._thread.is_alive():
                raise Refusal(HTTPStatus.CONFLICT, "a training is running")
            self._canceled.clear()
            self._training = {"status": "running", "step": 0, "steps": 4, "epoch": ""}
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        return {}

    def _cancel(self, *_: object) -> Mapping[str, Any]:
        """Ends a training that is running, and deletes what it has written."""
        self._canceled.set()
        # None was started.
        with suppress(RuntimeError):
            self._thread.join()
        return {}

    def _run(self) -> None:
        number = max(self._numbers(), default=0) + 1
        folder = self._folder(number)
        steps = commands(self._recordings, folder)

        def watch() -> None:
            if self._canceled.is_set():
                raise InterruptedError
            begun = [log for job in steps if (log := job.log) is not None and log.is_file()]
            said = begun[-1].read_text(errors="replace") if begun else ""
            epoch = re.findall(r"^epoch (\d+/\d+) ", said, re.MULTILINE)[-1:]
            self._training = {"status": "running", "step": len(begun), "steps": len(steps), "epoch": "".join(epoch)}

        def ended(job: Job, status: int) -> bool:
            if status:
                raise failure(job, status)
            return False

        try:
            folder.mkdir()
            run_jobs(steps, at_once=1, on_exit=ended, watch=watch)
            self._training = self._result(number)
        except InterruptedError:
            shutil.rmtree(folder, ignore_errors=True)
            self._training = None
        except (OSError, ValueError, ZooError) as error:
            self._training = {"status": "failed", "reason": str(error)}

    def _folder(self, number: int) -> Path:
        return self._recordings.with_name(f"{self._recordings.name}-trained-{number}")

    def _numbers(self) -> list[int]:
        """The trainings whose folders are there."""
        found = self._recordings.parent.glob(f"{glob.escape(self._recordings.name)}-trained-*")
        ends = [path.name.rpartition("-")[2] for path in found]
        return sorted(int(end) for end in ends if end.isdecimal())

    def _result(self, number: int) -> dict[str, Any]:
        """What was measured in a training, whose model is published."""
        folder = self._folder(number)
        if not (model := folder / "exported" / "model.float32.tflite").is_file():
            raise ZooError(f"{model}: no such file")
        try:
            measured = json.loads((folder / _SCORES).read_text(encoding="utf-8"))
            shown = {name: measured[name] for name in ("classes", "confusion", "windows", "accuracy")}
            shown["people"] = [*measured["per_subject"]]
        except (LookupError, TypeError, ValueError):
            raise ZooError(f"{folder / _SCORES}: expected what zoo evaluate prints of a recognizer") from None
        return {"status": "done", "folder": folder.name, "address": self._publish(number, model), **shown}


def _trace(file: Path) -> list[list[float]]:
    """Seconds and acceleration in the middle of a recording."""
    rows = np.loadtxt(file, delimiter=",", skiprows=1, usecols=range(4), ndmin=2)
    rows[:, 0] -= (rows[0, 0] + rows[-1, 0] - _TRACE_SECONDS) / 2
    shown = rows[(rows[:, 0] >= 0) & (rows[:, 0] <= _TRACE_SECONDS)]
    return list(shown[:: max(1, -(-len(shown) // _TRACE_ROWS))].round(3).tolist())


def commands(collect: Path, folder: Path) -> list[Job]:
    """The commands of a training that read recordings and write to a folder."""
    data, ours, exported = (folder / name for name in ("ours.h5", "ours", "exported"))
    steps = {
        # The preset reads no gyroscope.
        "windows": ("data", "windows", collect, "-o", data, "--channels", "x,y,z"),
        "finetune": ("finetune", START, "--data", data, "--out", ours, "--epochs", _EPOCHS),
        "evaluate": ("evaluate", ours, "--data", data, "--no-baselines", "--json"),
        "export": ("export", ours, "--data", data, "--to", exported, "--formats", "float32"),
    }
    return [
        Job(name, python("zoo", *words), log=folder / (_MESSAGES if name == "evaluate" else f"{name}.log"),
            output=folder / _SCORES if name == "evaluate" else None)
        for name, words in steps.items()
    ]  # fmt: skip
