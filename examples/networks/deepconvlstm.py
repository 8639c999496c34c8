"""DeepConvLSTM: four convolutions over time within each channel, and two layers of LSTM.

Francisco Javier Ordóñez, Daniel Roggen: Deep Convolutional and LSTM Recurrent Neural Networks for Multimodal Wearable
Activity Recognition. Sensors 16(1):115, 2016, https://doi.org/10.3390/s16010115 (CC BY 4.0). With `layers=1` it is the
network of Marius Bock, Alexander Hölzemann, Michael Moeller, Kristof Van Laerhoven: Improving Deep Learning for HAR
with Shallow LSTMs. ISWC 2021, https://doi.org/10.1145/3460421.3480419.

Changed: an LSTM of Keras has no peepholes; the label is that of the window, not that of its last row.
"""

import keras


def build(window, channels, classes, filters=64, units=128, layers=2, dropout=0.5, unroll=False):
    """Builds the network.

    Args:
        window: Rows, 17 or more.
        channels: Their number.
        classes: Labels.
        filters: Filters of each convolution.
        units: Units of each LSTM.
        layers: Number of LSTMs.
        dropout: Share of the inputs of each LSTM, and of the last layer, that is left out in training.
        unroll: Whether the LSTMs are written out step by step, without a loop, as int8 needs it.
    """
    inputs = keras.Input((window, channels))
    x = keras.layers.Reshape((window, channels, 1))(inputs)
    for _ in range(4):
        x = keras.layers.Conv2D(filters, (5, 1), activation="relu")(x)
    x = keras.layers.Reshape((window - 16, channels * filters))(x)
    for layer in range(layers):
        x = keras.layers.Dropout(dropout)(x)
        x = keras.layers.LSTM(units, return_sequences=layer < layers - 1, unroll=unroll)(x)
    return keras.Model(inputs, keras.layers.Dense(len(classes))(keras.layers.Dropout(dropout)(x)))
