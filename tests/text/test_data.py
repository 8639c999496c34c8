"""Four words in a row: reading, making of text, simulating."""

import re
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import message, refused, write_h5

from zoo.data import hdf5
from zoo.runtime.vocabulary import tokenize
from zoo.text import data as trigrams
from zoo.text.data import from_file, leaks, read_vocabulary, write_trigrams
from zoo.text.simulate import WORDS, simulate, write_simulated

KEYS = ("trainx", "traind", "valx", "vald", "testx", "testd")


def write(path, **changes):
    content = {key: np.ones((4, 3) if key.endswith("x") else 4, "i4") for key in KEYS} | {"words": [b"he", b"is"]}
    return write_h5(path, **content | changes)


def save(path, *lines):
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def made(folder, lines, *how, **options):
    """What is told of the rows that are made of a text, and their data."""
    told = write_trigrams(folder / "a.h5", [save(folder / "a.txt", *lines)], *how, **options)
    return told, from_file(folder / "a.h5")


def sentences_of(data, part):
    rows = data.splits()[part]
    return [" ".join(data.words[number] for number in (*context, target)) for context, target in
            zip(rows.inputs, rows.targets, strict=True)]  # fmt: skip


def test_words_count_from_1_in_the_file_and_from_0_inside(tmp_path):
    data = from_file(write(tmp_path / "a.h5", trainx=[[1, 2, 1], [2, 2, 1]], traind=[2, 1]))
    np.testing.assert_array_equal(data.train.inputs, [[0, 1, 0], [1, 1, 0]])
    np.testing.assert_array_equal(data.train.targets, [1, 0])
    assert data.train.inputs.dtype == data.train.targets.dtype == np.int32
    assert (data.words, data.simulated, data.source) == (("he", "is"), False, "not stated")


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
    lines = ["He is here now and he is there too ."] * 100
    overlap = made(tmp_path, lines, 8)[0].overlap
    assert overlap["as_split"] == 0.0
    assert overlap["shuffled"] > 0.9
    inside, _ = made(tmp_path, lines, 8, validation_rows=(0, 7), test_rows=(10, 14))
    assert inside.overlap["as_split"] == 0.75  # training has places 0 to 5 of the sentence, the last row 6 to 9


def test_rows_are_all_four_neighbors_of_a_sentence_in_the_order_of_the_text(tmp_path):
    lines = ["He is here now .", "No .", "Is he here ?", "He is now here .", "Now he is here ."]
    told, data = made(tmp_path, lines, 6, validation_rows=(3, 5), test_rows=(5, 7))
    assert (told.rows, told.left_out) == (7, 0)
    assert sentences_of(data, "train") == ["he is here now", "is here now .", "is he here ?"]
    assert sentences_of(data, "validation") == ["he is now here", "is now here ."]
    assert sentences_of(data, "test") == ["now he is here", "he is here ."]


@pytest.mark.parametrize(("count", "words"), [(3, ("b", "a", "c")), (4, ("b", "a", "c", "d"))])
def test_the_vocabulary_is_the_most_frequent_words_of_training_ties_in_alphabetical_order(count, words, tmp_path):
    # `no .` is in no row, and the last two sentences are not training: a and c occur twice, b three times, d once.
    lines = ["b b b a", "no . .", "c c a d", "a c b b", "c c c b"]
    assert made(tmp_path, lines, count, (2, 3), (3, 4))[1].words == words


def test_rows_with_an_unknown_word_are_left_out_after_rows_were_numbered(tmp_path):
    lines, words = ["a a a x a a a a", "b a a a", "a a b b", "b b a a"], save(tmp_path / "words.txt", "a", "b")
    told, data = made(tmp_path, lines, words, (5, 6), (6, 8))
    assert (told.rows, told.left_out) == (8, 4)
    assert [sentences_of(data, part) for part in data.splits()] == [["a a a a"], ["b a a a"], ["a a b b", "b b a a"]]
    assert hdf5.attributes(tmp_path / "a.h5")["left_out_rows"] == 4


def test_the_last_tenth_is_test_and_the_one_before_validation_each_from_the_next_sentence_on(tmp_path):
    told, data = made(tmp_path, ["a b c d e f"] * 34, 6)
    # 102 rows: cuts at 82 and 92 move to 84 and 93, where sentences begin.
    assert [len(rows) for rows in data.splits().values()] == [84, 9, 9]
    assert told.notes == ()
    attributes = hdf5.attributes(tmp_path / "a.h5")
    assert (attributes["validation_rows"], attributes["test_rows"], attributes["text_rows"]) == ("84:93", "93:102", 102)
    assert (attributes["simulated"], attributes["source"]) == (False, "text: a.txt")


