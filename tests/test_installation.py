"""What `zoo doctor` finds, on this installation and on ones that are broken on purpose."""

import json
import os
from functools import partial

import pytest
from running import python

doctor = partial(python, "-m", "zoo", "doctor")


@pytest.fixture
def in_front(tmp_path):
    """Hides what is installed: `in_front(name, version)` a package, `in_front(tensorflow=code)` a module."""

    def hide(name=None, version=None, **modules):
        if name:
            folder = tmp_path / f"{name}-{version}.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        for module, code in modules.items():
            (tmp_path / f"{module}.py").write_text(code)
        return {"PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])}

    return hide


@pytest.mark.process
def test_this_installation_is_sound_and_converts():
    run = doctor("--json")
    found = json.loads(run.stdout)
    assert (run.returncode, found["sound"]) == (0, True), run.stdout
    assert [row["step"] for row in found["self_test"]] == ["load", "convert"]
    assert "runs in LiteRT and differs from Keras by" in found["self_test"][1]["found"]
    assert found["packages"]["tensorflow"]


@pytest.mark.slow
def test_without_its_self_test_it_imports_no_tensorflow_and_fits_one_screen():
    program = "import sys; from zoo.installation import examine; assert examine()['sound']; "
    program += "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'h5py', 'matplotlib')))"
    assert python("-c", program).returncode == 0
    run = doctor("--no-self-test")
    assert (run.returncode, "Everything essential works." in run.stdout) == (0, True)
    assert len(run.stdout.splitlines()) <= 30


@pytest.mark.parametrize(
    ("package", "version", "breaks"), [("keras", "3.13.2", "everything"), ("protobuf", "5.29.5", "tensorflow")]
)
def test_a_package_that_is_too_old_is_named_with_what_it_breaks_and_what_to_do(package, version, breaks, in_front):
    run = doctor("--no-self-test", "--json", **in_front(package, version))
    found = [each for each in json.loads(run.stdout)["problems"] if each["what"] == f"{package} {version}"]
    assert run.returncode == 1
    assert any(each["fatal"] and breaks in each["breaks"] and "pip install" in each["mend"] for each in found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tensorflow", "why"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "it crashed with SIGILL"),
        ("raise ImportError('libcudart.so: not found')", "ImportError: libcudart.so: not found"),
    ],
)
def test_a_tensorflow_that_does_not_load_is_a_finding_and_no_crash(tensorflow, why, in_front):
    run = doctor(**in_front(tensorflow=tensorflow, keras="import tensorflow"))
    assert run.returncode == 1
    assert f"self-test ended at load: {why}; send this whole report" in run.stdout


def test_another_backend_of_keras_is_named():
    run = doctor("--no-self-test", KERAS_BACKEND="jax")
    assert run.returncode == 1
    assert "broken: KERAS_BACKEND is jax" in run.stdout
