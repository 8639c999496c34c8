"""Four words in a row: the course's data2.h5, its reader, its builder and a simulator.

`trainx (N, 3)` holds contexts and `traind (N,)` the words that followed, `valx`, `vald`, `testx`, `testd` likewise, as
numbers of `words (V,)`. Numbers count from 1 in the file and from 0 everywhere else.

A file is made of text that `text` cuts into words: each four neighboring words of a sentence are a row, in the order of
the text, and no row goes over the end of a sentence. Rows are numbered, then those with a word outside the vocabulary
are left out. Validation and test are stretches of the text. Rows are never shuffled: the neighbors of a row share three
of its words, and a shuffled test has them in training.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data import grammar, hdf5
from zoo.data.text import Text, read_lines
from zoo.errors import ZooError
from zoo.files import sha256

CONTEXT = 3
"""Words before the one to tell."""

KEYS: Mapping[str, str] = {"train": "train", "validation": "val", "test": "test"}
"""Names of the splits, and what their keys begin with in the file."""

Stretch = tuple[int, int]
"""The first row and the one after the last."""


@dataclass(frozen=True)
class Rows:
    """Rows of one split, in memory.

    Args:
        contexts: `(N, 3)` int32 word numbers from 0.
        targets: `(N,)` int32, the word that followed.
    """

    contexts: NDArray[np.int32]
    targets: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class TrigramData:
    """A checked file of four words in a row.

    Args:
        path: The file.
        words: The vocabulary; word i at place i.
        train: What a model learns from.
        validation: What choices are made on.
        test: What is looked at last.
        simulated: Whether nobody wrote the text.
        source: Where the text comes from, as the file says.
    """

    path: Path
    words: tuple[str, ...]
    train: Rows
    validation: Rows
    test: Rows
    simulated: bool
    source: str

    @cached_property
    def sha256(self) -> str:
        """Hash of the file."""
        return sha256(self.path)

    @property
    def splits(self) -> Mapping[str, Rows]:
        """The splits by their names."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def read(path: Path) -> TrigramData:
    """Checks a file in the course's layout and reads it.

    Args:
        path: data2.h5 or a file built like it.

    Raises:
        ZooError: If a key is missing or of another shape, a word is empty or there twice, or a number is not that of
            a word.

    Example:
        >>> path = Path(getfixture("tmp_path")) / "data2.h5"
        >>> _ = write_simulated(path, sentences=200, seed=0)
        >>> data = read(path)
        >>> data.train.contexts.shape[1], data.simulated
        (3, True)
    """
    hdf5.check(path, "trigrams")
    words = tuple(hdf5.read(path, "words").tolist())
    _check_words(f"{path}: key 'words'", words)
    train, validation, test = (
        Rows(*(_numbers(path, key + part, len(words)) for part in "xd")) for key in KEYS.values()
    )  # fmt: skip
    attributes = hdf5.attributes(path)
    simulated, source = bool(attributes.get("simulated", False)), str(attributes.get("source", "not stated"))
    return TrigramData(path, words, train, validation, test, simulated, source)


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
class Made:
    """What was made of a text.

    Args:
        rows: Rows of four words in the text.
        left_out: Of them, those with a word outside the vocabulary.
        overlap: The share of test rows that have a place of the text in common with a training row, `as_split` and had
            the rows been `shuffled`.
        notes: What to know of the splits.
    """

    rows: int
    left_out: int
    overlap: Mapping[str, float]
    notes: tuple[str, ...]


