"""Losses and metrics of one's own: what they measure, where it stands, and what is refused."""

import json
from functools import partial

import keras
import numpy as np
import pytest
from running import refused
from sklearn.metrics import cohen_kappa_score, f1_score

import zoo
from zoo.activity import simulate

pytestmark = pytest.mark.usefixtures("uncompiled")

RECIPE = {"epochs": 2, "validation": 0.2, "batch_size": 64, "label_smoothing": 0.0, "class_weights": None}
METRICS = [keras.metrics.F1Score(average="macro"), keras.metrics.SparseTopKCategoricalAccuracy(2, "top2"),
           cohen_kappa_score]  # fmt: skip


def small():
    return zoo.ActivityGRU(units=2, frame=75, name="small")


def brier(labels, logits):
    """A loss of one's own, of one-hot labels."""
    return keras.ops.mean(keras.ops.square(labels - keras.ops.softmax(logits)), axis=-1)


def hinge(labels, logits):
    return keras.losses.categorical_hinge(labels, logits)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("people") / "data3.h5"
    simulate.write_simulated(path, subjects=8, seed=1, seconds=6)
    return zoo.load_data(path)


def trained(data, **options):
    return zoo.train(small(), data, {key: value for key, value in RECIPE.items() if value}, verbose=False, **options)


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    """A recognizer in a folder, trained by a loss of one's own, and its training."""
    folder = tmp_path_factory.mktemp("model") / "mine"
    return folder, trained(data, loss=brier, metrics=METRICS, out=folder)


