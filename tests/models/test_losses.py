"""Losses and metrics are the equations, on every backend, and are saved with a model."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from running import python

from zoo.models.losses import CrossEntropy, HalfSquaredError, accuracy, balanced_weights, loss_and_metrics

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(50, 4)).astype("float32")
LABELS = RANDOM.integers(0, 4, 50)


def test_cross_entropy_is_that_of_the_equation():
    smoothing, class_weights = 0.1, [0.5, 1.0, 2.0, 0.0]
    log_softmax = LOGITS - np.log(np.exp(LOGITS.astype("float64")).sum(axis=1, keepdims=True))
    targets = (1 - smoothing) * np.eye(4)[LABELS] + smoothing / 4
    expected = (np.array(class_weights)[LABELS] * -(targets * log_softmax).sum(axis=1)).mean()
    assert float(CrossEntropy(smoothing, class_weights)(LABELS, LOGITS)) == pytest.approx(expected, rel=1e-6)


def test_a_class_number_is_the_distribution_with_all_weight_on_it():
    one_hot = np.eye(4, dtype="float32")[LABELS]
    for loss in (CrossEntropy(), CrossEntropy(0.2), CrossEntropy(0.2, [0.5, 1.0, 2.0, 0.0])):
        assert float(loss(one_hot, LOGITS)) == pytest.approx(float(loss(LABELS, LOGITS)), rel=1e-6)
    np.testing.assert_array_equal(accuracy(one_hot, LOGITS), accuracy(LABELS, LOGITS))


@pytest.mark.parametrize("sum_", [0.0, 0.5, 3.0])
def test_a_distribution_counts_as_often_as_its_sum_says_class_weights_included(sum_):
    loss = CrossEntropy(0.1, [0.5, 1.0, 2.0, 0.0], reduction=None)
    shares = RANDOM.dirichlet(np.ones(4), 50).astype("float32")
    np.testing.assert_allclose(loss(sum_ * shares, LOGITS), sum_ * np.asarray(loss(shares, LOGITS)), rtol=1e-5)


def test_accuracy_is_that_of_argmax_ties_included():
    # Rounded logits tie often; a constant row is right for the first class alone.
    logits = np.concatenate([np.round(LOGITS), np.zeros((4, 4), "float32")])
    labels = np.concatenate([LABELS, np.arange(4)])
    np.testing.assert_array_equal(accuracy(labels, logits), logits.argmax(axis=1) == labels)


def test_accuracy_of_a_distribution_is_its_share_on_the_most_probable_class():
    assert np.asarray(accuracy(np.array([[0.25, 0.5, 0.25]]), np.array([[1.0, 0.0, 1.0]]))).tolist() == [0.25]


def test_balanced_weights_make_classes_count_the_same():
    labels = np.array([0] * 6 + [1] * 2 + [3])
    weights = np.array(balanced_weights(np.bincount(labels, minlength=4)))
    assert weights[2] == 0
    np.testing.assert_allclose(np.bincount(labels, minlength=4) * weights, [3, 3, 0, 3])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("label_sets", "label", "last"), [([], 4, 3), ([], -1, 3), ([(0, 1)], 5, 4)], ids=["set", "negative", "other set"]
)
def test_a_label_that_is_neither_a_class_nor_a_set_is_an_error_and_under_xla_nan(label_sets, label, last):
    loss, labels = CrossEntropy(label_sets=label_sets), LABELS.copy()
    labels[7] = label
    words = rf"expected labels from 0 to {last}.*label_sets=data.label_sets"
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        loss(labels, LOGITS)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    model.compile("sgd", loss, jit_compile=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        model.fit(LOGITS, labels, batch_size=50, verbose=0)
    model.compile("sgd", loss, jit_compile=True)
    (found,) = model.fit(LOGITS, labels, batch_size=50, verbose=0).history["loss"]
    assert np.isnan(found)


@pytest.mark.parametrize("name", ["cross_entropy", "half_squared_error"])
def test_a_compiled_model_is_loaded_with_its_loss_and_metrics(tmp_path, name):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    loss, metrics = loss_and_metrics(name, 0.1, [0.5, 1.0, 2.0, 0.0])
    model.compile("sgd", loss, metrics=metrics)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    targets = LABELS if name == "cross_entropy" else LOGITS
    found, expected = (each.evaluate(LOGITS, targets, verbose=0, return_dict=True) for each in (loaded, model))
    assert found == pytest.approx(expected)
    assert loaded.loss.get_config() == loss.get_config()


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_compute_the_same_and_train(backend):
    pytest.importorskip(backend)
    code = (
        "import keras, numpy as np; from zoo.models.losses import *\n"
        "x, t = np.array([[0.5, 2.0], [1.0, 1.0]], 'float32'), np.array([1, 1])\n"
        "print(float(CrossEntropy(0.1, [1.0, 3.0])(t, x)), float(HalfSquaredError()(x, 2 * x)), *accuracy(t, x))\n"
        "model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])\n"
        "loss, metrics = loss_and_metrics('cross_entropy', 0.1)\n"
        "model.compile('adam', loss, metrics=metrics)\n"
        "model.fit(x, t, verbose=0)"
    )
    run = python("-c", code, KERAS_BACKEND=backend)
    assert run.returncode == 0, run.stderr
    x, targets = np.array([[0.5, 2.0], [1.0, 1.0]], "float32"), np.array([1, 1])
    expected = [CrossEntropy(0.1, [1.0, 3.0])(targets, x), HalfSquaredError()(x, 2 * x), *accuracy(targets, x)]
    found = [float(word.strip("tensor()")) for word in run.stdout.split()]
    assert found == pytest.approx([float(value) for value in expected])
