"""Follows a page of the docs: writes its files, makes its changes, runs its code, in the order of the page.

    python tests/follow.py docs/guides/text.md

in the folder where it shall happen. What a fenced block is for follows from its title and language:

| title | language | |
|---|---|---|
| none | bash, python | runs |
| the name of a file | diff | lines with ` ` or `-` are found in the file, once, and become those with ` ` or `+` |
| the name of a file | any other | is written to the file |
| `needs ...`, `takes ...` | any | is left out: it needs what a test has not, or takes too long |

Commands `zoo` run in this process, and so do folds of a command, so that TensorFlow is loaded once for a page; but not
`zoo info` in a checkout, which shows what a page added to the package. Trainings end after three epochs, whatever the
page says: how well they do is shown by its notebook.
"""

import atexit
import os
import re
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import wrapt

_FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]*)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    language: str
    title: str
    text: str

    @property
    def left_out(self) -> bool:
        return self.title.startswith(("needs ", "takes "))


def blocks(page: str) -> list[Block]:
    return [Block(*found) for found in _FENCE.findall(page)]


def follow(block: Block, names: dict[str, Any]) -> None:
    """Does what one block says, with the names of the Python blocks before it."""
    if block.left_out or (not block.title and block.language not in ("bash", "python")):
        return
    if block.title:
        path = Path(block.title)
        text = changed(path, block.text) if block.language == "diff" else block.text
        path.write_text(text, encoding="utf-8")
    elif block.language == "python":
        exec(compile(block.text, "python block", "exec"), names)
    else:
        for command in block.text.replace("\\\n", " ").splitlines():
            print(f"$ {command}", flush=True)
            run(command)


def changed(path: Path, diff: str) -> str:
    """A file's text after a diff without line numbers."""
    lines = diff.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{path} has {text.count(old)} times, not once:\n{old}")
    return text.replace(old, new)


def run(command: str) -> None:
    if not command.startswith("zoo ") or (command.startswith("zoo info") and Path("zoo").is_dir()):
        subprocess.run(["bash", "-euo", "pipefail", "-c", command], check=True)
        return
    from zoo.cli import main
    from zoo.exporting.formats import Converter

    Converter.in_child = False
    if command.startswith(("zoo crossval", "zoo benchmark")):
        command = f"{re.sub(r' --workers [0-9]+', '', command)} --workers 0"
    sys.argv = shlex.split(command)
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"status {end.code}: {command}") from end


def shorten(keras: Any) -> None:
    fit = keras.Model.fit
    keras.Model.fit = lambda *data, epochs=1, **options: fit(*data, epochs=min(epochs, 3), **options)


def follow_page(page: Path) -> None:
    wrapt.when_imported("keras")(shorten)
    names: dict[str, Any] = {"__name__": "__main__"}
    for each in blocks(page.read_text(encoding="utf-8")):
        follow(each, names)


def follow_in_fork(page: Path, folder: Path, log: Path, environment: dict[str, str]) -> None:
    """Follows a page in a process that was forked for it, in a folder; what it prints is in the log."""
    import zoo

    os.chdir(folder)
    os.environ.update(environment)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    zoo.cross_validate = partial(zoo.cross_validate, workers=0)
    try:
        follow_page(page)
    finally:
        # TensorFlow deletes its temporary files at the exit.
        atexit._run_exitfuncs()


if __name__ == "__main__":
    follow_page(Path(sys.argv[1]))
