"""Trigrams and the word that follows each: the course's data2.h5, its reader and its writer.

`trainx (N, 3)` holds contexts and `traind (N,)` the words that followed, `valx`, `vald`, `testx`, `testd` likewise, as
numbers of `words (V,)`. Numbers count from 1 in the file and from 0 everywhere else.

A file is made from text, in which a line is a sentence, split into words as `zoo.runtime.vocabulary.tokenize` does:
each four consecutive words of a sentence are a row, in the order of the text, and no row crosses the end of a sentence.
Rows are numbered, then those with a word outside the vocabulary are left out. Validation and test are contiguous ranges
of the text. Rows are never shuffled: neighboring rows share three words, so that a shuffled test would be in training.
"""

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.data import LAYOUTS, hdf5
from zoo.data.dataset import Data, DataSet
from zoo.errors import ZooError, option, printable
from zoo.files import sha256
from zoo.runtime.vocabulary import tokenize

SCHEMA = LAYOUTS["text"]

CONTEXT = 3
"""Words in a context."""

RowRange = tuple[int, int]
"""The first row and the one after the last."""


def from_file(path: Path) -> Data:
    """Checks a file in the course's layout and reads it."""
    hdf5.check_layout(path, "text")
    words = tuple(hdf5.read_column(path, "words", SCHEMA.column("words")).tolist())
    facts, parts = hdf5.read_facts(path, "text"), {}
    for split in SCHEMA.splits:
        columns = dict[str, Any]()
        for name in ("input", "target"):
            field = replace(SCHEMA.in_file(SCHEMA.column(name), split), least=1, most=len(words))
            numbers = hdf5.read_column(path, field.key)
            if wrong := field.problem(numbers):
                cure = "make the file again" if numbers.min() else "numbers count from 1: add 1"
                raise ZooError(f"{path}: key '{field.key}' {wrong}: {cure}")
            columns[name] = (numbers - 1).astype(np.int32)
        parts[split] = DataSet.of(columns, words=words, **facts)
    return Data.of("text", parts, str(path), path=path)


def from_arrays(splits: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Any], **about: Any) -> Data:
    """Makes data of contexts `input (N, 3)` and the next words, `target (N,)`, as numbers of `words` from 0."""
    words = tuple(map(str, facts.get("words") or ()))
    if not words:
        raise ZooError("words: expected the vocabulary, in the order of the word numbers")
    if wrong := SCHEMA.column("words").problem(np.array(words)):
        raise ZooError(f"words {wrong}")
    parts = {}
    for split, given in splits.items():
        sizes, columns = dict[str, int](), dict[str, Any]()
        for name, letter in (("input", "x"), ("target", "y")):
            values, field = np.asarray(given[name]), SCHEMA.column(name)
            if wrong := replace(field, least=0, most=len(words) - 1).problem(values, sizes):
                cure = ": if yours count from 1, subtract 1" if np.max(values, initial=0) == len(words) else ""
                raise ZooError(f"{'' if split == 'train' else f'{split} '}{letter}: {wrong}{cure}")
            columns[name] = values.astype(np.int32)
        parts[split] = DataSet.of(columns, words=words)
    return Data.of("text", parts, **about)


def read_vocabulary(path: Path) -> tuple[str, ...]:
    """Words of a file in this layout, or of a text file with one word per line."""
    field = SCHEMA.column("words")
    if hdf5.is_hdf5(path):
        hdf5.check_layout(path, "text")
        return tuple(hdf5.read_column(path, "words", field).tolist())
    words = [unicodedata.normalize("NFC", word) for line in read_lines([path]) if (word := line.strip())]
    if wrong := field.problem(np.array(words)):
        raise ZooError(f"{path}: {wrong}: leave it out")
    return tuple(words)


@dataclass(frozen=True)
class Text:
    """Text of T words: the different ones in order; the number of each word, `(T,)`, and of its sentence, rising."""

    words: tuple[str, ...]
    numbers: NDArray[np.int32]
    sentences: NDArray[np.int32]

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> "Text":
        """Splits lines into words."""
        known: dict[str, int] = {}
        numbers, lengths = array("i"), array("i")
        for line in lines:
            words = tokenize(line)
            numbers.extend(known.setdefault(word, len(known)) for word in words)
            lengths.append(len(words))
        sentences = np.repeat(np.arange(len(lengths), dtype=np.int32), np.array(lengths, np.int32))
        return cls(tuple(known), np.array(numbers, np.int32), sentences)