def write_trigrams(
    path: Path,
    texts: Sequence[Path],
    vocabulary: int | Path,
    validation_rows: Stretch | None = None,
    test_rows: Stretch | None = None,
) -> Made:
    """Makes a file in the course's layout of text files.

    The last tenth of the rows is test and the tenth before it validation, both from the next sentence on. Where rows
    are named instead, all others are training.

    Args:
        path: The file, written whole or not at all.
        texts: UTF-8, one sentence a line; read one after the other.
        vocabulary: How many of the most frequent words of the training rows, each place of the text counted once,
            equally frequent ones in the order of the alphabet; or a file that holds the words: one in this layout, or
            text with a word a line. Its order is kept.
        validation_rows: First row and the one after the last, numbered from 0 through the text.
        test_rows: Likewise.

    Raises:
        ZooError: If a file cannot be read, the text has fewer words than asked for or lacks some of the vocabulary's,
            stretches overlap or are outside the text, or a split is empty.

    Example:
        >>> folder = Path(getfixture("tmp_path"))
        >>> _ = (folder / "text.txt").write_text("They say it is here . " * 3)
        >>> write_trigrams(folder / "data2.h5", [folder / "text.txt"], 6, (9, 12), (12, 15)).rows
        15
        >>> read(folder / "data2.h5").words
        ('.', 'here', 'is', 'it', 'say', 'they')
    """
    words = None if isinstance(vocabulary, int) else read_vocabulary(vocabulary)
    text = Text.of(read_lines(texts))
    names = ", ".join(file.name for file in texts)
    if words is not None and (lacking := sorted(set(words) - set(text.words))):
        some = ", ".join(f"'{word}'" for word in lacking[:5])
        raise ZooError(f"{vocabulary}: {len(lacking)} words are not in {names}, such as {some}: take them out")
    rule = (
        f"the {vocabulary} most frequent words of training rows, ties in the order of the alphabet"
        if isinstance(vocabulary, int) else f"the words of {vocabulary.name}"
    )  # fmt: skip
    chosen = vocabulary if isinstance(vocabulary, int) else words or ()
    details = {"source": f"text: {names}", "simulated": False, "vocabulary": rule}
    return _write(path, text, names, chosen, (validation_rows, test_rows), details)


def write_simulated(path: Path, sentences: int, seed: int) -> Made:
    """Makes a file in the course's layout of simulated sentences, labelled as such.

    Args:
        path: The file, written whole or not at all.
        sentences: How many.
        seed: Decides everything.

    Raises:
        ZooError: If there are too few sentences for three splits.
    """
    text = Text.of(grammar.sentences(sentences, seed))
    source = "simulated by pocket-zoo: nobody wrote these sentences"
    rule = "all words of the grammar, in the order of the alphabet"
    details = {"source": source, "simulated": True, "seed": seed, "vocabulary": rule}
    return _write(path, text, f"{sentences} sentences", grammar.WORDS, (None, None), details)


def read_vocabulary(path: Path) -> tuple[str, ...]:
    """Words of a file in this layout, or of a text file with a word a line.

    Raises:
        ZooError: If it cannot be read, or holds a word twice.
    """
    if hdf5.is_hdf5(path):
        hdf5.check(path, "trigrams")
        words = tuple(hdf5.read(path, "words").tolist())
    else:
        words = tuple(word for line in read_lines([path]) if (word := line.strip()))
    _check_words(str(path), words)
    return words


def _write(
    path: Path,
    text: Text,
    names: str,
    vocabulary: int | Sequence[str],
    named: tuple[Stretch | None, Stretch | None],
    details: Mapping[str, Any],
) -> Made:
    # The places at which four words of one sentence begin.
    places = np.flatnonzero(text.sentences[:-CONTEXT] == text.sentences[CONTEXT:])
    sentences = text.sentences[places]
    stretches = _stretches(names, sentences, *named)
    splits = _splits(len(places), stretches)
    words = (
        _most_frequent(names, text, places[splits["train"]], vocabulary)
        if isinstance(vocabulary, int) else tuple(vocabulary)
    )  # fmt: skip
    numbers = text.numbered(words)
    known = np.logical_and.reduce([numbers[places + step] > 0 for step in range(CONTEXT + 1)])
    for split, rows in splits.items():
        splits[split] = rows[known[rows]]
        if not len(splits[split]):
            raise ZooError(
                f"{names}: no row of four known words for {split}; {len(places)} rows in all: give more text, one "
                "sentence a line, or a larger vocabulary"
            )
    ranges = {f"{split}_rows": f"{start}:{stop}" for split, (start, stop) in stretches.items()}
    attributes = {**details, **ranges, "text_rows": len(places), "left_out_rows": int((~known).sum())}
    grams = ((split, numbers[places[rows][:, None] + np.arange(CONTEXT + 1)]) for split, rows in splits.items())
    write_parts(path, grams, words, attributes)
    overlap = {
        name: _overlap(places[rows], len(splits["train"]), len(splits["test"]))
        for name, rows in _orders(splits).items()
    }
    return Made(len(places), int((~known).sum()), overlap, _notes(sentences, stretches))


