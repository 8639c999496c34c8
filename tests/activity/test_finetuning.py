"""Little data: how many steps are made, how validation is made, what a summary warns of, and fine-tuning."""

import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from running import data_of

from zoo import ActivityGRU, Recipe, ZooError, adopt, cross_validate, evaluate, finetune, train
from zoo.activity import finetuning, report
from zoo.activity.data import from_file
from zoo.activity.task import TASK as ACTIVITY
from zoo.catalog import PRESETS_FOLDER
from zoo.loading import Loaded, load
from zoo.provenance import already_seen
from zoo.runtime.metadata import embed, extract
from zoo.training import Training

pytestmark = pytest.mark.usefixtures("uncompiled")

QUICK = Recipe(learning_rate=0.01, batch_size=8, steps=8, parts=2, validation=0.2)


def data(classes=("shake", "still"), people=1, each=10, rows=10, rate=50.0, name="p{}"):
    """Windows that a person can tell apart: the more a window shakes, the greater its class."""
    random = np.random.default_rng(0)
    labels = np.tile(np.repeat(np.arange(len(classes)), each), people)
    spread = 4.0 * labels[:, None, None]
    x = np.array([0, 0, 9.8]) + spread * random.standard_normal((len(labels), rows, 3))
    return data_of(x, labels, classes, rate, np.repeat([name.format(i) for i in range(people)], len(classes) * each))


def test_steps_are_those_of_the_run_and_epochs_are_passes_over_the_data():
    assert Recipe(batch_size=32, steps=2000).passes(rows=320) == 4
    assert Recipe(batch_size=32, steps=2000).passes(rows=5000) == 1
    for target in ("activity_gru", "activity_gru_pocket"):
        assert (Training.of(target).recipe.steps, Training.of(target).recipe.epochs) == (2000, None)
        assert Training.of(target).recipe.passes(100) > 1
        assert Training.of(target, {"epochs": 3}).recipe.passes(100) == 1
        assert Training.of(target, {"steps": 90, "parts": 3}).recipe.passes(100) > 1


def test_few_steps_are_said_with_their_number_and_that_a_baseline_is_better():
    four = data(people=4, each=20)
    options = {"units": 2, "settings": {"learning_rate": 1e-9}, "recipe": {"epochs": 1, "validation": 0.0}}
    summary = train("activity_gru", four, **options, verbose=False).summary
    assert any("only 5 steps" in warning for warning in summary["warnings"])
    settings = {"units": 2, "window": 10, "learning_rate": 1e-9}
    result = cross_validate(
        "activity_gru", four, groups=2, recipe=options["recipe"], settings=settings, baselines=("random_forest",),
        workers=0, verbose=False,
    )  # fmt: skip
    assert result["steps"] == 2
    assert any("only 2 steps" in note for note in result["notes"])
    assert any("is below that of the random forest" in note for note in result["notes"])


@pytest.mark.slow
def test_one_person_alone_trains_and_the_summary_says_how_it_was_validated(tmp_path):
    one = data()
    result = train(ActivityGRU(units=4, window=10, classes=one.classes), one, QUICK, out=tmp_path / "model")
    summary = result.summary
    assert (summary["epochs"], summary["steps_per_epoch"], summary["train_windows"]) == (2, 5, 20)
    validation = summary["validation"]
    assert (validation["by"], validation["folds"], validation["subjects"]) == ("time", 1, ["p0"])
    assert validation["windows"] == 4
    page = report.training(summary)
    assert "2 epochs of 5 steps (10 in all)" in page
    assert "the last windows of each activity of the same people" in page
    assert "The scores are those of another model; the saved model was trained on all windows" in page


@pytest.mark.slow
def test_python_shows_the_progress_when_asked(capfd):
    two = data(people=2)
    model = ActivityGRU(units=2, num_layers=1, frame=5, window=10, classes=two.classes)
    recipe = QUICK.replace(epochs=2, validation=0.0)
    for verbose in (True, False):
        train(model, two, recipe, verbose=verbose)
        epochs = re.findall(r"^epoch (\d/\d)  accuracy .* loss ", capfd.readouterr().err, re.MULTILINE)
        assert epochs == (["1/2", "2/2"] if verbose else [])
    finetune(model, two, recipe=recipe.replace(epochs=1), verbose=True)
    assert "epoch 1/1  accuracy" in capfd.readouterr().err


