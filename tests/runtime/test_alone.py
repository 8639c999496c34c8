"""The runtime runs where NumPy and LiteRT are installed, and nothing else."""

import subprocess
import sys

from zoo.catalog import PRESETS_FOLDER

PROGRAM = """
import sys

ALLOWED = {"zoo", "numpy", "ai_edge_litert", "flatbuffers", *sys.stdlib_module_names}
# What ai-edge-litert itself requires.
ALLOWED |= {"backports", "tqdm", "typing_extensions", "ml_dtypes", "google"}


class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in ALLOWED and not top.startswith(("_", "__editable__")):
            raise ModuleNotFoundError(f"{name} is not installed", name=name)


sys.meta_path.insert(0, Refuse())
import numpy as np

from zoo.runtime import Recognizer, PersonalRecognizer

stream = Recognizer(sys.argv[1]).stream()
times = np.arange(400) / 100
walk = np.column_stack([times, 0.1 * np.sin(times), 9.8 + 0.1 * np.sin(7 * times), 0.2 * np.cos(times)])
print(list(stream.feed(walk))[-1].label)
PersonalRecognizer(sys.argv[2])
print(sorted({name.partition(".")[0] for name in sys.modules} & {"keras", "tensorflow", "pydantic", "rich", "wrapt"}))
"""


def test_a_preset_runs_over_a_stream_without_any_other_package():
    folder = PRESETS_FOLDER / "activity_gru_pocket"
    command = [sys.executable, "-c", PROGRAM, folder / "model.dynamic.tflite", folder / "model.personal.tflite"]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    assert child.stdout.split("\n")[:2] == ["standing", "[]"]
