"""GMP of STMicroelectronics: two convolutions over time, shared by all channels, and the maximum of each filter.

STM32 AI model zoo, human activity recognition: https://github.com/STMicroelectronics/stm32ai-modelzoo. Its code and
weights are under ST's license SLA0044; this file is written from the published shapes of its layers.

Changed: nothing in the layers. ST takes gravity out of the signal first, and reads 24 or 48 rows at 26 Hz.
"""

import keras


def build(window, channels, classes, filters=16, dropout=0.5):
    """Builds the network.

    Args:
        window: Rows, 9 or more.
        channels: Their number.
        classes: Labels.
        filters: Filters of each convolution.
        dropout: Share of the maxima that is left out in training.
    """
    inputs = keras.Input((window, channels))
    x = keras.layers.Reshape((window, channels, 1))(inputs)
    for _ in range(2):
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Conv2D(filters, (5, 1))(x)
    x = keras.layers.Dropout(dropout)(keras.layers.GlobalMaxPooling2D()(x))
    return keras.Model(inputs, keras.layers.Dense(len(classes))(x))
