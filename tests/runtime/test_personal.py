"""The last layer learns on the device, as the gradient of the cross-entropy says."""

import json
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from running import refused
from scipy.special import softmax

from zoo import ActivityGRU
from zoo.catalog import PRESETS_FOLDER
from zoo.exporting import formats, signatures
from zoo.runtime import PersonalRecognizer
from zoo.runtime.metadata import CLASSES, embed
from zoo.runtime.personal import SHARES, helpful_share
from zoo.task import task_of

WINDOWS = np.random.default_rng(0).normal(0, 3, (8, 40, 3)).astype("float32")
LABELS = np.arange(8) % 6


@pytest.fixture(scope="module")
def model():
    return ActivityGRU(units=8, frame=5, window=40, seed=1)


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    return written(model, tmp_path_factory.mktemp("personal"))


def hidden(model, windows):
    """What the last layer reads."""
    return np.asarray(keras.Model(model.input, model.get_layer("logits").input)(windows), np.float64)


def written(model, folder):
    """The file of a model that learns."""
    path = folder / "model.personal.tflite"
    formats.convert(signatures.personal(model), {"personal": path})
    embed(path, task_of(model).metadata(model))
    return path


def test_a_step_is_the_gradient_of_the_cross_entropy(model, file):
    (read,) = hidden(model, WINDOWS[:1])
    kernel, bias = (np.asarray(weight, np.float64) for weight in model.get_layer("logits").get_weights())
    answer = softmax(read @ kernel + bias)
    recognizer = PersonalRecognizer(file)
    loss = recognizer.learn(WINDOWS[:1], np.array([2]), epochs=1, rate=0.5)
    assert loss == pytest.approx([-np.log(answer[2])], rel=1e-5)
    learned, error = recognizer.run("save"), answer - np.eye(6)[2]
    np.testing.assert_allclose(learned["kernel"], kernel - 0.5 * np.outer(read, error), atol=1e-6)
    np.testing.assert_allclose(learned["bias"], bias - 0.5 * error, atol=1e-6)


def test_what_was_learned_is_saved_and_restored_and_the_file_stays_as_it_is(file, tmp_path):
    before, recognizer, again = file.read_bytes(), PersonalRecognizer(file), PersonalRecognizer(file)
    losses = recognizer.learn(WINDOWS, LABELS, epochs=40, rate=0.2, folds=0)
    assert losses[-1] < losses[0]
    recognizer.save(str(tmp_path / "mine.npz"))
    assert np.abs(again.predict(WINDOWS) - recognizer.predict(WINDOWS)).max() > 0.01
    again.restore(tmp_path / "mine.npz")
    np.testing.assert_array_equal(again.predict(WINDOWS), recognizer.predict(WINDOWS))
    assert file.read_bytes() == before


def test_what_helps_on_windows_held_back_is_kept_and_what_does_not_is_not(file):
    random = np.random.default_rng(1)
    classes = np.tile([0, 1], 12)
    told_apart = random.normal(classes[:, None, None] * 6.0, 1, (24, 40, 3)).astype("float32")
    owner, chance = PersonalRecognizer(file), PersonalRecognizer(file)
    owner.learn(told_apart, classes, rate=0.2)
    assert (owner.predict(told_apart).argmax(axis=1) == classes).all()
    before = chance.predict(told_apart)
    # Labels of windows that do not differ, drawn from what the recognizer answers.
    alike = random.normal(0, 1, (24, 40, 3)).astype("float32")
    drawn = np.array([random.choice(6, p=row / row.sum()) for row in chance.predict(alike)])
    losses = chance.learn(alike, drawn, rate=0.2)
    assert losses[-1] < losses[0]
    np.testing.assert_array_equal(chance.predict(told_apart), before)


def kept(untaught, *taught):
    """The share that is kept if windows of the first of two classes get it with these probabilities."""
    of_first = np.array([untaught, *taught, *[taught[-1]] * (len(SHARES) - len(taught))])
    return helpful_share(np.stack([of_first, 1 - of_first], axis=-1), np.zeros(len(untaught), int))


