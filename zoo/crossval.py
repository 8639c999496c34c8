"""Cross-validation over people or studies: the score of a recipe on those it was not trained on, and its spread.

    folds -> each trained and scored in a process of its own -> a record and its predictions -> one result

The folds are those of one network and its baselines, or in a benchmark of several networks, whose scores are compared.

A fold is trained on the windows outside it as `zoo train` does, and scored on those inside as `zoo evaluate` does: the
network, its normalization, early stopping and temperature, or a baseline with its scaling, are all fitted outside. Each
fold leaves its record and predictions in the folder, so that a killed run resumes where it was; a fold itself resumes
from its checkpoint.

    python -m zoo.crossval WORK NUMBER

trains one fold of the pickled `Folds` in the file. Its process has one thread, so that results do not depend on how
many run at once. The processes are those of `jobs`, as in a search: in joblib's pool, one worker that is killed for
lack of memory ends all other folds.
"""

import importlib.metadata
import pickle
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.model_selection import GroupKFold
from sklearn.utils import get_tags

from zoo import files, jobs, presets
from zoo.activity import comparison, finetuning, metrics
from zoo.activity.evaluation import answers, behind, keras_logits
from zoo.activity.task import TASK
from zoo.benchmarking import window_ms
from zoo.data.dataset import Data, DataSet
from zoo.errors import ZooError, option
from zoo.exporting import artifacts
from zoo.exporting.artifacts import Tolerance
from zoo.families import find_family
from zoo.loading import Loaded
from zoo.models.function import measure, run_code
from zoo.models.recognizer import ActivityRecognizer
from zoo.provenance import already_seen, spelled, versions, weights_sha256
from zoo.report.screen import quiet
from zoo.runtime import Interpreter
from zoo.runtime.labels import COUNTED, allowed_classes, forgive, indistinct, resolve
from zoo.training import Training, few_steps, fit

CONFIG, RESULTS = "crossval.json", "results.json"
"""In the folder: the file that describes the cross-validation, and its result."""

METHODS, BENCHMARK = "methods.json", "benchmark.json"
"""The same of a benchmark."""

SUBJECT, STUDY = "subject", "study"
"""What is held out: whole people, or whole studies."""

LOSO = "loso"
"""Leave one subject out: as many groups as people."""

_FITTED = (*TASK.fitted, "mean", "variance", "carry_state", "seed", "name", "frozen", "quantized")
"""Arguments of a model that its training, or the recipe, decides, and what is done to its layers afterward."""

# Measured on a core of a Xeon: networks of 4,000 to 13,000 parameters, recurrent or not, take 0.17 to 0.23 ms for a
# window and pass, and larger ones about in proportion. Imports and compilation come before.
_START_SECONDS, _WINDOW_SECONDS, _USUAL_PARAMETERS = 8.0, 2e-4, 13_000
_ATTEMPTS, _WORST, _TIMES = 3, 3, ("started", "seconds")
_LOCK_SECONDS = 3600.0

Record = dict[str, Any]
"""The state of a fold. `status` is `waiting`, `running`, `scored`, or `failed`, which has a `reason`."""


@dataclass(frozen=True)
class Fold:
    """One training, and the windows that it is scored on: those of a `group`, from 0, of subjects or of studies.

    It is trained on all others, or on so many `people` of them.
    """

    method: str
    split: str
    seed: int
    group: int
    people: int | None = None

    @property
    def name(self) -> str:
        """The stem of its files, such as `random_forest.subject.0.3`, or `random_forest.subject.0.3.4people`."""
        return f"{self.method}.{self.split}.{self.seed}.{self.group}{f'.{self.people}people' if self.people else ''}"

    def file(self, folder: Path, suffix: str) -> Path:
        """One of its files in the folder of a cross-validation."""
        return folder / "folds" / f"{self.name}.{suffix}"

    def record(self, folder: Path) -> Record:
        """Its current state."""
        path = self.file(folder, "json")
        return files.read_json(path) if path.is_file() else {"status": "waiting"}


Records = dict[Fold, Record]
Arrays = dict[str, NDArray[Any]]
OnStart = Callable[[int, float], None]
"""What is called before the first fold, with the number of trainings and their expected seconds."""
OnProgress = Callable[[Records], None]
"""What is called with all records again and again."""


def _nothing(*_: Any) -> None:
    """Shows no progress."""


class Search(NamedTuple):
    """What finds a training on the training side of a fold.

    `best` returns, from data, a seed and a folder that it resumes in, the best of `trials` on validation people.
    """

    trials: int
    best: Callable[[Data, int, Path], Training]