def test_named_rows_are_taken_as_they_are_and_what_is_unusual_is_noted(tmp_path):
    told, data = made(tmp_path, ["a b c d e f"] * 4, 6, validation_rows=(3, 5), test_rows=(6, 9))
    assert told.notes == (
        "row 5 is inside a sentence: the splits on both sides share words of it",
        "4 training rows stand after row 3, where validation or test begins",
    )
    assert [len(rows) for rows in data.splits().values()] == [7, 2, 3]


@settings(max_examples=30)
@given(st.lists(st.text("abc ", max_size=12), min_size=1, max_size=30))
def test_every_row_of_the_text_is_in_one_split_and_in_order(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("text")
    words = [tokenize(line) for line in [*lines, "a b c d e f", "a b c d e f g", "a b c d e f"]]
    expected = [" ".join(line[i : i + 4]) for line in words for i in range(len(line) - 3)]
    known, count = save(folder / "words.txt", *sorted({word for line in words for word in line})), len(expected)
    _, data = made(folder, map(" ".join, words), known, (count - 5, count - 3), (count - 3, count))
    assert [row for part in data.splits() for row in sentences_of(data, part)] == expected


def test_a_vocabulary_is_read_of_a_file_of_either_kind_in_its_order(tmp_path):
    assert read_vocabulary(save(tmp_path / "words.txt", "is", "", " he ", "?")) == ("is", "he", "?")
    assert read_vocabulary(write(tmp_path / "a.h5")) == ("he", "is")
    twice = save(tmp_path / "b", "a", "b", "a")
    refused(f"^{twice}: holds 'a'; expected different entries: leave it out$", read_vocabulary, twice)
    refused("no such file", read_vocabulary, tmp_path / "c.txt")


REFUSED = {
    "few words": ((9, (3, 6), (6, 9)), "a.txt: 6 different words in the training rows, too few for a vocabulary of 9"),
    "no words": ((0, (3, 6), (6, 9)), "a vocabulary of 0 words; expected 1 or more"),
    "rows outside": ((6, (3, 6), (6, 90)), "test rows 6:90: expected a range within 0:12, the rows of a.txt"),
    "rows backwards": ((6, (6, 3), (6, 9)), "validation rows 6:3: expected a range within 0:12, the rows of a.txt"),
    "overlap": ((6, (3, 7), (6, 9)), "validation rows 3:7 and test rows 6:9 overlap: move one"),
    "one named": ((6, (3, 6)), "rows are given for validation alone; pass both validation_rows and test_rows, or"),
    "lacking": ((("a", "z", "y", "He"), (3, 6), (6, 9)), "words.txt: 3 words are not in a.txt, such as 'He', 'y', 'z'"),
    "nothing left": ((6, (0, 6), (6, 12)), "a.txt: 0 different words in the training rows, too few for a vocabulary"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_made_is_refused_in_one_line_and_nothing_is_written(tmp_path, case):
    (vocabulary, *ranges), says = REFUSED[case]
    words = vocabulary if isinstance(vocabulary, int) else save(tmp_path / "words.txt", *vocabulary)
    line = message(made, tmp_path, ["a b c d e f"] * 4, words, *ranges)
    assert line.removeprefix(f"{tmp_path}/").startswith(says)
    assert not (tmp_path / "a.h5").exists()


THAI = "\u0e40\u0e23\u0e32 \u0e23\u0e39\u0e49 \u0e27\u0e48\u0e32 \u0e15\u0e49\u0e2d\u0e07 \u0e17\u0e33"
CHINESE = "\u6211\u4eec \u77e5\u9053 \u73b0\u5728 \u5e94\u8be5 \u505a \u4ec0\u4e48"
JAPANESE = "\u79c1\u305f\u3061 \u306f \u4f55 \u3092 \u3059\u308b \u304b \u77e5\u3063 \u3066 \u3044\u308b"


@pytest.mark.parametrize(
    ("sentence", "named"),
    [(CHINESE, "Chinese or Japanese"), (JAPANESE, "Chinese or Japanese"), (THAI, "Thai, Lao, Burmese or Khmer")],
)
def test_a_text_without_spaces_between_words_is_refused_with_what_to_do_and_read_with_them(tmp_path, sentence, named):
    line = message(made, tmp_path, [sentence.replace(" ", "") + " 12."] * 60, 6)
    assert f"a.txt: words of {named} without spaces between them: put one there with a program" in line
    assert not (tmp_path / "a.h5").exists()
    # In Thai, marks above and below letters are words of their own.
    made(tmp_path, [sentence] * 60, len(set(tokenize(sentence))))
    assert (tmp_path / "a.h5").exists()


def test_a_text_too_short_for_three_splits_is_refused(tmp_path):
    words = save(tmp_path / "words.txt", "a")
    for lines, vocabulary, says in (
        (["a b c d"], 4, r"^a.txt: too little text for training, validation and test \(rows of four words: 1\): give"),
        (["a b"], words, r"a.txt: too little text for training, validation and test \(rows of four words: 0\)"),
        (["a b"], 250, r"a.txt: too little text for training, validation and test \(rows of four words: 0\)"),
        (["a b c d"] * 20, words, "no row of four known words for train; 20 rows in all"),
    ):
        refused(says, made, tmp_path, lines, vocabulary)


def test_leaks_are_shares_of_the_test_that_occur_in_training(tmp_path):
    data = from_file(write(tmp_path / "a.h5", trainx=[[1, 1, 1], [1, 1, 2], [1, 1, 2]], traind=[1, 1, 1],
                      testx=[[1, 1, 1], [1, 1, 2], [2, 2, 2], [2, 2, 1]], testd=[1, 2, 1, 1]))  # fmt: skip
    assert leaks(data)["as_split"] == {"rows": 0.25, "contexts": 0.5}


def test_simulated_sentences_are_labelled_and_the_seed_decides_and_the_count_only_ends_them(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_simulated(tmp_path / name, sentences=300, seed=seed)
    a, b, c = (from_file(tmp_path / name) for name in "abc")
    assert (a.simulated, a.source) == (True, "simulated by pocket-zoo")
    assert hdf5.attributes(tmp_path / "a")["seed"] == 1
    np.testing.assert_array_equal(a.test.inputs, b.test.inputs)
    assert a.words == b.words == c.words == WORDS
    assert sentences_of(a, "test") != sentences_of(c, "test")
    assert simulate(5, seed=1) == simulate(9, seed=1)[:5] != simulate(5, seed=2)


@pytest.mark.real
def test_the_course_text_gives_the_rows_of_the_course_file(real, tmp_path):
    source, text, path = real / "text" / "data2.h5", real / "text" / "raw_sentences.txt", tmp_path / "a.h5"
    told = write_trigrams(path, [text], source, (372550, 419050), (419118, 442368))
    assert (told.rows, told.left_out) == (442369, 0)
    for key in ("words", "valx", "vald", "testx", "testd"):
        np.testing.assert_array_equal(hdf5.read_column(path, key), hdf5.read_column(source, key))
    # The course shuffled its training rows and left 50 out.
    rows, course = (from_file(file).train for file in (path, source))
    rows, course = (
        Counter(map(tuple, np.column_stack([part.inputs, part.targets])[:372550].tolist())) for part in (rows, course)
    )
    assert ((rows - course).total(), (course - rows).total()) == (50, 0)


@pytest.mark.real
def test_most_test_contexts_of_the_course_are_in_its_training(real):
    found = trigrams.leaks(from_file(real / "text" / "data2.h5"))
    assert found["as_split"]["rows"] == pytest.approx(0.656, abs=1e-3)
    assert found["as_split"]["contexts"] == pytest.approx(0.873, abs=1e-3)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_text_gives_the_same_rows_however_its_accents_are_written(form, tmp_path):
    text = "Il dit que c'est la fin. \u00e9t\u00e9 comme hiver il pleut. Elle dit oui. \u00e0 toi de dire oui."
    assert made(tmp_path, [unicodedata.normalize(form, text)] * 30, 14)[0].rows == 330


MANY = simulate(3000, seed=1)


def test_words_of_simulated_sentences_are_those_of_the_grammar_of_unequal_frequency_and_stand_apart():
    counts = Counter(word for line in MANY for word in line.split())
    assert tuple(sorted(counts)) == WORDS
    assert len(WORDS) == 106
    assert counts.most_common()[0][1] > 100 * counts.most_common()[-1][1]
    assert all(tokenize(line) == line.split() for line in MANY)


@pytest.mark.parametrize(
    "wrong",
    [r"\b(he|she) (see|go|like|are|do)\b", r"\b(they|we) (sees|goes|likes|is|does)\b", r"\bi (is|are|does)\b",
     r"\ban? (boys|dogs|books|houses)\b", r"\ba [aeiou]", r"\ban [^aeiou]", r"\bthese (boy|dog|book|house)\b"],
)  # fmt: skip
def test_subjects_articles_and_nouns_agree(wrong):
    # Behind `does` and `do`, verbs stand in their base form.
    asserted = [line for line in MANY if not line.endswith("?")]
    assert not [line for line in asserted if re.search(wrong, line)]
