"""Logs of trials for TensorBoard: curves, and the table of its HParams view."""

from pathlib import Path

import tensorflow as tf
from tensorboard.plugins.hparams import api

from zoo.search.records import Record

LOGS = "logs"
"""The folder of a search's logs: `tensorboard --logdir FOLDER/logs`."""


def log(record: Record, folder: Path, measure: str) -> None:
    """Writes the logs of a trial that has ended.

    Args:
        record: Record of the trial.
        folder: Folder of the logs of all trials.
        measure: Name of the objective.
    """
    name = f"{record['trial']:04d}"
    with tf.summary.create_file_writer(str(folder / name)).as_default():
        api.hparams({key: value for key, value in record["values"].items() if value is not None}, trial_id=name)
        for epoch in record.get("history", []):
            for key, value in epoch.items():
                if key != "epoch":
                    tf.summary.scalar(key, value, step=int(epoch["epoch"]))
        for rung, score in record["rungs"].items():
            tf.summary.scalar(measure, score, step=int(rung))
        if record["score"] is not None:
            tf.summary.scalar(measure, record["score"], step=record["epochs"])
