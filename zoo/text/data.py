"""Trigrams and the word that follows each: the course's data2.h5, its reader, its writer and a simulator.

`trainx (N, 3)` holds contexts and `traind (N,)` the words that followed, `valx`, `vald`, `testx`, `testd` likewise, as
numbers of `words (V,)`. Numbers count from 1 in the file and from 0 everywhere else.

A file is made from text that `text` splits into words: each four consecutive words of a sentence are a row, in the
order of the text, and no row crosses the end of a sentence. Rows are numbered, then those with a word outside the
vocabulary are left out. Validation and test are contiguous ranges of the text. Rows are never shuffled: neighboring
rows share three words, so that a shuffled test would be in training.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from zoo.data import hdf5
from zoo.data.examples import Data, Examples
from zoo.errors import ZooError
from zoo.text import simulate
from zoo.text.sentences import Text, read_lines

CONTEXT = 3
"""Words in a context."""

KEYS: Mapping[str, str] = {"train": "train", "validation": "val", "test": "test"}
"""Names of the splits, and the prefixes of their keys in the file."""

RowRange = tuple[int, int]
"""The first row and the one after the last."""


@dataclass(frozen=True, repr=False)
class Trigrams(Examples):
    """Contexts `(3,)` int32 of word numbers from 0, and the words that followed, in memory."""

    @property
    def contexts(self) -> NDArray[np.int32]:
        """`(len(self), 3)` the three words of each row."""
        return np.asarray(self.inputs[:])[self.rows]

    @property
    def next_words(self) -> NDArray[np.int32]:
        """`(len(self),)` the word that followed each."""
        return np.asarray(self.targets[:])[self.rows]


@dataclass(frozen=True, kw_only=True, repr=False)
class TrigramData(Data):
    """Trigrams for training, validation and test.

    Args:
        words: The vocabulary, in the order of the word numbers.
    """

    task: ClassVar[str] = "text"
    layout: ClassVar[str] = "text"
    file: ClassVar[str] = "data2.h5 of `zoo data make text`"
    train: Trigrams
    validation: Trigrams
    test: Trigrams
    words: tuple[str, ...]


def read(path: Path) -> TrigramData:
    """Checks a file in the course's layout and reads it.

    Args:
        path: data2.h5 or a file with the same layout.

    Raises:
        ZooError: If a key is missing or has another shape, a word is empty or occurs twice, or a number is not that of
            a word.

    Example:
        >>> path = Path(getfixture("tmp_path")) / "data2.h5"
        >>> _ = write_simulated(path, sentences=200, seed=0)
        >>> data = read(path)
        >>> data.train.contexts.shape[1], data.simulated
        (3, True)
    """
    hdf5.check(path, "text")
    words = tuple(hdf5.read(path, "words").tolist())
    _check_words(f"{path}: key 'words'", words)
    train, validation, test = (
        Trigrams.all(_numbers(path, f"{key}x", len(words)), _numbers(path, f"{key}d", len(words)))
        for key in KEYS.values()
    )  # fmt: skip
    return TrigramData(
        name=str(path), path=path, train=train, validation=validation, test=test, words=words,
        **hdf5.provenance(hdf5.attributes(path)),
    )  # fmt: skip


def _check_words(where: str, words: Sequence[str]) -> None:
    places: dict[str, int] = {}
    for place, word in enumerate(words, 1):
        if not word.strip():
            raise ZooError(f"{where} holds an empty word at place {place}; expected text")
        if word in places:
            raise ZooError(f"{where} holds '{word}' at places {places[word]} and {place}; expected each word once")
        places[word] = place


def _numbers(path: Path, key: str, words: int) -> NDArray[np.int32]:
    numbers = hdf5.read(path, key)
    low, high = int(numbers.min()), int(numbers.max())
    if low < 1 or high > words:
        hint = "; numbers count from 1: add 1" if low == 0 and high < words else ": make the file again"
        raise ZooError(f"{path}: key '{key}' holds word numbers from {low} to {high}; expected 1 to {words}{hint}")
    return (numbers - 1).astype(np.int32)


@dataclass(frozen=True)
class Summary:
    """How a text became rows.

    Args:
        rows: Rows of four words in the text.
        left_out: Rows with a word outside the vocabulary.
        overlap: The share of test rows that have a position of the text in common with a training row: `as_split`, and
            `shuffled` if all rows had been shuffled.
        notes: What is unusual about the splits.
    """

    rows: int
    left_out: int
    overlap: Mapping[str, float]
    notes: tuple[str, ...]


def write_trigrams(
    path: Path,
    texts: Sequence[Path],
    vocabulary: int | Path,
    validation_rows: RowRange | None = None,
    test_rows: RowRange | None = None,
) -> Summary:
    """Makes a file in the course's layout from text files.

    By default the last tenth of the rows is test and the tenth before it validation, both rounded to whole sentences.
    If rows are given instead, all others are training.

    Args:
        path: The file, written whole or not at all.
        texts: UTF-8, one sentence per line; read one after another.
        vocabulary: The number of most frequent words of the training rows, each position of the text counted once, ties
            in alphabetical order; or a file with the words, in this layout or as text with one word per line, whose
            order is preserved.
        validation_rows: First row and the one after the last, numbered from 0 through the text.
        test_rows: Likewise.

    Raises:
        ZooError: If a file cannot be read, the text has too few words or lacks some of the vocabulary's, ranges overlap
            or are outside the text, or a split is empty.

    Example:
        >>> folder = Path(getfixture("tmp_path"))
        >>> _ = (folder / "text.txt").write_text("They say it is here . " * 3)
        >>> write_trigrams(folder / "data2.h5", [folder / "text.txt"], 6, (9, 12), (12, 15)).rows
        15
        >>> read(folder / "data2.h5").words
        ('.', 'here', 'is', 'it', 'say', 'they')
    """
    words = None if isinstance(vocabulary, int) else read_vocabulary(vocabulary)
    text = Text.from_lines(read_lines(texts))
    names = ", ".join(file.name for file in texts)
    if words is not None and (lacking := sorted(set(words) - set(text.words))):
        some = ", ".join(f"'{word}'" for word in lacking[:5])
        raise ZooError(f"{vocabulary}: {len(lacking)} words are not in {names}, such as {some}: take them out")
    rule, inputs = (
        (f"the {vocabulary} most frequent words of training rows, ties in alphabetical order", [])
        if isinstance(vocabulary, int) else (f"the words of {vocabulary.name}", [vocabulary])
    )  # fmt: skip
    chosen = vocabulary if isinstance(vocabulary, int) else words or ()
    details = {"source": f"text: {names}", "simulated": False, "vocabulary": rule}
    return _write(path, text, names, chosen, (validation_rows, test_rows), details, inputs)


_MOST_SENTENCES = 10_000_000


def write_simulated(path: Path, sentences: int = 20000, seed: int = 0) -> Summary:
    """Makes a file in the course's layout from simulated sentences, labeled as such.

    Args:
        path: The file, written whole or not at all.
        sentences: Number of sentences.
        seed: The source of all randomness.

    Raises:
        ZooError: If there are too few sentences for three splits, or too many for memory.
    """
    if sentences > _MOST_SENTENCES:
        raise ZooError(f"{sentences} sentences: expected at most {_MOST_SENTENCES}")
    text = Text.from_lines(simulate.sentences(sentences, seed))
    details = {
        "source": "simulated by pocket-zoo", "simulated": True, "seed": seed,
        "vocabulary": "all words of the grammar in alphabetical order",
    }  # fmt: skip
    return _write(path, text, f"{sentences} sentences", simulate.WORDS, (None, None), details, [])


def read_vocabulary(path: Path) -> tuple[str, ...]:
    """Words of a file in this layout, or of a text file with one word per line.

    Raises:
        ZooError: If it cannot be read, or holds a word twice.
    """
    if hdf5.is_hdf5(path):
        hdf5.check(path, "text")
        words = tuple(hdf5.read(path, "words").tolist())
    else:
        words = tuple(word for line in read_lines([path]) if (word := line.strip()))
    _check_words(str(path), words)
    return words


def _write(
    path: Path, text: Text, names: str, vocabulary: int | Sequence[str],
    ranges: tuple[RowRange | None, RowRange | None], details: Mapping[str, Any], inputs: Sequence[Path],
) -> Summary:  # fmt: skip
    # The positions at which four words of one sentence begin.
    places = np.flatnonzero(text.sentences[:-CONTEXT] == text.sentences[CONTEXT:])
    if not len(places):
        raise ZooError(f"{names}: no sentence of four words: give more text, one sentence per line")
    sentences = text.sentences[places]
    held_out = _ranges(names, sentences, *ranges)
    splits = _splits(len(places), held_out)
    words = (
        _most_frequent(names, text, places[splits["train"]], vocabulary)
        if isinstance(vocabulary, int) else tuple(vocabulary)
    )  # fmt: skip
    numbers = text.numbered(words)
    known = np.logical_and.reduce([numbers[places + step] > 0 for step in range(CONTEXT + 1)])
    splits = {split: rows[known[rows]] for split, rows in splits.items()}
    if empty := [split for split, rows in splits.items() if not len(rows)]:
        raise ZooError(
            f"{names}: no row of four known words for {empty[0]}; {len(places)} rows in all: give more text, one "
            "sentence per line, or a larger vocabulary"
        )
    with hdf5.create(path, "text", inputs) as file:
        for split, rows in splits.items():
            grams = numbers[places[rows][:, None] + np.arange(CONTEXT + 1)]
            for part, values in (("x", grams[:, :CONTEXT]), ("d", grams[:, CONTEXT])):
                hdf5.append(hdf5.growing(file, KEYS[split] + part, values.shape[1:], "i4", chunk=4096), values)
        file.create_dataset("words", data=words, dtype=hdf5.text_type())
        file.attrs.update(details)
        file.attrs.update({f"{split}_rows": f"{start}:{stop}" for split, (start, stop) in held_out.items()})
        file.attrs.update({"text_rows": len(places), "left_out_rows": int((~known).sum())})
    overlap = {
        name: _overlap(places[rows], len(splits["train"]), len(splits["test"]))
        for name, rows in _orders(splits).items()
    }
    return Summary(len(places), int((~known).sum()), overlap, _notes(sentences, held_out))


def _orders(splits: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    """The rows of all splits one after another, and shuffled."""
    every = np.concatenate(list(splits.values()))
    return {"as_split": every, "shuffled": np.random.default_rng(0).permutation(every)}


def _overlap(places: NDArray[np.int64], train: int, test: int) -> float:
    """The share of the last rows, test, that have a position of the text in common with one of the first, train."""
    inside = _covered(places[:train], int(places.max()) + CONTEXT + 1)
    return float(np.logical_or.reduce([inside[places[-test:] + step] for step in range(CONTEXT + 1)]).mean())


def _covered(places: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    """Which positions of a text `(length,)` are in a row that begins at one of some positions."""
    inside = np.zeros(length, bool)
    for step in range(CONTEXT + 1):
        inside[places + step] = True
    return inside


def _ranges(
    names: str, sentences: NDArray[np.int32], validation: RowRange | None, test: RowRange | None
) -> dict[str, RowRange]:
    """The rows of validation and test, checked or by the default rule, from the sentence `(N,)` of each row."""
    count = len(sentences)
    if validation is None and test is None:
        first, second = (_next_sentence(sentences, count - tenths * (count // 10)) for tenths in (2, 1))
        if not 0 < first < second < count:
            raise ZooError(
                f"{names}: too little text for training, validation and test (rows of four words: {count}): give "
                "more text, one sentence per line"
            )
        return {"validation": (first, second), "test": (second, count)}
    if validation is None or test is None:
        raise ZooError(
            f"rows are given for {'test' if test else 'validation'} alone; pass both --validation-rows and "
            "--test-rows, or neither"
        )
    for split, (start, stop) in (("validation", validation), ("test", test)):
        if not 0 <= start < stop <= count:
            raise ZooError(f"{split} rows {start}:{stop}: expected a range within 0:{count}, the rows of {names}")
    if max(validation[0], test[0]) < min(validation[1], test[1]):
        raise ZooError(
            f"validation rows {validation[0]}:{validation[1]} and test rows {test[0]}:{test[1]} overlap: move one"
        )
    return {"validation": validation, "test": test}


def _next_sentence(sentences: NDArray[np.int32], row: int) -> int:
    """The first row at or after this one that begins a sentence."""
    return int(np.searchsorted(sentences, sentences[row - 1], side="right")) if row else 0


def _splits(count: int, ranges: Mapping[str, RowRange]) -> dict[str, NDArray[np.int64]]:
    left = np.ones(count, bool)
    for start, stop in ranges.values():
        left[start:stop] = False
    return {"train": np.flatnonzero(left)} | {name: np.arange(*rows) for name, rows in ranges.items()}


def _notes(sentences: NDArray[np.int32], ranges: Mapping[str, RowRange]) -> tuple[str, ...]:
    cuts = sorted({row for rows in ranges.values() for row in rows if 0 < row < len(sentences)})
    notes = [
        f"row {row} is inside a sentence: the splits on both sides share words of it"
        for row in cuts if sentences[row - 1] == sentences[row]
    ]  # fmt: skip
    first = min(start for start, _ in ranges.values())
    after = len(sentences) - first - sum(stop - start for start, stop in ranges.values())
    if after:
        notes.append(f"{after} training rows stand after row {first}, where validation or test begins")
    return tuple(notes)


def _most_frequent(names: str, text: Text, places: NDArray[np.int64], count: int) -> tuple[str, ...]:
    if count < 1:
        raise ZooError(f"a vocabulary of {count} words; expected 1 or more")
    ranked = text.most_frequent(_covered(places, len(text.numbers)))
    if not ranked:
        raise ZooError(f"{names}: no training rows are left: give more text, one sentence per line")
    if len(ranked) < count:
        raise ZooError(
            f"{names}: {len(ranked)} different words in the training rows, too few for a vocabulary of {count}: pass "
            f"--vocabulary {len(ranked)} or fewer, or more text"
        )
    return ranked[:count]


def leaks(data: TrigramData, seed: int = 0) -> dict[str, dict[str, float]]:
    """How much of the test split is in training: as split, and if all rows had been shuffled.

    Args:
        data: The data.
        seed: Of the shuffle.

    Returns:
        For `as_split` and `shuffled`, the shares of test `rows` (four words) and test `contexts` (three) that occur in
        training.
    """
    splits = (data.train, data.validation, data.test)
    every = np.concatenate([np.column_stack([split.contexts, split.next_words]) for split in splits])
    orders = {"as_split": np.arange(len(every)), "shuffled": np.random.default_rng(seed).permutation(len(every))}
    train, test = len(data.train), len(data.test)
    return {
        name: {
            "rows": _share(every[order[:train]], every[order[-test:]]),
            "contexts": _share(every[order[:train], :CONTEXT], every[order[-test:], :CONTEXT]),
        }
        for name, order in orders.items()
    }


def _share(train: NDArray[np.int32], test: NDArray[np.int32]) -> float:
    _, numbers = np.unique(np.concatenate([train, test]), axis=0, return_inverse=True)
    numbers = numbers.reshape(-1)
    return float(np.isin(numbers[len(train) :], numbers[: len(train)]).mean())
