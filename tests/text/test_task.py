"""Language models from a file of rows to files that answer."""

import json

import numpy as np
import pytest
from running import refused

from zoo import Recipe, TrigramLM, finetune, loading, predict
from zoo.data.dataset import DataSet
from zoo.exporting import formats
from zoo.models.losses import CrossEntropy
from zoo.report import for_task
from zoo.runtime import Interpreter
from zoo.text import data as trigrams
from zoo.text import task
from zoo.text.task import TASK as TRIGRAM


@pytest.fixture(scope="module")
def sentences(simulated_trigrams):
    return simulated_trigrams


@pytest.fixture(scope="module")
def trained(language_model):
    return loading.load(str(language_model))


def test_it_learns_more_than_how_often_words_are(trained, sentences):
    report = TRIGRAM.evaluate(trained, sentences)
    assert set(report["baselines"]) == {"unigram", "bigram", "kneser_ney"}
    assert report["cross_entropy"] < report["baselines"]["unigram"]["cross_entropy"] - 0.5
    assert {"cross_entropy", "perplexity", "top1", "top5", "top10", "seen", "unseen"} <= set(report)
    assert report["simulated"] is True
    assert json.dumps(report, allow_nan=False)


def test_a_model_that_predicts_worse_than_n_grams_is_noted(trained, sentences):
    report = TRIGRAM.evaluate(loading.load(TrigramLM(vocabulary=trained.metadata.words, seed=0)), sentences)
    assert not any("trained on" in note for note in report["notes"])
    score, note = report["baselines"]["unigram"]["cross_entropy"], report["notes"][-1]
    assert f"{report['cross_entropy']:.3f} is above that of word frequencies ({score:.3f}) and the bigram model" in note


def test_merged_rows_cost_what_the_rows_cost_and_none_stands_for_more_than_was_said(sentences):
    data = trigrams.from_file(sentences)
    rows = DataSet.of({"input": data.train.inputs[:3000], "target": data.train.targets[:3000]})
    contexts, targets = task.merged(rows, len(data.words), most=4)
    assert len(contexts) < len(rows)
    # Any function of the context will do for a model.
    table = np.random.default_rng(0).normal(size=(len(data.words), len(data.words))).astype("float32")
    plain = CrossEntropy()(rows.targets, table[rows.inputs[:, 0]])
    assert float(CrossEntropy()(targets, table[contexts[:, 0]])) == pytest.approx(float(plain), rel=1e-5)
    same = DataSet.of({"input": np.zeros((9, 3), np.int32), "target": np.array([1] * 5 + [2] * 4, np.int32)})
    contexts, targets = task.merged(same, 3, most=4)
    assert len(contexts) == 3
    np.testing.assert_allclose(targets * 9 / 3, np.tile([0, 5 / 3, 4 / 3], (3, 1)), rtol=1e-6)


def test_artifacts_answer_what_the_model_answers_and_say_their_scores(exported_language_model, trained, sentences):
    records = json.loads(exported_language_model.with_suffix(".json").read_text())["artifacts"]
    assert [r["format"] for r in records] == ["keras", "saved_model", "float32", "float16", "dynamic", "int8"]
    test = TRIGRAM.evaluate(trained, sentences, baselines=False)
    for record in records[:4]:
        assert record["cross_entropy"] == pytest.approx(test["cross_entropy"], abs=0.01)
    file = loading.load(str(exported_language_model / "model.float32.tflite"))
    assert TRIGRAM.evaluate(file, sentences, baselines=False)["top1"] == pytest.approx(test["top1"], abs=1e-3)


def test_a_tflite_file_gives_probabilities_and_the_ten_best(exported_language_model, trained):
    exact, rounded = (Interpreter(exported_language_model / f"model.{kind}.tflite") for kind in ("float32", "int8"))
    found = exact.run("next_word", ids=np.array([[3, 1, 4], [1, 5, 9]], np.int32))
    np.testing.assert_allclose(found["probabilities"].sum(axis=1), 1, atol=1e-5)
    best = np.argsort(-found["probabilities"], axis=1, kind="stable")[:, :10]
    np.testing.assert_array_equal(found["top_ids"], best)
    assert rounded.metadata.words == trained.metadata.words


def test_the_saved_model_reads_words_and_refuses_strange_ones(exported_language_model, trained):
    complete = formats.load_saved_model(exported_language_model / "saved_model")["complete"]
    words = trained.metadata.words
    found = complete(words=np.array([words[:3]]))
    expected = TRIGRAM.answer(trained, " ".join(words[:3]), None, top=10).document["next"]
    assert [word.decode() for word in found["top_words"].numpy()[0]] == [row["word"] for row in expected]
    with pytest.raises(Exception, match="a word is not in the vocabulary"):
        complete(words=np.array([["the", "zyzzyva", "runs"]]))