_BINARY = {
    b"PK\x03\x04": "a zip file, as documents of Word and LibreOffice are", b"%PDF-": "a PDF file",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file", b"\xd0\xcf\x11\xe0": "a document of an old version of Word",
}  # fmt: skip
"""Files that are often taken for text, by their first bytes."""


def read_lines(paths: Sequence[Path]) -> Iterator[str]:
    """Lines of text files in UTF-8, one file after another, with an empty line at the end of each."""
    for path in paths:
        if not path.is_file():
            raise ZooError(f"{path}: {'is a folder, not a file' if path.is_dir() else 'no such file'}")
        empty = True
        with path.open("rb") as file:
            if kind := next((kind for start, kind in _BINARY.items() if file.peek(len(start)).startswith(start)), None):
                raise ZooError(f"{path}: is {kind}, not text: expected plain text (UTF-8), one sentence per line")
            # It ends lines as any system does, old Macs included.
            text = TextIOWrapper(file, "utf-8-sig")
            try:
                for line in text:
                    if "\0" in line:
                        raise ZooError(f"{path}: holds the byte 0x00; expected UTF-8 text: convert the file")
                    empty = empty and not line.strip()
                    # Where a sentence ends must not depend on how accents are written.
                    yield unicodedata.normalize("NFC", line)
            except UnicodeDecodeError as error:
                place = file.tell() - len(error.object) + error.start
                shown = f"byte 0x{error.object[error.start]:02x} at offset {place}"
                raise ZooError(f"{path}: {shown} is not UTF-8: convert the file (iconv -t UTF-8)") from None
        if empty:
            raise ZooError(f"{path}: no word in it; expected text, one sentence per line")
        # No sentence goes on in the next file.
        yield ""


_PEEKED = 2000
_END = re.compile(r"""[.!?]["')\]\u201d\u2019]*$""")
_TITLES = "".join(rf"(?<!\b{title}\.)" for title in ("Mr", "Mrs", "Ms", "Dr", "St"))
_NEXT = re.compile(rf"""(?<=[.!?]){_TITLES}(["')\]\u201d\u2019]*)\s+(?=["'(\[\u201c\u2018]?[^\W\d_a-z])""")
"""The end of a sentence: of a line, and before the next sentence."""


_SCRIPTS = {
    "Chinese or Japanese": ("[\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+", 4),
    "Thai, Lao, Burmese or Khmer": ("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+", 10),
}
"""Scripts that put no spaces between words: their signs, and more of them in a row than words have on average."""


def require_spaces(lines: Iterable[str], names: str) -> None:
    """Refuses a text, called by its `names`, whose words are not separated."""
    text = "".join(lines)
    for script, (signs, most) in _SCRIPTS.items():
        runs = [len(run) for run in re.findall(signs, text)]
        if sum(runs) > max(sum(map(str.isalpha, text)) / 2, most * len(runs)):
            raise ZooError(
                f"{names}: words of {script} without spaces between them: put one there with a program that finds "
                "words, such as jieba (Chinese), MeCab (Japanese) or PyThaiNLP (Thai)"
            )


def form_of(lines: Sequence[str]) -> str:
    """`page` for lines that are broken at a width, `paragraphs` for lines of several sentences, else `sentences`."""
    full = [line.strip() for line in lines if line.strip()]
    ends, within = (sum(bool(mark.search(line)) for line in full) for mark in (_END, _NEXT))
    # In sentences, an abbreviation may look like an end.
    if within <= len(full) / 20:
        return "sentences"
    return "page" if len(full) >= 20 and ends < len(full) / 2 else "paragraphs"


def joined(lines: Iterable[str]) -> Iterator[str]:
    """The sentences of paragraphs, which end at blank lines."""
    paragraph: list[str] = []
    for line in chain(lines, [""]):
        if line.strip():
            paragraph.append(line.strip())
        elif paragraph:
            yield from sentences_of(" ".join(paragraph))
            paragraph = []


def sentences_of(line: str) -> list[str]:
    """The sentences of a line."""
    return _NEXT.sub(r"\1\n", line).split("\n")


class Summary(NamedTuple):
    """How a text became rows of four words: how many, how many had a word outside the vocabulary, and what is unusual.

    `overlap` is the share of test rows that have a position of the text in common with a training row: `as_split`, and
    `shuffled` if all rows had been shuffled.
    """

    rows: int
    left_out: int
    overlap: Mapping[str, float]
    notes: tuple[str, ...]


