"""The convolutional recognizer computes its equations, and has no state."""

import numpy as np

from zoo import ActivityCNN

RANDOM = np.random.default_rng(0)


def padded(x, kernel):
    """Zeros around the rows, as TensorFlow's padding `same` with stride 2 adds them."""
    rows = x.shape[1]
    total = max((-(-rows // 2) - 1) * 2 + kernel - rows, 0)
    return np.pad(x, ((0, 0), (total // 2, total - total // 2), (0, 0)))


def test_it_computes_its_equations():
    model = ActivityCNN(
        filters=5, kernel_size=3, num_blocks=2, window=20, classes=4, magnitude=True,
        mean=[0.1, -8.0, 1.0], variance=[20.0, 40.0, 24.0],
    )  # fmt: skip
    windows = RANDOM.normal(0, 5, (3, 20, 3)).astype("float32")
    x = (windows - model.mean) / np.sqrt(model.variance)
    squares = (windows**2).sum(axis=-1, keepdims=True) / 9.80665**2
    x = np.concatenate([x, np.minimum(squares, 6) - 1], axis=-1)
    for number in (1, 2):
        D, W, b = (weight.numpy() for weight in model.get_layer(f"block_{number}").weights)
        x, rows = padded(x, 3), -(-x.shape[1] // 2)
        u = np.stack([(x[:, 2 * t : 2 * t + 3] * D[..., 0]).sum(axis=1) for t in range(rows)], axis=1)
        x = np.maximum(u @ W[0] + b, 0)
    W_y, b_y = (weight.numpy() for weight in model.get_layer("logits").weights)
    np.testing.assert_allclose(model(windows), x.mean(axis=1) @ W_y + b_y, atol=1e-4)


def test_it_is_compiled_without_xla_which_takes_ten_times_as_long_for_it():
    model = ActivityCNN()
    model.compile()
    assert not model.jit_compile
    model.compile(jit_compile=True)
    assert model.jit_compile


def test_the_number_of_parameters_is_that_of_the_formula():
    k, F, K = 5, 7, 4
    inputs = (3 + 1, F, F)
    count = sum(k * size + size * F + F for size in inputs) + (F + 1) * K
    assert ActivityCNN(F, k, num_blocks=3, classes=K, magnitude=True).count_params() == count
