"""`zoo_trigrams`: four words in a row, split by their place in the text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from zoo.data.tfds.builder import Part, Row, ZooBuilder
from zoo.data.tfds.reading import Build
from zoo.errors import ZooError
from zoo.text import data as trigrams
from zoo.text.data import CONTEXT, TrigramData, Trigrams

_NAME = re.compile(r"text_(\d+)")


@dataclass(eq=False)
class TrigramsConfig(tfds.core.BuilderConfig):  # type: ignore[misc]  # TFDS has no types
    """How rows of four words are made, and from what.

    Args:
        source: `course` or `text`.
        vocabulary: Number of most frequent words of the training set; `course` takes those of the file.
    """

    source: str = "course"
    vocabulary: int = 250

    @classmethod
    def named(cls, vocabulary: int) -> "TrigramsConfig":
        """The configuration of rows made from text, named after the size of the vocabulary."""
        about = f"Text in its {vocabulary} most frequent words; its last tenth is test, the tenth before it validation."
        return cls(name=f"text_{vocabulary}", description=about, source="text", vocabulary=vocabulary)

    @property
    def advice(self) -> str:
        """What to do if the source is missing."""
        if self.source == "text":
            return "expected UTF-8 text, one sentence per line, or a folder of such files, *.txt"
        return "expected rows in the layout of data2.h5: make them with `zoo data make text`"

    homepage = None
    citation = None


class ZooTrigrams(ZooBuilder):
    """Three words and the one that followed, as numbers of the vocabulary from 0; split by their place in the text.

    `builder.info.metadata["words"]` is the vocabulary.
    """

    FILE = "data2.h5"
    SOURCES: ClassVar[Mapping[str, str | None]] = {"course": "data2.h5", "text": None}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    `course`: data2.h5, as the course has it or `zoo data make text` makes it.
    `text_...`: UTF-8 text in files *.txt, one sentence per line, read in the order of their names.
    """
    BUILDER_CONFIGS: ClassVar[list[TrigramsConfig]] = [
        TrigramsConfig(name="course", description="A file in the layout of data2.h5."),
        TrigramsConfig.named(250),
    ]

    @classmethod
    def configuration(cls, name: str) -> TrigramsConfig | None:
        """The configuration of a name such as `text_1000`."""
        found = _NAME.fullmatch(name)
        return found and TrigramsConfig.named(int(found[1]))

    def _info(self) -> tfds.core.DatasetInfo:
        return self._info_of(
            {
                "context": tfds.features.Tensor(
                    shape=(CONTEXT,), dtype=np.int32, doc="three words, numbers of the vocabulary from 0"
                ),
                "next_word": tfds.features.Scalar(np.int32, doc="the word that followed, likewise"),
            },
            ("context", "next_word"),
        )

    def _write_source(self, source: Path, path: Path) -> None:
        texts = sorted(source.glob("*.txt")) if source.is_dir() else [source]
        if not texts:
            raise ZooError(f"{source}: no file *.txt in it; {self.builder_config.advice}")
        trigrams.write_trigrams(path, texts, self.builder_config.vocabulary)

    def _parts(self, path: Path) -> tuple[Mapping[str, Part], dict[str, Any]]:
        data = trigrams.read(path)
        splits = {"train": data.train, "validation": data.validation, "test": data.test}
        parts = {name: Part(len(rows), partial(_rows, rows)) for name, rows in splits.items()}
        return parts, {"words": list(data.words)}

    @staticmethod
    def data(build: Build, about: Mapping[str, Any]) -> TrigramData:
        """The rows of a build."""
        train, validation, test = (
            Trigrams.all(build.column("context", split).array(), build.column("next_word", split).array())
            for split in ("train", "validation", "test")
        )
        words = tuple(build.metadata["words"])
        return TrigramData(train=train, validation=validation, test=test, words=words, **about)


def _rows(rows: Trigrams, start: int, stop: int) -> Iterator[Row]:
    for context, word in zip(rows.contexts[start:stop], rows.next_words[start:stop].tolist(), strict=True):
        yield {"context": context, "next_word": word}