def test_a_loss_of_keras_trains_as_the_same_loss_of_the_zoo_with_class_numbers_or_one_hot_labels(data):
    plain = zoo.train(small(), data, RECIPE, verbose=False)
    for loss in (keras.losses.SparseCategoricalCrossentropy(True), keras.losses.CategoricalCrossentropy(True)):
        weights = trained(data, loss=loss).model.get_weights()
        for one, other in zip(weights, plain.model.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_saved_model_names_its_loss_and_loads_without_the_code_of_it(model):
    folder, result = model
    known = json.loads((folder / "config.json").read_text())
    assert known["loss"]["source"] == "brier"
    assert isinstance(keras.saving.load_model(folder / "model.keras").loss, zoo.CrossEntropy)
    assert result.history[1]["loss"] < result.history[0]["loss"] < 1


def test_a_run_is_not_resumed_with_another_loss(data, tmp_path):
    def stop(epoch, logs):
        if epoch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(data, loss=brier, out=tmp_path / "mine", callbacks=keras.callbacks.LambdaCallback(on_epoch_end=stop))
    for loss in (None, hinge):
        refused("made with another .*loss: resume", trained, data, loss=loss, out=tmp_path / "mine", resume=True)
    resumed = trained(data, loss=brier, out=tmp_path / "mine", resume=True)
    assert len(resumed.history) == 2


def test_metrics_stand_in_the_history_and_in_an_evaluation_with_those_of_baselines(model, data):
    folder, result = model
    for name in ("val_f1_score", "val_top2", "val_cohen_kappa_score"):
        assert all(-1 <= row[name] <= 1 for row in result.history)
    found = zoo.evaluate(folder, data, metrics=METRICS)
    inputs, labels = data.test.arrays()
    predicted = [data.classes.index(max(row["probabilities"], key=row["probabilities"].get))
                 for row in zoo.predict(folder, inputs, threshold=0).records()]  # fmt: skip
    assert found["cohen_kappa_score"] == pytest.approx(cohen_kappa_score(labels, predicted))
    assert found["f1_score"] == pytest.approx(f1_score(labels, predicted, average="macro", labels=range(6)))
    assert found["top2"] >= found["accuracy"]
    frame = found.to_frame()
    assert frame.loc["model", "top2"] == found["top2"]
    assert frame.loc["random_forest", "cohen_kappa_score"] > frame.loc["majority_class", "cohen_kappa_score"] == 0
    assert np.isnan(frame.loc["random_forest", "top2"])
    assert "| cohen kappa score |" in str(found)


def test_a_loss_is_a_metric_and_its_mean_over_all_windows(model, data):
    folder, _ = model
    losses = [keras.losses.CategoricalCrossentropy(from_logits=True), keras.metrics.MeanMetricWrapper(brier, "brier")]
    found = zoo.evaluate(folder, data, metrics=losses)
    assert found["categorical_crossentropy"] == pytest.approx(found["cross_entropy"], rel=1e-5)
    shares = zoo.predict(folder, data.test.inputs[:], threshold=0).probabilities
    assert found["brier"] == pytest.approx(np.square(shares - np.eye(6)[data.test.labels]).mean(), rel=1e-4)


def test_a_cross_validation_measures_all_windows_together(data, tmp_path):
    weighted = partial(f1_score, average="weighted")
    options = {"groups": 2, "recipe": {"epochs": 1, "validation": 0.0}, "workers": 0, "verbose": False}
    options |= {"baselines": "nearest_neighbor", "out": tmp_path / "out"}
    found = zoo.cross_validate(small(), data, loss=brier, metrics={"weighted": weighted, "top2": METRICS[1]}, **options)
    confusion = np.array(found["confusion"])
    labels, predicted = (np.repeat(places.ravel(), confusion.ravel()) for places in np.indices(confusion.shape))
    assert found["weighted"] == pytest.approx(weighted(labels, predicted))
    assert found["top2"] > found["accuracy"]
    assert found["baselines"]["nearest_neighbor"]["weighted"] > found["weighted"]
    assert found["baselines"]["nearest_neighbor"]["top2"] is None
    assert "| weighted |" in (tmp_path / "out" / "report.md").read_text()
    refused("holds another .*loss", zoo.cross_validate, small(), data, loss=hinge, **options)


@pytest.fixture(scope="module")
def coarse():
    """Windows of two people, of whose labels one means either class, and another is that of other movements."""
    random = np.random.default_rng(0)
    labels = np.tile(["sit", "run", "run+sit", "other"], 20)
    x = random.normal((0, 0, 9.8), np.where(labels == "sit", 0.1, 5.0)[:, None, None], (80, 150, 3))
    people = np.repeat(["ann", "bob", "cleo", "dan"], 20)
    data = zoo.load_data((x, labels), subjects=people, classes=("sit", "run", "other", "run+sit"), rate=50.0)
    return data.with_facts(other=True)


def test_a_set_of_labels_counts_as_the_class_that_the_model_prefers_and_no_loss_reads_it(coarse):
    read = []

    def accuracy_of(labels, predicted):
        read.append((labels, predicted))
        return np.mean(labels == predicted)

    model = zoo.ActivityGRU(units=2, frame=75, classes=coarse.classes)
    recipe = {"epochs": 1, "validation": 0.25, "validation_by": "time"}
    result = zoo.train(model, coarse, recipe, metrics={"mine": accuracy_of}, verbose=False)
    # A single epoch: those are the weights that were saved.
    assert result.history[0]["val_mine"] == pytest.approx(result.summary["validation"]["accuracy"])
    found = zoo.evaluate(result.model, coarse, split="all", metrics={"mine": accuracy_of})
    assert found["mine"] == pytest.approx(found["accuracy"])
    labels, predicted = read[-1]
    # 20 windows of other movements are left out, and a prediction of them is none.
    assert len(labels) == found["windows"] == 60
    assert set(labels) <= {0, 1}
    assert set(predicted) <= {-1, 0, 1}
    refused("loss: .* labels that mean one of several classes", zoo.train, model, coarse, recipe, loss=brier)


LOSSES = {
    "of probabilities": (keras.losses.SparseCategoricalCrossentropy(), "loss: does not tell right .*from_logits"),
    "that rises": (lambda labels, logits: -brier(labels, logits), "loss: does not tell right answers"),
    "a class": (keras.losses.CategoricalHinge, "loss is"),
    "a name": ("mse", "loss is 'mse'"),
}


@pytest.mark.parametrize("mistake", LOSSES)
def test_a_loss_that_does_not_learn_what_is_right_is_one_line(mistake, data):
    loss, says = LOSSES[mistake]
    refused(says, zoo.train, small(), data, loss=loss, verbose=False)


def test_a_loss_leaves_no_place_for_smoothing_and_is_for_recognizers(data):
    refused("label_smoothing: has no effect", zoo.train, small(), data, {"label_smoothing": 0.1}, loss=brier)
    patches = zoo.load_data(np.random.default_rng(0).random((40, 3, 8, 8)), levels=1)
    for options in ({"loss": brier}, {"metrics": cohen_kappa_score}):
        refused("no recognizer", zoo.train, "sparse_autoencoder", patches, **options)


SCORES = {
    "an average of two classes": (f1_score, "metrics: f1_score: ValueError: Target is multiclass"),
    "of probabilities": (keras.metrics.AUC(), "metrics: auc.*: does not tell right answers"),
    "a loss of probabilities": (keras.losses.CategoricalFocalCrossentropy(), "metrics: categ.*: does not tell right"),
    "several numbers": (keras.metrics.F1Score(), "metrics: f1_score.*: does not tell right answers"),
    "twice one name": ([cohen_kappa_score, cohen_kappa_score], "metrics: 'cohen_kappa_score' is taken"),
    "a number": (3, "metrics is 3; expected a function, several or values by name"),
}


@pytest.mark.parametrize("mistake", SCORES)
def test_a_metric_that_is_no_number_of_right_and_wrong_answers_is_one_line(mistake, data):
    metric, says = SCORES[mistake]
    refused(says, zoo.evaluate, small(), data, baselines=False, metrics=metric)


def test_no_metric_takes_the_name_of_a_number_of_the_zoo(model, data):
    folder, _ = model
    options = {"groups": 2, "recipe": {"epochs": 1, "validation": 0.0}, "workers": 0, "verbose": False}
    crossed = zoo.cross_validate(small(), data, baselines="none", **options)
    for document in (zoo.evaluate(folder, data, baselines=False), crossed):
        for name in (name for name, value in document.items() if type(value) in (int, float)):
            refused("is taken", zoo.evaluate, folder, data, metrics={name: cohen_kappa_score})
