"""The class frequencies that probabilities assume: learned from data, stored, and changed in every artifact."""

import json

import numpy as np
import pytest
from running import data_of, refused

import zoo
from zoo import ActivityGRU, loading
from zoo.activity import data as windows_of
from zoo.activity.device import encountered_states
from zoo.activity.finetuning import with_labels
from zoo.activity.task import TASK as ACTIVITY
from zoo.activity.task import class_frequencies
from zoo.exporting import signatures
from zoo.files import read_json
from zoo.runtime import Recognizer
from zoo.runtime.labels import complete_prior, label_frequencies, parse_prior
from zoo.runtime.metadata import Metadata, extract

CLASSES = ("run", "sit", "walk")
LEARNED = {"run": 0.2, "sit": 0.5, "walk": 0.3}
WINDOWS = np.random.default_rng(0).normal([0, 0, 9.8], 3, (40, 20, 3)).astype("float32")
DAILY = {"walking": 0.6, "sitting": 0.3}


def model(**arguments):
    """A tiny recognizer, not trained, with what training would record of its data."""
    known = {"units": 4, "frame": 5, "window": 20, "classes": CLASSES, "temperature": 2.5}
    return ActivityGRU(**known | {"provenance": {"class_frequencies": LEARNED}} | arguments)


def adjusted(probabilities, new, old):
    """Saerens et al. 2002, equation 2.4."""
    products = probabilities * np.array(new) / np.array(old)
    return products / products.sum(axis=1, keepdims=True)


def test_a_prior_of_some_classes_leaves_the_rest_to_the_others_in_their_proportion():
    prior = complete_prior({"walk": np.float64(0.6)}, CLASSES, LEARNED)
    assert prior == pytest.approx({"run": 0.8 / 7, "sit": 2 / 7, "walk": 0.6})


@pytest.mark.parametrize(
    ("prior", "says"),
    [
        ({"walk": 0.6, "swim": 0.1}, "prior: unknown class 'swim'; expected run, sit, walk"),
        ({"walk": 0.0}, "prior of walk is 0.0; expected a number above 0: leave a class out to share the rest"),
        ({"walk": float("inf")}, "prior of walk is inf; expected a number above 0"),
        ({"walk": "much"}, "prior of walk is 'much'; expected a number above 0"),
        ({"walk": 0.6, "sit": 0.4}, "prior sums to 1, which leaves nothing for run: expected less than 1"),
        ({"walk": 0.6, "sit": 0.3, "run": 0.3}, "prior sums to 1.2; expected 1, or leave out a class"),
    ],
)
def test_a_prior_that_is_none_is_refused(prior, says):
    refused(says, model, prior=prior)


@pytest.mark.parametrize("text", ["walking", "walking=", "=0.5", "walking=much", "walking=0.5,"])
def test_a_prior_that_cannot_be_read_is_refused_with_an_example(text):
    refused(r"expected CLASS=SHARE, such as walking=0\.6,sitting=0\.3", parse_prior, text)


def test_a_prior_needs_to_know_what_the_probabilities_assume_and_is_dropped_with_its_classes():
    refused("class frequencies of its training data are not known", model, provenance=None, prior={"walk": 0.6})
    known = model(prior={"walk": 0.6}, threshold=0.7)
    other = known.copy(classes=("walk", "swim"))
    assert (other.prior, other.threshold, other.train_prior) == (None, None, {})
    assert known.copy(window=40).prior == known.prior


@pytest.mark.parametrize(("balance", "shares"), [(None, (1 / 6, 1 / 3, 1 / 2)), ("balanced", (1 / 3, 1 / 3, 1 / 3))])
def test_class_frequencies_are_those_of_the_training_windows_unless_the_recipe_balances_classes(balance, shares):
    x = np.random.default_rng(0).normal([0, 0, 9.8], 1, (12, 20, 3))
    train = data_of(x, np.repeat([0, 1, 2], [2, 4, 6]), CLASSES, 50.0).train
    assert class_frequencies(train, CLASSES, balance) == pytest.approx(dict(zip(CLASSES, shares, strict=True)))


def test_class_frequencies_count_a_set_for_its_classes_as_the_other_windows_divide_them():
    counts = np.array([2, 4, 6, 3])
    assert label_frequencies(counts, CLASSES, [(0, 1)]) == pytest.approx({"run": 0.2, "sit": 0.4, "walk": 0.4})
    # They are unknown if a class was never seen.
    assert label_frequencies(np.array([2, 0, 6]), CLASSES) == {}


def test_class_frequencies_are_recorded_by_training(recognizer, simulated):
    known = loading.load(str(recognizer))
    assert known.metadata.prior == pytest.approx(list(known.keras_model.provenance["class_frequencies"].values()))
    assert sum(known.metadata.prior) == pytest.approx(1)
    assert read_json(recognizer / "config.json")["metadata"]["prior"] == list(known.metadata.prior)
    # The simulated people did all activities for the same time.
    assert known.metadata.prior == pytest.approx([1 / 6] * 6, abs=0.02)
    assert known.metadata.classes == windows_of.from_file(simulated).classes


