"""Four words in a row: reading, making of text, simulating."""

import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import message, write_h5

from zoo.data import hdf5
from zoo.runtime.vocabulary import tokenize
from zoo.text import data as trigrams
from zoo.text import simulate
from zoo.text.data import from_file, leaks, read_vocabulary, write_trigrams
from zoo.text.simulate import write_simulated

KEYS = ("trainx", "traind", "valx", "vald", "testx", "testd")


def write(path, **changes):
    content = {key: np.ones((4, 3) if key.endswith("x") else 4, "i4") for key in KEYS} | {"words": [b"he", b"is"]}
    return write_h5(path, **content | changes)


def save(path, *lines):
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def sentences_of(rows, words):
    return [" ".join(words[number] for number in (*context, target)) for context, target in
            zip(rows.inputs, rows.targets, strict=True)]  # fmt: skip


def test_words_count_from_1_in_the_file_and_from_0_inside(tmp_path):
    data = from_file(write(tmp_path / "a.h5", trainx=[[1, 2, 1], [2, 2, 1]], traind=[2, 1]))
    np.testing.assert_array_equal(data.train.inputs, [[0, 1, 0], [1, 1, 0]])
    np.testing.assert_array_equal(data.train.targets, [1, 0])
    assert data.train.inputs.dtype == data.train.targets.dtype == np.int32
    assert (data.words, data.simulated, data.source) == (("he", "is"), False, "not stated")
    assert len(data.train) == 2


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"traind": [0, 1, 0, 1]}, "key 'traind' holds numbers from 0 to 1; expected 1 to 2: numbers count from 1"),
        ({"words": [b"he", b"a\nb"]}, "key 'words' holds 'a\\nb'; expected 1 to 200 letters, none a control"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_as_it_should_be_is_refused(tmp_path, changes, line):
    path = write(tmp_path / "a.h5", **changes)
    assert message(lambda: from_file(path)).startswith(f"{path}: {line}: ")


def test_shuffled_rows_would_have_their_neighbors_in_training_and_split_by_place_do_not(tmp_path):
    text = save(tmp_path / "a.txt", *["He is here now and he is there too ."] * 100)
    made = write_trigrams(tmp_path / "a.h5", [text], 8)
    assert made.overlap["as_split"] == 0.0
    assert made.overlap["shuffled"] > 0.9
    inside = write_trigrams(tmp_path / "b.h5", [text], 8, validation_rows=(0, 7), test_rows=(10, 14))
    assert inside.overlap["as_split"] == 0.75  # training has places 0 to 5 of the sentence, the last row 6 to 9


def test_rows_are_all_four_neighbors_of_a_sentence_in_the_order_of_the_text(tmp_path):
    text = save(tmp_path / "a.txt", "He is here now .", "No .", "Is he here ?", "He is now here .", "Now he is here .")
    made = write_trigrams(tmp_path / "a.h5", [text], 6, validation_rows=(3, 5), test_rows=(5, 7))
    assert (made.rows, made.left_out) == (7, 0)
    data = from_file(tmp_path / "a.h5")
    assert sentences_of(data.train, data.words) == ["he is here now", "is here now .", "is he here ?"]
    assert sentences_of(data.validation, data.words) == ["he is now here", "is now here ."]
    assert sentences_of(data.test, data.words) == ["now he is here", "he is here ."]


def test_the_vocabulary_is_the_most_frequent_words_of_training_ties_in_alphabetical_order(tmp_path):
    # `no .` is in no row, and the last two sentences are not training: a and c occur twice, b three times, d once.
    text = save(tmp_path / "a.txt", "b b b a", "no . .", "c c a d", "a c b b", "c c c b")
    write_trigrams(tmp_path / "a.h5", [text], 3, (2, 3), (3, 4))
    assert from_file(tmp_path / "a.h5").words == ("b", "a", "c")
    write_trigrams(tmp_path / "a.h5", [text], 4, (2, 3), (3, 4))
    assert from_file(tmp_path / "a.h5").words == ("b", "a", "c", "d")


def test_rows_with_an_unknown_word_are_left_out_after_rows_were_numbered(tmp_path):
    text = save(tmp_path / "a.txt", "a a a x a a a a", "b a a a", "a a b b", "b b a a")
    made = write_trigrams(tmp_path / "a.h5", [text], save(tmp_path / "words.txt", "a", "b"), (5, 6), (6, 8))
    assert (made.rows, made.left_out) == (8, 4)
    data = from_file(tmp_path / "a.h5")
    assert sentences_of(data.train, data.words) == ["a a a a"]
    assert sentences_of(data.validation, data.words) == ["b a a a"]
    assert sentences_of(data.test, data.words) == ["a a b b", "b b a a"]
    assert hdf5.attributes(tmp_path / "a.h5")["left_out_rows"] == 4


def test_the_last_tenth_is_test_and_the_one_before_validation_each_from_the_next_sentence_on(tmp_path):
    text = save(tmp_path / "a.txt", *["a b c d e f"] * 34)
    made = write_trigrams(tmp_path / "a.h5", [text], 6)
    # 102 rows: cuts at 82 and 92 move to 84 and 93, where sentences begin.
    data = from_file(tmp_path / "a.h5")
    assert [len(rows) for rows in data.splits().values()] == [84, 9, 9]
    assert made.notes == ()
    attributes = hdf5.attributes(tmp_path / "a.h5")
    assert (attributes["validation_rows"], attributes["test_rows"], attributes["text_rows"]) == ("84:93", "93:102", 102)
    assert (attributes["simulated"], attributes["source"]) == (False, "text: a.txt")


def test_named_rows_are_taken_as_they_are_and_what_is_unusual_is_noted(tmp_path):
    text = save(tmp_path / "a.txt", *["a b c d e f"] * 4)
    made = write_trigrams(tmp_path / "a.h5", [text], 6, validation_rows=(3, 5), test_rows=(6, 9))
    assert made.notes == (
        "row 5 is inside a sentence: the splits on both sides share words of it",
        "4 training rows stand after row 3, where validation or test begins",
    )
    assert [len(rows) for rows in from_file(tmp_path / "a.h5").splits().values()] == [7, 2, 3]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("abc ", max_size=12), min_size=1, max_size=30))
