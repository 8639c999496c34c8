"""A small transformer: an encoder over patches of a window.

Ashish Vaswani et al.: Attention Is All You Need. NeurIPS 2017, https://arxiv.org/abs/1706.03762. For activities: Yoli
Shavit, Itzik Klein: Boosting Inertial-Based Human Activity Recognition with Transformers. IEEE Access 9, 2021,
https://doi.org/10.1109/ACCESS.2021.3070646 (code: github.com/yolish/har-with-imu-transformer, MIT license).

Changed: a token is a patch of 5 rows, not a row, which saves 24 of 25 products of attention; two layers of 32 features
in place of six of 64; the mean of all tokens is classified, not a token of its own; positions are the bias of the last
projection; each layer normalizes first; ReLU stands in place of GELU.
"""

import keras


def build(window, channels, classes, size=32, heads=4, layers=2, hidden=64, patch=5, dropout=0.1):
    """Builds the network.

    Args:
        window: Rows.
        channels: Their number.
        classes: Labels.
        size: Features of a token.
        heads: Heads of attention, a divisor of `size`.
        layers: Number of layers.
        hidden: Features between the two dense layers of a layer.
        patch: Rows of a token; rows that make no whole token are left out.
        dropout: Share of the features that is left out in training.
    """
    inputs = keras.Input((window, channels))
    x = keras.layers.Conv1D(size, patch, patch, activation="relu")(inputs)
    for _ in range(2):
        x = keras.layers.Dense(size, activation="relu")(x)
    x = keras.layers.EinsumDense("btd,de->bte", (x.shape[1], size), bias_axes="te")(x)
    for _ in range(layers):
        y = keras.layers.LayerNormalization()(x)
        y = keras.layers.MultiHeadAttention(heads, size // heads, dropout=dropout)(y, y)
        x = x + keras.layers.Dropout(dropout)(y)
        y = keras.layers.Dense(hidden, activation="relu")(keras.layers.LayerNormalization()(x))
        x = x + keras.layers.Dropout(dropout)(keras.layers.Dense(size)(y))
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.LayerNormalization()(x))
    x = keras.layers.Dense(size // 4, activation="relu")(keras.layers.LayerNormalization()(x))
    return keras.Model(inputs, keras.layers.Dense(len(classes))(keras.layers.Dropout(dropout)(x)))
