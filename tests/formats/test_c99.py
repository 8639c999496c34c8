"""C code computes what Keras computes, in every arithmetic, and is clean under strict compilers and sanitizers."""

import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from zoo import ActivityGRU, ActivityLSTM, ActivityRNN, ZooError
from zoo.catalog import PRESETS_FOLDER
from zoo.data import gait
from zoo.formats import c99
from zoo.formats.parity import Tolerance
from zoo.runtime import Recognizer
from zoo.tasks import exporting, loading
from zoo.tasks.activity import TASK as ACTIVITY
from zoo.tasks.loading import Loaded

pytestmark = pytest.mark.skipif(c99.compiler.find() is None, reason="needs a C compiler")

COMPILERS = [name for name in ("gcc", "clang", "clang-19") if shutil.which(name)]
STRICT = (
    "-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion", "-Wshadow",
    "-Wmissing-prototypes", "-Wcast-qual", "-Wvla", "-Werror",
)  # fmt: skip
SANITIZERS = ("-std=c99", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

NORMALIZED = {"mean": (-0.5, -7.8, 0.8), "variance": (19.8, 36.6, 24.0)}
MODELS = {
    "rnn": lambda: ActivityRNN(units=9, window=40, **NORMALIZED),
    "lstm": lambda: ActivityLSTM(units=5, num_layers=2, frame=4, window=40, magnitude=True, temperature=0.7),
    "gru": lambda: ActivityGRU(
        units=33, num_layers=2, frame=5, frame_units=40, frame_activation="leaky_relu", window=40, magnitude=True,
        **NORMALIZED,
    ),
    "gyroscope": lambda: ActivityGRU(units=4, window=40, channels=6, magnitude=True, classes=2),
    "prior": lambda: ActivityLSTM(
        units=4, frame=2, frame_activation="elu", window=40, classes=("a", "b", "c"), prior={"a": 0.8},
        provenance={"class_frequencies": {"a": 0.2, "b": 0.3, "c": 0.5}}, seed=3,
    ),
}  # fmt: skip


def written(model, folder, arithmetic="c99"):
    """The C code of a model, its network, and golden inputs and outputs."""
    loaded = Loaded("test", model)
    family = ACTIVITY.exportable(loaded, None)
    # Weights of no training are small: twice as large, they reach the ends of every function. Recurrent ones would make
    # chaos, in which any rounding grows.
    for weight in model.weights:
        weight.assign(weight * (1 if "recurrent" in weight.path else 2))
    network = family.code[arithmetic].network(model)
    inputs = {name: family.golden[name] for name in network.functions}
    functions = {signature.name: signature for signature in family.signatures(model)}
    expected = {
        name: {key: np.asarray(value) for key, value in functions[name](**rows).items()}
        for name, rows in inputs.items()
    }
    first = next(iter(network.functions))
    golden = {name: rows[0] for name, rows in (*inputs[first].items(), *expected[first].items())}
    c99.source.write(network, loaded.metadata, c99.arithmetic.FORMATS[arithmetic], golden, folder)
    return network, inputs, expected


@pytest.fixture(scope="module", params=MODELS)
def code(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("c99") / request.param
    return folder, *written(MODELS[request.param](), folder)


def test_float32_computes_what_keras_computes(code):
    folder, network, inputs, expected = code
    found = c99.compiler.run(network, folder, inputs)
    assert set(found) == {"window", "step"} == set(expected)
    for signature, outputs in expected.items():
        assert outputs.keys() == found[signature].keys() - {"seconds"}
        for name, output in outputs.items():
            np.testing.assert_allclose(found[signature][name], output, atol=1e-5, err_msg=f"{signature} {name}")
    assert (found["window"]["seconds"] > 0).all()


@pytest.mark.parametrize("compiler", COMPILERS)
def test_strict_compilers_have_nothing_to_say(compiler, code, tmp_path):
    folder = code[0]
    for name in ("model.c", "model_test.c"):
        subprocess.run([compiler, *STRICT, "-c", folder / name, "-o", tmp_path / "a.o"], check=True)
    # The header is read by C++ as well.
    if shutil.which("g++"):
        (tmp_path / "main.cc").write_text('#include "model.h"\nint main() { return zoo_answer(nullptr, 0); }\n')
        subprocess.run(
            ["g++", "-Wall", "-Werror", f"-I{folder}", "-c", tmp_path / "main.cc", "-o", "/dev/null"], check=True
        )


def test_nothing_is_undefined_even_for_values_that_no_sensor_returns(code):
    folder, network, inputs, _ = code
    window = inputs["window"]["window"][:1]
    bad = [np.full_like(window, value) for value in (0, np.nan, np.inf, -np.inf, 3e38, -1e-42)]
    rows = {"window": {"window": np.concatenate([window, *bad])}, "step": inputs["step"]}
    found = c99.compiler.run(network, folder, rows, SANITIZERS)
    probabilities = found["window"]["probabilities"]
    np.testing.assert_allclose(probabilities[:2].sum(axis=1), 1, atol=1e-5)


def test_the_code_has_no_variables_and_needs_no_library(code, tmp_path):
    folder = code[0]
    subprocess.run(
        ["cc", "-std=c99", "-O2", "-fno-pie", "-c", folder / "model.c", "-o", tmp_path / "model.o"], check=True
    )
    listed = subprocess.run(["nm", tmp_path / "model.o"], capture_output=True, text=True, check=True).stdout
    kinds = {line.split()[-1]: line.split()[-2] for line in listed.splitlines()}
    # b, d: variables. What every compiler, even one without a library, may call: memcpy and its like.
    assert not {name for name, kind in kinds.items() if kind in "bBdDC"}
    assert {name for name, kind in kinds.items() if kind == "U"} <= {"memcpy", "memset", "memmove"}
    assert {name for name, kind in kinds.items() if kind == "T"} == {"zoo_answer", "zoo_init", "zoo_step", "zoo_window"}


MAIN = """
#include <stdio.h>
#include "model.h"
int main(void)
{
    const float sure[ZOO_CLASSES] = {0.0F, 0.0F, 0.9F}, unsure[ZOO_CLASSES] = {0.3F, 0.4F};
    for (int i = 0; i < ZOO_CLASSES; ++i)
        fwrite(zoo_labels[i], 1, 100, stdout);
    fprintf(stderr, "%s %d %d %d %g %d %d", ZOO_MODEL, ZOO_WINDOW, ZOO_FRAME, ZOO_CHANNELS, (double)ZOO_RATE,
            zoo_answer(sure, ZOO_ANSWER_THRESHOLD), zoo_answer(unsure, ZOO_ANSWER_THRESHOLD));
    return NAMES;
}
"""


def test_labels_and_facts_of_a_user_stay_text(tmp_path):
    labels = ('say "hi"', "a\\", "??/", "*/ int x;", "%s", "two\nlines", "über", "uber", "走る", "8 steps", "int", "a")
    model = ActivityGRU(
        units=2, window=50, frame=5, classes=labels, threshold=0.5, name="m",
        provenance={"source": "*/ evil \\", "license": "ends with \\"},
    )  # fmt: skip
    written(model, tmp_path / "out")
    names = [f"ZOO_LABEL_{name}" for name in (
        "SAY_HI", "A", "3", "INT_X", "S", "TWO_LINES", "UBER", "UBER_2", "9", "8_STEPS", "INT", "A_2"
    )]  # fmt: skip
    sum_of_places = "!(" + " && ".join(f"{name} == {place}" for place, name in enumerate(names)) + ")"
    text = MAIN.replace("NAMES", sum_of_places).replace("fwrite(zoo_labels[i], 1, 100, stdout)", "puts(zoo_labels[i])")
    (tmp_path / "main.c").write_text(text)
    program = tmp_path / "main"
    out = tmp_path / "out"
    subprocess.run(["cc", *STRICT, f"-I{out}", tmp_path / "main.c", out / "model.c", "-o", program], check=True)
    found = subprocess.run([program], capture_output=True, text=True, check=True)
    assert found.stdout == "".join(f"{label}\n" for label in labels)
    assert found.stderr == "m 50 5 3 50 2 -1"


def test_weights_are_stored_to_the_last_bit(tmp_path):
    powers = 10.0 ** np.arange(-40, 38).repeat(10)
    values = (np.random.default_rng(0).normal(0, 1, len(powers)) * powers).astype("float32")
    (tmp_path / "main.c").write_text(
        "#include <stdio.h>\n" + c99.arithmetic.table("values", "float", values)
        + "\nint main(void) { fwrite(values, sizeof values, 1, stdout); return 0; }\n"
    )  # fmt: skip
    subprocess.run(["cc", *STRICT, tmp_path / "main.c", "-o", tmp_path / "main"], check=True)
    found = subprocess.run([tmp_path / "main"], capture_output=True, check=True).stdout
    assert found == values.tobytes()


def export(model, folder, formats=("c99",), **tolerances):
    loaded = Loaded("test", model)
    family = ACTIVITY.exportable(loaded, None)
    code = {name: replace(how, **tolerances) for name, how in family.code.items()}
    return exporting.export(loaded, replace(family, code=code), folder, formats)


@pytest.fixture(scope="module")
def small():
    return ActivityGRU(units=3, window=50, frame=5)


def test_code_that_differs_gets_no_name(small, tmp_path):
    with pytest.raises(ZooError, match=r"out/c99: differs from Keras by .* \(allowed 0\).*; not written"):
        export(small, tmp_path / "out", tolerance=Tolerance(0.0, 1.0))
    assert not (tmp_path / "out").exists()


def test_without_a_compiler_the_files_are_written_and_said_to_be_untested(small, zoo_cli, tmp_path, monkeypatch):
    small.save_to_preset(tmp_path / "small")
    monkeypatch.setenv("PATH", str(tmp_path))
    status, out, err = zoo_cli("export", tmp_path / "small", "--formats", "c99", "--to", tmp_path / "out")
    assert (status, err) == (0, "")
    note = "not compared with Keras: no C compiler found; install gcc or clang, or name one in CC"
    assert note in " ".join(out.split())
    status, out, err = zoo_cli("export", tmp_path / "small", "--formats", "c99", "--to", tmp_path / "two", "--json")
    (record,) = json.loads(out)["artifacts"]
    assert (record["note"], record["largest_error"], record["rows"]) == (note, None, 0)
    assert sorted(path.name for path in (tmp_path / "out" / "c99").iterdir()) == ["model.c", "model.h", "model_test.c"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (None, r"CC is '.*/mycc', which is not installed; expected the name of a C compiler"),
        ("exit 3", r"mycc fails with status 3: no message"),
        ("echo 'model.c:1: error: no memory' >&2; exit 1", "mycc fails with status 1: model.c:1: error: no memory"),
        (
            'cc "$@"; for each; do last=$each; done; case $last in */test) printf "#!/bin/sh\\nkill -9 \\$\\$\\n" >"$last";; esac',
            r"c99/model_test.c fails with status -9: no message",
        ),
    ],
)
def test_a_compiler_that_fails_is_one_line(small, script, message, tmp_path, monkeypatch):
    if script is not None:
        (tmp_path / "mycc").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "mycc").chmod(0o755)
    monkeypatch.setenv("CC", str(tmp_path / "mycc"))
    with pytest.raises(ZooError, match=message) as found:
        export(small, tmp_path / "out")
    assert "\n" not in str(found.value)
    assert not (tmp_path / "out").exists()


