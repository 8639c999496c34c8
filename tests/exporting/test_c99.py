"""C code computes what Keras computes, in every arithmetic, and is clean under strict compilers and sanitizers."""

import json
import re
import shutil
import subprocess
from dataclasses import replace

import keras
import numpy as np
import pytest
from running import refused

from zoo import ActivityCNN, ActivityGRU, ActivityLSTM, ActivityRNN, SparseAutoencoder, TrigramLM, loading
from zoo.activity import simulate
from zoo.activity.task import TASK as ACTIVITY
from zoo.catalog import PRESETS_FOLDER
from zoo.exporting import artifacts, c99
from zoo.exporting.artifacts import Tolerance
from zoo.loading import Loaded
from zoo.runtime import Recognizer

pytestmark = pytest.mark.skipif(c99.source.find_compiler() is None, reason="needs a C compiler")

COMPILERS = [name for name in ("gcc", "clang", "clang-19") if shutil.which(name)]
STRICT = (
    "-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion", "-Wshadow",
    "-Wmissing-prototypes", "-Wcast-qual", "-Wvla", "-Werror",
)  # fmt: skip
SCALAR = ("-std=c99", "-O1", "-U__SSE2__", "-U__ARM_NEON")
"""Options for the code of processors without vectors."""

SANITIZERS = ("-std=c99", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

NORMALIZED = {"mean": (-0.5, -7.8, 0.8), "variance": (19.8, 36.6, 24.0)}
PRIOR = {
    "classes": ("a", "b", "c"), "prior": {"a": 0.8}, "seed": 3,
    "provenance": {"class_frequencies": {"a": 0.2, "b": 0.3, "c": 0.5}},
}  # fmt: skip
CODE = ["model.c", "model.h", "model_test.c", "zoo_stream.c", "zoo_stream.h"]

MODELS = {
    "rnn": lambda: ActivityRNN(units=9, window=40, **NORMALIZED),
    "lstm": lambda: ActivityLSTM(units=5, num_layers=2, frame=4, window=40, magnitude=True, temperature=0.7),
    "gru": lambda: ActivityGRU(
        units=33, num_layers=2, frame=5, frame_units=40, frame_activation="leaky_relu", window=50, magnitude=True,
        **NORMALIZED,
    ),
    "cnn": lambda: ActivityCNN(filters=9, kernel_size=5, num_blocks=3, window=37, magnitude=True, **NORMALIZED),
    "encoder": lambda: SparseAutoencoder(hidden_units=7, pixels=64, scale=(0.4, -0.4, 0.4)),
    "words": lambda: TrigramLM(vocabulary=21, embedding=3, hidden_units=9),
}  # fmt: skip
MORE = {
    "gyroscope": lambda: ActivityGRU(units=4, window=40, channels=6, magnitude=True, classes=2),
    "prior": lambda: ActivityLSTM(units=4, frame=2, frame_activation="relu", window=40, **PRIOR),
    "elu": lambda: ActivityRNN(units=4, frame=2, frame_activation="elu", window=40),
    "cnn of one row": lambda: ActivityCNN(filters=3, kernel_size=1, num_blocks=2, window=40),
    "cnn of one block": lambda: ActivityCNN(filters=33, kernel_size=8, num_blocks=1, window=41, **PRIOR),
    "words in layers": lambda: TrigramLM(vocabulary=9, embedding=6, hidden_units=5, num_layers=2, activation="silu"),
}
CASES = [*MODELS, *(pytest.param(name, marks=pytest.mark.process) for name in MORE)]
"""Every family, and those with which a run of all tests goes on."""


def described(model, kind="c99"):
    """A model, its network in C, and golden inputs and outputs."""
    loaded = Loaded("test", model)
    # Weights of no training are small: twice as large, they reach the ends of every function. Recurrent ones would make
    # chaos, in which any rounding grows.
    for weight in model.weights:
        weight.assign(weight * (1 if "recurrent" in weight.path else 2))
    family = loaded.task.exportable(loaded, None)
    network = family.code[kind](model)
    inputs = {name: {key: rows[:200] for key, rows in family.golden[name].items()} for name in network.functions}
    expected = {
        signature.name: {key: np.asarray(value) for key, value in signature(**inputs[signature.name]).items()}
        for signature in family.signatures(model) if signature.name in inputs
    }  # fmt: skip
    return loaded, network, inputs, expected


def write(loaded, network, inputs, expected, folder, arithmetic="c99"):
    """Writes C code; returns its folder."""
    first = next(iter(network.functions))
    golden = {name: rows[0] for name, rows in (*inputs[first].items(), *expected[first].items())}
    c99.source.write(network, loaded.metadata, arithmetic, golden, folder)
    return folder


def run(folder, program, *code, options=STRICT, **given):
    """Compiles a program, with model.c of a folder, if any, and runs it."""
    (folder / "main.c").write_text(program)
    sources = [part for place in code for part in (f"-I{place}", place / "model.c")]
    subprocess.run(["cc", *options, folder / "main.c", *sources, "-o", folder / "main"], check=True)
    return subprocess.run([folder / "main"], capture_output=True, check=True, **given)


@pytest.fixture(scope="module", params=CASES)
def model(request):
    return described((MODELS | MORE)[request.param]())


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    return write(*model, tmp_path_factory.mktemp("c99") / "c99")


@pytest.fixture(scope="module")
def rounded(model, tmp_path_factory):
    return write(*model, tmp_path_factory.mktemp("c99") / "c99_int8", "c99_int8")


def assert_same(found, expected, atol=1e-5):
    for signature, outputs in found.items():
        for name, output in outputs.items():
            if name != "seconds":
                np.testing.assert_allclose(output, expected[signature][name], atol=atol, err_msg=f"{signature} {name}")


def test_float32_computes_what_keras_computes(model, folder):
    loaded, network, inputs, expected = model
    found = c99.source.run(network, folder, inputs)
    first = {"activity": "window", "patches": "encode", "text": "next_word"}[loaded.metadata.task]
    assert set(found) == {first} | ({"step"} if getattr(loaded.metadata, "states", None) else set())
    for signature, outputs in found.items():
        assert (outputs["seconds"] > 0).all()
        assert set(outputs) >= {name for name in expected[signature] if not name.startswith("top_")}
    assert_same(found, expected)
    assert_same(c99.source.run(network, folder, inputs, SCALAR), expected)


@pytest.mark.slow
def test_weights_of_8_bits_compute_what_floats_of_the_same_values_compute(model, rounded, tmp_path):
    loaded, network, inputs, expected = model
    layers = {}
    for name, layer in network.layers.items():
        weights, scales = c99.source.quantized(layer.kernel)
        assert abs(weights.astype(int)).max() <= 127
        np.testing.assert_array_less(np.abs(weights * scales - layer.kernel), 0.51 * scales + np.zeros_like(weights))
        layers[name] = c99.source.Layer(weights * scales, layer.bias)
    same = replace(network, layers=layers)
    folder = write(loaded, same, inputs, expected, tmp_path / "same")
    # Its golden vector is that of the weights before they were rounded.
    (folder / "model_test.c").write_text("int main(void) { return 0; }")
    # Inputs of a layer are rounded as well, to 16 bits.
    found = c99.source.run(network, rounded, inputs)
    assert_same(found, c99.source.run(same, folder, inputs), atol=1e-3)
    # A processor without vectors computes in another order.
    assert_same(c99.source.run(network, rounded, inputs, SCALAR), found)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_strict_compilers_have_nothing_to_say(compiler, folder, rounded, tmp_path):
    scalar = "-U__SSE2__"
    for file, option in ((folder, "-O2"), (folder, scalar), (rounded, "-O2"), (rounded, scalar)):
        subprocess.run([compiler, *STRICT, option, "-c", file / "model.c", "-o", tmp_path / "a.o"], check=True)
    subprocess.run([compiler, *STRICT, "-c", folder / "model_test.c", "-o", tmp_path / "a.o"], check=True)
    # The header is read by C++ as well.
    if shutil.which("g++"):
        (tmp_path / "main.cc").write_text('#include "model.h"\nint main() { return sizeof ZOO_MODEL; }\n')
        subprocess.run(
            ["g++", "-Wall", "-Werror", f"-I{folder}", "-c", tmp_path / "main.cc", "-o", "/dev/null"], check=True
        )


def test_nothing_is_undefined_even_for_values_that_no_sensor_returns(model, folder, rounded):
    _, network, inputs, expected = model
    for code, options in ((folder, SANITIZERS), (rounded, (*SANITIZERS, *SCALAR))):
        rows = {name: dict(read) for name, read in inputs.items()}
        first = next(iter(rows))
        if first != "next_word":
            (name,) = rows[first]
            bad = [np.full_like(rows[first][name][:1], value) for value in (0, np.nan, np.inf, -np.inf, 3e38, -1e-42)]
            rows[first] = {name: np.concatenate([rows[first][name][:1], *bad])}
        found = c99.source.run(network, code, rows, options)
        if "probabilities" in found[first]:
            np.testing.assert_allclose(found[first]["probabilities"][:2].sum(axis=1), 1, atol=1e-5)
        assert found[first].keys() <= expected[first].keys() | {"seconds"}


def test_the_code_has_no_variables_and_needs_no_library(model, folder, tmp_path):
    # The last one is that of the network itself.
    for source in sorted(folder.glob("*.c"), key=lambda path: path.name == "model.c"):
        command = ["cc", "-std=c99", "-O2", "-fno-pie", "-c", source, "-o", tmp_path / "code.o"]
        subprocess.run(command, check=True)
        listed = subprocess.run(["nm", tmp_path / "code.o"], capture_output=True, text=True, check=True).stdout
        kinds = {line.split()[-1]: line.split()[-2] for line in listed.splitlines()}
        # b, d: variables.
        assert not {name for name, kind in kinds.items() if kind in "bBdDC"}
    # What every compiler, even one without a library, may call: memcpy and its like.
    assert {name for name, kind in kinds.items() if kind == "U"} <= {"memcpy", "memset", "memmove"}
    public = {function.call.split("(")[0] for function in model[1].functions.values()}
    shared = {"zoo_init", "zoo_answer", "zoo_id"}
    assert public <= {name for name, kind in kinds.items() if kind == "T"} <= public | shared


def test_words_are_found_and_others_refused(tmp_path):
    words = ("the", "then", "theme", "th", "'s", "über")
    model = TrigramLM(vocabulary=words, embedding=2, hidden_units=3, context=2)
    ids = ", ".join(f"(int)zoo_id({c99.source.text(word)})" for word in (*words, "thenx", "t"))
    text = f"""
    #include <stdio.h>
    #include "model.h"
    int main(void)
    {{
        const int found[] = {{{ids}}};
        const int32_t known[] = {{0, 5}}, low[] = {{0, -1}}, high[] = {{6, 0}};
        float probabilities[ZOO_WORDS];
        for (int i = 0; i < 8; ++i)
            printf("%d ", found[i]);
        printf("%d %d %d", zoo_next_word(known, probabilities), zoo_next_word(low, probabilities),
               zoo_next_word(high, probabilities));
        return 0;
    }}
    """
    found = run(tmp_path, text, write(*described(model), tmp_path / "out"), options=SANITIZERS)
    assert found.stdout == b"0 1 2 3 4 5 -1 -1 0 -1 -1"


MAIN = """
#include <stdio.h>
#include "model.h"
int main(void)
{
    const float sure[ZOO_CLASSES] = {0.0F, 0.0F, 0.9F}, unsure[ZOO_CLASSES] = {0.3F, 0.4F};
    for (int i = 0; i < ZOO_CLASSES; ++i)
        puts(zoo_labels[i]);
    fprintf(stderr, "%s %d %d %d %g %d %d", ZOO_MODEL, ZOO_WINDOW, ZOO_FRAME, ZOO_CHANNELS, (double)ZOO_RATE,
            zoo_answer(sure, ZOO_ANSWER_THRESHOLD), zoo_answer(unsure, ZOO_ANSWER_THRESHOLD));
    return !(NAMES);
}
"""


@pytest.mark.parametrize("end", ["\\", "??/"])
def test_labels_and_facts_of_a_user_stay_text(end, tmp_path):
    named = {
        'say "hi"': "SAY_HI", "a\\": "A", "??/": "3", "*/ int x;": "INT_X", "%s": "S", "two  lines": "TWO_LINES",
        "über": "UBER", "uber": "UBER_2", "走る": "9", "8 steps": "8_STEPS", "int": "INT", "a": "A_2",
    }  # fmt: skip
    model = ActivityGRU(
        units=2, window=50, frame=5, classes=tuple(named), threshold=0.5, name="m",
        provenance={"source": "*/ evil \\", "license": f"ends with {end}"},
    )  # fmt: skip
    names = " && ".join(f"ZOO_LABEL_{name} == {place}" for place, name in enumerate(named.values()))
    found = run(tmp_path, MAIN.replace("NAMES", names), write(*described(model), tmp_path / "out"), text=True)
    assert found.stdout == "".join(f"{label}\n" for label in named)
    assert found.stderr == "m 50 5 3 50 2 -1"


BOTH = """
#include <stdio.h>
#include "model.h"
void other_window(const float *window, float *probabilities);
extern const char *const other_labels[];
int main(void)
{
    static const float window[ZOO_WINDOW * ZOO_CHANNELS];
    float probabilities[2 * ZOO_CLASSES];
    zoo_window(window, probabilities);
    other_window(window, probabilities + ZOO_CLASSES);
    fwrite(probabilities, sizeof probabilities, 1, stdout);
    fprintf(stderr, "%s %s", zoo_labels[0], other_labels[0]);
    return 0;
}
"""


def test_two_models_are_linked_where_the_names_of_one_are_changed(tmp_path):
    sizes, expected = {"units": 3, "window": 50, "frame": 5}, []
    for name in ("first", "second"):
        model = ActivityGRU(**sizes, classes=(name, "b"), seed=len(name))
        write(*described(model), tmp_path / name)
        expected += np.asarray(keras.ops.softmax(model(np.zeros((1, 50, 3), "float32")))).ravel().tolist()
    header = (tmp_path / "second" / "model.h").read_text()
    names = ["labels", *re.findall(r"zoo_(\w+)\([^;]*;", header)]
    assert names == ["labels", "answer", "window", "init", "step"]
    renamed = [f"-Dzoo_{name}=other_{name}" for name in names]
    second = ["cc", *STRICT, *renamed, "-c", tmp_path / "second" / "model.c", "-o", tmp_path / "second.o"]
    subprocess.run(second, check=True)
    found = run(tmp_path, BOTH, tmp_path / "first", options=(*STRICT, tmp_path / "second.o"))
    np.testing.assert_allclose(np.frombuffer(found.stdout, "float32"), expected, atol=1e-5)
    assert found.stderr == b"first second"


def test_weights_are_stored_to_the_last_bit(tmp_path):
    powers = 10.0 ** np.arange(-40, 38).repeat(10)
    values = (np.random.default_rng(0).normal(0, 1, len(powers)) * powers).astype("float32")
    main = "int main(void) { fwrite(values, sizeof values, 1, stdout); return 0; }"
    found = run(tmp_path, f"#include <stdio.h>\n{c99.source.table('values', values)}\n{main}\n")
    assert found.stdout == values.tobytes()


def export(model, folder, formats=("c99",), **tolerances):
    loaded = Loaded("test", model)
    family = ACTIVITY.exportable(loaded, None)
    return artifacts.export(loaded, replace(family, tolerances={**family.tolerances, **tolerances}), folder, formats)


@pytest.fixture(scope="module")
def small():
    return ActivityGRU(units=3, window=50, frame=5)


def test_code_that_differs_gets_no_name(small, tmp_path):
    limit = Tolerance(0.0, 1.0)
    refused(r"c99: differs from Keras by .* \(allowed 0\).*; not written", export, small, tmp_path / "out", c99=limit)
    assert not (tmp_path / "out").exists()


def test_without_a_compiler_the_files_are_written_and_said_to_be_untested(small, zoo_cli, tmp_path, monkeypatch):
    small.save_to_preset(tmp_path / "small")
    monkeypatch.setenv("PATH", str(tmp_path))
    note = "not compared with Keras: no C compiler found; install gcc or clang, or set CC to one"
    command = ("export", tmp_path / "small", "--formats", "c99")
    assert note in " ".join(zoo_cli(*command, "--to", tmp_path / "out").out.split())
    (record,) = json.loads(zoo_cli(*command, "--to", tmp_path / "two", "--json").out)["artifacts"]
    assert (record["note"], record["largest_error"], record["rows"]) == (note, None, 0)
    assert sorted(path.name for path in (tmp_path / "out" / "c99").iterdir()) == CODE


DIES = """
cc "$@"
for each; do last=$each; done
case $last in */test) printf '#!/bin/sh\\nkill -9 $$\\n' >"$last";; esac
"""
"""A compiler whose test program dies."""


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (None, r"CC is '.*/mycc', which is not installed; expected the name of a C compiler"),
        ("exit 3", r"mycc fails with status 3: no message"),
        ("echo 'model.c:1: error: no memory' >&2; exit 1", "mycc fails with status 1: model.c:1: error: no memory"),
        (DIES, r"c99/model_test.c fails with status -9: no message"),
        (DIES.replace("#!/bin/sh", "not a program"), r"c99/model_test.c cannot be run: Exec format error"),
    ],
)
def test_a_compiler_that_fails_is_one_line(small, script, says, tmp_path, monkeypatch):
    if script is not None:
        (tmp_path / "mycc").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "mycc").chmod(0o755)
    monkeypatch.setenv("CC", str(tmp_path / "mycc"))
    refused(says, export, small, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
def test_an_activation_that_is_not_written_in_c_and_layers_that_keras_has_quantized_are_refused(small, tmp_path):
    mish, quantized = ActivityGRU(units=3, window=50, frame=5, frame_activation="mish"), small.copy()
    quantized.quantize("int8")
    for model, says in (
        (mish, "layer frame: activation 'mish' is not written in C; expected linear, relu, "),
        (quantized, "layer logits is quantized by Keras; export the model as it was before, as c9"),
    ):
        refused(says, export, model, tmp_path / "out")


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
    signal = np.concatenate([each.acceleration for each in simulate.simulate(2, seed=3, seconds=30)]).astype("float32")
    passes = -(-1_000_000 * 5 // len(signal))
    text = LOOP.replace("ROWS", str(len(signal))).replace("PASSES", str(passes))
    read = run(tmp_path, text, tmp_path / "out" / "c99", options=(*STRICT, "-O3"), input=signal.tobytes()).stdout
    found = np.frombuffer(read, "float32").reshape(passes, -1)
    recognizer = Recognizer(PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite")
    states, expected = recognizer.zeros(), []
    for _ in range(10):
        for start in range(0, len(signal), 50):
            probabilities, states = recognizer.chunk(signal[None, start : start + 50], states)
        expected.append(probabilities[0, -1])
    np.testing.assert_allclose(found[:10], expected, atol=1e-5)
    # The signal repeats, and so do the answers once the first states are forgotten.
    np.testing.assert_allclose(found[10:], np.tile(expected[-1], (passes - 10, 1)), atol=1e-5)
