"""The trigram model against its equations in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from zoo import TrigramLM

CONTEXTS = np.random.default_rng(0).integers(0, 250, (8, 3)).astype("int32")


def sigma(x):
    return 1 / (1 + np.exp(-x))


def course(contexts, E, W, b, U, c):
    """The course's forward pass, in float64."""
    e = np.concatenate([E[contexts[:, place]] for place in range(contexts.shape[1])], axis=1)
    h = sigma(e @ W + b)
    return h @ U + c


def double(weights):
    return [weight.numpy().astype(np.float64) for weight in weights]


@pytest.mark.parametrize("initializer", ["keras", "course"])
def test_it_computes_the_equations_of_the_course(initializer):
    model = TrigramLM(initializer=initializer, seed=1)
    if initializer == "course":
        # Weights near 0 would hide a wrong order of the words.
        model.set_weights([30 * weight for weight in model.get_weights()])
    np.testing.assert_allclose(model(CONTEXTS), course(CONTEXTS, *double(model.weights)), atol=1e-4, rtol=1e-5)


def test_the_gradient_of_the_embedding_is_that_of_finite_differences():
    model = TrigramLM(vocabulary=7, embedding=3, hidden_units=5, seed=1)
    contexts, targets = np.array([[0, 1, 1], [4, 0, 6]]), np.array([2, 5])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, model(contexts)))
    found = tf.convert_to_tensor(tape.gradient(loss, model.trainable_variables[0])).numpy()

    def cost(E):
        z = course(contexts, E, *rest)
        return (np.log(np.exp(z).sum(axis=1)) - z[np.arange(2), targets]).mean()

    E, *rest = double(model.weights)
    for place in np.ndindex(E.shape):
        step = np.zeros_like(E)
        step[place] = 1e-5
        assert found[place] == pytest.approx((cost(E + step) - cost(E - step)) / 2e-5, abs=1e-6)


def test_two_hidden_layers_are_one_after_the_other():
    model = TrigramLM(embedding=4, hidden_units=6, num_layers=2, activation="tanh", seed=1)
    E, W1, b1, W2, b2, U, c = double(model.weights)
    e = E[CONTEXTS].reshape(8, 12)
    expected = np.tanh(np.tanh(e @ W1 + b1) @ W2 + b2) @ U + c
    np.testing.assert_allclose(model(CONTEXTS), expected, atol=1e-5)


def test_the_course_starts_all_weights_from_one_narrow_normal_and_keras_starts_biases_at_zero():
    for weight in TrigramLM(initializer="course").weights:
        assert weight.numpy().std() == pytest.approx(0.01, rel=0.15), weight.path
        assert abs(weight.numpy().mean()) < 0.003
    keras_own = {weight.path: weight.numpy() for weight in TrigramLM().weights}
    assert all((values == 0).all() == path.endswith("bias") for path, values in keras_own.items())


@given(
    st.fixed_dictionaries(
        {"vocabulary": st.integers(1, 40), "embedding": st.integers(1, 9), "hidden_units": st.integers(1, 9),
         "context": st.integers(1, 5), "num_layers": st.integers(1, 3), "dropout": st.sampled_from([0.0, 0.5])}
    )
)  # fmt: skip
def test_its_size_is_that_of_the_formula(arguments):
    model = TrigramLM(**arguments)
    V, D, P, C, L = (arguments[name] for name in ("vocabulary", "embedding", "hidden_units", "context", "num_layers"))
    assert model.count_params() == V * D + (C * D * P + P) + (L - 1) * (P * P + P) + P * V + V
    assert model(np.zeros((2, arguments["context"]), int)).shape == (2, arguments["vocabulary"])


def test_the_sizes_of_the_course_have_the_parameters_of_the_course():
    assert [TrigramLM.parameter_formula(250, D, P) for D, P in ((32, 256), (16, 128), (8, 64))] == [97082, 42522, 19850]


def test_word_dropout_drops_whole_words_in_training_alone():
    model = TrigramLM(word_dropout=0.5, seed=2)
    words = keras.Model(model.inputs[0], model.get_layer("word_dropout").output)
    contexts = np.tile(CONTEXTS, (20, 1))
    kept = np.asarray(words(contexts, training=True)) != 0
    assert (kept.all(axis=2) | ~kept.any(axis=2)).all()
    assert kept.all(axis=2).mean() == pytest.approx(0.5, abs=0.1)
    np.testing.assert_allclose(words(contexts), model.get_layer("embedding")(contexts))
