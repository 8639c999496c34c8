"""Several workers train what one would have trained, end together when one is lost, and resume."""

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

from zoo import ZooError, cluster, distributed
from zoo.activity.task import TASK
from zoo.cluster import KEY, Cluster, WorkerLostError, free_ports, run_workers
from zoo.distributed import shared_steps
from zoo.planning import plan
from zoo.training import CHECKPOINT

SETTINGS = {"units": 4, "frame": 25, "epochs": 30, "batch_size": 64, "optimizer": "sgd", "validation": 0.3, "seed": 1}
SETTINGS |= {"learning_rate": 1e-3, "patience": None, "validation_by": "time"}


def alone(data):
    """The weights at which one worker ends."""
    code = plan(None, "activity_gru", SETTINGS)
    prepared = TASK.prepare(data, code.recipe)
    model = prepared.build(code)
    prepared.fit(code.recipe, model)
    return model.get_weights()


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_a_killed_worker_ends_all_and_the_same_command_resumes_to_the_weights_of_one_worker(simulated, tmp_path):
    out = tmp_path / "out"
    named = [f"{key}={'null' if value is None else value}" for key, value in SETTINGS.items()]
    typed = [
        sys.executable, "-m", "zoo.cli", "train", "--model", "activity_gru", "--data", str(simulated), "--out",
        str(out), "--deterministic", "--workers", "2", *(word for pair in named for word in ("--set", pair)),
    ]  # fmt: skip
    run = subprocess.Popen(typed, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not (out / CHECKPOINT).exists() and run.poll() is None:
        time.sleep(0.01)
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    victim = next(pid for pid in children if b'"index": 1' in Path(f"/proc/{pid}/environ").read_bytes())
    os.kill(int(victim), signal.SIGKILL)
    _, errors = run.communicate(timeout=120)
    assert run.returncode == os.EX_TEMPFAIL, errors
    lines = [line for line in errors.splitlines() if not line.startswith("epoch")]
    assert len(lines) == 1, errors
    assert lines[0].startswith("zoo: worker 1 (127.0.0.1:")
    assert "the same command goes on" in lines[0]
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert [path.name for path in out.iterdir() if not path.name.startswith(".")] == [CHECKPOINT]
    again = subprocess.run([*typed, "--json"], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "epoch 1/30" not in again.stderr
    assert again.stderr.count("epoch 30/30") == 1
    assert json.loads(again.stdout)["epochs"] == 30
    assert sorted(path.name for path in out.iterdir()) == ["config.json", "history.json", "model.keras"]
    trained = keras.saving.load_model(out / "model.keras", compile=False)
    for one, other in zip(trained.get_weights(), alone(simulated), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.process
@pytest.mark.parametrize(
    ("chief", "other", "ends"),
    [
        ("os.kill(os.getpid(), 9)", "0", "worker 0 .* was killed by SIGKILL; the same command resumes"),
        ("time.sleep(60)", "sys.exit(3)", "worker 0 .* was killed by SIGTERM"),
        ("sys.exit(7)", "0", 7),
        ("os.environ['ZOO_CLUSTER_KEY'][63]", "0", 0),
    ],
)
def test_the_workers_on_one_machine_end_as_the_chief_does(chief, other, ends, monkeypatch):
    code = f"import os, sys, time\nif '\"index\": 0' in os.environ['TF_CONFIG']: {chief}\nelse: {other}"
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, "-c", code])
    monkeypatch.setattr(cluster, "_GRACE_SECONDS", 0.5)
    if isinstance(ends, int):
        assert run_workers(2) == ends
    else:
        with pytest.raises(WorkerLostError, match=ends):
            run_workers(2)


class Recorder(keras.Model):
    """Records the rows of its inputs."""

    def __init__(self):
        super().__init__()
        self.factor = self.add_weight(shape=(), initializer="ones")
        self.rows = []

    def call(self, inputs, training=False):
        tf.numpy_function(lambda part: self.rows.extend(part[:, 0].tolist()), [inputs], [])
        return self.factor * inputs


def test_the_workers_share_each_batch_and_no_row_is_read_twice(monkeypatch):
    monkeypatch.setattr(distributed, "mean", lambda cluster, values: values)
    rows = tf.range(24.0)[:, None]
    shares = []
    for index in range(3):
        model, workers = Recorder(), Cluster(("a:1", "b:1", "c:1"), index)
        model.compile(optimizer="sgd", loss="mse", jit_compile=False)
        model.optimizer.build(model.trainable_variables)
        shared_steps(workers, model, steps=2, batch_size=12, micro_batches=1, jit_compile=False)(iter([(rows, rows)]))
        shares.append(model.rows)
    assert shares[0] == [0, 1, 2, 3, 12, 13, 14, 15]
    assert sorted(np.concatenate(shares)) == list(range(24))
    with pytest.raises(ZooError, match="batches of 10 rows cannot be divided among 3 workers"):
        shared_steps(workers, model, steps=1, batch_size=10, micro_batches=1, jit_compile=False)
    with pytest.raises(ZooError, match="batches of 9 rows cannot be divided among 3 workers in 2 micro-batches"):
        shared_steps(workers, model, steps=1, batch_size=9, micro_batches=2, jit_compile=False)


def together(identities, work=lambda cluster: None, seconds=20.0, state=b"", keys=(b"secret",) * 3):
    """Workers as threads: what each returned or raised, by its index; None for one that does not come."""
    addresses = tuple(f"127.0.0.1:{port}" for port in free_ports(len(identities)))
    ended = [None] * len(identities)

    def run(index):
        worker = Cluster(addresses, index, keys[index], state if index == 0 else b"")
        try:
            with worker.connected(identities[index], seconds):
                ended[index] = work(worker)
        except ZooError as error:
            ended[index] = str(error)

    threads = [threading.Thread(target=run, args=(i,)) for i, known in enumerate(identities) if known is not None]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended, addresses


def test_workers_that_agree_connect_and_receive_the_checkpoint_of_the_chief():
    ended, _ = together([{"data": "a"}] * 3, lambda worker: worker.state, state=bytes(range(256)) * 1000)
    assert ended == [bytes(range(256)) * 1000] * 3


def test_all_workers_compute_the_same_mean():
    def work(worker):
        values = [np.full((2, 3), worker.index, np.float32), np.float32([10 * worker.index])]
        return [[array.tolist() for array in distributed.mean(worker, values)] for _ in range(2)]

    ended, _ = together([{}] * 3, work)
    assert ended == [[[[[1.0] * 3] * 2, [10.0]]] * 2] * 3


def test_workers_that_disagree_are_told_about_what():
    recipe = {"plan": {"recipe": {"batch_size": 64}}, "data": "a"}
    ended, addresses = together([recipe, recipe | {"plan": {"recipe": {"batch_size": 32}}}])
    assert (
        ended[0]
        == ended[1]
        == (
            f"worker 1 ({addresses[1]}) is set to train something different from worker 0 ({addresses[0]}): "
            "plan.recipe.batch_size 32, not 64; start all workers with the same command, data and version"
        )
    )


def test_a_worker_that_never_comes_is_named_with_its_address():
    ended, addresses = together([{}, None, {}], seconds=0.5)
    assert ended[0] == f"worker 1 ({addresses[1]}) did not connect in time: start it, or wait longer with --wait"
    assert ended[2] == ended[0]
    ended, addresses = together([None, {}], seconds=0.3)
    assert ended[1].startswith(f"worker 0 ({addresses[0]}) did not answer in time")


def test_the_error_that_ends_one_worker_is_known_to_all():
    def work(worker):
        if worker.index == 2:
            raise ZooError("the disk is full")
        distributed.mean(worker, [np.zeros(3, np.float32)])

    ended, addresses = together([{}] * 3, work)
    assert ended == [f"worker 2 ({addresses[2]}): the disk is full"] * 3 or ended[2] == "the disk is full"
    assert ended[:2] == [f"worker 2 ({addresses[2]}): the disk is full"] * 2


def test_a_worker_that_dies_is_named():
    def work(worker):
        if worker.index == 2:
            worker._peers[0].close()
        else:
            distributed.mean(worker, [np.zeros(3, np.float32)])

    ended, addresses = together([{}] * 3, work)
    assert ended[:2] == [f"worker 2 ({addresses[2]}) is gone"] * 2


def test_a_worker_without_the_key_receives_nothing_and_is_told():
    ended, addresses = together([{}] * 2, lambda worker: worker.state, 0.7, b"weights", [b"secret", b"guess"])
    assert ended[1] == f"worker 0 ({addresses[0]}): authentication failed; set the same {KEY} for all workers"
    assert ended[0].startswith(f"worker 1 ({addresses[1]}) did not connect in time (1 failed authentication: is {KEY}")


def test_strangers_receive_a_challenge_alone_and_hold_nobody_up(monkeypatch):
    monkeypatch.setattr(cluster, "_HANDSHAKE_SECONDS", 0.2)
    (port,) = free_ports(1)
    received, ended = [], []

    def train(index):
        worker = Cluster((f"127.0.0.1:{port}", "127.0.0.1:1"), index, b"secret", b"weights" if index == 0 else b"")
        with worker.connected({}, 20):
            ended.append(worker.state)

    chief = threading.Thread(target=train, args=(0,))
    chief.start()
    for words in (b"", b"GET / HTTP/1.0\r\n\r\n", b"\0\0\0\5guess", b"\xff" * 40):
        while chief.is_alive():
            try:
                stranger = socket.create_connection(("127.0.0.1", port), timeout=10)
                break
            except OSError:
                time.sleep(0.01)
        with stranger:
            stranger.sendall(words)
            data = b""
            try:
                while part := stranger.recv(4096):
                    data += part
            except ConnectionResetError:
                pass
            received.append(data)
    train(1)
    chief.join()
    assert ended == [b"weights"] * 2
    assert all(b"#CHALLENGE#" in data and b"weights" not in data for data in received if data)
    assert any(received)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="all of 127.0.0.0/8 is this machine")
