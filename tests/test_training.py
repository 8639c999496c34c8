"""Training follows its recipe, survives a kill, and stops when it must."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import ActivityCNN, ActivityGRU, Recipe, ZooError
from zoo.data.dataset import DataSet
from zoo.data.pipeline import batches, training_batches
from zoo.distributing import train_step
from zoo.models.layers import Dropout
from zoo.task import Feed
from zoo.training import compile_model, fit

RECIPE = Recipe(learning_rate=1e-2, batch_size=8, epochs=4, validation=0.0, seed=3)


def examples(rows=32, shift=0):
    random = np.random.default_rng(0)
    labels = np.arange(rows) % 3
    windows = random.normal(0, 0.3, (rows, 20, 3)) + labels[:, None, None]
    return DataSet.of({"input": windows.astype("float32"), "target": (labels + shift) % 3})


def model(seed=3, dropout=0.0):
    first, second = (keras.initializers.GlorotUniform(seed=seed + number) for number in range(2))
    network = keras.Sequential(
        [
            keras.Input((20, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(6, "tanh", kernel_initializer=first),
            Dropout(dropout, seed=seed),
            keras.layers.Dense(3, kernel_initializer=second),
        ]
    )
    network.loss_name = "cross_entropy"
    return network  # fmt: skip


def run(recipe, network=None, rows=None, validation=None, **options):
    network, rows = network or model(), examples() if rows is None else rows
    feed = Feed(partial(training_batches, rows, seed=recipe.seed), len(rows), validation)
    return network, fit(network, recipe, feed, **options)


def weights(network):
    return [w.numpy() for w in network.weights]


def assert_equal(one, other):
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


class Weights(keras.callbacks.Callback):
    """Collects the weights that callbacks see after each epoch."""

    def __init__(self):
        super().__init__()
        self.found = []

    def on_epoch_end(self, epoch, logs=None):
        self.found.append(weights(self.model))


@pytest.mark.slow
def test_the_moving_average_follows_the_number_of_steps_and_is_what_everybody_sees():
    # An epoch is one step, so that callbacks see the weights after each.
    recipe = RECIPE.replace(batch_size=32, epochs=9)
    plain, averaged = Weights(), Weights()
    run(recipe, callbacks=[plain])
    network, _ = run(recipe.replace(ema_decay=0.5), callbacks=[averaged])
    expected = weights(model())
    for step, (raw, found) in enumerate(zip(plain.found, averaged.found, strict=True), start=1):
        decay = min(0.5, (1 + step) / (10 + step))
        expected = [decay * a + (1 - decay) * w for a, w in zip(expected, raw, strict=True)]
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
    for a, b in zip(weights(network), averaged.found[-1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_step_in_16_bits_is_that_of_keras():
    for policy in ("float32", "mixed_float16", "mixed_bfloat16"):
        start, one, other = (ActivityCNN(4, 3, 2, window=16, dtype=policy) for _ in range(3))
        windows = np.random.default_rng(0).normal(0, 5, (8, 16, 3)).astype("float32")
        for model in (one, other):
            model.compile(keras.optimizers.SGD(0.1), jit_compile=False)
        train_step(one, tf.constant(windows), tf.constant(np.arange(8) % 6), None)
        other.fit(windows, np.arange(8) % 6, batch_size=8, verbose=0)
        for mine, its in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(mine, its, atol=1e-3)
        moved = [np.abs(mine - was).max() for mine, was in zip(one.get_weights(), start.get_weights(), strict=True)]
        assert max(moved) > 0.02


@pytest.mark.slow
@pytest.mark.parametrize("decay", [None, 0.5])
def test_a_share_of_the_start_is_in_the_weights_that_everybody_sees(decay):
    recipe = RECIPE.replace(ema_decay=decay)
    plain, shared = Weights(), Weights()
    network, _ = run(recipe, callbacks=[plain])
    averaged, _ = run(recipe.replace(start_share=0.25), callbacks=[shared])
    for raw, found in zip([*plain.found, weights(network)], [*shared.found, weights(averaged)], strict=True):
        for a, b, start in zip(found, raw, weights(model()), strict=True):
            np.testing.assert_allclose(a, 0.25 * start + 0.75 * b, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("optimizer", "rate", "noise", "share"), [("sgd", 1.0, 0.3, 0.5), ("adam", 0.01, 0.0, 1.1)])
def test_a_run_of_60_steps_gains_by_a_long_average_and_reports_the_saved_weights(optimizer, rate, noise, share):
    """A noisy run ends at half of the loss; a quiet one loses nothing, as an average over all steps would."""
    recipe = RECIPE.replace(optimizer=optimizer, learning_rate=rate, epochs=15, validation=0.5)
    rows, random = examples(62), np.random.default_rng(5)
    labels = np.where(random.random(32) < noise, random.integers(0, 3, 32), rows.targets[:32])
    validation = batches(DataSet.of({"input": rows.inputs[32:], "target": rows.targets[32:]}), 30)
    fitted = DataSet.of({"input": rows.inputs[:32], "target": labels})
    (_, plain), (network, averaged) = (
        run(recipe.replace(ema_decay=decay), rows=fitted, validation=validation) for decay in (None, 0.999)
    )
    last = averaged.history[-1]
    assert last["val_loss"] < share * plain.history[-1]["val_loss"]
    compile_model(network, recipe, 1)
    assert network.evaluate(validation, verbose=0) == pytest.approx([last["val_loss"], last["val_accuracy"]], rel=1e-5)


AVERAGED = RECIPE.replace(ema_decay=0.9, schedule="cosine", warmup_epochs=1)


# The last one makes 67 steps an epoch, a prime number, which are divided among calls of different sizes.
@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "rows"), [(AVERAGED, 32), (RECIPE.replace(batch_size=1), 67)])
def test_a_run_stopped_after_an_epoch_and_resumed_ends_at_the_same_weights(tmp_path, recipe, rows):
    rows = examples(rows)

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    whole, _ = run(recipe, model(dropout=0.3), rows)
    path = tmp_path / "checkpoint.npz"
    with pytest.raises(KeyboardInterrupt):
        run(recipe, model(dropout=0.3), rows, checkpoint=path, callbacks=[Stop()])
    resumed, fitted = run(recipe, model(dropout=0.3, seed=99), rows, checkpoint=path)
    assert len(fitted.history) == 4
    assert int(resumed.optimizer.iterations) == 4 * fitted.steps == 4 * (len(rows) // recipe.batch_size)
    assert_equal(whole, resumed)


@pytest.mark.slow
def test_a_run_that_a_callback_has_stopped_does_not_go_on_when_it_is_resumed(tmp_path):
    stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(stop.model, "stop_training", True))
    (stopped, _), (resumed, fitted) = (
        run(RECIPE, checkpoint=tmp_path / "checkpoint.npz", callbacks=callbacks) for callbacks in ([stop], [])
    )
    assert len(fitted.history) == 1
    assert_equal(stopped, resumed)


@pytest.mark.slow
def test_a_checkpoint_of_another_recipe_is_refused(tmp_path):
    path = tmp_path / "checkpoint.npz"
    run(RECIPE, checkpoint=path)
    with pytest.raises(ZooError, match="was made with another recipe"):
        run(RECIPE.replace(learning_rate=0.5), checkpoint=path)


@pytest.mark.slow
@pytest.mark.parametrize("decay", [None, 0.9])
def test_early_stopping_restores_the_weights_of_the_lowest_validation_loss(decay):
    # Validation labels contradict training labels, so an early epoch is the best one.
    recipe = RECIPE.replace(epochs=20, patience=2, validation=0.5, ema_decay=decay)
    validation = batches(examples(shift=1), 32)
    network, fitted = run(recipe, validation=validation)
    losses = [row["val_loss"] for row in fitted.history]
    assert fitted.best_epoch == int(np.argmin(losses)) + 1
    assert len(losses) == fitted.best_epoch + 2
    compile_model(network, recipe, 1)
    assert network.evaluate(validation, verbose=0)[0] == pytest.approx(min(losses), rel=1e-5)


def test_patience_without_validation_rows_is_refused():
    with pytest.raises(ZooError, match="no validation rows, which patience needs"):
        run(RECIPE.replace(patience=2, validation=0.5))


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_weights():
    network = model()
    recipe = RECIPE.replace(optimizer="sgd", learning_rate=1e38)
    with pytest.raises(ZooError, match=r"the loss became \w+ in epoch 1: lower the learning rate"):
        run(recipe, network)
    assert all(np.isfinite(w).all() for w in weights(network))


@pytest.mark.slow
def test_fewer_rows_than_a_batch_are_one_batch():
    _, fitted = run(RECIPE.replace(batch_size=64), rows=examples(30))
    assert fitted.batch_size == 30
    assert fitted.history[-1]["loss"] < fitted.history[0]["loss"]


def test_a_warmup_longer_than_half_of_the_run_takes_half_of_it():
    network = model()
    compile_model(network, RECIPE.replace(schedule="cosine", warmup_epochs=5, epochs=2), 4)
    rates = [float(network.optimizer._learning_rate(step)) for step in range(9)]
    assert rates[:5] == pytest.approx([0.0, 0.0025, 0.005, 0.0075, 0.01])
    assert rates[8] == pytest.approx(0, abs=1e-9)
    compile_model(network, RECIPE.replace(schedule="cosine", warmup_epochs=1, epochs=3), 2)
    rates = [float(network.optimizer._learning_rate(step)) for step in range(7)]
    assert rates == pytest.approx([0.0, 0.005, 0.01, 0.0085355, 0.005, 0.0014645, 0.0], abs=1e-7)


@pytest.mark.slow
def test_momentum_sgd_takes_the_course_steps():
    # v <- a v - eta g, w <- w + v on gradients summed over the batch = on averages with eta times the batch.
    rows = examples(8)
    network = ActivityGRU(units=6, window=20, classes=3, initializer="course")
    start = weights(network)
    recipe = RECIPE.replace(optimizer="sgd", learning_rate=8 * 1e-3, momentum=0.9, epochs=1)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(rows.targets, network(rows.inputs))
        total = tf.reduce_sum(losses)
    gradients = [np.asarray(g) for g in tape.gradient(total, network.trainable_variables)]
    run(recipe, network, rows)
    for before, gradient, after in zip(start, gradients, weights(network), strict=True):
        np.testing.assert_allclose(after, before - 1e-3 * gradient, atol=1e-6)
