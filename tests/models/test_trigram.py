"""The trigram model against its equations in NumPy."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from zoo import Model, TrigramLM, ZooError

CONTEXTS = np.random.default_rng(0).integers(0, 250, (8, 3)).astype("int32")
RATES = {"dropout": 0.3, "embedding_dropout": 0.2, "word_dropout": 0.1}


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
    assert model.count_params() == TrigramLM.parameter_formula(**model.get_config())
    assert model(np.zeros((2, arguments["context"]), int)).shape == (2, arguments["vocabulary"])


def test_the_sizes_of_the_course_have_the_parameters_of_the_course():
    assert [TrigramLM.parameter_formula(250, D, P) for D, P in ((32, 256), (16, 128), (8, 64))] == [97082, 42522, 19850]


@pytest.mark.parametrize("arguments", [{}, RATES | {"num_layers": 2, "activation": "gelu", "initializer": "course"}])
def test_configuration_and_file_give_it_back(arguments, tmp_path):
    model = TrigramLM(**arguments, seed=3)
    again = TrigramLM.from_config(json.loads(json.dumps(model.get_config())))
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(again(CONTEXTS), model(CONTEXTS))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is TrigramLM
    np.testing.assert_array_equal(loaded(CONTEXTS), model(CONTEXTS))


def test_a_folder_gives_it_back(tmp_path):
    model = TrigramLM(embedding=4, hidden_units=6)
    model.save_to_preset(tmp_path)
    np.testing.assert_array_equal(Model.from_preset(tmp_path)(CONTEXTS), model(CONTEXTS))


@pytest.mark.parametrize("arguments", [{}, RATES | {"num_layers": 3}])
def test_every_weight_gets_a_gradient(arguments):
    model = TrigramLM(**arguments)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(CONTEXTS, training=True) ** 2)
    for weight, gradient in zip(model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True):
        assert gradient is not None, weight.path
        assert np.abs(tf.convert_to_tensor(gradient).numpy()).max() > 0, weight.path


def test_word_dropout_drops_whole_words_in_training_alone():
    model = TrigramLM(word_dropout=0.5, seed=2)
    words = keras.Model(model.inputs[0], model.get_layer("word_dropout").output)
    contexts = np.tile(CONTEXTS, (20, 1))
    kept = np.asarray(words(contexts, training=True)) != 0
    assert (kept.all(axis=2) | ~kept.any(axis=2)).all()
    assert kept.all(axis=2).mean() == pytest.approx(0.5, abs=0.1)
    np.testing.assert_allclose(words(contexts), model.get_layer("embedding")(contexts))


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    a, b, c = (TrigramLM(seed=seed).get_weights() for seed in (1, 1, 2))
    assert all((one == other).all() for one, other in zip(a, b, strict=True))
    assert (a[0] != c[0]).any()


def test_it_learns_four_contexts_by_heart():
    model = TrigramLM(vocabulary=10, embedding=8, hidden_units=16, activation="relu")
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    contexts, targets = np.array([[1, 2, 3], [3, 2, 1], [2, 1, 3], [1, 3, 2]]), np.array([4, 5, 6, 7])
    loss = model.compute_loss(y=targets, y_pred=model(contexts))
    assert float(loss) == pytest.approx(np.log(10), abs=0.1)
    again = np.tile(np.arange(4), 150)
    model.fit(contexts[again], targets[again], batch_size=4, shuffle=False, verbose=0)
    assert float(model.compute_loss(y=targets, y_pred=model(contexts))) < 0.05


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vocabulary": 0}, "vocabulary is 0; expected a whole number, 1 or more"),
        ({"embedding": 2.5}, "embedding is 2.5; expected a whole number"),
        ({"hidden_units": -1}, "hidden_units is -1; expected a whole number"),
        ({"context": 0}, "context is 0; expected a whole number"),
        ({"num_layers": 0}, "num_layers is 0; expected a whole number"),
        ({"dropout": 1.0}, "dropout is 1; expected 0 or more, below 1"),
        ({"embedding_dropout": -0.1}, "embedding_dropout is -0.1; expected 0 or more, below 1"),
        ({"word_dropout": float("nan")}, "word_dropout is nan; expected 0 or more, below 1"),
        ({"activation": "sigmoyd"}, "activation is 'sigmoyd'; expected the name of a Keras activation"),
        ({"initializer": "he"}, "initializer 'he': expected keras or wide or course"),
    ],
)
def test_an_argument_outside_its_range_is_refused(arguments, message):
    with pytest.raises(ZooError, match=message):
        TrigramLM(**arguments)