def test_nothing_listens_on_an_address_that_was_not_given():
    found = []

    def work(worker):
        port = int(worker.addresses[0].rpartition(":")[2])
        for listening in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            local, state = listening.split()[1], listening.split()[3]
            if local.endswith(f":{port:04X}") and state == "0A":
                found.append(local)

    (port,) = free_ports(1)
    with cluster._listen("worker 0", f"127.0.0.1:{port}", 0):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=5)
    # Once all are connected, nothing listens any more.
    together([{}] * 2, work)
    assert found == []


def test_an_address_that_cannot_be_listened_on_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for address, reason in {
            f"127.0.0.1:{port}": "the port is in use: end the program that listens there",
            "192.0.2.1:2222": "is no address of this machine",
            "nowhere.invalid:2222": "use an address that can be resolved",
        }.items():
            with (
                pytest.raises(ZooError, match=rf"worker 0 \({address}\): .*{reason}"),
                Cluster((address, "b:1"), 0).connected({}, 0),
            ):
                pass


def config(workers=("a:1", "b:2"), index=0, kind="worker", job="worker"):
    return json.dumps({"cluster": {job: list(workers)}, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{worker", "TF_CONFIG: Expecting property name"),
        ("[]", "TF_CONFIG: list indices must be"),
        (config(job="ps"), "TF_CONFIG: no 'worker'; expected"),
        (config(kind="evaluator"), "TF_CONFIG: task type 'evaluator'; expected workers alone"),
        (config(index=2), "TF_CONFIG: index 2 of 2 workers; expected 0 to 1"),
        (config(workers=["a", "b:2"]), "TF_CONFIG: worker 'a'; expected HOST:PORT"),
        (config(workers=["a:1", "a:1"]), "TF_CONFIG: worker a:1 is listed twice"),
        (config(workers=[]), r"TF_CONFIG: workers \[\]; expected"),
        (config(), "ZOO_CLUSTER_KEY: not set, and a:1 can be reached over the network; set the same secret"),
    ],
)
def test_an_invalid_tf_config_is_refused(text, message):
    with pytest.raises(ZooError, match=message):
        Cluster.from_environment({"TF_CONFIG": text})


def test_without_tf_config_there_is_no_cluster():
    assert Cluster.from_environment({}) is None
    assert Cluster.from_environment({"TF_CONFIG": config(index=1), KEY: "k"}) == Cluster(("a:1", "b:2"), 1, b"k")
    local = config(workers=["127.0.0.1:1", "localhost:2"])
    assert Cluster.from_environment({"TF_CONFIG": local}) == Cluster(("127.0.0.1:1", "localhost:2"), 0)
    assert issubclass(WorkerLostError, ZooError)


@pytest.mark.parametrize("name", ["train_slurm.sh", "train_kubernetes.yaml"])
def test_the_examples_give_each_worker_a_tf_config_and_the_key(name, tmp_path):
    text = (Path(__file__).parents[1] / "examples" / "cluster" / name).read_text()
    (tmp_path / "zoo").write_text('#!/bin/sh\nprintf "%s\\n%s" "$TF_CONFIG" "$ZOO_CLUSTER_KEY"\n')
    (tmp_path / "scontrol").write_text("#!/bin/sh\nprintf 'node1\\nnode2\\n'\n")
    (tmp_path / "srun").write_text('#!/bin/sh\nshift\nexec "$@"\n')
    for file in tmp_path.iterdir():
        file.chmod(0o755)
    script = text.partition("- |\n")[2] if name.endswith("yaml") else text
    known = {"SLURM_JOB_NODELIST": "node[1-2]", "SLURM_CPUS_PER_TASK": "4", "SLURM_PROCID": "1"}
    if name.endswith("yaml"):
        assert "secretKeyRef" in text
        known[KEY] = "from the secret"
    told = {**os.environ, **known, "JOB_COMPLETION_INDEX": "1", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, env=told)
    assert run.returncode == 0, run.stderr
    tf_config, _, key = run.stdout.partition("\n")
    workers = Cluster.from_environment({"TF_CONFIG": tf_config, KEY: key})
    first = "zoo-train-0.zoo-train:2222" if name.endswith("yaml") else "node1:2222"
    assert (workers.addresses[0], workers.index) == (first, 1)