def write_parts(
    path: Path, parts: Iterable[tuple[str, NDArray[np.int32]]], words: Sequence[str], attributes: Mapping[str, Any]
) -> None:
    """Writes rows in the course's layout, a part after the other.

    Args:
        path: The file, written whole or not at all.
        parts: A split's name, and rows `(n, 4)` of four word numbers from 1; one part is in memory.
        words: The vocabulary.
        attributes: Of the file.
    """
    with hdf5.create(path) as file:
        for key in KEYS.values():
            hdf5.growing(file, f"{key}x", (CONTEXT,), "i4", chunk=4096)
            hdf5.growing(file, f"{key}d", (), "i4", chunk=4096)
        for split, grams in parts:
            hdf5.append(file[f"{KEYS[split]}x"], grams[:, :CONTEXT])
            hdf5.append(file[f"{KEYS[split]}d"], grams[:, CONTEXT])
        file.create_dataset("words", data=words, dtype=hdf5.text_type())
        file.attrs.update(attributes)


def _orders(splits: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    """The rows of all splits one after the other, and at random."""
    every = np.concatenate(list(splits.values()))
    return {"as_split": every, "shuffled": np.random.default_rng(0).permutation(every)}


def _overlap(places: NDArray[np.int64], train: int, test: int) -> float:
    """The share of the last rows, test, that have a place of the text in common with one of the first, train."""
    inside = _covered(places[:train], int(places.max()) + CONTEXT + 1)
    return float(np.logical_or.reduce([inside[places[-test:] + step] for step in range(CONTEXT + 1)]).mean())


def _covered(places: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    """Which places of a text `(length,)` are in a row that begins at one of some places."""
    inside = np.zeros(length, bool)
    for step in range(CONTEXT + 1):
        inside[places + step] = True
    return inside


def _stretches(
    names: str, sentences: NDArray[np.int32], validation: Stretch | None, test: Stretch | None
) -> dict[str, Stretch]:
    """The rows of validation and test, checked or by the rule, from the sentence `(N,)` that each row is in."""
    count = len(sentences)
    if validation is None and test is None:
        first, second = (_next_sentence(sentences, count - tenths * (count // 10)) for tenths in (2, 1))
        return {"validation": (first, second), "test": (second, count)}
    if validation is None or test is None:
        raise ZooError(f"rows are named for {'test' if test else 'validation'} alone; name those of both or of none")
    for split, (start, stop) in (("validation", validation), ("test", test)):
        if not 0 <= start < stop <= count:
            raise ZooError(f"{split} rows {start}:{stop}: expected a stretch within 0:{count}, the rows of {names}")
    if max(validation[0], test[0]) < min(validation[1], test[1]):
        raise ZooError(
            f"validation rows {validation[0]}:{validation[1]} and test rows {test[0]}:{test[1]} overlap: move one"
        )
    return {"validation": validation, "test": test}


def _next_sentence(sentences: NDArray[np.int32], row: int) -> int:
    """The first row from this one on that begins a sentence."""
    return int(np.searchsorted(sentences, sentences[row - 1], side="right")) if row else 0


def _splits(count: int, stretches: Mapping[str, Stretch]) -> dict[str, NDArray[np.int64]]:
    left = np.ones(count, bool)
    for start, stop in stretches.values():
        left[start:stop] = False
    return {"train": np.flatnonzero(left)} | {name: np.arange(*stretch) for name, stretch in stretches.items()}


def _notes(sentences: NDArray[np.int32], stretches: Mapping[str, Stretch]) -> tuple[str, ...]:
    cuts = sorted({row for stretch in stretches.values() for row in stretch if 0 < row < len(sentences)})
    notes = [
        f"row {row} is inside a sentence: the splits on both sides share words of it"
        for row in cuts if sentences[row - 1] == sentences[row]
    ]  # fmt: skip
    first = min(start for start, _ in stretches.values())
    after = len(sentences) - first - sum(stop - start for start, stop in stretches.values())
    if after:
        notes.append(f"{after} training rows stand after row {first}, where validation or test begins")
    return tuple(notes)


def _most_frequent(names: str, text: Text, places: NDArray[np.int64], count: int) -> tuple[str, ...]:
    if count < 1:
        raise ZooError(f"a vocabulary of {count} words; expected 1 or more")
    ranked = text.most_frequent(_covered(places, len(text.numbers)))
    if len(ranked) < count:
        raise ZooError(
            f"{names}: {len(ranked)} different words in the training rows; a vocabulary of {count} needs more text"
        )
    return ranked[:count]


def leaks(data: TrigramData, seed: int = 0) -> dict[str, dict[str, float]]:
    """How much of the test is in training: as split, and had all rows been shuffled.

    Args:
        data: What to look at.
        seed: Of the shuffle.

    Returns:
        Of `as_split` and `shuffled`, the shares of test `rows` (four words) and test `contexts` (three) that occur in
        training.
    """
    every = np.concatenate([np.column_stack([rows.contexts, rows.targets]) for rows in data.splits.values()])
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