def write_trigrams(
    path: Path, texts: Sequence[Path], vocabulary: int | Path, validation_rows: RowRange | None = None,
    test_rows: RowRange | None = None,
) -> Summary:  # fmt: skip
    """Makes a file in the course's layout from text files, one sentence per line, read one after another.

    Lines of a page are joined, and they and lines of several sentences are split into sentences, as the notes say.

    By default the last tenth of the rows is test and the tenth before it validation, both rounded to whole sentences.
    If rows are given instead, the first and the one after the last, from 0 through the text, all others are training.

    `vocabulary` is the number of most frequent words of the training rows, each position of the text counted once, ties
    in alphabetical order; or a file for `read_vocabulary`, whose order is preserved.
    """
    words = vocabulary if isinstance(vocabulary, int) else read_vocabulary(vocabulary)
    known: dict[str, Path] = {}
    for file in texts if len(texts) > 1 else ():
        if file.is_file() and (other := known.setdefault(sha256(file), file)) is not file:
            raise ZooError(f"{file}: has the same text as {other}, and its test would be in training: name it once")
    lines, names = read_lines(texts), ", ".join(printable(file.name) for file in texts)
    start = list(islice(lines, _PEEKED))
    require_spaces(start, names)
    lines, form, note = chain(start, lines), form_of(start), ""
    if form == "page":
        lines = joined(lines)
        note = "the lines are those of a page: they were joined, and the text was split into sentences at . ! and ?"
    elif form == "paragraphs":
        lines = chain.from_iterable(map(sentences_of, lines))
        note = "lines hold several sentences each: they were split at . ! and ? before a capital letter"
    text = Text.from_lines(lines)
    rule, inputs = f"the {vocabulary} most frequent words of training rows, ties in alphabetical order", []
    if not isinstance(vocabulary, int) and not isinstance(words, int):
        rule, inputs = f"the words of {printable(vocabulary.name)}", [vocabulary]
        if lacking := sorted(set(words) - set(text.words)):
            some = ", ".join(f"'{word}'" for word in lacking[:5])
            raise ZooError(f"{vocabulary}: {len(lacking)} words are not in {names}, such as {some}: take them out")
    details = {"source": f"text: {names}", "simulated": False, "vocabulary": rule}
    made = write(path, text, names, words, details, ranges=(validation_rows, test_rows), inputs=inputs)
    return made._replace(notes=(note, *made.notes)) if note else made


def write(
    path: Path, text: Text, names: str, vocabulary: int | Sequence[str], details: Mapping[str, Any], *,
    ranges: tuple[RowRange | None, RowRange | None] = (None, None), inputs: Sequence[Path] = (),
) -> Summary:  # fmt: skip
    """Writes the rows of a text, called by its `names` in messages. Other arguments are those of `write_trigrams`."""
    # The positions at which four words of one sentence begin.
    places = np.flatnonzero(text.sentences[:-CONTEXT] == text.sentences[CONTEXT:])
    sentences = text.sentences[places]
    held_out = _ranges(names, sentences, *ranges)
    splits = {name: np.arange(*rows) for name, rows in held_out.items()}
    training = np.setdiff1d(np.arange(len(places)), np.concatenate(list(splits.values())))
    splits, words = {"train": training} | splits, vocabulary
    if isinstance(words, int):
        words = _most_frequent(names, text, places[training], words)
    # Numbers from 1; 0 stands for all words that are not among these.
    wanted = {word: number for number, word in enumerate(words, 1)}
    numbers = np.array([wanted.get(word, 0) for word in text.words], np.int32)[text.numbers]
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
            hdf5.add_rows(file, "text", {"input": grams[:, :CONTEXT], "target": grams[:, CONTEXT]}, split)
        file.create_dataset("words", data=words, dtype=hdf5.TEXT)
        file.attrs.update(details)
        file.attrs.update({f"{split}_rows": f"{start}:{stop}" for split, (start, stop) in held_out.items()})
        file.attrs.update({"text_rows": len(places), "left_out_rows": int((~known).sum())})
    overlap = {}
    for name, rows in _orders(places[np.concatenate(list(splits.values()))]).items():
        trained, tested = rows[: len(splits["train"])], rows[-len(splits["test"]) :]
        inside = _covered(trained, int(rows.max()) + CONTEXT + 1)
        overlap[name] = float(np.logical_or.reduce([inside[tested + step] for step in range(CONTEXT + 1)]).mean())
    return Summary(len(places), int((~known).sum()), overlap, _notes(sentences, held_out))


