"""How many sentences of the test text stand word for word in the training text of the language models.

    python benchmarks/sentences.py DATA/text/raw_sentences.txt | tee benchmarks/sentences.json

Rows of three words and the next are made of the sentences in their order: the first 372,500 are training, the last
23,250 the test. A sentence that is only in part in the training counts as of it.
"""

import argparse
import json
from itertools import accumulate
from pathlib import Path

TRAIN_ROWS, TEST_ROWS, WORDS = 372_500, 23_250, 4


def main() -> None:
    """Counts and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    options = parser.parse_args()
    sentences = [tuple(line.lower().split()) for line in options.text.read_text().splitlines()]
    ends = [*accumulate(max(0, len(words) - WORDS + 1) for words in sentences)]
    begins = [0, *ends[:-1]]
    known = {words for words, begin in zip(sentences, begins, strict=True) if begin < TRAIN_ROWS}
    test = [words for words, end in zip(sentences, ends, strict=True) if end > ends[-1] - TEST_ROWS]
    found = {"test_sentences": len(test), "in_training": sum(words in known for words in test)}
    print(json.dumps({"command": "python benchmarks/sentences.py DATA/text/raw_sentences.txt", **found}, indent=1))


if __name__ == "__main__":
    main()
