"""Training on three people or fewer: everybody is trained on, and each person left out in turn validates the model."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from running import data_of, refused

from zoo import ActivityGRU, Recipe, ZooError, evaluate, finetune, train
from zoo.activity import finetuning, report
from zoo.activity.metrics import cross_entropy, fit_temperature, macro_f1
from zoo.activity.task import TASK
from zoo.files import CHECKPOINT
from zoo.loading import Loaded
from zoo.training import Training, fit

QUICK = Recipe(learning_rate=0.01, batch_size=12, steps=6, parts=2, validation=0.2)
CLASSES = ("still", "shake")

pytestmark = pytest.mark.usefixtures("uncompiled")


def data(people=3, each=6, labels=None):
    """Windows of people who shake the phone more or less."""
    random = np.random.default_rng(0)
    labels = np.tile(np.repeat([0, 1], each), people) if labels is None else np.asarray(labels)
    names = np.repeat([f"p{i}" for i in range(people)], len(labels) // people)
    spread = labels * (1.0 + np.arange(len(labels)) // (2 * each))
    x = np.array([0, 0, 9.8]) + (1 + spread)[:, None, None] * random.standard_normal((len(labels), 10, 3))
    return data_of(x, labels, CLASSES, 50.0, names)


def recognizer(classes=CLASSES, **arguments):
    return ActivityGRU(units=4, num_layers=1, frame=5, window=10, classes=classes, **arguments)


def assert_same_weights(one, other):
    for mine, its in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


def plan(recipe=QUICK):
    return Training("tiny", "activity_gru", {"units": 4, "num_layers": 1, "frame": 5}, recipe)


def held_out(folds, fitted):
    """Labels and logits of the windows that folds leave out, each by the model that is fitted on its people."""
    parts = []
    for fold in folds:
        windows, labels = fold.validation.arrays()
        parts.append((labels, np.asarray(fitted(fold)(windows))))
    return tuple(map(np.concatenate, zip(*parts, strict=True)))


def test_a_batch_has_no_window_twice():
    result = plan(QUICK.replace(batch_size=5000, validation=0.0)).run(data())
    # Of 36 windows; six steps in two parts.
    assert (result.summary["batch_size"], result.summary["steps_per_epoch"]) == (36, 3)


def test_all_people_are_trained_on_and_each_is_left_out_once():
    split = TASK.split(data(), QUICK, folds=True)
    assert (split.train.people(), split.validation) == (["p0", "p1", "p2"], None)
    assert [fold.validation.people() for fold in split.folds] == [["p0"], ["p1"], ["p2"]]
    assert [fold.train.people() for fold in split.folds] == [["p1", "p2"], ["p0", "p2"], ["p0", "p1"]]
    assert TASK.build(plan(), split).mean != TASK.build(plan(), split.folds[0]).mean


@pytest.mark.slow
def test_the_scores_are_those_of_the_folds_whose_calibration_is_not_the_model_s():
    three = data()
    result = plan().run(three)
    recipe = QUICK.replace(steps=3)  # half of them

    def fitted(fold):
        fit(model := TASK.build(plan(), fold), recipe, TASK.feed(model, fold, recipe))
        return model

    labels, logits = held_out(TASK.split(three, QUICK, folds=True).folds, fitted)
    validation = result.summary["validation"]
    assert validation["macro_f1"] == pytest.approx(macro_f1(labels, logits.argmax(axis=1)))
    assert fit_temperature(labels, logits) != pytest.approx(1.0, abs=0.01)
    assert (result.model.temperature, validation["ece"]["after"]) == (1.0, None)
    assert (validation["windows"], validation["folds"], validation["by"]) == (36, 3, "subject")
    assert result.summary["train_windows"] == 36
    assert result.model.provenance["subjects"] == ["p0", "p1", "p2"]
    page = report.training(result.summary)
    assert "leave one person out, 3 folds" in page
    assert "The scores are those of 3 other models, one per fold; the saved model was trained on all 3 people" in page


@pytest.mark.slow
def test_the_folds_change_no_weight_of_the_model_and_their_losses_are_in_its_history():
    whole, alone = (train(recognizer(seed=1), data(), QUICK.replace(validation=share)) for share in (0.2, 0.0))
    assert_same_weights(whole.model, alone.model)
    assert [row["loss"] for row in whole.history] == [row["loss"] for row in alone.history]
    assert all(row["val_loss"] > 0 for row in whole.history)
    assert "val_loss" not in alone.history[0]


@pytest.mark.slow
def test_a_training_killed_in_a_fold_resumes_to_the_same_weights_and_scores(tmp_path):
    three, ended, killed = data(), [], tmp_path / "killed"

    def stop(epoch, logs, fold):
        ended.append((fold, epoch))
        if fold == "fold 2 of 3":
            raise KeyboardInterrupt

    whole = replace(plan(), out=tmp_path / "whole").run(three)
    with pytest.raises(KeyboardInterrupt):
        replace(plan(), out=killed, report=stop).run(three)
    assert [path.name for path in killed.iterdir()] == [CHECKPOINT]
    assert ended == [(fold, epoch) for fold in ("", "fold 1 of 3") for epoch in range(2)] + [("fold 2 of 3", 0)]
    resumed = replace(plan(), out=killed, resume=True).run(three)
    assert_same_weights(whole.model, resumed.model)
    assert resumed.summary["validation"]["macro_f1"] == whole.summary["validation"]["macro_f1"]
    assert json.loads((killed / "history.json").read_text()) == resumed.history


def test_a_fold_that_diverges_is_named_and_leaves_no_weights_as_if_they_were_the_model(tmp_path):
    def spoil(split, model):
        if split.train.people() == ["p0", "p2"]:
            model.get_layer("logits").bias.assign([np.nan, 0.0])

    training = replace(plan(), out=tmp_path / "model")
    refused("^validation, fold 2 of 3: the loss became nan in epoch 1: .*set", training.run, data(), begin=spoil)
    assert [path.name for path in (tmp_path / "model").iterdir()] == [CHECKPOINT]


def test_a_checkpoint_of_other_people_is_refused(tmp_path):
    split = TASK.split(data(), QUICK, folds=True)
    options = {"checkpoint": tmp_path / CHECKPOINT, "identity": {"data": "the same"}}
    for _ in range(2):
        fit(model := recognizer(), QUICK, TASK.feed(model, split, QUICK), **options)
    other = TASK.feed(model, split.folds[0], QUICK)
    refused("was made with another split: resume with the same", fit, model, QUICK, other, **options)


def test_a_callback_that_stops_the_training_stops_what_validates_it_and_the_model_is_written(tmp_path):
    seen = []

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(epoch)
            self.model.stop_training = epoch == 1

    shown = []
    training = replace(plan(QUICK.replace(epochs=4)), out=tmp_path / "model", callbacks=[Stop()])
    result = replace(training, report=lambda epoch, logs, fold: shown.append((fold, epoch))).run(data(2))
    assert shown == [(fold, epoch) for fold in ("", "fold 1 of 2", "fold 2 of 2") for epoch in (0, 1)]
    # A callback that does not ask for folds sees the training alone.
    assert seen == [0, 1]
    assert [row["epoch"] for row in result.history] == [1, 2]
    assert all("val_loss" in row for row in result.history)
    assert (tmp_path / "model" / "model.keras").is_file()


def test_the_folds_of_fine_tuning_start_from_the_same_weights_with_the_same_layers_frozen():
    # Of other labels, a last layer that is frozen is fitted all the same.
    old, two = recognizer((*CLASSES, "another")), data(2)
    recipe = QUICK.replace(epochs=1, learning_rate=1.0)
    frozen = [layer.name for layer in old.layers if layer.weights]
    validation = finetune(old, two, recipe=recipe, freeze=frozen).summary["validation"]

    def fitted(fold):
        finetuning.fit_head(model := finetuning.with_labels(Loaded("old", old), two), fold.train)
        return model

    labels, logits = held_out(TASK.split(two, recipe, folds=True).folds, fitted)
    assert validation["folds"] == 2
    assert validation["macro_f1"] == pytest.approx(macro_f1(labels, logits.argmax(axis=1)))
    # The last layer of each fold was fitted without the person left out.
    assert validation["cross_entropy"] == pytest.approx(cross_entropy(labels, logits), rel=1e-5)


def test_a_class_that_one_person_recorded_is_validated_by_time():
    [fold] = TASK.split(data(2, labels=[0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]), QUICK, folds=True).folds
    assert (fold.validation.people(), {*fold.train.labels.tolist()}) == (["p0", "p1"], {0, 1})


@pytest.mark.parametrize(
    ("changes", "people"),
    [({"patience": 2}, 3), ({"validation_by": "time"}, 3), ({"validation_by": "window"}, 3), ({}, 4)],
)
def test_early_stopping_other_validations_and_four_people_hold_windows_out(changes, people):
    split = TASK.split(data(people), QUICK.replace(**changes), folds=True)
    assert split.folds == ()
    assert 0 < len(split.validation) < len(split.train) < 12 * people
    assert people == 3 or len(split.validation.people()) == 1


@pytest.mark.slow
def test_no_part_of_a_model_of_everybody_is_a_validation_part(tmp_path):
    three, out = data(), tmp_path / "model"
    train(recognizer(), three, QUICK.replace(epochs=1), out=out, verbose=False)
    found = evaluate(out, three, split="train", baselines=False)
    assert found["windows"] == len(three.train)
    refused("the model was trained on all people", evaluate, out, three, split="validation")
    # A folder that knows of no folds is of a model that was validated on windows held out.
    config = json.loads((out / "config.json").read_text())
    del config["training"]["validation"]["folds"]
    (out / "config.json").write_text(json.dumps(config))
    parts = [evaluate(out, three, split=split, baselines=False)["windows"] for split in ("train", "validation")]
    assert 0 < parts[1] < parts[0] < found["windows"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "people"),
    [
        ({}, 6), ({}, 3), ({"validation": 0.0}, 6), ({"validation_by": "time"}, 2),
        ({"validation_by": "window", "split_seed": 5}, 6),
    ],
)  # fmt: skip
def test_a_model_without_its_folder_knows_which_windows_it_was_trained_on(changes, people, tmp_path):
    several, out = data(people), tmp_path / "model"
    result = train(recognizer(), several, QUICK.replace(epochs=1, **changes), out=out, verbose=False)
    for split in ("train", "validation"):
        counts = set()
        for model in (out, result.model, out / "model.keras"):
            try:
                counts.add(evaluate(model, several, split=split, baselines=False)["windows"])
            except ZooError as error:
                counts.add(str(error)[:18])
        assert len(counts) == 1
        if split == "train":
            assert counts == {result.summary["train_windows"]}


def test_of_a_model_that_does_not_say_which_windows_it_was_trained_on_its_people_tell():
    several = data(6)
    model = train(recognizer(), several, QUICK.replace(epochs=1), verbose=False).model
    known = {key: value for key, value in model.provenance.items() if key != "held_out"}
    for split, count in (("train", 60), ("validation", 12)):
        assert evaluate(model.copy(provenance=known), several, split=split, baselines=False)["windows"] == count
    of_all = model.copy(provenance={**known, "subjects": several.train.people()})
    refused("which windows it was trained on is not known; evaluate", evaluate, of_all, several, split="train")
