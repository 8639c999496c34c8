"""A temporal convolutional network: residual blocks of causal convolutions, each dilated twice as far as the last.

Shaojie Bai, J. Zico Kolter, Vladlen Koltun: An Empirical Evaluation of Generic Convolutional and Recurrent Networks for
Sequence Modeling. 2018, https://arxiv.org/abs/1803.01271 (code: github.com/locuslab/TCN, MIT license).

Changed: no weight normalization, which Keras does not have. With the defaults, the last row sees
1 + 2 (5 - 1) (2^5 - 1) = 249 rows.
"""

import keras


def build(window, channels, classes, filters=24, kernel=5, levels=5, dropout=0.05):
    """Builds the network.

    Args:
        window: Rows.
        channels: Their number.
        classes: Labels.
        filters: Filters of each convolution.
        kernel: Rows that a convolution reads.
        levels: Number of blocks.
        dropout: Share of the channels that is left out after each convolution in training.
    """
    x = inputs = keras.Input((window, channels))
    for level in range(levels):
        rest = x if x.shape[-1] == filters else keras.layers.Conv1D(filters, 1)(x)
        for _ in range(2):
            convolution = keras.layers.Conv1D(filters, kernel, padding="causal", dilation_rate=2**level)
            x = keras.layers.SpatialDropout1D(dropout)(keras.layers.ReLU()(convolution(x)))
        x = keras.layers.ReLU()(x + rest)
    return keras.Model(inputs, keras.layers.Dense(len(classes))(x[:, -1]))
