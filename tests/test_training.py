"""Training follows its recipe, survives a kill, and stops when it must."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import keras
import numpy as np
import pytest

from zoo import ActivityGRU, Recipe, ZooError
from zoo.data.examples import Examples
from zoo.data.pipeline import batches, training_batches
from zoo.losses import balanced
from zoo.training import compile_model, fit

RECIPE = Recipe(learning_rate=1e-2, batch_size=8, epochs=4, validation=0.0, seed=3)


def examples(rows=32):
    random = np.random.default_rng(0)
    labels = np.arange(rows) % 3
    windows = random.normal(0, 0.3, (rows, 20, 3)) + labels[:, None, None]
    return Examples.all(windows.astype("float32"), labels)


def model(**arguments):
    return ActivityGRU(**{"units": 6, "window": 20, "classes": 3, "seed": 3} | arguments)


def run(recipe, network=None, rows=None, **options):
    network, rows = network or model(), rows or examples()
    fitted = fit(
        network, recipe,
        lambda epoch, size: training_batches(rows, size, seed=recipe.seed, first_epoch=epoch), len(rows),
        **options,
    )  # fmt: skip
    return network, fitted


def weights(network):
    return [w.numpy() for w in network.weights]


def test_training_lowers_the_loss_and_counts_its_epochs():
    _, fitted = run(RECIPE)
    assert [row["epoch"] for row in fitted.history] == [1, 2, 3, 4]
    assert fitted.history[-1]["loss"] < fitted.history[0]["loss"]
    assert fitted.best_epoch == 4


def test_the_same_seed_gives_the_same_weights():
    first, second = run(RECIPE)[0], run(RECIPE)[0]
    for a, b in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("changes", [{}, {"optimizer": "sgd", "momentum": 0.9, "clip_norm": 0.5}])
def test_micro_batches_end_at_the_weights_and_numbers_of_whole_batches(changes):
    recipe = replace(RECIPE, **changes)
    (whole, expected), (divided, found) = (run(replace(recipe, micro_batches=count)) for count in (1, 4))
    for a, b in zip(weights(divided), weights(whole), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
    for a, b in zip(found.history, expected.history, strict=True):
        assert a == pytest.approx(b, abs=1e-4)


@pytest.mark.parametrize("recipe", [RECIPE, replace(RECIPE, ema_decay=0.9, schedule="cosine", warmup_epochs=1)])
def test_a_run_stopped_after_an_epoch_and_resumed_ends_at_the_same_weights(tmp_path, recipe):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    whole, _ = run(recipe, model(dropout=0.3))
    path = tmp_path / "checkpoint.npz"
    with pytest.raises(KeyboardInterrupt):
        run(recipe, model(dropout=0.3), checkpoint=path, callbacks=[Stop()])
    resumed, fitted = run(recipe, model(dropout=0.3, seed=99), checkpoint=path)
    assert len(fitted.history) == 4
    for a, b in zip(weights(whole), weights(resumed), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path):
    path = tmp_path / "checkpoint.npz"
    run(RECIPE, checkpoint=path)
    with pytest.raises(ZooError, match="was made with another recipe"):
        run(replace(RECIPE, learning_rate=0.5), checkpoint=path)


def test_early_stopping_restores_the_weights_of_the_lowest_validation_loss():
    # Validation labels contradict training labels, so the first epoch is the best one.
    wrong = examples()
    wrong = Examples.all(wrong.inputs, (wrong.targets + 1) % 3)
    recipe = replace(RECIPE, epochs=20, patience=2, validation=0.5)
    network, fitted = run(recipe, validation=batches(wrong, 32))
    losses = [row["val_loss"] for row in fitted.history]
    assert fitted.best_epoch == int(np.argmin(losses)) + 1
    assert len(losses) == fitted.best_epoch + 2
    compile_model(network, recipe, 1)
    assert network.evaluate(batches(wrong, 32), verbose=0)[0] == pytest.approx(min(losses), rel=1e-5)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_weights():
    network = model()
    recipe = replace(RECIPE, optimizer="sgd", learning_rate=1e38)
    with pytest.raises(ZooError, match=r"the loss became \w+ in epoch 1: lower the learning rate"):
        run(recipe, network)
    assert all(np.isfinite(w).all() for w in weights(network))


def test_fewer_rows_than_a_batch_are_refused():
    with pytest.raises(ZooError, match="4 training rows are fewer than a batch of 8"):
        run(RECIPE, rows=examples(4))


def test_the_loss_is_the_cross_entropy_of_the_equation():
    network, rows = model(), examples()
    smoothing, class_weights = 0.1, [0.5, 1.0, 2.0]
    compile_model(network, replace(RECIPE, label_smoothing=smoothing), 1, class_weights)
    logits = np.asarray(network(rows.inputs), np.float64)
    log_softmax = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    targets = (1 - smoothing) * np.eye(3)[rows.targets] + smoothing / 3
    expected = (np.array(class_weights)[rows.targets] * -(targets * log_softmax).sum(axis=1)).mean()
    assert network.evaluate(batches(rows, 32), verbose=0)[0] == pytest.approx(expected, rel=1e-5)


def test_momentum_sgd_takes_the_course_steps():
    # v <- a v - eta g, w <- w + v on gradients summed over the batch = on averages with eta times the batch.
    rows = examples(8)
    network = model(initializer="course")
    start = weights(network)
    recipe = replace(RECIPE, optimizer="sgd", learning_rate=8 * 1e-3, momentum=0.9, epochs=1)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(rows.targets, network(rows.inputs))
        total = tf.reduce_sum(losses)
    gradients = [np.asarray(g) for g in tape.gradient(total, network.trainable_variables)]
    run(recipe, network, rows)
    for before, gradient, after in zip(start, gradients, weights(network), strict=True):
        np.testing.assert_allclose(after, before - 1e-3 * gradient, atol=1e-6)


def test_balanced_weights_make_classes_count_the_same():
    labels = np.array([0] * 6 + [1] * 2 + [3])
    loaded = np.array(balanced(labels, 4))
    assert loaded[2] == 0
    np.testing.assert_allclose(np.bincount(labels, minlength=4) * loaded, [3, 3, 0, 3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "lion"}, "optimizer is 'lion'; expected sgd or adam or adamw"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; expected above 0"),
        ({"momentum": 1.0}, "momentum is 1.0"),
        ({"micro_batches": 3}, "micro_batches is 3; expected a divisor of the batch, 8"),
        ({"patience": 3, "validation": 0.0}, "patience needs validation data"),
    ],
)
def test_a_recipe_outside_its_range_is_refused(change, message):
    with pytest.raises(ZooError, match=message):
        replace(RECIPE, **change)


def test_a_training_killed_with_sigkill_resumes_to_the_same_weights(simulated, tmp_path):
    command = [
        sys.executable, "-m", "zoo.cli", "train", "--model", "activity_gru", "--units", "8", "--frame", "5",
        "--epochs", "12", "--data", str(simulated), "--seed", "1",
    ]  # fmt: skip
    subprocess.run([*command, "--out", str(tmp_path / "whole")], check=True, capture_output=True)
    killed = subprocess.Popen(
        [*command, "--out", str(tmp_path / "killed")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not (tmp_path / "killed" / "checkpoint.npz").exists() and killed.poll() is None:
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    subprocess.run([*command, "--out", str(tmp_path / "killed"), "--resume"], check=True, capture_output=True)
    whole, resumed = (weights(keras.saving.load_model(tmp_path / name / "model.keras")) for name in ("whole", "killed"))
    for a, b in zip(whole, resumed, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_trained_again_by_the_same_program_is_as_a_new_one_and_is_not_compiled_again():
    first = replace(RECIPE, schedule="cosine", warmup_epochs=1, ema_decay=0.9)
    second = replace(first, learning_rate=3e-3, warmup_epochs=0, epochs=5, seed=4)
    used, _ = run(first, model(dropout=0.2))
    step = used.train_function
    for variable, value in zip(used.variables, model(dropout=0.2, seed=4).variables, strict=True):
        variable.assign(value)
    used, again = run(second, used)
    fresh, alone = run(second, model(dropout=0.2, seed=4))
    assert used.train_function is step
    assert [row["loss"] for row in again.history] == pytest.approx([row["loss"] for row in alone.history], rel=1e-5)
    for one, other in zip(weights(used), weights(fresh), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