@dataclass(frozen=True)
class Protocol:
    """How recipes are cross-validated.

    `groups` is a number of groups of people, or `loso`, one a person, or `study`. All folds are trained with `seeds`
    seeds, from the recipe's. With `everyone`, the people of the test set are in the groups as well. With `models`, the
    network of each fold stays in the folder, as `folds/NAME.keras`. `estimators` are baselines of a user's own by name.
    With a recognizer to `start` from, which has the labels of the data, each fold is a fine-tuning of its weights. A
    `curve` has numbers of people on whom each fold is trained as well. `searches` choose the training of a network, by
    its name, in each fold.
    """

    groups: int | str = 5
    seeds: int = 1
    baselines: Sequence[str] = ()
    everyone: bool = False
    models: bool = False
    estimators: Mapping[str, Any] = field(default_factory=dict)
    start: ActivityRecognizer | None = None
    curve: Sequence[int] = ()
    searches: Mapping[str, Search] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.groups not in (LOSO, STUDY) and not (type(self.groups) is int and self.groups >= 2):
            raise ZooError(f"groups is {self.groups}; expected 2 or more, {LOSO} or {STUDY}")
        for name in self.baselines:
            metrics.require_baseline(name)
        for name, estimator in self.estimators.items():
            own = isinstance(estimator, BaseEstimator)
            if (kind := get_tags(estimator).estimator_type if own else "stranger") not in ("classifier", None):
                raise ZooError(f"{name}: is a {kind}; expected a classifier of scikit-learn")

    def count(self, data: Data) -> int:
        """The number of groups for the people, or the studies, in a file; refuses too few."""
        people = len(data.train.people())
        if not people:
            raise ZooError(f"{data}: no subject ids (key 'trS'), so no person can be held out: add them")
        if self.groups == STUDY:
            studies = data.train.names("study")
            if len(studies) < 2:
                raise ZooError(
                    f"{data}: of {''.join(studies) or 'no study'} (key 'trStudy'), so no study can be held out: import "
                    "several with `zoo data import STUDY`, and cut them together with `zoo data windows`"
                )
            return len(studies)
        groups = people if self.groups == LOSO else int(self.groups)
        if groups > people or people < 2:
            where = "training and test (keys 'trS', 'tstS')" if self.everyone else "training (key 'trS')"
            fewer = "2" if people == 2 else f"2 to {people}"
            several = f"{people} people in {where} for {groups} groups: each needs one; ask for {fewer} groups"
            alone = f"one person in {where}, whom no fold can hold out: name several days as people, as ann-monday"
            raise ZooError(f"{data}: {several if people > 1 else alone}, or record more people")
        return groups

    def folds(self, trainings: Sequence[Training], data: Data) -> list[Fold]:
        """All folds, in the order in which they are run, with the same seeds for all methods."""
        groups, first = self.count(data), trainings[0].recipe.seed
        split = STUDY if self.groups == STUDY else SUBJECT
        masks = held_out(data.train, split, self.groups)
        for mask in masks if data.other_class is not None else ():
            if (data.train.labels[mask] == data.other_class).all():
                who = ", ".join(data.train.where(mask).names("study" if split == STUDY else "subject"))
                raise ZooError(f"{data}: {who}: has other movements alone, which a fold cannot score: leave it out")
        methods = {training.name: self.seeds for training in trainings}
        for name in (*self.baselines, *self.estimators):
            methods[name] = 1 if metrics.is_seedless(self.estimators.get(name, name)) else self.seeds
        if self.curve:
            least = min(len(data.train.where(~mask).people()) for mask in masks)
            if (most := max(self.curve)) >= least:
                raise ZooError(f"{option('learning_curve', most)}: a fold trains on {least} people: ask for fewer")
        return [
            Fold(method, split, seed, group, people)
            for people in (None, *sorted({*self.curve}))
            for method, seeds in methods.items()
            # What has no seed of its own learns from other people with each.
            for seed in range(first, first + (self.seeds if people else seeds))
            for group in range(groups)
        ]


def held_out(windows: DataSet, split: str, groups: int | str) -> list[NDArray[np.bool_]]:
    """Which windows each fold holds out, as masks `(len(windows),)`; each window is held out exactly once."""
    if split == STUDY:
        return [windows.studies == study for study in np.unique(windows.studies)]
    count = len(windows.people()) if groups == LOSO else int(groups)
    parts = GroupKFold(count, shuffle=True, random_state=0).split(windows.labels, groups=windows.subjects)
    return [np.isin(np.arange(len(windows)), rows) for _, rows in parts]


