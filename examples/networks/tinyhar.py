"""TinyHAR: convolutions within each channel, attention between channels, an LSTM, and attention over time.

Yexu Zhou, Haibin Zhao, Yiran Huang, Michael Hefenbrock, Till Riedel, Michael Beigl: TinyHAR: A Lightweight Deep
Learning Model Designed for Human Activity Recognition. ISWC 2022, https://doi.org/10.1145/3544794.3558467.

Written from the paper and from the shapes of the authors' layers (github.com/teco-kit/ISWC22-HAR, which states no
license); no code is theirs. As there, and unlike in the paper, every other convolution moves by one row, and no
feed-forward layer follows the attention between channels.

Changed: dot products are divided by the root of their length; an LSTM of Keras has one bias, that of PyTorch has two.
"""

import keras
from keras import ops


def build(window, channels, classes, filters=20, dropout=0.1, unroll=False):
    """Builds the network.

    Args:
        window: T, rows.
        channels: C.
        classes: Labels.
        filters: F, of each convolution. The LSTM has 2 F units.
        dropout: Share of the features between channels and time that is left out in training.
        unroll: Whether the LSTM is written out step by step, without a loop, as int8 needs it.
    """
    inputs = keras.Input((window, channels))
    x = keras.layers.Reshape((window, channels, 1))(inputs)
    for stride in (1, 2, 1, 2):
        x = keras.layers.Conv2D(filters, (5, 1), (stride, 1), activation="relu")(x)
        x = keras.layers.BatchNormalization()(x)
    query, key, value = (keras.layers.Dense(filters, use_bias=False)(x) for _ in range(3))
    weights = ops.softmax(ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / filters**0.5)
    x = x + gain(ops.matmul(weights, value))
    x = keras.layers.Reshape((x.shape[1], channels * filters))(keras.layers.Dropout(dropout)(x))
    x = keras.layers.Dense(2 * filters, activation="relu")(x)
    x = keras.layers.LSTM(2 * filters, return_sequences=True, unroll=unroll)(x)
    scores = keras.layers.Dense(2 * filters, activation="tanh")(x)
    weights = ops.softmax(keras.layers.Dense(1, use_bias=False)(scores), axis=1)
    x = x[:, -1] + gain(ops.sum(weights * x, axis=1))
    return keras.Model(inputs, keras.layers.Dense(len(classes))(x))


def gain(x):
    """Multiplies by a number that is learned, 0 at first: a dense layer from one feature to one."""
    one = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    return ops.squeeze(one(ops.expand_dims(x, -1)), -1)
