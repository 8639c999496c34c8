"""Layers in any Keras model, and the sparsity term at any batch size."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import KLSparsity, KLSparsityRegularizer, TiedDense, ZooError
from zoo.layers import Dropout, Magnitude, kl_sparsity

RANDOM = np.random.default_rng(0)


def kl(activations, rho, beta):
    """The equation in NumPy."""
    r = activations.mean(axis=0, dtype=np.float64)
    return beta * (rho * np.log(rho / r) + (1 - rho) * np.log((1 - rho) / (1 - r))).sum()


def test_both_directions_read_one_kernel():
    layer = TiedDense(4, "sigmoid", "tanh")
    x = RANDOM.normal(size=(6, 9)).astype("float32")
    hidden = layer(x)
    back = layer(hidden, transpose=True)
    kernel, bias, transposed_bias = (weight.numpy().astype(np.float64) for weight in layer.weights)
    h = 1 / (1 + np.exp(-(x @ kernel + bias)))
    np.testing.assert_allclose(hidden, h, atol=1e-6)
    np.testing.assert_allclose(back, np.tanh(h @ kernel.T + transposed_bias), atol=1e-6)
    assert layer.count_params() == 9 * 4 + 4 + 9


def test_a_tied_model_survives_a_file_and_trains_on(tmp_path):
    inputs = keras.Input((9,))
    tied = TiedDense(4, "sigmoid", "sigmoid", kernel_regularizer=keras.regularizers.L2(1e-3))
    model = keras.Model(inputs, tied(KLSparsity(0.1, 0.5)(tied(inputs)), transpose=True))
    model.compile("sgd", "mse")
    x = RANDOM.uniform(size=(32, 9)).astype("float32")
    model.fit(x, x, verbose=0)
    model.save(tmp_path / "tied.keras")
    again = keras.saving.load_model(tmp_path / "tied.keras")
    assert len(again.weights) == 3
    assert again.evaluate(x, x, verbose=0) == pytest.approx(model.evaluate(x, x, verbose=0))
    again.fit(x, x, verbose=0)


@pytest.mark.parametrize("batch", [32, 128, 256])
def test_the_sparsity_term_is_the_same_number_in_both_uses_at_every_batch_size(batch):
    # The same 32 rows again and again have the same mean.
    x = np.tile(RANDOM.normal(size=(32, 9)).astype("float32"), (batch // 32, 1))
    dense = keras.layers.Dense(5, "sigmoid", activity_regularizer=KLSparsityRegularizer(0.04, 2.0))
    hidden = dense(x)
    layer = KLSparsity(0.04, 2.0)
    layer(hidden)
    expected = kl(np.asarray(hidden), 0.04, 2.0)
    assert float(layer.losses[0]) == pytest.approx(expected, rel=1e-6)
    assert float(dense.losses[0]) == pytest.approx(expected, rel=1e-6)


def test_a_compiled_model_adds_the_term_once():
    x = RANDOM.normal(size=(64, 9)).astype("float32")
    dense = keras.layers.Dense(5, "sigmoid", activity_regularizer=KLSparsityRegularizer(0.04))
    model = keras.Sequential([keras.Input((9,)), dense])
    model.compile("sgd", "mse")
    hidden = model.predict(x, verbose=0)
    loss = model.evaluate(x, hidden, batch_size=64, verbose=0)
    assert loss == pytest.approx(kl(hidden, 0.04, 1.0), rel=1e-5)


def test_the_term_is_zero_at_the_target_and_finite_for_units_that_are_off_or_on():
    assert float(kl_sparsity(keras.ops.full((8, 3), 0.04), 0.04, 1.0)) == pytest.approx(0, abs=1e-6)
    assert np.isfinite(float(kl_sparsity(keras.ops.convert_to_tensor([[0.0, 1.0]]), 0.04, 1.0)))


@pytest.mark.parametrize(
    "layer", [KLSparsity(0.1, 2.0), TiedDense(3, "sigmoid", "tanh"), KLSparsityRegularizer(0.2), Magnitude()]
)
def test_configurations_round_trip(layer):
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize("target", [0.0, 1.0, -0.1, float("nan")])
@pytest.mark.parametrize("term", [KLSparsity, KLSparsityRegularizer])
def test_a_target_outside_its_range_is_refused(term, target):
    with pytest.raises(ZooError, match=r"sparsity target .*: expected a number between 0 and 1"):
        term(target)


def test_the_magnitude_is_the_same_however_a_vector_is_turned_and_bounded():
    vectors = np.array([[9.80665, 0, 0], [0, 0, -9.80665], [0, 0, 0], [3, 4, 0], [30, 30, 30]], "float32")
    expected = [0, 0, -1, 25 / 9.80665**2 - 1, 5]
    np.testing.assert_allclose(np.asarray(Magnitude()(vectors))[:, 0], expected, atol=1e-6)


def test_units_that_make_no_sense_are_refused():
    with pytest.raises(ZooError, match="units is 0; expected a whole number, 1 or more"):
        TiedDense(0)


@pytest.mark.parametrize("compiled", [False, True])
def test_dropout_drops_its_share_and_keeps_the_mean(compiled):
    layer = Dropout(0.3, seed=1)
    drop = tf.function(lambda x: layer(x, training=True), jit_compile=compiled)
    kept = np.asarray(drop(tf.ones((400, 100))))
    np.testing.assert_allclose(np.unique(kept), [0, 1 / 0.7], rtol=1e-6)
    assert abs(kept.mean() - 1) < 0.02
    assert (np.asarray(drop(tf.ones((400, 100)))) != kept).any()
    assert (np.asarray(layer(tf.ones((4, 5)), training=False)) == 1).all()


@pytest.mark.parametrize("compiled", [False, True])
def test_dropout_repeats_with_its_seed_and_drops_along_its_noise_shape(compiled):
    def draw(seed):
        layer = Dropout(0.5, (None, 6, 1), seed=seed)
        return np.asarray(tf.function(lambda x: layer(x, training=True), jit_compile=compiled)(tf.ones((50, 6, 4))))

    np.testing.assert_array_equal(draw(3), draw(3))
    assert (draw(3) == draw(3)[:, :, :1]).all()
    assert (draw(3) != draw(4)).any()
