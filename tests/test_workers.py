"""Several workers train what one would have trained, end together when one is gone, and go on."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import ZooError
from zoo.cluster import Cluster, WorkerLostError, loopback
from zoo.distributed import shared_steps
from zoo.tasks import activity as task
from zoo.tasks.planning import plan
from zoo.training import CHECKPOINT

SETTINGS = {"units": 4, "frame": 10, "epochs": 3, "batch_size": 64, "optimizer": "sgd", "validation": 0.3, "seed": 1}


def command(data, out, workers=2, **changes):
    """What a person types."""
    named = [f"{key}={value}" for key, value in (SETTINGS | changes).items()]
    return [
        sys.executable, "-m", "zoo.cli", "train", "--model", "activity_gru", "--data", str(data), "--out", str(out),
        "--deterministic", "--workers", str(workers), *(word for pair in named for word in ("--set", pair)),
    ]  # fmt: skip


def alone(data, **changes):
    """The weights that one worker ends at."""
    code = plan(None, "activity_gru", SETTINGS | changes)
    prepared = task.prepare(data, code.recipe)
    model = prepared.build(code)
    prepared.fit(code.recipe, model)
    return model.get_weights()


def weights(out):
    return keras.saving.load_model(out / "model.keras", compile=False).get_weights()


def assert_close(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)


def test_two_workers_with_batches_of_32_end_at_the_weights_of_one_with_64(simulated, tmp_path):
    run = subprocess.run([*command(simulated, tmp_path / "out"), "--json"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["epochs"] == 3
    assert run.stderr.count("epoch 3/3") == 1
    assert_close(weights(tmp_path / "out"), alone(simulated))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["config.json", "history.json", "model.keras"]


def children(process):
    """Process numbers by the index of the worker."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            parent = f"PPid:\t{process.pid}\n" in (entry / "status").read_text()
            words = (entry / "environ").read_bytes().split(b"\0") if parent else []
        except (OSError, ValueError):
            continue
        told = [word.removeprefix(b"TF_CONFIG=") for word in words if word.startswith(b"TF_CONFIG=")]
        found |= {json.loads(text)["task"]["index"]: int(entry.name) for text in told}
    return found


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_a_worker_killed_in_mid_epoch_ends_all_and_the_same_command_goes_on(simulated, tmp_path):
    changes = {"epochs": 40, "patience": "null", "learning_rate": 1e-3}
    typed, out = command(simulated, tmp_path / "out", **changes), tmp_path / "out"
    for victim in (1, 0):
        run = subprocess.Popen(typed, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = run.stderr.readline()
        while not (out / CHECKPOINT).exists() and run.poll() is None:
            time.sleep(0.01)
        workers = children(run)
        os.kill(workers[victim], signal.SIGKILL)
        said += run.stderr.read()
        assert run.wait(timeout=120) == os.EX_TEMPFAIL, said
        lines = [line for line in said.splitlines() if not line.startswith("epoch")]
        assert len(lines) == 1, said
        assert f"zoo: worker {victim} (127.0.0.1:" in lines[0]
        assert "the same command goes on" in lines[0]
        assert not any(Path(f"/proc/{number}").exists() for number in workers.values())
        assert [path.name for path in out.iterdir() if not path.name.startswith(".")] == [CHECKPOINT]
    again = subprocess.run(typed, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "epoch 1/40" not in again.stderr
    assert_close(weights(out), alone(simulated, **changes | {"patience": None}))


class Seen(keras.Model):
    """Notes the rows that it is given."""

    def __init__(self):
        super().__init__()
        self.factor = self.add_weight(shape=(), initializer="ones")
        self.rows = []

    def call(self, inputs, training=False):
        tf.numpy_function(lambda part: self.rows.extend(part[:, 0].tolist()), [inputs], [])
        return self.factor * inputs


def test_the_workers_share_each_batch_and_no_row_is_seen_twice():
    rows = tf.range(24.0)[:, None]
    shares = []
    for index in range(3):
        model, cluster = Seen(), Cluster(("a:1", "b:1", "c:1"), index, strategy=tf.distribute.get_strategy())
        model.compile(optimizer="sgd", loss="mse", jit_compile=False)
        model.optimizer.build(model.trainable_variables)
        shared_steps(cluster, model, steps=2, batch_size=12, micro_batches=1, jit_compile=False)(iter([(rows, rows)]))
        shares.append(model.rows)
    assert shares[0] == [0, 1, 2, 3, 12, 13, 14, 15]
    assert sorted(np.concatenate(shares)) == list(range(24))
    with pytest.raises(ZooError, match="batches of 10 rows cannot be divided among 3 workers"):
        shared_steps(cluster, model, steps=1, batch_size=10, micro_batches=1, jit_compile=False)
    with pytest.raises(ZooError, match="batches of 9 rows cannot be divided among 3 workers in 2 micro-batches"):
        shared_steps(cluster, model, steps=1, batch_size=9, micro_batches=2, jit_compile=False)


def together(identities, work=lambda cluster: None, seconds=20.0, state=b""):
    """Workers as threads: what each ended with, by its index; None for one that does not come."""
    addresses = tuple(f"127.0.0.1:{port}" for port in loopback(len(identities))[0])
    ended = [None] * len(identities)

    def run(index):
        cluster = Cluster(addresses, index, state if index == 0 else b"")
        cluster.gone = threading.Event()
        try:
            with cluster.met(identities[index], seconds, cluster.gone.set):
                ended[index] = work(cluster)
        except ZooError as error:
            ended[index] = str(error)

    threads = [threading.Thread(target=run, args=(i,)) for i, known in enumerate(identities) if known is not None]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended, addresses


def test_workers_that_agree_meet_and_get_the_chiefs_checkpoint():
    ended, _ = together([{"data": "a"}] * 3, lambda cluster: cluster.state, state=bytes(range(256)) * 1000)
    assert ended == [bytes(range(256)) * 1000] * 3


def test_workers_that_disagree_are_told_on_what():
    recipe = {"plan": {"recipe": {"batch_size": 64}}, "data": "a"}
    ended, addresses = together([recipe, recipe | {"plan": {"recipe": {"batch_size": 32}}}])
    assert (
        ended[0]
        == ended[1]
        == (
            f"worker 1 ({addresses[1]}) is about to train something else than worker 0 ({addresses[0]}): "
            "plan.recipe.batch_size 32, not 64; start all with the same command, data and version"
        )
    )


def test_a_worker_that_never_comes_is_named_with_its_address():
    ended, addresses = together([{}, None, {}], seconds=0.5)
    assert ended[0] == f"worker 1 ({addresses[1]}) did not come in time: start it, or wait longer with --wait"
    assert ended[2] == ended[0]
    ended, addresses = together([None, {}], seconds=0.3)
    assert ended[1].startswith(f"worker 0 ({addresses[0]}) did not answer in time")


def test_what_a_worker_ends_with_is_known_to_all():
    def work(cluster):
        if cluster.index == 2:
            raise ZooError("the disk is full")
        assert cluster.gone.wait(20)
        return str(cluster.explain())

    ended, addresses = together([{}] * 3, work)
    assert ended[:2] == [f"worker 2 ({addresses[2]}): the disk is full"] * 2


def test_a_port_in_use_is_refused():
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for index, addresses in enumerate([(f"127.0.0.1:{port}", "b:1"), ("127.0.0.1:1", f"127.0.0.1:{port}")]):
            with (
                pytest.raises(ZooError, match=f"port {port} of worker {index} .* is in use: end what listens there"),
                Cluster(addresses, index).met({}, 1, lambda: None),
            ):
                pass


def told(workers=("a:1", "b:2"), index=0, kind="worker", job="worker"):
    return json.dumps({"cluster": {job: list(workers)}, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{worker", "TF_CONFIG: Expecting property name"),
        ("[]", "TF_CONFIG: list indices must be"),
        (told(job="ps"), "TF_CONFIG: no 'worker'; expected"),
        (told(kind="evaluator"), "TF_CONFIG: a evaluator; expected workers alone"),
        (told(index=2), "TF_CONFIG: index 2 of 2 workers; expected 0 to 1"),
        (told(workers=["a", "b:2"]), "TF_CONFIG: worker 'a'; expected HOST:PORT"),
        (told(workers=["a:1", "a:1"]), "TF_CONFIG: worker a:1 is there twice"),
        (told(workers=[]), r"TF_CONFIG: workers \[\]; expected"),
    ],
)
def test_a_tf_config_that_is_wrong_is_refused(text, message):
    with pytest.raises(ZooError, match=message):
        Cluster.from_environment({"TF_CONFIG": text})


def test_without_tf_config_there_is_no_cluster():
    assert Cluster.from_environment({}) is None
    assert Cluster.from_environment({"TF_CONFIG": told(index=1)}) == Cluster(("a:1", "b:2"), 1)
    assert issubclass(WorkerLostError, ZooError)


@pytest.mark.parametrize("name", ["train_slurm.sh", "train_kubernetes.yaml"])
def test_the_examples_give_each_worker_a_tf_config(name, tmp_path):
    text = (Path(__file__).parents[1] / "examples" / "cluster" / name).read_text()
    (tmp_path / "zoo").write_text('#!/bin/sh\nprintf "%s" "$TF_CONFIG"\n')
    (tmp_path / "scontrol").write_text("#!/bin/sh\nprintf 'node1\\nnode2\\n'\n")
    (tmp_path / "srun").write_text('#!/bin/sh\nshift\nexec "$@"\n')
    for file in tmp_path.iterdir():
        file.chmod(0o755)
    script = text.partition("- |\n")[2] if name.endswith("yaml") else text
    known = {"SLURM_JOB_NODELIST": "node[1-2]", "SLURM_CPUS_PER_TASK": "4", "SLURM_PROCID": "1"}
    told = {**os.environ, **known, "JOB_COMPLETION_INDEX": "1", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, env=told)
    assert run.returncode == 0, run.stderr
    cluster = Cluster.from_environment({"TF_CONFIG": run.stdout})
    first = "zoo-train-0.zoo-train:2222" if name.endswith("yaml") else "node1:2222"
    assert (cluster.addresses[0], cluster.index) == (first, 1)
