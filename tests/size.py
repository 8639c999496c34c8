"""Counts the lines of code of the package: python tests/size.py

A line counts if it holds a token that is neither a comment nor a docstring. Blank lines and templates are free.
`make lint` fails where there are more than setup.cfg allows under `zoo:size`.
"""

import io
import sys
import tokenize
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
_LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def lines_of_code(text: str) -> int:
    """Returns how many lines of a module hold code.

    Example:
        >>> lines_of_code("# A comment is none.\\nx = f(\\n    1,\\n\\n)\\n")
        3
    """
    lines, statement = set[int](), list[tokenize.TokenInfo]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NEWLINE:
            # A text alone is a docstring, of a module, a function, a class or an attribute.
            if [part.type for part in statement] != [tokenize.STRING]:
                lines |= {line for part in statement for line in range(part.start[0], part.end[0] + 1)}
            statement = []
        elif token.type not in _LAYOUT:
            statement.append(token)
    return len(lines)


def main(root: Path = ROOT) -> int:
    """Prints how many lines of code there are, and returns 1 if these are too many."""
    config = ConfigParser()
    config.read(root / "setup.cfg")
    allowed = config.getint("zoo:size", "lines")
    folders = config.get("zoo:size", "folders").split()
    count = sum(lines_of_code(file.read_text()) for folder in folders for file in (root / folder).rglob("*.py"))
    print(f"{count:,} lines of code; setup.cfg allows {allowed:,}")
    return int(count > allowed)


if __name__ == "__main__":
    sys.exit(main())
