"""Simulated sentences from a small grammar of plausible English, for demonstrations and tests.

A symbol in capitals is replaced by one of its alternatives, the i-th with probability proportional to 1 / i, so that
few words are frequent and many are rare, as in any language. Subjects and verbs agree in number, verbs take objects
that make sense, `a` becomes `an` before a vowel: an n-gram model has something to learn at every distance. The
vocabulary has 106 words.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random

from zoo.text.data import Summary, Text, write

GRAMMAR: Mapping[str, str] = {
    "SENTENCE": "CLAUSE . | QUESTION ? | CLAUSE , JOIN CLAUSE . | CLAUSE WHEN .",
    "CLAUSE": "ONE PREDICATE-ONE | MANY PREDICATE-MANY | i PREDICATE-I",
    "QUESTION": "does ONE DO | where is THING-ONE | do MANY DO | where are THING-MANY | who DOES | what does ONE want",
    "PREDICATE-ONE": "DOES | is STATE | MODAL DO | does nt DO",
    "PREDICATE-MANY": "DO | are STATE | MODAL DO | do nt DO",
    "PREDICATE-I": "DO | am STATE | MODAL DO | do nt DO",
    "DOES": "sees OBJECT | goes PLACE | says that CLAUSE | likes OBJECT | wants OBJECT | eats FOOD | sleeps WHERE | "
            "reads TEXT | finds THING | waits WHERE | sings WHEN",
    "DO": "see OBJECT | go PLACE | think that CLAUSE | like OBJECT | want OBJECT | eat FOOD | sleep WHERE | "
          "read TEXT | find THING | wait WHERE | sing WHEN",
    "STATE": "WHERE | QUALITY | very QUALITY",
    "MODAL": "will | can",
    "ONE": "he | she | PERSON-ONE | this PERSON-NOUN",
    "MANY": "they | we | PERSON-MANY | you",
    "OBJECT": "THING | PERSON-ONE | PERSON-MANY | him | her | them",
    "THING": "THING-ONE | THING-MANY",
    "PERSON-ONE": "DETERMINER-ONE PERSON-NOUN | DETERMINER-ONE QUALITY PERSON-NOUN",
    "PERSON-MANY": "DETERMINER-MANY PERSON-NOUNS | DETERMINER-MANY QUALITY PERSON-NOUNS",
    "THING-ONE": "DETERMINER-ONE THING-NOUN | DETERMINER-ONE QUALITY THING-NOUN",
    "THING-MANY": "DETERMINER-MANY THING-NOUNS | DETERMINER-MANY QUALITY THING-NOUNS",
    "DETERMINER-ONE": "the | a | my | every",
    "DETERMINER-MANY": "the | some | two | many | these",
    "PERSON-NOUN": "boy | dog | girl | teacher | bird | friend",
    "PERSON-NOUNS": "boys | dogs | girls | teachers | birds | friends",
    "THING-NOUN": "book | house | letter | apple | ball",
    "THING-NOUNS": "books | houses | letters | apples | balls",
    "QUALITY": "old | little | new | happy | red | big",
    "FOOD": "an apple | some bread | the apples | it",
    "TEXT": "the book | a letter | these books | it",
    "PLACE": "to school | home | into the garden | to the river",
    "WHERE": "here | at home | in the garden | by the river | there",
    "WHEN": "now | today | again | at night",
    "JOIN": "and | but | because | so",
}  # fmt: skip
"""Symbols in capitals; alternatives between bars, the frequent ones first."""

WORDS = tuple(
    sorted({part for text in GRAMMAR.values() for part in text.split() if part not in {*GRAMMAR, "|"}} | {"an"})
)
"""All words of the grammar in alphabetical order."""

_ALTERNATIVES = {symbol: [each.split() for each in text.split("|")] for symbol, text in GRAMMAR.items()}
_WEIGHTS = {symbol: list(accumulate(1 / i for i in range(1, len(each) + 1))) for symbol, each in _ALTERNATIVES.items()}


def simulate(count: int, seed: int) -> list[str]:
    """Simulated sentences, tokenized; the first do not depend on the count."""
    random, sentences = Random(seed), []
    for _ in range(count):
        words = [*_expand("SENTENCE", random), ""]
        sentences.append(" ".join(
            "an" if word == "a" and after[:1] in "aeiou" else word for word, after in pairwise(words)
        ))  # fmt: skip
    return sentences


def _expand(symbol: str, random: Random) -> Iterator[str]:
    if symbol not in GRAMMAR:
        yield symbol
        return
    (chosen,) = random.choices(_ALTERNATIVES[symbol], cum_weights=_WEIGHTS[symbol])
    for part in chosen:
        yield from _expand(part, random)


def write_simulated(path: Path, sentences: int = 20000, seed: int = 0) -> Summary:
    """Makes a file in the course's layout from simulated sentences, labeled as such."""
    details = {
        "source": "simulated by pocket-zoo", "simulated": True, "seed": seed,
        "vocabulary": "all words of the grammar in alphabetical order",
    }  # fmt: skip
    return write(path, Text.from_lines(simulate(sentences, seed)), f"{sentences} sentences", WORDS, details)
