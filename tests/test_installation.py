"""What `zoo doctor` finds, on this installation and on ones that are broken on purpose."""

import json
import os
import subprocess
import sys

import pytest

from zoo.installation import TRAPS, traps
from zoo.self_test import STEPS


def doctor(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "zoo", "doctor", *arguments],
        capture_output=True, text=True, check=False, env=os.environ | environment,
    )  # fmt: skip


def in_front(folder):
    """A path on which `folder` hides what is installed."""
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


@pytest.mark.process
def test_this_installation_is_sound_and_trains_exports_and_runs():
    run = doctor("--json")
    found = json.loads(run.stdout)
    assert (run.returncode, found["sound"]) == (0, True), run.stdout
    assert [row["step"] for row in found["self_test"]] == list(STEPS)
    assert run.stderr.split() == [word for step in STEPS for word in ("self-test:", step)]
    assert {row["name"]: row["fits"] for row in found["packages"]}["tensorflow"]


def test_without_its_self_test_it_imports_no_tensorflow():
    program = "import sys; from zoo.cli import app; app(['doctor', '--no-self-test']); "
    program += "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'h5py', 'matplotlib')))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert "Everything essential works." in run.stdout


def test_a_package_that_is_too_old_is_named_with_what_it_breaks_and_what_to_do(tmp_path):
    (tmp_path / "keras-3.13.2.dist-info").mkdir()
    (tmp_path / "keras-3.13.2.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: keras\nVersion: 3.13.2\n"
    )
    run = doctor("--no-self-test", PYTHONPATH=in_front(tmp_path))
    assert run.returncode == 1
    assert "broken: keras 3.13.2: needed for everything; `pip install 'keras>=3.14'`" in run.stdout
    assert "broken: keras 3.13.2: KLSparsityRegularizer adds its term times the batch size" in run.stdout


def test_what_a_package_needs_itself_is_looked_for(tmp_path):
    (tmp_path / "protobuf-5.29.5.dist-info").mkdir()
    (tmp_path / "protobuf-5.29.5.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: protobuf\nVersion: 5.29.5\n"
    )
    problems = json.loads(doctor("--no-self-test", "--json", PYTHONPATH=in_front(tmp_path)).stdout)["problems"]
    assert any(p["fatal"] and p["what"] == "protobuf 5.29.5" and "tensorflow" in p["breaks"] for p in problems)


@pytest.mark.parametrize(
    ("tensorflow", "why"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "it crashed with SIGILL"),
        ("raise ImportError('libcudart.so: not found')", "ImportError: libcudart.so: not found"),
    ],
)
def test_a_tensorflow_that_does_not_load_is_a_finding_and_no_crash(tensorflow, why, tmp_path):
    (tmp_path / "tensorflow.py").write_text(tensorflow)
    (tmp_path / "keras.py").write_text("import tensorflow")
    run = doctor(PYTHONPATH=in_front(tmp_path))
    assert run.returncode == 1
    assert f"broken: self-test ended at load: {why}; send this whole report" in run.stdout


def test_another_backend_of_keras_is_named():
    run = doctor("--no-self-test", KERAS_BACKEND="jax")
    assert run.returncode == 1
    assert "broken: KERAS_BACKEND is jax" in run.stdout


# The versions of each trap, and near ones that are not in it.
CASES = [
    ({"keras": "3.13.2"}, {"keras": "3.14.0"}),
    ({"typer": "0.15.1", "click": "8.5.1"}, {"typer": "0.15.1", "click": "8.1.8"}),
    ({"keras-tuner": "1.4.8"}, {"keras-tuner": "1.4.8", "tensorboard": "2.21.0"}),
    ({"tensorboard": "2.20.0", "setuptools": "84.2.1"}, {"tensorboard": "2.20.0", "setuptools": "81.0.0"}),
]


@pytest.mark.parametrize(("trap", "case"), list(zip(TRAPS, CASES, strict=True)))
def test_a_trap_applies_to_its_versions_only(trap, case):
    inside, outside = case
    assert [problem.mend for problem in traps(inside.get)] == [trap.mend]
    assert traps(outside.get) == []