def test_of_what_was_learned_as_much_is_kept_as_it_takes_to_recognize_the_most_windows_held_back():
    assert kept([0.2, 0.3, 0.8], [0.3, 0.4, 0.8], [0.6, 0.4, 0.8], [0.6, 0.7, 0.8], [0.6, 0.9, 0.9]) == SHARES[2]
    # Recognized already, and surer.
    assert kept([0.6, 0.6, 0.8], [0.9, 0.9, 0.9]) == 0
    # One more is recognized, and the loss rises.
    assert kept([0.4, 0.9, 0.9], [0.6, 0.6, 0.6]) == 0
    # With less, the loss falls.
    assert kept([0.4, 0.9, 0.9], [0.52, 0.85, 0.85], [0.9, 0.9, 0.1]) == SHARES[0]


def test_windows_too_few_to_hold_any_back_are_learned(file):
    one, several = PersonalRecognizer(file), PersonalRecognizer(file)
    for recognizer, options in ((one, {}), (several, {"folds": 0})):
        recognizer.learn(WINDOWS[:1], LABELS[:1], epochs=3, **options)
    np.testing.assert_array_equal(one.predict(WINDOWS), several.predict(WINDOWS))


@pytest.mark.parametrize(
    ("windows", "labels", "options", "message"),
    [
        (WINDOWS[:0], [], {}, "0 windows and labels of shape"),
        (WINDOWS, LABELS[:3], {}, "8 windows and labels of shape"),
        (WINDOWS, LABELS + 1, {}, "expected class numbers below 6"),
        (WINDOWS, LABELS / 2, {}, "expected class numbers below 6"),
        (WINDOWS * np.nan, LABELS, {}, "holds NaN or infinity"),
        (WINDOWS, LABELS, {"epochs": 0}, "epochs is 0"),
        (WINDOWS, LABELS, {"rate": np.nan}, "rate nan"),
    ],
)
def test_what_cannot_be_learned_is_refused_and_changes_nothing(windows, labels, options, message, file):
    recognizer = PersonalRecognizer(file)
    before = recognizer.predict(WINDOWS)
    refused(message, recognizer.learn, windows, labels, **options)
    np.testing.assert_array_equal(recognizer.predict(WINDOWS), before)