def test_every_row_of_the_text_is_in_one_split_and_in_order(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("text")
    words = [tokenize(line) for line in [*lines, "a b c d e f", "a b c d e f g", "a b c d e f"]]
    text = save(folder / "a.txt", *(" ".join(line) for line in words))
    expected = [" ".join(line[i : i + 4]) for line in words for i in range(len(line) - 3)]
    known = save(folder / "words.txt", *sorted({word for line in words for word in line}))
    count = len(expected)
    write_trigrams(folder / "a.h5", [text], known, (count - 5, count - 3), (count - 3, count))
    data = from_file(folder / "a.h5")
    found = [row for rows in data.splits().values() for row in sentences_of(rows, data.words)]
    assert found == expected


def test_a_vocabulary_is_read_of_a_file_of_either_kind_in_its_order(tmp_path):
    assert read_vocabulary(save(tmp_path / "words.txt", "is", "", " he ", "?")) == ("is", "he", "?")
    assert read_vocabulary(write(tmp_path / "a.h5")) == ("he", "is")
    twice = save(tmp_path / "b", "a", "b", "a")
    assert message(lambda: read_vocabulary(twice)) == f"{twice}: holds 'a'; expected different entries: leave it out"
    assert "no such file" in message(lambda: read_vocabulary(tmp_path / "c.txt"))


REFUSED = {
    "few words": (
        (9, (3, 6), (6, 9)),
        "a.txt: 6 different words in the training rows, too few for a vocabulary of 9: pass vocabulary=6 or fewer",
    ),
    "no words": ((0, (3, 6), (6, 9)), "a vocabulary of 0 words; expected 1 or more"),
    "rows outside": ((6, (3, 6), (6, 90)), "test rows 6:90: expected a range within 0:12, the rows of a.txt"),
    "rows backwards": ((6, (6, 3), (6, 9)), "validation rows 6:3: expected a range within 0:12, the rows of a.txt"),
    "overlap": ((6, (3, 7), (6, 9)), "validation rows 3:7 and test rows 6:9 overlap: move one"),
    "one named": (
        (6, (3, 6)),
        "rows are given for validation alone; pass both validation_rows and test_rows, or neither",
    ),
    "lacking": ((("a", "z", "y", "He"), (3, 6), (6, 9)), "words.txt: 3 words are not in a.txt, such as 'He', 'y', 'z'"),
    "nothing left": ((6, (0, 6), (6, 12)), "a.txt: 0 different words in the training rows, too few for a vocabulary"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_made_is_refused_in_one_line_and_nothing_is_written(tmp_path, case):
    (vocabulary, *ranges), line = REFUSED[case]
    text = save(tmp_path / "a.txt", *["a b c d e f"] * 4)
    words = vocabulary if isinstance(vocabulary, int) else save(tmp_path / "words.txt", *vocabulary)
    refused = message(lambda: write_trigrams(tmp_path / "a.h5", [text], words, *ranges))
    assert refused.removeprefix(f"{tmp_path}/").startswith(line)
    assert not (tmp_path / "a.h5").exists()


def test_a_text_too_short_for_three_splits_is_refused(tmp_path):
    text = save(tmp_path / "a.txt", "a b c d")
    assert message(lambda: write_trigrams(tmp_path / "a.h5", [text], 4)) == (
        "a.txt: too little text for training, validation and test (rows of four words: 1): give more text, one "
        "sentence per line"
    )
    few = save(tmp_path / "b.txt", "a b")
    words = save(tmp_path / "words.txt", "a")
    for vocabulary in (words, 250):
        refused = message(lambda given=vocabulary: write_trigrams(tmp_path / "a.h5", [few], given))
        assert "b.txt: too little text for training, validation and test (rows of four words: 0)" in refused
    known = message(lambda: write_trigrams(tmp_path / "a.h5", [save(tmp_path / "c.txt", *["a b c d"] * 20)], words))
    assert "no row of four known words for train; 20 rows in all" in known


def test_leaks_are_shares_of_the_test_that_occur_in_training(tmp_path):
    data = from_file(write(tmp_path / "a.h5", trainx=[[1, 1, 1], [1, 1, 2], [1, 1, 2]], traind=[1, 1, 1],
                      testx=[[1, 1, 1], [1, 1, 2], [2, 2, 2], [2, 2, 1]], testd=[1, 2, 1, 1]))  # fmt: skip
    found = leaks(data)
    assert found["as_split"] == {"rows": 0.25, "contexts": 0.5}
    assert found == leaks(data)


def test_simulated_sentences_are_labelled_and_the_seed_decides(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_simulated(tmp_path / name, sentences=300, seed=seed)
    a, b, c = (from_file(tmp_path / name) for name in "abc")
    assert a.simulated
    assert a.source == "simulated by pocket-zoo"
    assert hdf5.attributes(tmp_path / "a")["seed"] == 1
    np.testing.assert_array_equal(a.test.inputs, b.test.inputs)
    assert a.words == b.words == c.words == simulate.WORDS
    assert sentences_of(a.test, a.words) != sentences_of(c.test, c.words)


@pytest.mark.real
def test_the_course_text_gives_the_rows_of_the_course_file(real, tmp_path):
    source = real / "text" / "data2.h5"
    made = write_trigrams(
        tmp_path / "a.h5", [real / "text" / "raw_sentences.txt"], source, (372550, 419050), (419118, 442368)
    )
    assert (made.rows, made.left_out) == (442369, 0)
    for key in ("words", "valx", "vald", "testx", "testd"):
        np.testing.assert_array_equal(hdf5.read_column(tmp_path / "a.h5", key), hdf5.read_column(source, key))
    # The course shuffled its training rows and left 50 out.
    made_rows, course_rows = (from_file(path).train for path in (tmp_path / "a.h5", source))
    first, course = (
        Counter(map(tuple, np.column_stack([rows.inputs, rows.targets])[:372550].tolist()))
        for rows in (made_rows, course_rows)
    )
    assert ((first - course).total(), (course - first).total()) == (50, 0)


@pytest.mark.real
def test_most_test_contexts_of_the_course_are_in_its_training(real):
    found = trigrams.leaks(from_file(real / "text" / "data2.h5"))
    assert found["as_split"]["rows"] == pytest.approx(0.656, abs=1e-3)
    assert found["as_split"]["contexts"] == pytest.approx(0.873, abs=1e-3)


def test_text_gives_the_same_rows_however_its_accents_are_written(tmp_path):
    text = "Il dit que c'est la fin. \u00e9t\u00e9 comme hiver il pleut. Elle dit oui. \u00e0 toi de dire oui.\n" * 30
    rows = set()
    for form in ("NFC", "NFD"):
        (tmp_path / f"{form}.txt").write_text(unicodedata.normalize(form, text), encoding="utf-8")
        rows.add(write_trigrams(tmp_path / f"{form}.h5", [tmp_path / f"{form}.txt"], 14).rows)
    assert rows == {330}
