"""Splits text files of any size into words, as `zoo.models.vocabulary.tokenize` does. A line is a sentence."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.models.vocabulary import tokenize

_BINARY = {
    b"PK\x03\x04": "a zip file, as documents of Word and LibreOffice are", b"%PDF-": "a PDF file",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file", b"\xd0\xcf\x11\xe0": "a document of an old version of Word",
}  # fmt: skip
"""Files that are often taken for text, by their first bytes."""


@dataclass(frozen=True)
class Text:
    """Text as word numbers.

    Args:
        words: All different words, in the order of their first occurrence.
        numbers: `(T,)` the number of each word of the text.
        sentences: `(T,)` the number of its sentence, rising.
    """

    words: tuple[str, ...]
    numbers: NDArray[np.int32]
    sentences: NDArray[np.int32]

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> "Text":
        """Splits lines into words.

        Example:
            >>> text = Text.from_lines(["He is .", "Is he ?"])
            >>> text.words, text.numbers.tolist(), text.sentences.tolist()
            (('he', 'is', '.', '?'), [0, 1, 2, 1, 0, 3], [0, 0, 0, 1, 1, 1])
        """
        known: dict[str, int] = {}
        numbers, lengths = array("i"), array("i")
        for line in lines:
            words = tokenize(line)
            numbers.extend(known.setdefault(word, len(known)) for word in words)
            lengths.append(len(words))
        sentences = np.repeat(np.arange(len(lengths), dtype=np.int32), np.array(lengths, np.int32))
        return cls(tuple(known), np.array(numbers, np.int32), sentences)

    def most_frequent(self, where: NDArray[np.bool_]) -> tuple[str, ...]:
        """The words at some positions `(T,)`, the most frequent first, ties in alphabetical order."""
        counts = np.bincount(self.numbers[where], minlength=len(self.words))
        found = np.flatnonzero(counts).tolist()
        return tuple(self.words[i] for i in sorted(found, key=lambda i: (-counts[i], self.words[i])))

    def numbered(self, words: Sequence[str]) -> NDArray[np.int32]:
        """The text `(T,)` as numbers of the given words, from 1; 0 stands for all other words."""
        wanted = {word: number for number, word in enumerate(words, 1)}
        return np.array([wanted.get(word, 0) for word in self.words], np.int32)[self.numbers]


def read_lines(paths: Sequence[Path]) -> Iterator[str]:
    """Lines of text files, one file after another.

    Raises:
        ZooError: If a file is missing, empty, or not UTF-8.
    """
    for path in paths:
        if not path.is_file():
            raise ZooError(f"{path}: {'is a folder, not a file' if path.is_dir() else 'no such file'}")
        empty, offset = True, 0
        with path.open("rb") as file:
            if kind := next((kind for start, kind in _BINARY.items() if file.peek(len(start)).startswith(start)), None):
                raise ZooError(f"{path}: is {kind}, not text: expected plain text (UTF-8), one sentence per line")
            for line in file:
                text = _decode(path, line, offset)
                offset += len(line)
                empty = empty and not text.strip()
                yield text
        if empty:
            raise ZooError(f"{path}: no word in it; expected text, one sentence per line")


def _decode(path: Path, line: bytes, offset: int) -> str:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        place = f"byte 0x{line[error.start]:02x} at offset {offset + error.start}"
        raise ZooError(f"{path}: {place} is not UTF-8: convert the file (iconv -t UTF-8)") from None
    if "\0" in text:
        raise ZooError(f"{path}: byte 0x00 at offset {offset + line.index(0)}; expected UTF-8 text: convert the file")
    return text.removeprefix("\N{BYTE ORDER MARK}")
