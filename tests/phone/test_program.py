"""What of the page needs no browser is tested in Node: `npm test` in `examples/phone`."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from phone.pages import ROOT

from zoo.runtime import Recognizer

PHONE = ROOT / "examples" / "phone"
JUDGE = """
import {complaint} from 'PHONE/src/watch';
const signals = JSON.parse(process.argv[2]).map(rows => rows.map((value, i) => ({time: i / 50, value})));
console.log(JSON.stringify(signals.map(each => complaint(each, {rate: 50, unit: 'm/s^2'}) !== null)));
"""


@pytest.fixture(scope="module")
def node(miss):
    """What needs Node is left out where it or the packages of the page are not installed."""
    if shutil.which("npm") is None or not (PHONE / "node_modules").is_dir():
        miss("needs Node and the packages of the page: make page")


def test_the_page_doubts_a_signal_where_the_runtime_does(node, model_file, tmp_path):
    sizes = (1.5, 2.5, 4.8, 5.2, 9.8, 24.6, 24.9, 25.2)
    random = np.random.default_rng(0)
    signals = [random.normal([0, size, 0], 0.02, (200, 3)) for size in sizes]
    (tmp_path / "judge.ts").write_text(JUDGE.replace("PHONE", str(PHONE)))
    bundle = [
        PHONE / "node_modules" / ".bin" / "rolldown",
        tmp_path / "judge.ts",
        "--platform",
        "node",
        "--format",
        "esm",
    ]
    subprocess.run([*bundle, "-d", tmp_path], cwd=PHONE, check=True, capture_output=True)
    asked = json.dumps([np.round(rows, 3).tolist() for rows in signals])
    said = subprocess.run(["node", tmp_path / "judge.js", asked], capture_output=True, text=True, check=True).stdout
    warned = []
    for rows in signals:
        stream = Recognizer(model_file).stream()
        list(stream.feed([(number / 50, *row) for number, row in enumerate(rows)]))
        warned.append(bool(stream.warnings))
    assert json.loads(said) == warned == [True, True, True, False, False, False, False, True]


def test_the_program_of_the_page_passes_its_own_tests(node):
    run = subprocess.run(["npm", "test"], cwd=PHONE, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "# fail 0" in run.stdout
