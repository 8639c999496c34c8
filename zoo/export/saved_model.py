"""SavedModel: a signature `window` from raw windows to calibrated probabilities."""

from pathlib import Path

import keras
import tensorflow as tf


def write(model: keras.Model, folder: Path, temperature: float, batch: int | None = None) -> None:
    """Writes a SavedModel with the endpoint `window`.

    Args:
        model: Windows `(batch, window, channels)` in, logits `(batch, classes)` out.
        folder: Where to.
        temperature: What the logits are divided by before the softmax.
        batch: A fixed batch size, or None for any.
    """

    def window(window: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": tf.nn.softmax(model(window, training=False) / temperature)}

    # Without ExportArchive.track, which would store every weight a second time.
    archive = keras.export.ExportArchive()
    archive.add_endpoint("window", window, [tf.TensorSpec((batch, *model.input_shape[1:]), tf.float32, "window")])
    archive.write_out(folder, verbose=False)


def load(folder: Path) -> tf.types.experimental.ConcreteFunction:
    """Loads the endpoint `window` of a SavedModel."""
    return tf.saved_model.load(str(folder)).signatures["window"]
