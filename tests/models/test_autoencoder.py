"""The sparse autoencoder against the course's cost and its analytic gradients."""

import numpy as np
import pytest
import tensorflow as tf

from zoo import SparseAutoencoder
from zoo.models.losses import HalfSquaredError

LAMBDA, BETA, RHO = 5e-4, 1.0, 0.04


def sigma(x):
    return 1 / (1 + np.exp(-x))


def course(x, W, b, c):
    """The course's J and its gradients for W, b and c, in float64."""
    x = x.astype(np.float64)
    N = len(x)
    h = sigma(x @ W + b)
    y = sigma(h @ W.T + c)
    r = h.mean(axis=0)
    kl = (RHO * np.log(RHO / r) + (1 - RHO) * np.log((1 - RHO) / (1 - r))).sum()
    J = ((x - y) ** 2).sum() / (2 * N) + LAMBDA / 2 * 2 * (W**2).sum() + BETA * kl
    d2 = (y - x) / N * y * (1 - y)
    d1 = (d2 @ W + BETA / N * (-RHO / r + (1 - RHO) / (1 - r))) * h * (1 - h)
    return J, (x.T @ d1 + d2.T @ h + 2 * LAMBDA * W, d1.sum(axis=0), d2.sum(axis=0))


def patches(count):
    return np.random.default_rng(1).uniform(0.1, 0.9, (count, 256)).astype("float32")


@pytest.mark.parametrize("batch", [32, 128, 256])
def test_the_loss_is_the_cost_of_the_course_and_its_gradients_the_analytic_ones(batch):
    model, x = SparseAutoencoder(seed=2), patches(batch)
    J, expected = course(x, *(weight.numpy().astype(np.float64) for weight in model.weights))
    model.compile("sgd", HalfSquaredError())
    assert model.evaluate(x, x, batch_size=batch, verbose=0) == pytest.approx(J, rel=1e-6)
    with tf.GradientTape() as tape:
        loss = HalfSquaredError()(x, model(x)) + sum(model.losses)
    for gradient, analytic in zip(tape.gradient(loss, model.trainable_variables), expected, strict=True):
        assert np.linalg.norm(gradient - analytic) / np.linalg.norm(analytic) < 1e-6


def test_the_start_is_uniform_within_the_course_limit():
    limit = np.sqrt(6 / (256 + 64))
    weights = [weight.numpy() for weight in SparseAutoencoder().weights]
    for weight in weights:
        assert 0.9 * limit < np.abs(weight).max() <= limit
    assert not np.allclose(weights[1], weights[2][:64])


def test_encode_and_decode_are_the_two_halves():
    model, x = SparseAutoencoder(hidden_units=10), patches(4)
    assert model.encode(x).shape == (4, 10)
    np.testing.assert_allclose(model.decode(model.encode(x)), model(x), atol=1e-6)