def test_signatures_return_probabilities_times_new_over_old_prior_after_the_temperature():
    new = {"run": 0.05, "sit": 0.15, "walk": 0.8}
    plain, changed = model(), model(prior=new)
    step, chunk = encountered_states(plain, WINDOWS, 1, 2)
    of_plain, of_changed = ({s.name: s for s in signatures.activity(one, 2)} for one in (plain, changed))
    for name, read in (("window", {"window": WINDOWS}), ("step", step), ("chunk", chunk)):
        rows, found = (s[name](**read)["probabilities"].numpy().reshape(-1, 3) for s in (of_plain, of_changed))
        np.testing.assert_allclose(found, adjusted(rows, list(new.values()), list(LEARNED.values())), atol=1e-6)
        assert np.abs(rows - found).max() > 0.1
    # That which is trained on the device assumes it as well.
    learning, whole = (
        each(window=WINDOWS[:1])["probabilities"] for each in (signatures.personal(changed)[0], of_changed["window"])
    )
    np.testing.assert_allclose(learning, whole, atol=1e-6)


@pytest.fixture(scope="module")
def daily(export_once, recognizer, simulated):
    """The files of the small recognizer for people who mostly walk and sit."""
    formats = ("--formats", "keras,float32", "--prior", "walking=0.6,sitting=0.3")
    return export_once("daily", recognizer, "--data", simulated, *formats)


def test_exported_files_assume_the_prior_and_state_it(daily, recognizer, simulated):
    known = loading.load(str(recognizer))
    test = windows_of.from_file(simulated).test.arrays()[0][:50]
    before = zoo.predict(known.keras_model, test).probabilities
    file = Recognizer(daily / "model.float32.tflite")
    stated = dict(zip(file.metadata.classes, file.metadata.prior, strict=True))
    assert {name: stated[name] for name in DAILY} == DAILY
    assert sum(stated.values()) == pytest.approx(1)
    expected = adjusted(before, file.metadata.prior, known.metadata.prior)
    np.testing.assert_allclose(file.predict(test), expected, atol=1e-4)


def test_exported_files_of_keras_are_the_same_model_with_another_prior(daily, recognizer, simulated):
    again = loading.load(str(daily))
    assert again.metadata.prior == extract(daily / "model.float32.tflite").prior
    assert again.config["metadata"] == json.loads(json.dumps(again.metadata.to_json()))
    assert again.keras_model.train_prior == loading.load(str(recognizer)).keras_model.train_prior
    one, two, three = (
        zoo.evaluate(model, simulated, baselines=False, prior=prior)
        for model, prior in ((daily, None), (daily / "model.float32.tflite", None), (recognizer, DAILY))
    )
    for key in ("confusion", "prior"):
        assert one[key] == two[key] == three[key]
    for other, error in ((two, 1e-4), (three, 1e-6)):
        assert other["cross_entropy"] == pytest.approx(one["cross_entropy"], abs=error)
    assert one["ece"]["after"] == pytest.approx(three["ece"]["after"])


def test_an_evaluation_states_the_prior_and_the_accuracy_at_it(recognizer, simulated, zoo_cli):
    found = zoo.evaluate(recognizer, simulated, baselines=False, prior={"walking": 0.75})
    assumed = found["prior"]["classes"]
    assert assumed["walking"] == 0.75
    recall = {name: row["recall"] for name, row in found["per_class"].items()}
    assert found["prior"]["accuracy"] == pytest.approx(sum(assumed[name] * recall[name] for name in recall))
    out = zoo_cli("evaluate", recognizer, "--data", simulated, "--no-baselines", "--prior", "walking=0.75").out
    for words in ("walking 0.75; accuracy at these frequencies", f"{found['prior']['accuracy']:.3f}"):
        assert words in " ".join(out.split())


def test_a_bad_prior_or_threshold_is_refused_with_one_line(recognizer, simulated, language_model, tmp_path, zoo_cli):
    to, walks = ("--to", tmp_path / "a"), ("--data", simulated, "--prior", "walking=2")
    for arguments, message in (
        (("evaluate", recognizer, *walks), "prior sums to 2, which leaves nothing for "),
        (("export", recognizer, *to, "--prior", "wlking=0.5"), "prior: unknown class 'wlking'; expected downstairs, "),
        (("export", language_model, *to, "--prior", "the=0.5"), "--prior: does not apply to "),
        (("export", recognizer, *to, "--threshold", "1"), "--threshold is 1.0; expected below 1"),
        (("export", "activity_gru_course", *to, "--prior", "walking=0.5"), "are not known"),
    ):  # fmt: skip
        status, out, err = zoo_cli(*arguments)
        assert (status, out, len(err.splitlines())) == (2 if "--threshold" in message else 1, "", 1)
        assert message in err
    assert not (tmp_path / "a").exists()


def test_fine_tuning_for_other_labels_starts_without_a_prior(simulated):
    data = windows_of.from_file(simulated)
    window = {"window": data.train.inputs.shape[1], "classes": ("a", "b", "c"), "prior": {"a": 0.6}}
    known = model(**window, provenance={"class_frequencies": {"a": 0.5, "b": 0.25, "c": 0.25}})
    assert with_labels(loading.load(known), data).prior is None


def test_metadata_of_older_files_are_read_and_a_model_without_prior_and_threshold_has_their_configuration(recognizer):
    document = read_json(recognizer / "config.json")["metadata"]
    found = Metadata.from_json({key: document[key] for key in document.keys() - {"prior", "threshold"}}, "file")
    assert (found.prior, found.threshold) == ((), None)
    assert not {"prior", "threshold"} & set(model().get_config())
    assert ACTIVITY.metadata(model(prior={"walk": 0.6})).prior == pytest.approx((0.8 / 7, 2 / 7, 0.6))
