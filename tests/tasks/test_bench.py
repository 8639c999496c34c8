"""What an exported file costs is measured, or counted."""

from zoo.catalog import PRESETS_FOLDER
from zoo.tasks.bench import bench
from zoo.tasks.loading import load

POCKET = PRESETS_FOLDER / "activity_gru_pocket"


def test_every_signature_is_timed_and_its_arithmetic_counted():
    found = bench(POCKET / "model.dynamic.tflite", calls=20)
    arguments = load("activity_gru_pocket").keras_model.get_config()
    columns = 3 + arguments["magnitude"]
    units, frame, num_layers = arguments["units"], arguments["frame"], arguments["num_layers"]
    # Weights of the frame, of three gates a layer, and of the head: each is multiplied once a step. The magnitude of a
    # row adds three squares up.
    products = frame * (columns * units + 3 * arguments["magnitude"]) + num_layers * 3 * 2 * units * units + 6 * units
    steps = arguments["window"] // frame
    counted = {name: row["multiply_adds"] for name, row in found["signatures"].items()}
    assert counted == {"window": steps * products, "step": products, "chunk": 10 * products}
    assert all(0 < row["median_ms"] <= row["p99_ms"] for row in found["signatures"].values())
    assert found["bytes"] == (POCKET / "model.dynamic.tflite").stat().st_size


def test_a_file_that_can_only_step_has_one_row():
    assert list(bench(POCKET / "model.int8.tflite", calls=20)["signatures"]) == ["step"]