UNKNOWN = "what the model was trained on is not known: these windows may be among it, which no score would show"
ALONE = "only one person: these scores say little about other people"

LAZY = QUICK.replace(learning_rate=1e-9, epochs=1)
"""Learns nothing."""


def biased(window=10, classes=("still", "shake"), **arguments):
    """A recognizer that takes everything for the first class."""
    model = ActivityGRU(units=2, num_layers=1, frame=window // 2, window=window, classes=classes, **arguments)
    model.get_layer("logits").bias.assign([100.0, 0.0])
    return model


@pytest.mark.slow
def test_a_loss_that_does_not_fall_is_a_warning_to_lower_the_learning_rate():
    two = data(people=2)
    summary = train(biased(classes=two.classes), two, QUICK.replace(learning_rate=100.0)).summary
    assert len(summary["warnings"]) == 2
    assert re.fullmatch(
        r"the training loss did not fall: \S+ in the first epoch, \S+ in the last: lower the learning rate of "
        "100",
        summary["warnings"][1],
    )


@pytest.mark.slow
def test_an_evaluation_says_which_baselines_are_better():
    x, y = data(("still", "shake"), people=2).train.arrays()
    people = np.arange(len(y)) * 2 // len(y)
    split = data_of(x, y, ("still", "shake"), 50.0, people, test=(x, y, np.full(len(y), 2)))
    found = evaluate(biased(), split)
    assert found["notes"] == [ALONE, UNKNOWN, "macro-F1 0.333 is below that of the random forest (1.000)"]
    of_course = evaluate(biased(name="activity_gru_course"), split)["notes"][-1]
    assert of_course.endswith(
        "(1.000): evaluate or fine-tune activity_gru_phone, which learned from more people and phones"
    )
    page = report.evaluation(found)
    # What one must know of the scores stands before their table.
    assert page.index(ALONE) < page.index("is below that of the random forest") < page.index("| ")
    assert page.count(ALONE) == 1
    # Of windows alike, the baselines know no more than the model.
    alike = np.full_like(x, 5.0)
    split = data_of(alike, y, ("still", "shake"), 50.0, people, test=(alike, y, np.full(len(y), 2)))
    assert evaluate(biased(), split)["notes"] == [ALONE, UNKNOWN]


@pytest.mark.parametrize(("people", "notes"), [
    (2, ["only two people: these scores say little about other people"]),
    (1, ["only one person: these scores say little about other people"]),
    (9, ["no interval over 9 people: each has a score of their own"]),
    (12, ["12 people are few: their interval is too narrow for other people"]),
    (40, []),
])  # fmt: skip
def test_nine_people_have_no_interval_and_that_of_a_few_more_is_noted(people, notes):
    x, y = data(("still", "shake"), people=5).train.arrays()
    split = data_of(x, y, ("still", "shake"), 50.0, 100 + np.arange(len(y)) // 20,
                        test=(x, y, np.arange(len(y)) % people))  # fmt: skip
    found = evaluate(biased(), split, baselines=False)
    assert set(found["notes"]) == {UNKNOWN, *notes}
    assert ("95% interval" in report.evaluation(found)) == (people > 9)
    assert ("Macro-F1 of each subject: " in report.evaluation(found)) == (people < 10)
    assert (found["macro_f1_interval"] is None) == (people < 10)


ONCE = LAZY.replace(validation=0.0)


@pytest.fixture(scope="module")
def trained():
    """A model that learned from two people, and their windows; copy it before it is changed."""
    two = data(people=2).with_facts(source="Our lab")
    model = ActivityGRU(units=2, num_layers=1, frame=5, window=10, classes=two.classes)
    return train(model, two, ONCE, verbose=False).model, two


def test_a_model_that_its_user_has_compiled_is_not_trained_by_a_recipe_in_silence(trained, tmp_path):
    model, two = trained[0].copy(), trained[1]
    train(model, two, ONCE, verbose=False)
    model.save(tmp_path / "trained.keras")
    by_recipe = [model, keras.models.load_model(tmp_path / "trained.keras")]
    by_user = [model.copy(), ActivityGRU(units=2, num_layers=1, frame=5, window=10, classes=two.classes)]
    for place, learner in enumerate(by_user):
        learner.compile("sgd")
        with pytest.raises(ZooError, match=r"^model: is compiled, .* `model\.fit`"):
            train(learner, two, ONCE, verbose=False)
        learner.save(tmp_path / f"{place}.keras")
    with pytest.raises(ZooError, match=r"^model: is compiled"):
        train(keras.models.load_model(tmp_path / "1.keras"), two, ONCE, verbose=False)
    for learner in (*by_recipe, by_user[0].copy()):
        assert train(learner, two, ONCE, verbose=False).model is learner


def test_people_of_parents_count_as_seen_in_every_file(tmp_path):
    ours = data(people=2, name="q{}").with_facts(source="Our lab")
    old = biased(provenance={"source": "Lab (2020)", "subjects": ["lab/p1", "lab/p2"], "data_sha256": "0" * 64})
    tuned = finetune(old, ours, recipe=ONCE, verbose=False).model
    known = Loaded("tuned", tuned).metadata
    file = shutil.copy(PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite", tmp_path)
    embed(Path(file), known)
    again = finetune(tuned, data(people=1, name="r{}"), recipe=ONCE, verbose=False).model
    for metadata in (known, extract(Path(file)), Loaded("again", again).metadata):
        assert already_seen(["p1", "p3"], "Lab (2021)", metadata) == ["p1"]
        assert already_seen(["p1", "p3"], "another", metadata) == []
        assert already_seen(ours.train.people(), ours.source, metadata) == ours.train.people()
    # From what was in any training, fine-tuning learns nothing new.
    assert "is the file that" in finetuning.familiar(Loaded("again", again), ours)
    theirs = data(people=1, name="lab/p1").with_facts(source="Lab (2020)")
    assert "was trained on all of its people" in finetuning.familiar(Loaded("again", again), theirs)
    assert finetuning.familiar(Loaded("again", again), data(people=1, name="s{}")) is None


@pytest.mark.parametrize("start", ["trained", "preset"])
@pytest.mark.parametrize("how", ["fit", "batch", "tape", "weights"])
def test_what_was_fitted_further_in_another_way_is_not_believed(trained, start, how, tmp_path):
    model, two = trained[0].copy(), trained[1]
    if start == "preset":
        model.provenance = {key: value for key, value in model.provenance.items() if key != "weights_sha256"}
        model.save(tmp_path / "older.keras")
        model = ActivityGRU.from_preset(tmp_path / "older.keras")
    x, y = two.train.arrays()
    model.get_layer("logits").trainable = False
    before = evaluate(model, two, split="train", baselines=False)
    assert (UNKNOWN in before["notes"], before["split_by"]) == (False, "subject")
    change(model, how, x, y)
    model.save(tmp_path / "fitted.keras")
    loaded = keras.models.load_model(tmp_path / "fitted.keras")
    for changed in (model, loaded, model.copy(), tmp_path / "fitted.keras"):
        found = evaluate(changed, two, split="all")
        assert UNKNOWN in found["notes"]
        assert found["split_by"] is None
        assert "split by" not in report.evaluation(found)
        with pytest.raises(ZooError, match="does not say what it was trained on"):
            evaluate(changed, two, split="train")
    metadata = Loaded("fitted", model).metadata
    assert (metadata.data_sha256, metadata.train_subjects, metadata.split_by) == ("", (), "not stated")
    assert already_seen(two.train.people(), two.source, metadata) == two.train.people()
    tuned = finetune(model, data(people=1, name="r{}"), recipe=ONCE, verbose=False).model
    assert UNKNOWN in evaluate(tuned, two, split="all")["notes"]


def change(model, how, x, y):
    """Trains a model further, as users do."""
    model.compile("sgd")
    if how == "fit":
        model.fit(x, y, verbose=0)
    elif how == "batch":
        model.train_on_batch(x, y)
    elif how == "tape":
        with tf.GradientTape() as tape:
            loss = model.default_loss()(y, model(x))
        model.optimizer.apply(tape.gradient(loss, model.trainable_weights), model.trainable_weights)
    else:
        model.set_weights([1.01 * weight for weight in model.get_weights()])


def test_scores_of_folds_are_said_to_come_from_scratch_where_a_preset_has_weights():
    four = data(people=4)
    options = {"groups": 2, "baselines": (), "workers": 0, "verbose": False, "recipe": ONCE}
    settings = {"units": 2, "window": 10, "classes": four.classes}
    for model, has_weights in (("activity_gru_course", True), ("activity_gru", False)):
        notes = cross_validate(model, four, settings=settings, **options)["notes"]
        assert any("from scratch; finetune starts from its weights" in note for note in notes) == has_weights


def test_each_fold_of_a_fine_tuning_starts_from_the_weights_and_people_they_know_are_named(tmp_path):
    three = data(people=3).with_facts(source="Lab (2020)")
    start = train(ActivityGRU(units=4, window=10, classes=three.classes), three, QUICK, out=tmp_path / "ours").model
    weights, options = start.get_weights(), {"groups": 2, "baselines": (), "workers": 0, "verbose": False}
    options["finetune"] = True
    theirs = data(("shake", "jump", "still"), people=2, name="s{}")
    found = cross_validate(tmp_path / "ours", theirs, recipe={"epochs": 0}, out=tmp_path / "new", **options)
    assert found["notes"][0] == f"each fold starts from the weights of {start.name}, which knows none of these people"
    for fold in found["folds"]:
        # No epoch: only the last layer is fitted, on those whom the fold does not hold out.
        learner, outside = start.copy(classes=theirs.classes), theirs.train.subjects != fold["subjects"][0]
        finetuning.fit_head(learner, theirs.train.where(outside))
        with np.load(tmp_path / f"new/folds/{start.name}.subject.0.{fold['group']}.npz") as arrays:
            logits = learner.predict(theirs.train.inputs[~outside], verbose=0)
            np.testing.assert_allclose(arrays["logits"], logits, atol=1e-4)
    four = data(people=4).with_facts(source="Lab (2021)")
    for others, count in ((four, 4), (three.with_facts(source="not stated"), 3)):
        found = cross_validate(start, others, settings={"steps": 2, "parts": 1}, **options)
        assert f"knows 3 of these {count} people (p0, p1, p2), so this is no score on new people" in found["notes"][0]
    for before, after in zip(weights, start.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    with pytest.raises(ZooError, match="unknown preset or folder 'activity_gru'"):
        cross_validate("activity_gru", theirs, **options)


@keras.saving.register_keras_serializable()
class Lossy(ActivityGRU):
    """Its file holds other weights."""

    def save(self, path):
        super(Lossy, Lossy(**self.get_config())).save(path)


@pytest.mark.slow
def test_a_model_whose_file_holds_other_weights_is_refused_and_its_training_stays_unfinished(tmp_path):
    two = data(people=2)
    model = Lossy(units=4, num_layers=1, frame=5, window=10, classes=two.classes)
    with pytest.raises(ZooError, match=r"describes other weights than those of model\.keras"):
        train(model, two, LAZY, out=tmp_path / "model", verbose=False)
    with pytest.raises(ZooError, match="holds an unfinished training"):
        train(model, two, LAZY, out=tmp_path / "model", verbose=False)


def test_fine_tuning_reuses_the_rows_of_equal_labels_and_the_statistics():
    old = ActivityGRU(units=4, window=10, classes=("run", "still"), mean=[0, 0, 9.8], variance=[4, 4, 4])
    new = finetuning.with_labels(Loaded("old", old), data(("still", "shake", "run")))
    assert (new.classes, new.mean) == (("still", "shake", "run"), old.mean)
    kernel, was = new.get_layer("logits").kernel.numpy(), old.get_layer("logits").kernel.numpy()
    np.testing.assert_array_equal(kernel[:, [2, 0]], was)


@pytest.mark.slow
def test_the_last_layer_is_fitted_before_the_others_are_trained():
    two = data(people=2)
    old = ActivityGRU(units=8, num_layers=1, window=10, classes=("a", "b", "c"))
    frozen = [layer.name for layer in old.layers if layer.weights]
    result = finetune(old, two, recipe=QUICK.replace(epochs=1), freeze=frozen)
    assert result.model.classes == two.classes
    assert result.summary["validation"]["macro_f1"] > 0.8
    np.testing.assert_array_equal(result.model.layers[1].get_weights()[0], old.layers[1].get_weights()[0])


def test_a_frozen_last_layer_of_equal_labels_stays_and_a_model_learns_as_its_preset_does():
    two = data(people=2)
    old = ActivityGRU(units=4, num_layers=1, frame=5, window=10, classes=two.classes)
    recipe = {"epochs": 1, "validation": 0.0}
    result = finetune(old, two, recipe=recipe, freeze="logits")
    for mine, its in zip(result.model.get_layer("logits").weights, old.get_layer("logits").weights, strict=True):
        np.testing.assert_array_equal(mine, its)
    assert result.training.recipe.augmentation == ACTIVITY.recipe.augmentation


def test_a_layer_inside_a_frozen_network_stays_as_its_owner_left_it():
    layers = [keras.layers.Conv1D(2, 3, trainable=False), keras.layers.Conv1D(2, 3), keras.layers.GlobalMaxPooling1D()]
    network = keras.Sequential([keras.Input((10, 3)), *layers, keras.layers.Dense(2)])
    own = adopt(network, classes=("shake", "still"), rate=50.0)
    tuned = finetune(own, data(people=2), recipe=QUICK.replace(epochs=1), freeze="network", verbose=False).model
    inside = [layer.trainable for layer in tuned.get_layer("network").layers if layer.weights]
    assert (inside, tuned.get_layer("network").trainable) == ([False, True], True)


def test_one_layer_to_freeze_may_be_a_text_and_one_callback_itself():
    old = ActivityGRU(units=4, num_layers=1, frame=5, window=10, classes=("a", "b", "c"))
    first = next(layer for layer in old.layers if layer.weights)
    recipe = QUICK.replace(epochs=1, validation=0.0)
    one = keras.callbacks.TerminateOnNaN()
    model = finetune(old, data(people=2), recipe=recipe, freeze=first.name, callbacks=one).model
    np.testing.assert_array_equal(model.get_layer(first.name).get_weights()[0], first.get_weights()[0])


def test_layers_that_are_frozen_in_a_file_are_trained_again_and_those_of_a_model_are_not(tmp_path):
    old = ActivityGRU(units=4, num_layers=1, frame=5, window=10, classes=("shake", "still"))
    first = next(layer for layer in old.layers if layer.weights)
    first.trainable = False
    old.save_to_preset(tmp_path / "old")
    recipe = QUICK.replace(epochs=1, validation=0.0)
    for source, trained in ((old, False), (tmp_path / "old", True)):
        layer = finetune(source, data(people=2), recipe=recipe, verbose=False).model.get_layer(first.name)
        assert layer.trainable == trained
        # Named as well, it is frozen for the training alone, unless its owner has frozen it.
        named = finetune(source, data(people=2), recipe=recipe, freeze=first.name, verbose=False).model
        assert named.get_layer(first.name).trainable == trained
        assert np.array_equal(layer.get_weights()[0], first.get_weights()[0]) != trained


def test_without_epochs_the_last_layer_alone_is_fitted(tmp_path):
    two = data(people=2)
    old = ActivityGRU(units=8, num_layers=1, frame=5, window=10, classes=("a", "b", "c"))
    result = finetune(old, two, recipe=finetuning.recipe_for(load(old), two, {"epochs": 0}), out=tmp_path / "mine")
    *features, head = zip(result.model.get_weights(), old.get_weights(), strict=True)
    assert head[0].shape == (2,)
    for one, other in features[:-1]:
        np.testing.assert_array_equal(one, other)
    assert (result.history, result.summary["epochs"], result.training.recipe.epochs) == ([], 0, 0)
    assert result.model.name == f"mine_from_{old.name}"
    assert result.summary["validation"]["folds"] == 2
    assert result.summary["validation"]["macro_f1"] > 0.6
    assert "40 windows, the last layer alone is fitted" in report.training(result.summary)
    np.testing.assert_array_equal(load(tmp_path / "mine").keras_model.get_weights()[-1], head[0])


def test_no_epochs_are_for_fine_tuning_a_recognizer_alone(language_model, simulated_trigrams):
    none = Recipe(epochs=0)
    for refused in (
        lambda: train("activity_gru", data(people=2), none),
        lambda: train(ActivityGRU(units=2, window=10), data(people=2), none),
        lambda: finetune(language_model, simulated_trigrams, recipe=none),
    ):
        with pytest.raises(ZooError, match="recipe: epochs is 0; expected 1 or more"):
            refused()


def test_the_more_people_the_less_remains_of_the_start():
    old = load(ActivityGRU(units=4, window=10))
    shares = [finetuning.recipe_for(old, data(people=people)).start_share for people in (1, 2, 14)]
    assert shares == [pytest.approx(2 / 3), 0.5, 0.125]
    nobody = data_of(*data().train.arrays(), ("shake", "still"), 50.0)
    assert finetuning.recipe_for(old, nobody).start_share == finetuning.FINETUNE.start_share
    assert finetuning.recipe_for(old, nobody, {"start_share": 0.0}).start_share == 0.0


def test_the_summary_says_how_much_of_the_start_is_kept():
    old, two = ActivityGRU(units=2, num_layers=1, frame=5, window=10, classes=("shake", "still")), data(people=2)
    for share in (0.5, 0.0):
        summary = finetune(old, two, recipe=LAZY.replace(start_share=share, validation=0.0), verbose=False).summary
        assert summary.get("start_share") == (share or None)
        assert ("those of the start (50%)" in report.training(summary)) == bool(share)


def test_a_model_that_is_trained_again_without_validation_keeps_no_calibration_of_its_older_weights():
    old = ActivityGRU(
        units=2, num_layers=1, frame=5, window=10, classes=("shake", "still"), temperature=0.64, threshold=0.5
    )
    model = train(old, data(people=2), LAZY.replace(validation=0.0), verbose=False).model
    assert (model.temperature, model.threshold) == (1.0, None)
    with pytest.raises(ZooError, match="temperature: is decided by training"):
        train("activity_gru", data(people=2), {"epochs": 1}, settings={"temperature": 2.0})


def test_windows_at_another_rate_are_refused_with_the_command_that_mends_them(zoo_cli, simulated, tmp_path):
    old = ActivityGRU(units=4, window=10, rate=25.0)
    with pytest.raises(ZooError, match=r"`zoo data windows RECORDINGS --rate 25 --window 10`"):
        finetune(old, simulated)
    status, _, err = zoo_cli(
        "finetune", "activity_gru_pocket", "--data", simulated, "--freeze", "cell", "--out", tmp_path
    )
    assert status == 1
    assert "unknown layer 'cell'" in err


def test_fine_tuning_on_the_files_of_the_model_itself_is_questioned(simulated):
    data_of_training = from_file(simulated)
    trained = ActivityGRU(units=2, provenance={"data_sha256": data_of_training.sha256})
    doubt = finetuning.familiar(load(trained), data_of_training)
    assert "was trained on, from which fine-tuning learns nothing new" in doubt
    phone = load("activity_gru_phone")
    assert finetuning.familiar(phone, data_of_training) is None
    assert finetuning.familiar(phone, data(people=2)) is None
    known = data(people=2, name="wisdm/160{}").with_facts(source="WISDM (Weiss et al., 2019)")
    assert finetuning.familiar(phone, known) is None
    known = data(name="wisdm/160{}").with_facts(source="WISDM (Weiss et al., 2019)")
    assert "activity_gru_phone was trained on all of its people, from which" in finetuning.familiar(phone, known)


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C after two epochs."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_a_fine_tuning_that_was_interrupted_resumes_to_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr("zoo.training._CHECKPOINT_SECONDS", 0)
    old, mine = ActivityGRU(units=4, num_layers=1, frame=5, window=10, classes=("still", "walk")), data(people=2)
    recipe = QUICK.replace(epochs=4, ema_decay=0.9, start_share=0.25)
    whole = finetune(old, mine, recipe=recipe, out=tmp_path / "whole" / "für Zoë, 2", verbose=False)
    out = tmp_path / "killed" / "für Zoë, 2"
    with pytest.raises(KeyboardInterrupt):
        finetune(old, mine, recipe=recipe, out=out, callbacks=[Interrupt()], verbose=False)
    with pytest.raises(ZooError, match="holds an unfinished training: pass resume"):
        finetune(old, mine, recipe=recipe, out=out, verbose=False)
    resumed = finetune(old, mine, recipe=recipe, out=out, resume=True, verbose=False)
    for one, other in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert resumed.history == whole.history
    assert not (out / "checkpoint.npz").exists()
    with pytest.raises(ZooError, match="resume: requires out"):
        finetune(old, mine, recipe=recipe, resume=True)
