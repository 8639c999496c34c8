"""Layers in any Keras model, on any backend, and the sparsity penalty at any batch size."""

import keras
import numpy as np
import pytest
from keras.src.backend import get_keras_mask

from zoo import KLSparsity, KLSparsityRegularizer, TiedDense, ZooError
from zoo.models.layers import Dropout, Magnitude, SimpleRNN, kl_sparsity

BACKEND = keras.backend.backend()
RANDOM = np.random.default_rng(0)
array = keras.ops.convert_to_numpy
tensor = keras.ops.convert_to_tensor
trains = pytest.mark.skipif(BACKEND == "numpy", reason="Keras does not train on NumPy")


def kl(activations, rho, beta):
    r = activations.mean(axis=0, dtype=np.float64)
    return beta * (rho * np.log(rho / r) + (1 - rho) * np.log((1 - rho) / (1 - r))).sum()


def tied_model(dtype=None, **options):
    inputs = keras.Input((9,))
    tied = TiedDense(4, "sigmoid", "sigmoid", dtype=dtype, name="tied", **options)
    return keras.Model(inputs, tied(KLSparsity(0.1, 0.5)(tied(inputs)), transpose=True))


# TiedDense


def test_both_directions_read_one_kernel():
    layer = TiedDense(4, "sigmoid", "tanh")
    x = RANDOM.normal(size=(6, 9)).astype("float32")
    hidden = layer(x)
    back = layer(hidden, True)
    kernel, bias, transposed_bias = (array(weight).astype(np.float64) for weight in layer.weights)
    h = 1 / (1 + np.exp(-(x @ kernel + bias)))
    np.testing.assert_allclose(array(hidden), h, atol=1e-6)
    np.testing.assert_allclose(array(back), np.tanh(h @ kernel.T + transposed_bias), atol=1e-6)
    np.testing.assert_array_equal(array(layer(hidden, transpose=True)), array(back))
    assert layer.count_params() == 9 * 4 + 4 + 9


@pytest.mark.parametrize("symbolic", [False, True])
def test_the_transposed_direction_first_is_refused(symbolic):
    layer = TiedDense(4, name="tied")
    hidden = keras.Input((4,)) if symbolic else np.ones((2, 4), "float32")
    with pytest.raises(ZooError, match=r"^tied: transpose=True before the layer is built; call it forward first$"):
        layer(hidden, transpose=True)
    assert not layer.built


@pytest.mark.parametrize("symbolic", [False, True])
@pytest.mark.parametrize(("transpose", "features", "found"), [(False, 256, 200), (True, 64, 256)])
def test_wrong_features_name_the_axis(symbolic, transpose, features, found):
    layer = TiedDense(64, name="tied")
    layer.build((None, 256))
    inputs = keras.Input((found,)) if symbolic else np.ones((2, found), "float32")
    with pytest.raises(ZooError, match=f"^tied: expected axis -1 to have {features} features, got {found}$"):
        layer(inputs, transpose=transpose)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_int8_is_near_the_floats_and_survives_a_file(tmp_path, dtype):
    model = tied_model(dtype)
    tied = model.get_layer("tied")
    x = RANDOM.uniform(size=(8, 9)).astype("float32")
    kernel, floats = array(tied.kernel), array(model(x)).astype("float32")
    tied.quantize("int8")
    # At most one of the 127 steps up to the largest number.
    assert (np.abs(array(tied.kernel).astype("float32") - kernel) <= 1.01 * np.abs(kernel).max() / 127).all()
    integers = array(model(x))
    np.testing.assert_allclose(integers.astype("float32"), floats, atol=0.01)
    model.save(tmp_path / "tied.keras")
    again = keras.saving.load_model(tmp_path / "tied.keras")
    assert again.get_layer("tied").dtype_policy.name == f"int8_from_{dtype}"
    assert [keras.backend.standardize_dtype(weight.dtype) for weight in again.get_layer("tied").weights] == [
        "float32", "float32", "int8", "float32"
    ]  # fmt: skip
    np.testing.assert_array_equal(array(again(x)), integers)


