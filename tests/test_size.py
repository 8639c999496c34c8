"""Lines of code are counted by what they hold, not by how they look."""

import pytest
import size

COUNTED = {
    "blank lines and comments": ("\n# why\n\n", 0),
    "docstrings": (
        '"""A module\n\nof three lines."""\n\nclass A:\n    """A."""\n    x = 1\n    """An attribute."""\n',
        2,
    ),
    "a comment after code": ("x = 1  # why\n", 1),
    "a call over lines": ("x = f(\n    # why\n    1,\n\n    2,\n)\n", 4),
    "a text that is used": ('x = """a\n\nb"""\n', 3),
    "two statements": ("x = 1; y = 2\n", 1),
    "no line break at the end": ("x = 1", 1),
}


@pytest.mark.parametrize("case", COUNTED)
def test_a_line_counts_if_it_holds_code(case):
    text, expected = COUNTED[case]
    assert size.lines_of_code(text) == expected


@pytest.mark.parametrize(("allowed", "status"), [(2, 0), (1, 1)])
def test_more_lines_than_are_allowed_fail(allowed, status, tmp_path, capsys):
    (tmp_path / "setup.cfg").write_text(f"[zoo:size]\nfolders = code\nlines = {allowed}\n")
    (tmp_path / "code" / "part").mkdir(parents=True)
    for name in ("a.py", "part/b.py"):
        (tmp_path / "code" / name).write_text("x = 1\n")
    (tmp_path / "code" / "page.md.j2").write_text("x\n" * 9)
    assert size.main(tmp_path) == status
    assert capsys.readouterr().out == f"2 lines of code; setup.cfg allows {allowed}\n"