def test_an_activation_that_is_not_written_in_c_is_refused(tmp_path):
    model = ActivityGRU(units=3, window=50, frame=5, frame_activation="mish")
    with pytest.raises(ZooError, match=r"layer frame: activation 'mish' is not written in C; expected linear, relu, "):
        export(model, tmp_path / "out")


LOOP = """
#include <stdio.h>
#include "model.h"
static float signal[ROWS * ZOO_CHANNELS];
int main(void)
{
    zoo_state state;
    float probabilities[ZOO_CLASSES];
    zoo_init(&state);
    if (fread(signal, sizeof signal, 1, stdin) != 1)
        return 1;
    for (int pass = 0; pass < PASSES; ++pass) {
        for (int row = 0; row < ROWS; row += ZOO_FRAME)
            zoo_step(signal + row * ZOO_CHANNELS, &state, probabilities);
        fwrite(probabilities, sizeof probabilities, 1, stdout);
    }
    return 0;
}
"""


@pytest.mark.process
def test_a_million_steps_do_not_drift(tmp_path):
    loaded = loading.load("activity_gru_pocket")
    export(loaded.keras_model, tmp_path / "out")
    signal = np.concatenate([each.acceleration for each in gait.simulate(2, seed=3, seconds=30)]).astype("float32")
    passes = -(-1_000_000 * 5 // len(signal))
    (tmp_path / "main.c").write_text(LOOP.replace("ROWS", str(len(signal))).replace("PASSES", str(passes)))
    code = tmp_path / "out" / "c99"
    command = ["cc", *STRICT, "-O3", f"-I{code}", tmp_path / "main.c", code / "model.c", "-o", tmp_path / "main"]
    subprocess.run(command, check=True)
    read = subprocess.run([tmp_path / "main"], input=signal.tobytes(), capture_output=True, check=True).stdout
    found = np.frombuffer(read, "float32").reshape(passes, 6)
    recognizer = Recognizer(PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite")
    states, expected = recognizer.zeros(), []
    for _ in range(passes):
        for start in range(0, len(signal), 50):
            probabilities, states = recognizer.chunk(signal[None, start : start + 50], states)
        expected.append(probabilities[0, -1])
    np.testing.assert_allclose(found, expected, atol=1e-5)
