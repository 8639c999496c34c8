"""One rule that cuts text into words."""

import json
import subprocess
import sys
import unicodedata

import h5py
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import PHONE_PAGE, bundled, refused, write_h5

import zoo
from zoo.data import hdf5
from zoo.runtime.vocabulary import tokenize
from zoo.text.data import read_lines, read_vocabulary, write_trigrams


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("No , he says now .", "no , he says now ."),
        ("It's 5 o'clock, isn\N{RIGHT SINGLE QUOTATION MARK}t it?", "it 's 5 o'clock , is nt it ?"),
        ("Mr. Smith and Dr. Jones (of St. Ives).", "mr. smith and dr. jones ( of st. ives ) ."),
        ("A well-known $3,000.50 -- or more...", "a well-known $ 3,000.50 -- or more . . ."),
        ("'We'll see,' she said.", "' we 'll see , ' she said ."),
        ("Où est-il ? Straße.", "où est-il ? straße ."),
        ("यह हिन्दी है।", "यह हिन्दी है ।"),
        ("ผม อยู่ ที่นี่, (กิน) ข้าว", "ผม อยู่ ที่นี่ , ( กิน ) ข้าว"),
        ("\u202bThe\u200b ca\u00adt\u202c\u00a0sat\x01 .\n", "the cat sat ."),
        (" \t ", ""),
    ],
)
def test_a_line_is_cut_into_words_and_signs(line, words):
    assert tokenize(line) == words.split()


_COMPARED = """
import { readFileSync } from "node:fs";
import { tokenize } from "SOURCE";
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(tokenize)));
"""


def test_the_page_cuts_as_the_package_does(tmp_path):
    marks = [sign for sign in map(chr, range(sys.maxunicode)) if unicodedata.category(sign)[0] == "M"]
    lines = [f"It's a{mark}b, don't {mark} 5{mark}.c" for mark in marks]
    lines += ["यह हिन्दी है।", "ผม อยู่ ที่นี่", "e\u200d\u0301 n't\u0301 '\u0301s", "Où est-il ? \u2764\ufe0f"]
    program = tmp_path / "program.ts"
    program.write_text(_COMPARED.replace("SOURCE", (PHONE_PAGE / "src" / "cards" / "words").as_posix()))
    command = ["node", bundled(program, tmp_path)]
    found = subprocess.run(command, input=json.dumps(lines), capture_output=True, check=True, text=True).stdout
    assert json.loads(found) == [tokenize(line) for line in lines]


@given(st.text())
def test_what_is_cut_stays_as_it_is(line):
    words = tokenize(line)
    assert all(words)
    if "n't" not in line and "\N{RIGHT SINGLE QUOTATION MARK}" not in line:
        assert tokenize(" ".join(words)) == words


def test_files_are_read_one_after_the_other_with_lines_of_any_system_and_no_sentence_goes_on_in_the_next(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone two\r\nthree\rfour")
    (tmp_path / "b.txt").write_text("five")
    lines = read_lines([tmp_path / "a.txt", tmp_path / "b.txt"])
    assert [tokenize(line) for line in lines] == [["one", "two"], ["three"], ["four"], [], ["five"], []]


def test_a_text_that_is_named_twice_is_refused(tmp_path):
    files = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for file in files:
        file.write_text("they say it is here .\n" * 40)
    says = r"b\.txt: has the same text as .*a\.txt, and its test would be in training"
    refused(says, write_trigrams, tmp_path / "data2.h5", files, 6)
    assert not (tmp_path / "data2.h5").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Größe\n".encode() + "Größe".encode("latin-1"), "byte 0xf6 at offset 10 is not UTF-8: convert the file"),
        (b"\xef\xbb\xbfgood\xff", "byte 0xff at offset 7 is not UTF-8"),
        ("he is".encode("utf-16"), "byte 0xff at offset 0 is not UTF-8"),
        ("he\nis".encode("utf-16-le"), "holds the byte 0x00; expected UTF-8 text"),
        (b"PK\x03\x04\x14\x00word/document.xml", "is a zip file, as documents of Word and LibreOffice are, not text"),
        (b"\x89HDF\r\n\x1a\n\x00", "is an HDF5 file, not text: expected plain text"),
        (b"%PDF-1.7\n", "is a PDF file, not text"),
        (b"", "no word in it; expected text"),
        (b" \n\n", "no word in it; expected text"),
    ],
)
def test_what_is_not_text_is_refused_with_its_place(tmp_path, content, says):
    (tmp_path / "a.txt").write_bytes(content)
    refused(f"^{tmp_path / 'a.txt'}: {says}", list, read_lines([tmp_path / "a.txt"]))


PAGE = """It was here that the old man
said no. Yes, he did say so,
and then he went home. "Who
is it?" she said. Nobody came.
"""


def test_the_lines_of_a_page_are_joined_into_sentences_and_the_description_says_so(tmp_path, zoo_json):
    texts = {"page": [PAGE], "lines": [
        "It was here that the old man said no.", "Yes, he did say so, and then he went home.", '"Who is it?"',
        "she said.", "Nobody came.",
    ]}  # fmt: skip
    made = {}
    for name, lines in texts.items():
        text, out = tmp_path / f"{name}.txt", tmp_path / f"{name}.h5"
        text.write_text("\n".join(lines * 20))
        made[name] = zoo_json("data", "make", "text", text, "--vocabulary", 20, "-o", out)
    assert "joined" in made["page"]["notes"][0]
    assert not any("joined" in note for note in made["lines"]["notes"])
    # `"Who is it?" she said.` is one sentence, and the page has its rows that cross the quotation mark.
    assert made["page"]["text_rows"] >= made["lines"]["text_rows"]


def test_paragraphs_on_a_line_have_the_rows_of_their_sentences(tmp_path):
    sentences = ["It was here that he said no.", "Yes, he did say so.", "Is it Mr. Smith (or not)?", "Nobody came."]
    made = {}
    for name, mark in (("lines", "\n"), ("paragraphs", " ")):
        (tmp_path / f"{name}.txt").write_text("\n".join([mark.join(sentences)] * 30))
        found = zoo.make_text(tmp_path / f"{name}.txt", tmp_path / f"{name}.h5", vocabulary=20).to_json()
        with h5py.File(tmp_path / f"{name}.h5") as file:
            made[name] = found["notes"], found["text_rows"], file["trainx"][:].tolist()
    assert made["lines"][1:] == made["paragraphs"][1:]
    assert any("split" in note for note in made["paragraphs"][0])
    assert not any("split" in note for note in made["lines"][0])


def test_an_abbreviation_in_a_sentence_a_line_splits_nothing(tmp_path):
    (tmp_path / "a.txt").write_text("they say it is here .\n" * 60 + "he was in the U.S. Army then .\n")
    assert zoo.make_text(tmp_path / "a.txt", tmp_path / "a.h5", vocabulary=6).to_json()["text_rows"] == 60 * 3 + 6


def test_words_have_one_spelling_whatever_file_they_come_from(tmp_path):
    composed, apart = "na\u00efve", "nai\u0308ve"
    assert tokenize(apart) == tokenize(composed) == [composed]
    (tmp_path / "words.txt").write_text(apart, encoding="utf-8")
    assert read_vocabulary(tmp_path / "words.txt") == (composed,)
    assert hdf5.read_column(write_h5(tmp_path / "a.h5", words=[apart]), "words").tolist() == [composed]