# Sparsity


@pytest.mark.parametrize("batch", [32, 128, 256])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_the_penalty_is_the_same_number_in_both_uses_at_every_batch_size(batch, dtype):
    # The same 32 rows again and again have the same mean.
    x = np.tile(RANDOM.normal(size=(32, 9)).astype("float32"), (batch // 32, 1))
    dense = keras.layers.Dense(5, "sigmoid", activity_regularizer=KLSparsityRegularizer(0.04, 2.0), dtype=dtype)
    hidden = dense(x)
    layer = KLSparsity(0.04, 2.0, dtype=dtype)
    layer(hidden)
    expected = kl(array(hidden).astype("float32"), 0.04, 2.0)
    for loss in (layer.losses[0], dense.losses[0]):
        assert keras.backend.standardize_dtype(loss.dtype) == "float32"
        assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_the_penalty_is_zero_at_the_target_and_finite_for_units_that_are_off_or_on():
    assert float(kl_sparsity(keras.ops.full((8, 3), 0.04), 0.04, 1.0)) == pytest.approx(0, abs=1e-6)
    for dtype in ("float32", "float16", "bfloat16"):
        assert np.isfinite(float(kl_sparsity(tensor([[0.0, 1.0]], dtype), 0.04, 1.0)))


def test_the_penalty_keeps_float64():
    activations = RANDOM.uniform(0.1, 0.9, (6, 4))
    penalty = float(kl_sparsity(tensor(activations, "float64"), 0.04, 1.0))
    # Keras takes Python's numbers as float32 on the other backends.
    assert penalty == pytest.approx(kl(activations, 0.04, 1.0), rel=1e-12 if BACKEND == "tensorflow" else 1e-6)


@pytest.mark.parametrize("bias", [-100.0, 100.0])
@pytest.mark.parametrize("use", ["layer", "regularizer"])
@trains
def test_saturated_units_leave_loss_and_weights_finite_in_float16(use, bias):
    options = {"activity_regularizer": KLSparsityRegularizer(0.04, 2.0)} if use == "regularizer" else {}
    dense = keras.layers.Dense(5, "sigmoid", bias_initializer=keras.initializers.Constant(bias),
                               dtype="mixed_float16", **options)  # fmt: skip
    last = [KLSparsity(0.04, 2.0, dtype="mixed_float16")] if use == "layer" else []
    model = keras.Sequential([keras.Input((9,)), dense, *last])
    # A loss scale would skip steps with NaN, and so hide them.
    model.compile(keras.optimizers.SGD(0.1), "mse", auto_scale_loss=False)
    x = RANDOM.normal(size=(2048, 9)).astype("float32")
    loss = model.fit(x, np.zeros((2048, 5), "float32"), batch_size=2048, verbose=0).history["loss"][0]
    assert np.isfinite(loss)
    assert loss > 1
    assert all(np.isfinite(array(weight)).all() for weight in model.weights)


@pytest.mark.parametrize("target", [0.0, 1.0, -0.1, float("nan")])
@pytest.mark.parametrize("term", [KLSparsity, KLSparsityRegularizer])
def test_a_target_outside_its_range_is_refused(term, target):
    with pytest.raises(ZooError, match=r"^target is .*; expected (above 0|below 1|a number)"):
        term(target)


# Masks


def test_masks_pass_through_every_layer():
    x = np.ones((2, 3, 4), "float32")
    x[0, 1:] = 0
    masked = keras.layers.Masking()(x)
    expected = [[True, False, False], [True, True, True]]
    tied = TiedDense(5, "sigmoid")
    hidden = tied(masked)
    outputs = [hidden, tied(hidden, transpose=True), KLSparsity()(hidden), Magnitude()(masked), Dropout(0.5)(masked)]
    for output in outputs:
        np.testing.assert_array_equal(array(get_keras_mask(output)), expected)


def test_padding_does_not_change_the_penalty():
    activations = RANDOM.uniform(0.1, 0.9, (2, 3, 4)).astype("float32")
    mask = np.array([[True, False, False], [True, True, True]])
    activations[~mask] = np.nan
    layer = KLSparsity(0.1, 2.0)
    layer(activations, mask=mask)
    assert float(layer.losses[0]) == pytest.approx(kl(activations[mask], 0.1, 2.0), rel=1e-6)
    assert float(kl_sparsity(tensor(activations), 0.1, 2.0, np.zeros((2, 3), bool))) == pytest.approx(0, abs=1e-6)


# Magnitude, Dropout, configurations


def test_the_magnitude_is_the_same_however_a_vector_is_turned_and_bounded():
    vectors = np.array([[9.80665, 0, 0], [0, 0, -9.80665], [0, 0, 0], [3, 4, 0], [30, 30, 30]], "float32")
    expected = [0, 0, -1, 25 / 9.80665**2 - 1, 5]
    np.testing.assert_allclose(array(Magnitude()(vectors))[:, 0], expected, atol=1e-6)


def compiled_or_not(layer, compiled):
    """A function that drops out, compiled by XLA where asked."""
    if not compiled:
        return lambda x: layer(x, training=True)
    if BACKEND != "tensorflow":
        pytest.skip(f"compiles a stateful layer: not possible with {BACKEND}")
    import tensorflow as tf

    return tf.function(lambda x: layer(x, training=True), jit_compile=True)


@pytest.mark.parametrize("compiled", [False, True])
def test_dropout_drops_its_share_and_keeps_the_mean(compiled):
    layer = Dropout(0.3, seed=1)
    drop = compiled_or_not(layer, compiled)
    ones = keras.ops.ones((400, 100))
    dropped = array(drop(ones))
    np.testing.assert_allclose(np.unique(dropped), [0, 1 / 0.7], rtol=1e-6)
    assert abs(dropped.mean() - 1) < 0.02
    assert (array(drop(ones)) != dropped).any()
    assert (array(layer(ones, training=False)) == 1).all()


@pytest.mark.parametrize("compiled", [False, True])
def test_dropout_repeats_with_its_seed_and_drops_along_its_noise_shape(compiled):
    def draw(seed):
        layer = Dropout(0.5, (None, 6, 1), seed=seed)
        return array(compiled_or_not(layer, compiled)(keras.ops.ones((50, 6, 4))))

    np.testing.assert_array_equal(draw(3), draw(3))
    assert (draw(3) == draw(3)[:, :, :1]).all()
    assert (draw(3) != draw(4)).any()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="other backends compute it as Keras does")
def test_the_fast_simple_rnn_has_the_outputs_and_gradients_of_keras():
    import tensorflow as tf

    random = np.random.default_rng(0)
    x, start = (
        tf.constant(random.standard_normal((4, 7, 3)), tf.float32),
        tf.constant(random.random((4, 5)), tf.float32),
    )
    found = []
    for cell in (SimpleRNN, keras.layers.SimpleRNN):
        layer = cell(5, return_sequences=True, bias_initializer=keras.initializers.RandomNormal(seed=3),
                     kernel_initializer=keras.initializers.RandomNormal(seed=1),
                     recurrent_initializer=keras.initializers.Orthogonal(seed=2))  # fmt: skip
        with tf.GradientTape() as tape:
            tape.watch([x, start])
            outputs = layer(x, initial_state=start, training=True)
            # The gradient of each step's output differs.
            loss = tf.reduce_sum(outputs * tf.sin(3 * outputs + tf.range(7.0)[None, :, None]))
        found.append([outputs, *tape.gradient(loss, [x, start, *layer.trainable_variables])])
    assert len(found[0]) == 6
    for mine, its in zip(*found, strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-5)
