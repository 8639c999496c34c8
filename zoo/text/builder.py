"""`zoo_text` of TensorFlow Datasets: four words in a row, split by their place in the text."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from zoo.data.tfds import Column, Source, ZooBuilder
from zoo.errors import ZooError
from zoo.text import data as text
from zoo.text.data import CONTEXT, TrigramData, Trigrams


class ZooText(ZooBuilder):
    """Three words and the one that followed, as numbers of the vocabulary from 0; split by their place in the text.

    `builder.info.metadata["words"]` is the vocabulary.
    """

    FILE, NAMES, LISTED, SUPERVISED = "data2.h5", r"(text)_(\d+)", ("text_250",), ("context", "next_word")
    SOURCES: ClassVar[Mapping[str, Source]] = {
        "course": Source("data2.h5", "expected rows in the layout of data2.h5: make them with `zoo data make text`"),
        "text": Source(None, "expected UTF-8 text, one sentence per line, or a folder of such files, *.txt"),
    }

    @classmethod
    def described(cls, source: str, *numbers: int) -> str:
        """What a configuration holds, in a sentence."""
        return f"Text in its {numbers[0]} most frequent words; its last tenth is test, the tenth before it validation."

    def features(self) -> dict[str, Any]:
        """The features of a row."""
        words = "three words, numbers of the vocabulary from 0"
        return {
            "context": tfds.features.Tensor(shape=(CONTEXT,), dtype=np.int32, doc=words),
            "next_word": tfds.features.Scalar(np.int32, doc="the word that followed, likewise"),
        }

    def write_source(self, source: Path, path: Path) -> None:
        """Makes rows of text."""
        texts = sorted(source.glob("*.txt")) if source.is_dir() else [source]
        if not texts:
            raise ZooError(f"{source}: no file *.txt in it; {self.SOURCES['text'].advice}")
        text.write_trigrams(path, texts, self.builder_config.numbers[0])

    def splits(self, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """Splits as in the file."""
        data = text.read(path)
        return {name: (rows, {}) for name, rows in data.splits().items()}, {"words": list(data.words)}

    @staticmethod
    def data(column: Callable[..., Column], metadata: Mapping[str, Any], about: Mapping[str, Any]) -> TrigramData:
        """The rows of a build."""
        train, validation, test = (
            Trigrams.all(column("context", [split]).array(), column("next_word", [split]).array())
            for split in ("train", "validation", "test")
        )
        words = tuple(metadata["words"])
        return TrigramData(train=train, validation=validation, test=test, words=words, **about)