def cross_validate(
    trainings: Training | Sequence[Training], source: Any, folder: Path | None = None, protocol: Protocol | None = None,
    *, workers: Any = 1, on_start: OnStart = _nothing, on_progress: OnProgress = _nothing, command: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Cross-validates over groups of people: of the training set, or with `everyone` of all data.

    Several trainings, whose names are those of the methods, are a benchmark: they have the same folds and seeds, and
    are compared with each other and with the baselines. A later call in the same folder may have more of them.

    Where three people or fewer are left outside a fold, all of them are trained on, and the fold has no temperature.
    After a kill, the same call resumes: folds that have a score are not run again. The number of `workers`, processes
    that train at once or 0 for this one, does not change the result, nor does the client of a Dask cluster in its
    place, which has all folds, and whose machines share the folder. The result is also written as `results.json`, or as
    `benchmark.json`: as this has no times, not even the `milliseconds` of networks, it has the same bytes after a kill.
    """
    protocol, alone = protocol or Protocol(), isinstance(trainings, Training)
    plans = (trainings,) if isinstance(trainings, Training) else tuple(trainings)
    # Of a trained model, each fold takes what it is, not what it has learned from people whom the fold leaves out.
    learned = any(plan.name in presets.PRESETS or plan.arguments.get("provenance") is not None for plan in plans)
    data = TASK.load_data(source)
    data = data.everyone() if protocol.everyone else data
    plans, read = zip(*(_matched(plan, data) for plan in plans), strict=True)
    # Several answer in the order of the labels of the data, by which those of later calls can be compared with them.
    data = read[0] if alone else data
    chosen = protocol.folds(plans, data)
    methods = {} if alone else {plan.name: plan.to_json() for plan in plans}
    for name, estimator in protocol.estimators.items():
        # Its parameters, but not the code of functions.
        methods[name] = {"estimator": spelled(repr(estimator))}
    identity: dict[str, Any] = plans[0].to_json() if alone else {"classes": list(data.classes)}
    identity |= {
        "groups": protocol.groups, "everyone": protocol.everyone, "data_sha256": data.sha256,
        **({"methods": methods} if methods else {}), **({"models": True} if protocol.models else {}),
        **({"rows": data.digest()} if isinstance(source, Data) else {}),
        **({"start": weights_sha256(protocol.start.weights)} if protocol.start else {}),
    }  # fmt: skip
    with ExitStack() as stack:
        folder = folder or stack.enter_context(files.temporary_folder()) / "crossval"
        stack.enter_context(files.exclusive_folder(folder))
        files.claim_folder(folder / (CONFIG if alone else METHODS), identity, "cross-validation", "methods")
        folds = Folds(folder, plans, data, protocol)
        records, libraries = folds.run(chosen, workers=workers, on_start=on_start, on_progress=on_progress), versions()
        if "minirocket" in protocol.baselines:
            libraries["aeon"] = importlib.metadata.version("aeon")
        result = {
            "command": command, "data": Path(str(data)).name, "data_sha256": data.sha256,
            **(folds.results(records) if alone else folds.comparison(records)), "seed": plans[0].recipe.seed,
            "machine": libraries.pop("machine"), "versions": libraries,
        }  # fmt: skip
        if protocol.start:
            result["notes"].insert(0, _known_to(protocol.start, data))
        elif learned and alone:
            result["notes"].insert(0, f"each fold trains from scratch; {option('finetune')} starts from its weights")
        if alone:
            files.write_json(folder / RESULTS, result)
        else:
            untimed = {name: _without(row, ("milliseconds",)) for name, row in result["methods"].items()}
            files.write_json(folder / BENCHMARK, result | {"methods": untimed})
    return result


def _without(row: Record, names: Container[str]) -> Record:
    return {name: value for name, value in row.items() if name not in names}


def _matched(training: Training, data: Data) -> tuple[Training, Data]:
    """A training without what it has learned, and data that it reads, in its order of the labels."""
    if find_family(training.family).task != "activity":
        raise ZooError(f"{training.name}: has no people to hold out; choose an activity recognizer")
    arguments = {name: value for name, value in training.arguments.items() if name not in _FITTED}
    data = training.match(data, arguments)
    return replace(training, arguments=arguments | ({"classes": data.classes} if "classes" in arguments else {})), data


def _known_to(start: ActivityRecognizer, data: Data) -> str:
    """Whom of the people in data a model has learned from, whose scores are not those of new people."""
    people = data.train.people()
    known = already_seen(people, data.source, TASK.metadata(start), data.sha256)
    whom = "none of these people"
    if known:
        whom = f"{len(known)} of these {len(people)} people ({', '.join(known)}), so this is no score on new people"
    return f"each fold starts from the weights of {start.name}, which knows {whom}"


@dataclass(frozen=True)
class Folds:
    """Cross-validations whose data has been checked; they run and score folds, whose files are in their folder."""

    folder: Path
    trainings: Sequence[Training]
    data: Data
    protocol: Protocol

    @property
    def networks(self) -> dict[str, Training]:
        """The trainings by the names of their methods; all other methods are baselines."""
        return {training.name: training for training in self.trainings}

    def _expected_seconds(self, method: str, people: int | None) -> float:
        """About how long a fold of a network takes on one core, if it does not end early."""
        data, training, window = self.data, self.networks[method], self.data.train.inputs.shape[1]
        rows = len(data.train) * (people / len(data.train.people()) if people else 1 - 1 / self.protocol.count(data))
        facts = {"window": window, "rate": data.rate, "channels": data.axes, "classes": data.classes}
        parameters: int = training.make.parameter_formula(**{**facts, **training.arguments})
        windows = training.recipe.length * training.recipe.passes(round(rows)) * rows
        each = _START_SECONDS + windows * _WINDOW_SECONDS * max(1.0, parameters / _USUAL_PARAMETERS)
        return each * (1 + self.protocol.searches[method].trials) if method in self.protocol.searches else each

    def run(
        self, chosen: Sequence[Fold], *, workers: Any = 1, on_start: OnStart = _nothing,
        on_progress: OnProgress = _nothing,
    ) -> Records:  # fmt: skip
        """Runs folds until each has a score or has failed; a process that is killed by a signal is started again."""
        waiting = [fold for fold in chosen if fold.record(self.folder)["status"] != "scored"]
        trained = Counter((fold.method, fold.people) for fold in waiting if fold.method in self.networks)
        seconds = sum(count * self._expected_seconds(*kind) for kind, count in trained.items())
        on_start(trained.total(), seconds / max(1, jobs.count(workers)))
        for fold in waiting:
            fold.file(self.folder, "json").unlink(missing_ok=True)

        def records() -> Records:
            return {fold: fold.record(self.folder) for fold in chosen}

        if workers == 0:
            for fold in waiting:
                self.run_one(fold)
                on_progress(records())
            return records()
        attempts: Counter[jobs.Job] = Counter()

        def on_exit(job: jobs.Job, status: int) -> bool:
            attempts[job] += 1
            record = work[job].record(self.folder)
            if record["status"] in ("scored", "failed"):
                return False
            if status < 0 and attempts[job] < _ATTEMPTS:
                return True
            how = f"was killed by signal {-status}, {_ATTEMPTS} times" if status < 0 else f"ended with status {status}"
            reason = f"its process {how}; see {job.log}"
            files.write_json(work[job].file(self.folder, "json"), record | {"status": "failed", "reason": reason})
            return False

        for name, own in {**self.protocol.estimators, **self.protocol.searches, "loss": self.trainings[0].loss}.items():
            # What has no name in a module cannot be pickled at all.
            pickled = b"__main__"
            with suppress(pickle.PicklingError, AttributeError, TypeError):
                pickled = pickle.dumps(own)
            if b"__main__" in pickled:
                raise ZooError(
                    f"{name}: no other process can import what it is made of: put it into a module, or pass workers=0"
                )
        # In the folder, which the machines of a cluster share.
        plan = self.folder / "folds" / ".plan"
        # What was passed may be in memory alone. Of a file, only its name is in the pickle.
        trainings = [replace(training, metrics={}) for training in self.trainings]
        with files.atomic_write(plan) as draft:
            draft.write_bytes(pickle.dumps((replace(self, trainings=trainings), waiting)))
        work = {
            jobs.Job(fold.name, jobs.python("zoo.crossval", plan, number), jobs.limit_threads(1),
                     fold.file(self.folder, "log")): fold
            for number, fold in enumerate(waiting)
        }  # fmt: skip
        try:
            jobs.run_jobs(work, at_once=workers, on_exit=on_exit, watch=lambda: on_progress(records()))
        finally:
            plan.unlink(missing_ok=True)
        return records()

    def run_one(self, fold: Fold) -> None:
        """Trains and scores a fold in this process, and writes its record and predictions."""
        record: Record = {"status": "running", "epochs": 0, "started": time.time()}

        def note(**news: Any) -> None:
            record.update(news)
            files.write_json(fold.file(self.folder, "json"), record)

        note()
        try:
            scores = self._train_and_score(fold, note)
            note(**scores, status="scored", seconds=round(time.time() - record["started"], 1))
        except Exception as error:
            # A failure of one fold does not end the others.
            note(status="failed", reason=jobs.reason(error))
        else:
            # The trials of a fold that has failed are not made again.
            shutil.rmtree(fold.file(self.folder, "search"), ignore_errors=True)
        fold.file(self.folder, "npz.checkpoint").unlink(missing_ok=True)

    def _train_and_score(self, fold: Fold, note: Callable[..., None]) -> Record:
        windows = self.data.train.in_memory()
        mask = held_out(windows, fold.split, self.protocol.groups)[fold.group]
        train, test, classes = windows.where(~mask), windows.where(mask), len(self.data.classes)
        if fold.people:
            order = np.random.default_rng([fold.seed, fold.group]).permutation(train.people())
            train = train.where(np.isin(train.subjects, order[: fold.people]))
        # What training cannot tell apart is not told apart in the scores.
        alike = indistinct(train.labels, classes, train.label_sets)
        note(
            subjects=test.people(), windows=len(test), train_windows=len(train),
            study=str(test.studies[0]) if fold.split == STUDY and test.studies is not None else None, indistinct=alike,
        )  # fmt: skip
        details: Record = {}
        arrays: dict[str, Any] = {"rows": np.flatnonzero(mask)}
        if fold.method in self.networks:
            scores, details = self._network(fold, train, test, note)
            arrays["logits"] = scores
        else:
            baseline = self.protocol.estimators.get(fold.method, fold.method)
            # As many rows as the longest network reads.
            read = [training.arguments.get("window") or windows.inputs.shape[1] for training in self.trainings]
            scores = metrics.fit_baseline(baseline, train, max(read), seed=fold.seed, jobs=1)(test)
        labels = resolve(test.labels, scores, test.label_sets)
        predicted = forgive(labels, scores.argmax(axis=1), alike)
        files.write_arrays(fold.file(self.folder, "npz"), **arrays, labels=labels, predicted=predicted)
        if fold.split == STUDY:
            labels, predicted = metrics.study_labels(test.labels, np.eye(classes)[predicted], test.label_sets)
        return details | metrics.score(labels, predicted, self.data.other_class)

    def _network(
        self, fold: Fold, train: DataSet, test: DataSet, note: Callable[..., None]
    ) -> tuple[NDArray[np.float32], Record]:
        training, chosen = self.networks[fold.method], {}
        if search := self.protocol.searches.get(fold.method):
            training = search.best(replace(self.data, train=train), fold.seed, fold.file(self.folder, "search"))
            chosen = {"training": {"arguments": training.arguments, "recipe": training.recipe.to_json()}}
        recipe = training.recipe.replace(seed=fold.seed)
        # By the rule of every training: of few people all are trained on, and none of them calibrates the model.
        split = replace(TASK.split(replace(self.data, train=train), recipe, folds=True), folds=())
        if self.protocol.start:
            model = self.protocol.start.copy()
            finetuning.fit_head(model, split.train)
        else:
            model = TASK.build(replace(training, recipe=recipe), split)
        progress = jobs.throttled(lambda epoch, logs: note(epochs=epoch + 1))
        fitted = fit(
            model, recipe, training.feed(model, split, recipe), checkpoint=fold.file(self.folder, "npz.checkpoint"),
            identity=training.identity(model, self.data) | {"fold": fold.name},
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=progress)],
        )  # fmt: skip
        TASK.finish(model, split, recipe)
        if self.protocol.models:
            model.save(fold.file(self.folder, "keras"))
        temperature = None if split.validation is None else model.temperature
        logits, _ = answers(partial(keras_logits, model), test)
        return logits, {
            "epochs": len(fitted.history), "best_epoch": fitted.best_epoch, "steps_per_epoch": fitted.steps,
            "temperature": temperature, **chosen,
        }  # fmt: skip

    def results(self, records: Records) -> dict[str, Any]:
        """The scores of the only network and of the baselines that have any, and what to know about them."""
        summaries, answered = self._scored(records)
        (training,) = self.trainings
        if (network := summaries.pop(training.name, None)) is None:
            raise ZooError(
                f"{self.folder}: {training.name} failed in every fold, the last time for this reason: "
                f"{_reasons(records)[-1]}"
            )
        for method, summary in summaries.items():
            summary["difference"] = metrics.paired_difference(answered[training.name], answered[method])
        steps = min(row["steps_per_epoch"] for row in network["folds"] if row["status"] == "scored")
        facts = self._facts(records, behind({**network, "baselines": summaries}, training.name))
        return {
            "preset": training.name, **network, **facts, "baselines": summaries,
            "steps": training.recipe.length * steps, "arguments": training.arguments,
            "recipe": training.recipe.to_json(), **training.written,
            **({"own_metrics": [*training.metrics]} if training.metrics else {}),
        }  # fmt: skip

    def comparison(self, records: Records) -> dict[str, Any]:
        """The scores of all methods that have any, the best first, and how they differ."""
        summaries, answered = self._scored({fold: row for fold, row in records.items() if not fold.people})
        if len(summaries) < 2:
            raise ZooError(
                f"{self.folder}: fewer than two methods have a score; the last one failed for this reason: "
                f"{_reasons(records)[-1]}"
            )
        order = sorted(summaries, key=lambda name: -summaries[name]["macro_f1"])
        pairs = comparison.pairs({name: answered[name] for name in order})
        people = {name: summaries[name]["per_subject"] for name in order}
        accuracies = {name: {who: row["accuracy"] for who, row in part.items()} for name, part in people.items()}
        for name in order:
            gap = next((row for row in pairs if (row["one"], row["other"]) == (order[0], name)), None)
            # A search finds another network in each fold.
            is_fixed = name in self.networks.keys() - self.protocol.searches
            costs = costs_of(self.networks[name], self.data) if is_fixed else {}
            # What differs from run to run is left out.
            folds = [_without(row, _TIMES) for row in summaries[name]["folds"]]
            last = min(accuracies[name], key=accuracies[name].__getitem__)
            worst = {"subject": last, "accuracy": accuracies[name][last]}
            summaries[name] |= {"difference": gap, "worst": worst, "folds": folds, **costs}
            summaries[name] |= self._curve(name, records)
        notes = [] if order[0] in self.networks else [f"the best is a baseline, {order[0]}"]
        recipes = [plan.recipe.to_json() for plan in self.trainings if plan.name not in self.protocol.searches]
        if differing := [name for name in recipes[0] if any(recipe[name] != recipes[0][name] for recipe in recipes)]:
            notes.append(f"the recipes differ in {', '.join(differing)}")
        if self.protocol.curve and any(recipe["steps"] is None for recipe in recipes):
            notes.append("the recipe states epochs, so fewer people are fewer steps as well: state steps instead")
        return self._facts(records, notes) | {
            "classes": list(self.data.classes), "best": order[0], "methods": {name: summaries[name] for name in order},
            "pairs": pairs, "ranks": comparison.ranks(accuracies),
        }  # fmt: skip

    def _curve(self, method: str, records: Records) -> dict[str, Any]:
        """The scores of a method by the number of people that folds were trained on; `all` have their mean number."""
        points, everyone = dict[str, Record](), len(self.data.train.people())
        for people in (*sorted({*self.protocol.curve}), None):
            part = {fold: row for fold, row in records.items()
                    if (fold.method, fold.people, row["status"]) == (method, people, "scored")}  # fmt: skip
            points[str(people or "all")] = {} if not part else {
                "people": people or fmean(everyone - len(row["subjects"]) for row in part.values()),
                **metrics.scores(*self._answers(fold_arrays(self.folder, part))),
            }  # fmt: skip
        return {"learning_curve": points} if self.protocol.curve else {}

    def _scored(self, records: Records) -> tuple[dict[str, Any], dict[str, Any]]:
        """The summaries and the answers of the methods that have scores."""
        summaries, answered = dict[str, Any](), dict[str, Any]()
        for method in dict.fromkeys(fold.method for fold in records):
            part = {fold: record for fold, record in records.items() if fold.method == method}
            if any(record["status"] == "scored" for record in part.values()):
                arrays = fold_arrays(self.folder, part)
                summaries[method], answered[method] = self.summary(part, arrays), self._answers(arrays)
        return summaries, answered

    def _facts(self, records: Records, compared: Sequence[str]) -> dict[str, Any]:
        """What was done, with notes, among them those on what was `compared`."""
        split, reasons, said = next(iter(records)).split, _reasons(records), dict[str, list[str]]()
        for training in self.trainings:
            if training.name in self.protocol.searches:
                said.setdefault("each fold has a recipe of its own", []).append(training.name)
                continue
            rows = [row for fold, row in records.items() if fold.method == training.name and not fold.people]
            scored, validation = [row for row in rows if row["status"] == "scored"], training.recipe.validation
            alone = sum(row["temperature"] is None for row in scored)
            of_network = few_steps(training.recipe, min((row["steps_per_epoch"] for row in scored), default=0))
            if not validation:
                of_network.append("the recipe has no validation set, so no fold has a temperature of its own")
            elif alone:
                of_network += [f"{alone} of {len(rows)} folds train on three people or fewer, all of them, so they "
                               "have no temperature of their own"]  # fmt: skip
            for note in of_network:
                said.setdefault(note, []).append(training.name)
        lonely = _of_one_study(self.data) if split == STUDY else []
        notes = {
            "the people of the test set are in the folds: what is chosen by this cannot be tested on them":
                self.protocol.everyone,
            "simulated data: these windows are synthetic": self.data.simulated,
            f"{len(reasons)} of {len(records)} folds failed, so their windows are missing from the scores; the last "
            f"one for this reason: {reasons[-1] if reasons else ''}": reasons,
            COUNTED: self.data.label_sets,
            f"no other study has {', '.join(lonely)}, so none of their windows can be recognized": lonely,
        }  # fmt: skip
        return {
            "split": "cross-validation", "simulated": self.data.simulated, "source": self.data.source,
            "split_by": split, "people": len(self.data.train.people()),
            "everyone": self.protocol.everyone, "groups": self.protocol.count(self.data), "seeds": self.protocol.seeds,
            "notes": [
                *compared, *(note for note, applies in notes.items() if applies),
                *(note if len(names) == len(self.trainings) else f"{', '.join(names)}: {note}"
                  for note, names in said.items()),
            ],
        }  # fmt: skip

    def _answers(self, arrays: Arrays) -> tuple[metrics.Labels, metrics.Labels, NDArray[np.str_]]:
        """Labels, predictions and people of the windows of known activities."""
        known, predicted = metrics.of_known(arrays["labels"], arrays["predicted"], self.data.other_class)
        return arrays["labels"][known], predicted[known], self.data.train.subjects[arrays["rows"]][known]

    def summary(self, records: Records, arrays: Arrays) -> dict[str, Any]:
        """Scores one method on all folds together, of which at least one has a score, by what `fold_arrays` reads."""
        windows = self.data.train
        rows, labels, predicted, seeds = (arrays[name] for name in ("rows", "labels", "predicted", "seeds"))
        known = windows.labels[rows]
        subjects, other = windows.subjects[rows], self.data.other_class
        of_known = labels != other
        summary: dict[str, Any] = {"windows": int(of_known.sum())}
        summary |= metrics.classification(labels, predicted, self.data.classes, subjects, other)
        if windows.studies is not None:
            answered = np.eye(len(self.data.classes))[predicted]
            summary["per_study"] = metrics.by_study(known, answered, windows.studies[rows], self.data.label_sets, other)
        people = summary["per_subject"]
        for name, row in people.items():
            of_person = (subjects == name) & of_known
            row["windows"] = len(np.unique(rows[of_person]))
            row["accuracy_by_seed"] = [
                float((labels == predicted)[of_person & (seeds == seed)].mean())
                for seed in np.unique(seeds[subjects == name])
            ]
        summary["worst_subjects"] = sorted(people, key=lambda name: people[name]["accuracy"])[:_WORST]
        scaled = None
        if "logits" in arrays:
            logits, temperatures = (arrays[name].astype(np.float64) for name in ("logits", "temperatures"))
            rate = self.networks[next(iter(records)).method].recipe.rejection_rate
            sets = self.data.label_sets
            summary |= calibration(known, logits, temperatures, rate, other, sets)
            scaled = logits / np.where(np.isnan(temperatures), 1.0, temperatures)[:, None]
        summary |= measure(self.trainings[0].metrics, labels, predicted, scaled, other)
        return {
            **summary,
            **spread(
                {(fold.seed, fold.group): row["macro_f1"] for fold, row in records.items() if row["status"] == "scored"}
            ),
            "folds": [{"seed": fold.seed, "group": fold.group, **record} for fold, record in records.items()],
        }


def costs_of(training: Training, data: Data) -> dict[str, Any]:
    """A network, its `parameters`, and of its file of dynamic range the `bytes`, and the `milliseconds` of a window.

    `streams` says whether the file also answers row by row, by states. They are None if it cannot be written.
    """
    model = TASK.build(training, replace(TASK.split(data, training.recipe), folds=()))
    loaded, costs = Loaded(training.name, model), dict[str, Any](bytes=None, streams=None, milliseconds=None)
    with files.temporary_folder() as scratch, quiet(), suppress(ZooError):
        # Rounding may change the answers of a network that has learned nothing.
        kinds = replace(TASK.exportable(loaded, None), tolerances={"dynamic": Tolerance(np.inf)})
        (row,) = artifacts.export(loaded, kinds, scratch / "files")
        interpreter = Interpreter(scratch / "files" / row["file"])
        streams = "step" in interpreter.signatures
        costs = {"bytes": row["bytes"], "streams": streams, "milliseconds": window_ms(interpreter)}
    return {"training": training.to_json(), "parameters": model.count_params(), **costs}


def _reasons(records: Records) -> list[str]:
    return [record["reason"] for record in records.values() if record["status"] == "failed"]


def fold_arrays(folder: Path, records: Records) -> Arrays:
    """What the folds with a score have written. A row is one window; with several seeds, it occurs several times."""
    parts = []
    for fold, record in records.items():
        if record["status"] == "scored":
            part = files.read_arrays(fold.file(folder, "npz"))
            alike = {"seeds": fold.seed, "temperatures": record.get("temperature")}
            parts.append(part | {name: np.full(len(part["rows"]), value) for name, value in alike.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def main() -> None:
    """Runs the fold of the arguments, once no other process does."""
    jobs.die_with_parent()
    run_code()
    folds, waiting = pickle.loads(Path(sys.argv[1]).read_bytes())
    fold = waiting[int(sys.argv[2])]
    with jobs.terminable_job(), files.exclusive(fold.file(folds.folder, "json"), "fold", _LOCK_SECONDS):
        if fold.record(folds.folder)["status"] != "scored":
            folds.run_one(fold)


def spread(scores: Mapping[tuple[int, int], float]) -> dict[str, float | None]:
    """The mean over folds, its deviation over groups and over seeds (None if there is only one), and the `worst_group`.

    >>> spread({(0, 0): 1.0, (0, 1): 0.5, (1, 0): 0.75, (1, 1): 0.25})["worst_group"]
    0.375
    """
    seeds, groups = (sorted({key[place] for key in scores}) for place in (0, 1))
    table = np.array([[scores.get((seed, group), np.nan) for group in groups] for seed in seeds])
    by_group, by_seed = np.nanmean(table, axis=0), np.nanmean(table, axis=1)
    deviations = [float(means.std(ddof=1)) if len(means) > 1 else None for means in (by_group, by_seed)]
    return {
        "mean": float(np.nanmean(table)), "group_deviation": deviations[0], "seed_deviation": deviations[1],
        "worst_group": float(by_group.min()),
    }  # fmt: skip


def calibration(
    labels: metrics.Labels, logits: metrics.Floats, temperatures: metrics.Floats, rejection_rate: float,
    other: int | None, label_sets: Sequence[Sequence[int]] = (),
) -> dict[str, Any]:  # fmt: skip
    """The calibration on people that the models were not trained on, by the windows of a known class.

    Where other movements are one of the classes, it is that of the others, given that one of them is right. The error
    is that `before` and `after` scaling with each window's own of the `temperatures` `(N,)`, NaN where its fold has
    none; a label that is a set counts as its most probable class. `temperature`, from windows of one class, and
    `threshold` are fitted on all folds, for a model that is trained on all people.
    """
    truth, known = resolve(labels, logits, label_sets), labels != other

    def error(divisor: Any) -> float:
        return metrics.expected_calibration_error(truth[known], softmax(logits[known, :other] / divisor, axis=1))

    missing, temperature = np.isnan(temperatures), metrics.fit_temperature(labels, logits, other)
    ece = {
        "before": error(1.0), "after": None if missing.any() else error(temperatures[known, None]),
        "temperature": None if missing.all() else float(np.mean(np.unique(temperatures[~missing]))),
    }  # fmt: skip
    answers = softmax(logits[known] / temperature, axis=1)
    return {
        "ece": ece, "temperature": temperature, "threshold": metrics.rejection_threshold(answers, rejection_rate),
    }  # fmt: skip


def _of_one_study(data: Data) -> list[str]:
    """The classes that a single study has, by themselves or in a set: where it is left out, nothing teaches them."""
    allowed = allowed_classes(len(data.classes), data.label_sets)
    studies = np.sum([
        allowed[np.unique(data.train.labels[data.train.studies == study])].any(axis=0)
        for study in np.unique(data.train.studies)
    ], axis=0)  # fmt: skip
    return [data.classes[place] for place in np.flatnonzero(studies == 1) if place != data.other_class]


if __name__ == "__main__":
    main()
