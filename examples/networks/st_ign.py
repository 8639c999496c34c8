"""IGN of STMicroelectronics, after Ignatov: one wide convolution over time, shared by all channels, and a dense layer.

Andrey Ignatov: Real-time human activity recognition from accelerometer data using Convolutional Neural Networks.
Applied Soft Computing 62, 2018, https://doi.org/10.1016/j.asoc.2017.09.027. In ST's form: STM32 AI model zoo, human
activity recognition, https://github.com/STMicroelectronics/stm32ai-modelzoo. Its code and weights are under ST's
license SLA0044; this file is written from the published shapes of its layers.

Changed: nothing in the layers. ST takes gravity out of the signal first, and reads 24 or 48 rows at 26 Hz. The dense
layer reads every row, so that longer windows make a larger network.
"""

import keras


def build(window, channels, classes, filters=24, units=12, dropout=0.5):
    """Builds the network.

    Args:
        window: Rows, 18 or more.
        channels: Their number.
        classes: Labels.
        filters: Filters of the convolution.
        units: Units of the dense layer.
        dropout: Share of these units that is left out in training.
    """
    inputs = keras.Input((window, channels))
    x = keras.layers.Reshape((window, channels, 1))(inputs)
    x = keras.layers.Conv2D(filters, (16, 1), activation="relu")(x)
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D((3, 1))(x))
    x = keras.layers.Dropout(dropout)(keras.layers.Dense(units)(x))
    return keras.Model(inputs, keras.layers.Dense(len(classes))(x))