def test_next_words_are_the_most_probable_after_the_last_three_and_neighbors_the_nearest_others(trained):
    words = trained.metadata.words
    found = TRIGRAM.answer(trained, " ".join(words[:4]), None, top=5).document
    assert found["context"] == list(words[1:4])
    shares = [row["probability"] for row in found["next"]]
    assert (shares, len(shares)) == (sorted(shares, reverse=True), 5)
    nearest = task.nearest_words(trained, words[0], 4)["nearest"]
    cosines = [row["cosine"] for row in nearest]
    assert cosines == sorted(cosines, reverse=True)
    assert words[0] not in [row["word"] for row in nearest]


def test_generation_goes_on_with_the_text_and_is_the_same_from_a_file_by_its_seed(trained, exported_language_model):
    begin = " ".join(trained.metadata.words[:3])
    file = loading.load(str(exported_language_model / "model.float32.tflite"))
    first, again, other = (
        task.continued(model, begin, 8, 0.8, seed) for model, seed in ((trained, 1), (file, 1), (trained, 2))
    )
    assert first == again
    assert first["text"].startswith(begin)
    assert len(first["added"]) == 8
    assert first["added"] != other["added"]
    assert trained.keras_model.generate(begin, np.int64(8), np.float32(0.8), np.int64(1)) == first["text"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--temperature", 0.5), "--temperature: applies with --generate COUNT alone; leave it out"),
        (("--seed", 0), "--seed: applies with --generate COUNT alone; leave it out"),
        (("--generate", 3, "-k", 5), "--top: does not apply with --generate COUNT; leave it out"),
        (("--hop", 50), "--hop: does not apply to MODEL; leave it out"),
        (("--levels", 255), "--levels: applies with --data FILE alone; leave it out"),
    ],
)
def test_an_option_without_effect_is_refused(options, expected, language_model, zoo_cli):
    status, printed, error = zoo_cli("predict", language_model, "the the the", *options)
    assert (status, printed) == (1, "")
    assert error == f"zoo: {expected.replace('MODEL', str(language_model))}\n"


def test_random_test_rows_come_with_the_word_that_followed(trained, sentences):
    data = trigrams.from_file(sentences)
    known = {(*c, t) for c, t in zip(data.test.inputs.tolist(), data.test.targets.tolist(), strict=True)}
    for row in task.examples(trained, data, 5, 10, seed=0):
        assert tuple(data.words.index(word) for word in [*row["context"], row["wanted"]]) in known
        assert len(row["next"]) == 10


@pytest.mark.slow
def test_figures_show_training_and_words(trained, sentences):
    report = TRIGRAM.evaluate(trained, sentences, baselines=False)
    pictures = TRIGRAM.pictures(trained, sentences)
    drawn = for_task("text", "figures").evaluation(report, trained.history, pictures)
    assert set(drawn) == {"training", "embedding"}


def test_a_bad_request_is_one_line(trained, sentences, tmp_path):
    words, other = trained.metadata.words, tmp_path / "other.h5"
    three = " ".join(words[:3])
    (tmp_path / "a.txt").write_text("\n".join(["the cat sat on the mat .", "the dog ran to the cat ."] * 40))
    trigrams.write_trigrams(other, [tmp_path / "a.txt"], 8)
    requests = {
        r"'zyzzyva' is not among the \d+ words": lambda: TRIGRAM.predict(trained, "zyzzyva is here"),
        r"2 words; .* needs 3 to predict the next one": lambda: TRIGRAM.predict(trained, " ".join(words[:2])),
        r"temperature is 0.*above 0": lambda: predict(trained.keras_model, "a b c", generate=2, temperature=0),
        r"temperature 0: expected a number above 0": lambda: task.continued(trained, three, 2, 0.0),
        r"num_words is 0; expected 1 or more": lambda: trained.keras_model.generate(three, 0),
        r"seed is -1; expected 0 or more": lambda: trained.keras_model.generate(three, seed=-1),
        r"8 words; .* knows \d+": lambda: TRIGRAM.evaluate(trained, other),
        r"8 words; .*: .* train new weights with `zoo train`": lambda: finetune(trained.keras_model, other),
        r"split 'dev': expected train, validation or test": lambda: TRIGRAM.evaluate(trained, sentences, split="dev"),
        r"expected one word": lambda: task.nearest_words(trained, " ".join(words[:2])),
    }
    for says, request in requests.items():
        refused(says, request)


def test_scores_of_a_split_file_are_those_of_its_validation_part(trained, sentences):
    scores = TRIGRAM.scores(trained.keras_model, TRIGRAM.split(sentences, Recipe()))
    report = TRIGRAM.evaluate(trained, sentences, split="validation", baselines=False)
    assert scores == {name: pytest.approx(report[name], abs=1e-5) for name in ("cross_entropy", "top1")}
