"""Recognizers that adapt to their owner by training the last layer on the device.

What a recognizer learns from one minute of windows can be wrong for the hours that follow. The last layer therefore
moves only part of the way from its earlier weights W to the learned ones W', as far as windows that were held back say
that it helps:

    W + s (W' - W),  s in {0, 0.1, 0.25, 0.5, 0.75, 1}

(Wortsman et al., "Robust fine-tuning of zero-shot models", 2022). Each window is held back once, and counts as
recognized if its label has more than half of the probability. Of the shares s that do not raise the mean cross-entropy,
the one with which the most windows are recognized is taken; of several, the smallest.

The phone page learns in the same way. It can learn new activities as well; for those, it takes the share with the
lowest mean cross-entropy. `restore` reads the file in which the page saves what it learned. The last layer of a
`.tflite` file has room for K classes; more are computed K - 1 at a time, each time beside a class r of weight zero,
whose logit is 0, so that with the temperature T

    (h W + b)_k / T = log p_k - log p_r
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.files import read_arrays, read_json, write_arrays
from zoo.runtime.recognizer import Recognizer, States
from zoo.schema import Field, Schema

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of the way to the learned weights that are tried."""

Head = dict[str, NDArray[np.float32]]
"""`kernel (H, K)` and `bias (K,)` of the last layer."""

_LEARNED = Schema("learned", facts=(
    Field("schema", kind="integer", choices=(1,)), Field("weights_sha256", kind="text"),
    Field("classes", "K", kind="name", distinct=True), Field("kernel", "HK"), Field("bias", "K"),
))  # fmt: skip
"""What the phone page saves."""


