"""Words of a text and their ids in a vocabulary."""

import difflib
import re
import unicodedata
from collections.abc import Sequence

from zoo.errors import ZooError, shown

_ENDING = r"(?:s|re|ve|ll|d|m)\b"
_WORD = re.compile(rf"(?:mrs?|ms|dr|st)\.|'{_ENDING}|\w+(?:[-.,]\w+|'(?!{_ENDING})\w+)*|--|\S")
_NOT = re.compile(r"n't\b")


def tokenize(line: str) -> list[str]:
    """Splits a sentence into words.

    Text is lower-cased. `n't` at the end of a word becomes the word `nt`, and `'s 're 've 'll 'd 'm` are words; `mr.
    mrs. ms. dr. st.` keep their periods; hyphens, periods, commas and apostrophes between letters or digits stay, as
    do marks on letters, such as the vowels of Hindi and Thai; every other visible character is a word, and so is `--`;
    invisible ones are left out. Text that is already tokenized stays as it is.
    """
    plain = line.lower()
    if not plain.strip().isprintable():
        # Soft hyphens, marks of direction and the like are part of no word.
        plain = "".join(sign for sign in plain if sign.isprintable() or sign.isspace())
    plain = _NOT.sub(" nt", unicodedata.normalize("NFC", plain).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    # To `re`, a mark is no part of a word. A set of all marks would take seven times as long.
    letters = "".join("_" if unicodedata.category(sign)[0] == "M" else sign for sign in plain)
    return [plain[slice(*word.span())] for word in _WORD.finditer(letters)]


def word_ids(text: str, words: Sequence[str], model: str) -> list[int]:
    """The ids of the words of a text; refuses a word that `model` does not know, and names similar ones."""
    numbers, tokens = {word: i for i, word in enumerate(words)}, tokenize(text)
    for word in tokens:
        if word not in numbers:
            near = difflib.get_close_matches(word, words, n=3)
            hint = f"did you mean {', '.join(near)}? " if near else ""
            raise ZooError(
                f"{shown(word)} is not among the {len(words)} words of {model}: {hint}`model.vocabulary` or "
                f"`zoo info {model} --json` lists them"
            )
    return [numbers[word] for word in tokens]


def context_ids(text: str, words: Sequence[str], context: int, model: str) -> list[int]:
    """The ids of the last words of a text, as many as a model reads."""
    ids = word_ids(text, words, model)
    if len(ids) < context:
        raise ZooError(f"{shown(text)}: {len(ids)} words; {model} needs {context} to predict the next one")
    return ids[-context:]
