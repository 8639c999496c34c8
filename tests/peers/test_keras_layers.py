"""Every layer passes the harness that Keras runs on its own layers, `keras.src.testing.TestCase.run_layer_test`.

It checks the configuration, serialization, `build`, a symbolic and an eager call, shapes and dtypes, the numbers of
weights, seeds and losses, masking, a compiled training step, and mixed precision. Each row runs once for each check, so
that a failure names what failed.
"""

import keras
import numpy as np
import pytest
from keras.src import testing

from zoo import KLSparsity, TiedDense
from zoo.models.layers import Dropout, Magnitude


@keras.saving.register_keras_serializable(package="tests")
class Autoencoder(keras.layers.Layer):
    """`TiedDense` called in both directions, so that the harness sees the transposed one too."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units, self.supports_masking = units, True
        self.tied = TiedDense(units, "sigmoid", "tanh", dtype=self.dtype_policy)

    def build(self, input_shape):
        self.tied.build(input_shape)

    def call(self, inputs):
        return self.tied(self.tied(inputs), transpose=True)

    def compute_output_spec(self, inputs):
        return self.tied.compute_output_spec(self.tied.compute_output_spec(inputs), transpose=True)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


ALL_ARGUMENTS = {
    "units": 4, "activation": "sigmoid", "transposed_activation": "tanh", "kernel_initializer": "he_normal",
    "bias_initializer": "ones", "transposed_bias_initializer": "ones", "kernel_regularizer": "l2",
}  # fmt: skip
TRAINING = {"call_kwargs": {"training": True}}

# Class, arguments, shape of the input and of the output, weights, seeds, losses, and further options of the harness.
ROWS = {
    "tied": (TiedDense, {"units": 4}, (2, 9), (2, 4), 3, 0, 0, {}),
    "tied, rank 3": (TiedDense, {"units": 4}, (2, 5, 9), (2, 5, 4), 3, 0, 0, {}),
    "tied, all arguments": (TiedDense, ALL_ARGUMENTS, (2, 9), (2, 4), 3, 0, 1, {}),
    "tied, both directions": (Autoencoder, {"units": 4}, (2, 9), (2, 9), 3, 0, 0, {}),
    "sparsity": (KLSparsity, {}, (2, 4), (2, 4), 0, 0, 1, {}),
    "sparsity, rank 3": (KLSparsity, {"target": 0.1, "weight": 2.0}, (2, 5, 4), (2, 5, 4), 0, 0, 1, {}),
    "magnitude": (Magnitude, {}, (2, 3), (2, 1), 0, 0, 0, {}),
    "magnitude, rank 3": (Magnitude, {}, (2, 5, 3), (2, 5, 1), 0, 0, 0, {}),
    "dropout": (Dropout, {"rate": 0.2}, (2, 5, 3), (2, 5, 3), 0, 1, 0, TRAINING),
    "dropout, noise shape": (
        Dropout, {"rate": 0.5, "noise_shape": (None, 1, 3), "seed": 1}, (2, 5, 3), (2, 5, 3), 0, 1, 0, TRAINING
    ),
    "dropout of nothing": (Dropout, {"rate": 0.0}, (2, 5, 3), (2, 5, 3), 0, 0, 0, TRAINING),
    "dropout of everything": (Dropout, {"rate": 1.0}, (2, 5, 3), (2, 5, 3), 0, 1, 0, TRAINING),
}  # fmt: skip


def run(row, **options):
    layer, arguments, input_shape, _, _, _, _, more = ROWS[row]
    defaults = {"input_shape": input_shape, "run_training_check": False, "run_mixed_precision_check": False}
    testing.TestCase().run_layer_test(layer, arguments, **defaults | more | options)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("check", ["shape", "counts", "masks", "training", "mixed precision"])
def test_it_passes_the_checks_of_keras(row, check):
    _, _, _, shape, weights, seeds, losses, _ = ROWS[row]
    options = {
        "shape": {"expected_output_shape": shape, "expected_output_dtype": "float32"},
        "counts": {
            "expected_num_trainable_weights": weights, "expected_num_non_trainable_weights": 0,
            "expected_num_seed_generators": seeds, "expected_num_losses": losses,
        },
        "masks": {"supports_masking": True}, "training": {"run_training_check": True},
        "mixed precision": {"run_mixed_precision_check": True},
    }  # fmt: skip
    run(row, **options[check])


@pytest.mark.parametrize("row", [row for row in ROWS if ROWS[row][0] in (KLSparsity, Magnitude, Dropout)])
def test_it_is_built_at_once_where_it_has_no_weights(row):
    run(row, assert_built_after_instantiation=True)


@pytest.mark.parametrize(
    ("row", "value"), [("sparsity, rank 3", None), ("dropout of nothing", 1.0), ("dropout of everything", 0.0)]
)
def test_it_returns_what_it_should(row, value):
    shape = ROWS[row][2]
    inputs = np.random.default_rng(0).uniform(0.1, 0.9, shape).astype("float32") if value is None else np.ones(shape)
    inputs = keras.ops.convert_to_tensor(inputs, "float32")
    expected = inputs if value is None else keras.ops.full(shape, value)
    run(row, input_shape=None, input_data=inputs, expected_output=expected)