class PersonalRecognizer(Recognizer):
    """Runs and trains a `model.personal.tflite`, as written by `zoo export --personalize`.

    Args:
        path: Path of the file. It is never changed.

    Raises:
        ZooError: If the file cannot be trained.

    Example:
        >>> from zoo.catalog import PRESETS_FOLDER
        >>> recognizer = PersonalRecognizer(PRESETS_FOLDER / "activity_gru_pocket" / "model.personal.tflite")
        >>> still = np.full((4, 150, 3), (0.0, 0.0, 9.8), np.float32)
        >>> losses = recognizer.learn(still, np.full(4, recognizer.metadata.classes.index("sitting")), epochs=5)
        >>> losses[-1] < losses[0]
        True
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        if "train" not in self.signatures:
            raise ZooError(f"{self.path}: cannot learn; export one that can with `zoo export --personalize`")
        self._classes, self._streaming = self.metadata.classes, self.metadata.streaming
        self._wider: Head | None = None
        self._shift: NDArray[np.float32]

    def predict(self, windows: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Predicts calibrated probabilities of windows, as `Recognizer` does. It waits while another thread learns."""
        with self._lock:
            return super().predict(windows)

    def learn(
        self, windows: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], *, epochs: int = 20,
        rate: float = 0.02, seed: int = 0, folds: int = 3,
    ) -> list[float]:  # fmt: skip
        """Trains the last layer with one window per step, reshuffled in each epoch, and keeps what helps.

        Args:
            windows: Windows of the owner, `(N, window, channels)`.
            labels: Class indices `(N,)`. Include all classes, or the recognizer unlearns the others.
            epochs: Number of passes over the windows.
            rate: Learning rate, above 0.
            seed: Random seed of the shuffling.
            folds: Number of parts of the windows, each of which is held back once to decide how much of what was
                learned is kept, possibly nothing. With 0, or with too few windows to hold any back, everything is kept.

        Returns:
            The mean loss of each epoch.

        Raises:
            ZooError: If activities were restored for which the file has no room, or if there are no windows, not as
                many labels, or other labels than those of the file.
        """
        self._require_room()
        windows, labels = self._read(windows), np.asarray(labels)
        if not len(windows) or labels.shape != windows.shape[:1]:
            raise ZooError(f"learn: {len(windows)} windows and labels of shape {labels.shape}; expected one for each")
        if labels.dtype.kind not in "iu" or not 0 <= labels.min() <= labels.max() < len(self._classes):
            raise ZooError(f"learn: labels are {labels[:5]!r:.60}; expected class numbers below {len(self._classes)}")
        if epochs < 1 or not 0 < rate < np.inf:
            raise ZooError(f"learn: epochs is {epochs}, rate {rate}; expected 1 or more, and a number above 0")
        tried, parts = [], held_back(labels, folds)
        with self._lock:
            before = self._head()
            try:
                for part in parts:
                    self._train(windows[~part], labels[~part], epochs, rate, seed)
                    learned, answers = self._head(), []
                    for share in (0.0, *SHARES):
                        self._move(before, learned, share)
                        answers.append(self.predict(windows[part]))
                    tried.append(answers)
                    self._set_head(before)
                losses = self._train(windows, labels, epochs, rate, seed)
            except BaseException:
                # Whoever interrupts it has the recognizer as it was.
                self._set_head(before)
                raise
            if parts:
                truth = np.concatenate([labels[part] for part in parts])
                self._move(before, self._head(), helpful_share(np.concatenate(tried, axis=1), truth))
            return losses

    def _move(self, before: Head, learned: Head, share: float) -> None:
        self._set_head({name: before[name] + np.float32(share) * (learned[name] - before[name]) for name in before})

    def _train(
        self, windows: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], epochs: int, rate: float, seed: int
    ) -> list[float]:
        random, losses = np.random.default_rng(seed), np.empty((epochs, len(windows)))
        rows, rates = windows.astype(np.float32), np.array(rate, np.float32)
        for epoch in range(epochs):
            for place, i in enumerate(random.permutation(len(windows))):
                row, label = rows[i : i + 1], np.array([labels[i]], np.int32)
                losses[epoch, place] = self.run("train", window=row, label=label, rate=rates)["loss"][0]
        return [float(loss) for loss in losses.mean(axis=1)]

    def _head(self) -> Head:
        return {name: np.array(weights) for name, weights in self.run("save").items()}

    def _set_head(self, head: Head) -> None:
        self.run("restore", new_kernel=head["kernel"], new_bias=head["bias"])

    def save(self, path: str | Path) -> None:
        """Saves the learned weights, a few hundred numbers, to a `.npz` file.

        Raises:
            ZooError: If activities were restored for which the file has no room.
        """
        self._require_room()
        learned = self._head()
        write_arrays(
            Path(path), weights_sha256=self.metadata.weights_sha256, kernel=learned["kernel"], bias=learned["bias"]
        )

    def restore(self, path: str | Path) -> None:
        """Loads weights written by `save`, or by the phone page, which may have learned more activities.

        Args:
            path: `.npz` file, or `.json` file of the page. The activities of the latter become those of the metadata.

        Raises:
            ZooError: If the file is missing, is not one of learned weights, or is of another model.
        """
        path = Path(path)
        if path.suffix == ".json":
            with self._lock:
                self._restore_page(path)
            return
        saved = dict(read_arrays(path))
        # Older files do not say of which model they are.
        if (model := str(saved.pop("weights_sha256", self.metadata.weights_sha256))) != self.metadata.weights_sha256:
            raise ZooError(f"{path}: learned by another model ({model[:12]})")
        if set(saved) != {"kernel", "bias"}:
            raise ZooError(f"{path}: holds no learned weights (arrays {', '.join(sorted(saved)) or 'none'})")
        with self._lock:
            self._set_head(saved)
            self._wider = None
            self.metadata = replace(self.metadata, classes=self._classes, streaming=self._streaming)

    def _restore_page(self, path: Path) -> None:
        """Reads what the phone page learned: its activities and its last layer."""
        document = read_json(path)
        if wrong := _LEARNED.problem(document) if isinstance(document, dict) else "is no document":
            raise ZooError(f"{path}: holds nothing that the phone page learned: {wrong}")
        if document["weights_sha256"] != self.metadata.weights_sha256:
            raise ZooError(f"{path}: learned by another model ({document.get('preset', 'not stated')})")
        classes = tuple(document["classes"])
        if classes[: len(self._classes)] != self._classes:
            raise ZooError(f"{path}: classes are {classes}; expected {', '.join(self._classes)} and others after them")
        head = {name: np.array(document[name], np.float32) for name in ("kernel", "bias")}
        # Labels that the groups of the file lack have no place in them: all are followed in one group.
        streaming = self._streaming if classes == self._classes else replace(self._streaming, groups=())
        self.metadata = replace(self.metadata, classes=classes, streaming=streaming)
        self._wider = None
        # What the file adds to logits for an assumed prior, up to a constant. The page has it in its bias.
        before = self._head()
        self._set_head({name: np.zeros_like(weights) for name, weights in before.items()})
        nothing = np.zeros((1, self.metadata.window, len(self.metadata.axes)), np.float32)
        self._shift = _log(super()._run_window(nothing)[0])[0]
        self._set_head(before)
        if len(classes) > len(self._classes):
            self._wider = head
            return
        shift = np.float32(self.metadata.temperature) * self._shift
        self._set_head({"kernel": head["kernel"], "bias": head["bias"] - shift})

    def _require_room(self) -> None:
        if self._wider is not None:
            raise ZooError(
                f"{self.path}: has room for {len(self._classes)} activities and {len(self.metadata.classes)} were "
                "restored; teach it more on the page that wrote them"
            )

    def _run_window(
        self, window: NDArray[np.float32], states: Mapping[str, NDArray[np.float32]] | None = None
    ) -> tuple[NDArray[np.float32], States]:
        if self._wider is None:
            return super()._run_window(window, states)
        room, logits = len(self._classes) - 1, []
        for start in range(0, len(self._wider["bias"]), room):
            part = {name: weights[..., start : start + room] for name, weights in self._wider.items()}
            count = part["bias"].shape[0]
            # Up to the width of the file's last layer: at least one class of weight zero.
            missing = (0, room + 1 - count)
            padded = {name: np.pad(part[name], [*[(0, 0)] * (part[name].ndim - 1), missing]) for name in part}
            with self._lock:
                self._set_head(padded)
                logs = _log(super()._run_window(window)[0]) - self._shift
            logits.append(logs[:, :count] - logs[:, room:])
        joined = np.concatenate(logits, axis=1)
        powers = np.exp(joined - joined.max())
        return powers / powers.sum(), {}


def _log(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.log(np.maximum(probabilities, np.finfo(np.float32).tiny)))


def rank_in_class(labels: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """How many of the labels before each are the same."""
    return np.array([int((labels[:place] == label).sum()) for place, label in enumerate(labels)], np.int64)


def held_back(labels: NDArray[np.integer[Any]], folds: int) -> list[NDArray[np.bool_]]:
    """Flags of the windows of each of some parts, in which all classes are; none where all would be in one part."""
    fold_of = rank_in_class(labels) % max(folds, 1)
    return [part for part in (fold_of == fold for fold in range(folds)) if part.any() and not part.all()]


def helpful_share(probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """The one of 0 and `SHARES` that helps on windows held back, by their probabilities `(6, N, K)` with each share."""
    of_label = probabilities[:, np.arange(len(labels)), labels].astype(np.float32)
    losses, recognized = -_log(of_label).mean(axis=1), (of_label > 0.5).sum(axis=1)
    # The first of several that are equal.
    return (0.0, *SHARES)[int(np.where(losses <= losses[0], recognized, -1).argmax())]