def test_learning_that_is_interrupted_changes_nothing(file, monkeypatch):
    recognizer, steps = PersonalRecognizer(file), iter(range(30))
    before, run = recognizer.predict(WINDOWS), recognizer.run

    def interrupted(signature, **inputs):
        if signature == "train" and next(steps) == 20:
            raise KeyboardInterrupt
        return run(signature, **inputs)

    monkeypatch.setattr(recognizer, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        recognizer.learn(WINDOWS, LABELS, rate=0.2)
    np.testing.assert_array_equal(recognizer.predict(WINDOWS), before)


def test_a_file_that_cannot_learn_and_a_foreign_memory_are_refused(file, tmp_path):
    cannot = PRESETS_FOLDER / "activity_gru_pocket" / "model.dynamic.tflite"
    refused("cannot learn; export one that can with `zoo export --personalize`", PersonalRecognizer, cannot)
    (tmp_path / "damaged.npz").write_bytes(b"PK\3\4" + bytes(60))
    np.savez(tmp_path / "foreign.npz", words=np.zeros(3))
    np.savez(tmp_path / "other.npz", kernel=np.zeros((3, 6), "float32"), bias=np.zeros(6, "float32"))
    for name, says in (
        ("missing", r"missing\.npz: no such file"),
        ("damaged", r"damaged\.npz: damaged, or not a \.npz file of arrays"),
        ("foreign", r"holds no learned weights \(arrays words\)"),
        ("other", r"input 'new_kernel' has shape \(3, 6\); expected \(8, 6\)"),
    ):
        refused(says, PersonalRecognizer(file).restore, tmp_path / f"{name}.npz")


@pytest.fixture
def page_file(file, tmp_path):
    """Writes what the phone page learned: `page_file(classes, kernel, bias)`."""

    def write(classes, kernel, bias, **changes):
        path = tmp_path / "taught.json"
        document = {
            "schema": 1, "preset": "any", "weights_sha256": PersonalRecognizer(file).metadata.weights_sha256,
            "classes": classes, "kernel": np.asarray(kernel).tolist(), "bias": np.asarray(bias).tolist(),
        }  # fmt: skip
        path.write_text(json.dumps(document | changes))
        return path

    return write


OTHERS = ([], ["cycling"], ["cycling", "rowing", "climbing", "yoga", "boxing", "skating"])


@pytest.mark.parametrize("prior", [None, {"walking": 0.7}])
def test_what_the_page_learned_is_restored_with_activities_that_the_file_lacks(prior, tmp_path, page_file):
    provenance = {"class_frequencies": dict.fromkeys(CLASSES, 1 / 6)}
    model = ActivityGRU(
        units=8, frame=5, window=40, seed=1, temperature=0.8, prior=prior, classes=CLASSES, provenance=provenance
    )
    path, random = written(model, tmp_path), np.random.default_rng(1)
    learned = PersonalRecognizer(path)
    learned.learn(WINDOWS, LABELS, folds=0)
    learned.save(tmp_path / "mine.npz")
    for others in OTHERS:
        recognizer = PersonalRecognizer(path)
        classes = [*CLASSES, *others]
        kernel, bias = random.normal(0, 1, (8, len(classes))), random.normal(0, 1, len(classes))
        sha = recognizer.metadata.weights_sha256
        recognizer.restore(page_file(classes, kernel, bias, weights_sha256=sha))
        expected = softmax((hidden(model, WINDOWS) @ kernel + bias) / 0.8, axis=1)
        np.testing.assert_allclose(recognizer.predict(WINDOWS), expected, atol=1e-5)
        assert recognizer.metadata.classes == tuple(classes)
        assert recognizer.recognize(WINDOWS, threshold=0) == [classes[row.argmax()] for row in expected]
        if others:
            refused(rf"has room for 6 activities and {len(classes)} were restored", recognizer.learn, WINDOWS, LABELS)
        else:
            assert len(recognizer.learn(WINDOWS, LABELS, epochs=2)) == 2
        recognizer.restore(tmp_path / "mine.npz")
        np.testing.assert_allclose(recognizer.predict(WINDOWS), learned.predict(WINDOWS), atol=1e-6)


def test_a_page_s_file_of_another_model_or_shape_is_refused(file, page_file, model):
    six, kernel, bias = list(model.classes), np.zeros((8, 6)), np.zeros(6)
    recognizer = PersonalRecognizer(file)
    for arguments, changes, says in (
        ((six, kernel, bias), {"weights_sha256": "0"}, r"learned by another model \(any\)"),
        ((six[::-1], kernel, bias), {}, "expected downstairs, "),
        (([*six, "a"], kernel, bias), {}, r"'kernel' has shape \(8, 6\); expected \(H, 7\)"),
        ((six, np.zeros((9, 6)), bias), {}, r"shape \(9, 6\); expected \(8, 6\)"),
        ((six, kernel, ["x"] * 6), {}, "'bias' is .*; expected numbers"),
        ((six, kernel, [10**400] * 6), {}, "no finite number"),
        ((6, kernel, bias), {}, "'classes' is 6; expected a list"),
        ((six, kernel, [float("inf")] * 6), {}, "no finite number"),
        ((six, kernel, bias), {"schema": 2}, "holds nothing that the phone page learned"),
    ):
        refused(says, recognizer.restore, page_file(*arguments, **changes))
    assert recognizer.metadata.classes == model.classes


def test_threads_share_a_recognizer_that_learns_and_one_with_more_activities(file, page_file):
    recognizer = PersonalRecognizer(file)
    wider = np.random.default_rng(2).normal(0, 1, (9, 8))
    with ThreadPoolExecutor(8) as pool:
        before = recognizer.predict(WINDOWS[:1])
        learning = pool.submit(recognizer.learn, WINDOWS, LABELS, epochs=10)
        seen = [recognizer.predict(WINDOWS[:1]) for _ in range(100)]
        learning.result()
        after = recognizer.predict(WINDOWS[:1])
        assert all((answer == before).all() or (answer == after).all() for answer in seen)
        recognizer.restore(page_file([*CLASSES, "cycling", "rowing"], wider[:8], wider[8]))
        alone = recognizer.predict(WINDOWS)
        together = [pool.submit(recognizer.predict, WINDOWS[i % 8 :][:1]) for i in range(200)]
        assert all((answer.result()[0] == alone[i % 8]).all() for i, answer in enumerate(together))
