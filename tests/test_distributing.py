"""Several devices end at the weights of one."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from zoo import ZooError, distributing

# Trains with all that depends on the mean over a batch: clipping, an average of weights, validation and early stopping.
TRAIN = """
import sys
import numpy as np
import zoo

def train(data, out, weights):
    recipe = {"epochs": 2, "validation": 0.3, "validation_by": "time", "patience": 2, "augmentation": None}
    recipe["clip_norm"] = 0.3
    settings = {"units": 4, "num_layers": 1, "frame": 25}
    result = zoo.train("activity_gru", data, recipe, out=out, settings=settings)
    np.savez(weights, *result.model.get_weights(), loss=[row["val_loss"] for row in result.history])
"""

WORKER = f"{TRAIN}\ntrain(*sys.argv[1:])"

DEVICES = (
    TRAIN
    + """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from zoo import distributing
data, out, weights = sys.argv[1:]
train(data, f"{out}.one", weights.replace("devices", "one"))
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
distributing.strategy = lambda: strategy
train(data, f"{out}.two", weights.replace("devices", "two"))
"""
)


def started(code, data, folder, name, environment=None):
    command = [sys.executable, "-c", code, str(data), str(folder / "shared"), str(folder / f"{name}.npz")]
    return subprocess.Popen(command, env=os.environ | (environment or {}), stderr=subprocess.PIPE, text=True)


def weights(folder, name):
    with np.load(folder / f"{name}.npz") as file:
        return dict(file)


@pytest.mark.process
def test_two_workers_and_two_devices_end_at_the_weights_of_one_process(simulated, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        addresses = [f"127.0.0.1:{probe.getsockname()[1]}" for probe in (one, two)]
    configs = [{"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}} for index in (0, 1)]
    runs = [started(WORKER, simulated, tmp_path, str(config["task"]["index"]), {"TF_CONFIG": json.dumps(config)})
            for config in configs]  # fmt: skip
    runs.append(started(DEVICES, simulated, tmp_path, "devices"))
    for run in runs:
        assert run.wait() == 0, run.stderr.read()
    one = weights(tmp_path, "one")
    for name in ("0", "1", "two"):
        for key, value in weights(tmp_path, name).items():
            np.testing.assert_allclose(value, one[key], atol=1e-5)
    for key, value in weights(tmp_path, "0").items():
        np.testing.assert_array_equal(value, weights(tmp_path, "1")[key])
    assert (tmp_path / "shared" / "model.keras").is_file()


@pytest.mark.parametrize("config", [
    "{", "{}", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
    '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
])  # fmt: skip
def test_a_cluster_that_is_none_is_refused_with_an_example(config, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ZooError, match=r'^TF_CONFIG is .*; expected \{"cluster": \{"worker": \["host0:2222"'):
        distributing.is_chief()