def _orders(rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The rows of all splits one after another, and shuffled."""
    return {"as_split": rows, "shuffled": rows[np.random.default_rng(0).permutation(len(rows))]}


def _covered(places: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    """Which positions of a text `(length,)` are in a row that begins at one of some positions."""
    return np.isin(np.arange(length), places[:, None] + np.arange(CONTEXT + 1))


def _ranges(
    names: str, sentences: NDArray[np.int32], validation: RowRange | None, test: RowRange | None
) -> dict[str, RowRange]:
    """The rows of validation and test, checked or by the default rule, from the sentence `(N,)` of each row."""
    count = len(sentences)
    if validation is None and test is None:
        # Both begin with the first sentence at or after their tenth of the rows.
        rows = (count - tenths * (count // 10) for tenths in (2, 1))
        first, second = (int(np.searchsorted(sentences, sentences[row - 1], "right")) if row else 0 for row in rows)
        if not 0 < first < second < count:
            raise ZooError(
                f"{names}: too little text for training, validation and test (rows of four words: {count}): give "
                "more text, one sentence per line"
            )
        return {"validation": (first, second), "test": (second, count)}
    if validation is None or test is None:
        raise ZooError(
            f"rows are given for {'test' if test else 'validation'} alone; pass both {option('validation_rows')} and "
            f"{option('test_rows')}, or neither"
        )
    for split, (start, stop) in (("validation", validation), ("test", test)):
        if not 0 <= start < stop <= count:
            raise ZooError(f"{split} rows {start}:{stop}: expected a range within 0:{count}, the rows of {names}")
    if max(validation[0], test[0]) < min(validation[1], test[1]):
        shown = "validation rows {}:{} and test rows {}:{}".format(*validation, *test)
        raise ZooError(f"{shown} overlap: move one")
    return {"validation": validation, "test": test}


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
    """The most frequent words of rows that begin at some places, ties in alphabetical order."""
    if count < 1:
        raise ZooError(f"a vocabulary of {count} words; expected 1 or more")
    counts = np.bincount(text.numbers[_covered(places, len(text.numbers))], minlength=len(text.words))
    found = np.flatnonzero(counts).tolist()
    if len(found) < count:
        raise ZooError(
            f"{names}: {len(found)} different words in the training rows, too few for a vocabulary of {count}: pass "
            f"{option('vocabulary', len(found))} or fewer, or more text"
        )
    return tuple(text.words[i] for i in sorted(found, key=lambda i: (-counts[i], text.words[i]))[:count])


def describe(data: Data) -> dict[str, Any]:
    """Counts rows and words, and finds what of the test is in training."""
    counts = np.bincount(data.train.labels, minlength=len(data.words))
    known = np.union1d(*data.train.arrays())
    unused = [data.words[number] for number in np.setdiff1d(np.arange(len(data.words)), known)]
    some = ", ".join(f"'{word}'" for word in unused[:5])
    problems = [f"{len(unused)} words are in no training row, such as {some}"] if unused else []
    if unused[:1] == [data.words[0]]:
        problems.append(f"word number 0, '{unused[0]}', is among them: if your numbers count from 1, subtract 1")
    return {
        "words": len(data.words),
        "parts": {name: {"rows": len(rows)} for name, rows in data.splits().items()},
        "most_frequent": {
            data.words[number]: int(counts[number]) for number in np.argsort(-counts, kind="stable")[:10]
        },
        **({"in_training": leaks(data)} if len(data.test) else {}), "simulated": data.simulated,
        "problems": problems,
    }  # fmt: skip


def leaks(data: Data) -> dict[str, dict[str, float]]:
    """The shares of test `rows` (four words) and `contexts` (three) in training, as split, and if all were shuffled."""
    splits = (data.train, data.validation, data.test)
    every = np.concatenate([np.column_stack(split.arrays()) for split in splits])
    train, test = len(data.train), len(data.test)
    return {
        name: {
            "rows": float(occurring(rows[:train], rows[-test:]).mean()),
            "contexts": float(occurring(rows[:train, :CONTEXT], rows[-test:, :CONTEXT]).mean()),
        }
        for name, rows in _orders(every).items()
    }


def occurring(train: NDArray[Any], rows: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows `(N, C)` occur among those of training `(M, C)`."""
    _, numbers = np.unique(np.concatenate([train, rows]), axis=0, return_inverse=True)
    numbers = numbers.reshape(-1)  # NumPy 2.0 returns a column
    return np.isin(numbers[len(train) :], numbers[: len(train)])
