"""The command line, made of the public functions by cyclopts.

Each row of the table names a function of `zoo.api`, whose signature and docstring are the options and the help. What a
function returns knows its document, which `--json` prints, and its Markdown.
"""

import contextlib
import errno
import inspect
import io
import json
import logging
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NoReturn, Optional, TextIO, Union, get_args, get_origin, get_type_hints

from cyclopts import App, Group, Parameter
from cyclopts.exceptions import CycloptsError, MissingArgumentError, UnknownCommandError, UnusedCliTokensError
from rich.console import Console
from rich.markup import escape

import zoo
from zoo import api
from zoo.activity.studies import STUDIES
from zoo.arguments import TERMINAL, Names
from zoo.catalog import split_names
from zoo.errors import COMMAND, ArgumentError, StorageError, UsageError, ZooError, printable, unknown_name
from zoo.families import TASKS, task_named
from zoo.files import full
from zoo.jobs import terminable
from zoo.recipe import Settings
from zoo.report.document import err, finish, say, warn

USAGE, INTERRUPTED, PIPE, BUG = 2, 130, 141, 70
"""Exit statuses beside 1, which is an error that the user can fix."""

MODELS, TRAINING, DEVICES, DATA = "Models", "Training", "Devices", "Data and installation"


@dataclass(frozen=True)
class Command:
    """A row of the table.

    Args:
        function: Public function.
        group: Panel of the help.
        arguments: Names of parameters that are passed by their place alone.
        doing: What a terminal shows while the function runs, in which the messages of C++ code are hidden.
        fixed: Arguments that the command itself passes.
        defaults: Defaults that differ from those in Python.
        without: Parameters that are no option.
        summary: Help in place of the docstring.
    """

    function: Callable[..., Any]
    group: str = DATA
    arguments: tuple[str, ...] = ()
    doing: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    summary: str = ""


COMMANDS = {
    "list": Command(api.list_presets, MODELS),
    "info": Command(api.info, MODELS, ("model",)),
    "predict": Command(api.predict, MODELS, ("model", "x"), "predicting"),
    "push": Command(api.push, MODELS, ("model", "address")),
    "train": Command(api.train, TRAINING, defaults={"out": "model"}),
    "finetune": Command(api.finetune, TRAINING, ("preset",), defaults={"out": "model"}),
    "crossval": Command(
        api.cross_validate, TRAINING,
        defaults={"out": "crossval", "baselines": ["random_forest", "nearest_neighbor"]},
    ),
    "evaluate": Command(api.evaluate, TRAINING, ("model",), "evaluating"),
    "tune": Command(api.tune, TRAINING, ("target",), defaults={"out": "search", "workers": 1}),
    "export": Command(api.export, DEVICES, ("model",), "exporting", defaults={"to": "exported"}),
    "stream": Command(api.stream, DEVICES, ("model",)),
    "serve": Command(api.serve, DEVICES, ("models",)),
    "bench": Command(api.bench, DEVICES, ("models",), "benchmark"),
    "doctor": Command(api.doctor, DATA, doing="self-test"),
    "data windows": Command(api.cut_windows, arguments=("recordings",)),
    "data build": Command(api.build, arguments=("name",)),
    "data describe": Command(api.describe, arguments=("file",)),
    "data import csv": Command(api.import_csv, arguments=("files",), without=("rotation",)),
    **{
        f"data import {row.command or name}": Command(
            api.import_study, arguments=("source",), fixed={"study": name},
            without=("study",) if row.others else ("study", "others"),
            summary=f"Import the {row.title} study in its official layout.\n\n{row.citation}. {row.license}.",
        )
        for name, row in STUDIES.items()
    },
    "data make patches": Command(api.make_patches, arguments=("photographs",)),
    "data make text": Command(api.make_text),
    **{
        f"data simulate {task}": Command(
            api.simulate, fixed={"task": task}, defaults={"path": row.file},
            without=("task", *(size for other in TASKS.values() for size in other.sizes if size not in row.sizes)),
            summary=f"{row.simulates}\n\nThe data is marked as simulated.",
        )
        for task, row in TASKS.items()
    },
}  # fmt: skip
"""All commands, by the words that call them."""

_GROUPS = {
    "data": "Import, cut, describe and simulate data.",
    "data import": "Import recordings from CSV files and published studies.",
    "data make": "Make data files from photographs or text.",
    "data simulate": "Simulate data, which is marked as simulated.",
}

_NAMES = {
    "out": ("--out", "-o"), "path": ("--out", "-o"), "top": ("--top", "-k"), "settings": ("--set",),
    "source": ("--from",),
}  # fmt: skip
"""Names of options that are not those of the parameter."""

_NEGATIVES = {"baselines", "self_test", "normalize"}
"""Flags that are on by default."""

_PANELS = {"recipe": "Recipe", "columns": "CSV files", "limits": "Limits"}
"""Panels of the fields of a parameter that is a group of settings."""

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def _options(name: str, command: Command | None = None) -> tuple[str, ...]:
    """The option of a parameter and its short forms, or its argument."""
    if command is not None and name in command.arguments:
        return (name.upper(),)
    return _NAMES.get(name, (f"--{name.replace('_', '-')}",))


def _number(kind: type, text: str, option: str, optional: bool) -> Any:
    """Reads a number. More strict than Python, which also reads `nan`, `1_000` and full-width digits."""
    if optional and text.lower() == "none":
        return None
    valid = (_WHOLE if kind is int else _DECIMAL).fullmatch(text.strip())
    value = kind(text) if valid else None
    if value is None or abs(value) == float("inf"):
        raise UsageError(f"{option} {text[:40]!r}: expected {'a whole number' if kind is int else 'a number'}")
    return value


def _word(text: str, option: str) -> str:
    """Refuses an empty text: as a rule, that is a variable of a script without a value."""
    if not text.strip():
        raise UsageError(f"{option} {text!r}: is empty; expected a value, or leave it out")
    return text


def _choice(known: Sequence[str], text: str, option: str) -> str:
    if text not in known:
        *others, last = known
        expected = f"{', '.join(others)} or {last}" if others else last
        raise UsageError(f"{option} {text[:40]!r}: expected {expected}")
    return text


def _settings(words: Sequence[str]) -> dict[str, Any]:
    """Settings from NAME=VALUE: `none`, or JSON, or else text.

    Example:
        >>> _settings(["hidden_units=100", "optimizer=adam", "patience=none"])
        {'hidden_units': 100, 'optimizer': 'adam', 'patience': None}
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"--set {word}: expected NAME=VALUE, such as hidden_units=100")
        try:
            found[name.replace("-", "_")] = None if value.lower() == "none" else json.loads(value)
        except ValueError:
            found[name.replace("-", "_")] = value
    return found


def _leaf(hint: Any) -> tuple[Any, bool]:
    """The type of a value on the command line, and whether it may be none."""
    if get_origin(hint) is Annotated:
        return _leaf(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        kinds = [each for each in get_args(hint) if each is not NoneType]
        return _leaf(kinds[0])[0], len(kinds) < len(get_args(hint))
    return hint, False


def _parameter(
    key: str, hint: Any, default: Any, option: tuple[str, ...], kind: Any, **details: Any
) -> inspect.Parameter:  # fmt: skip
    """A parameter as cyclopts reads it: text is converted here, so that all of it is read in one way."""
    leaf, optional = _leaf(hint)
    name = option[0]
    shown: Any = leaf
    if leaf is bool:
        details["show_default"] = False
        if key.split("__")[-1] not in _NEGATIVES:
            details.setdefault("negative", ())
    elif leaf in (int, float):
        details["converter"] = lambda kind, tokens: _number(leaf, tokens[0].value, name, optional)
    elif leaf is dict:
        # Words here, and names and values in `_run`: cyclopts checks values against the type that its help shows.
        shown, details["negative"] = list[str], ()
    elif get_origin(leaf) is list:
        shown, details["negative"] = list[str], ()
        parts = split_names if Names in (hint, *get_args(hint)) else lambda word: [word]
        details["converter"] = lambda kind, tokens: [
            part for token in tokens for part in parts(_word(token.value, name))
        ]
    elif get_origin(leaf) is Literal:
        details["converter"] = lambda kind, tokens: _choice(get_args(leaf), tokens[0].value, name)
    else:
        shown = str
        default = default if default in (None, inspect.Parameter.empty) else str(default)
        details["converter"] = lambda kind, tokens: _word(tokens[0].value, name)
    details["name"] = name if kind is inspect.Parameter.POSITIONAL_ONLY else option
    required = default is inspect.Parameter.empty
    annotation: Any = Annotated[shown if required else Optional[shown], Parameter(**details)]  # noqa: UP045
    return inspect.Parameter(key, kind, default=default, annotation=annotation)


def _parameters(command: Command) -> Iterator[inspect.Parameter]:
    """The parameters of a command, from the signature of its function."""
    hints = get_type_hints(command.function, include_extras=True)
    for name, parameter in inspect.signature(command.function).parameters.items():
        leaf, _ = _leaf(hints[name])
        if name in command.without or name in command.fixed or leaf is Any or name in ("verbose", "refused"):
            continue
        if get_origin(leaf) is not None and get_origin(leaf) is not list and get_origin(leaf) is not Literal:
            continue
        if isinstance(leaf, type) and issubclass(leaf, Settings):
            group = Group(_PANELS[name])
            prefix = "--max-" if name == "limits" else "--"
            for key, each in leaf.model_fields.items():
                annotation = Annotated[each.annotation, *each.metadata] if each.metadata else each.annotation
                yield _parameter(
                    f"{name}__{key}", annotation, None, (f"{prefix}{key.replace('_', '-')}",),
                    inspect.Parameter.KEYWORD_ONLY, help=each.description, group=group,
                )  # fmt: skip
            continue
        positional = name in command.arguments
        default = command.defaults.get(name, parameter.default)
        if default == ():
            default = None
        kind: Any = inspect.Parameter.POSITIONAL_ONLY if positional else inspect.Parameter.KEYWORD_ONLY
        details: dict[str, Any] = {}
        if name == "model" and not positional:
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        if name == "csv":
            # `-` is standard input.
            details["allow_leading_hyphen"] = True
        if name == "same_people" and command.function is api.cut_windows:
            details["negative"] = "--different-people"
        yield _parameter(name, hints[name], default, _options(name, command), kind, **details)
    yield _parameter(
        "as_json", bool, False, ("--json",), inspect.Parameter.KEYWORD_ONLY,
        help="Print JSON on standard output.",
    )  # fmt: skip


def _callable(words: str, command: Command) -> Callable[..., Any]:
    """The function that cyclopts calls."""
    parameters = sorted(_parameters(command), key=lambda each: (each.kind, each.default is not each.empty))
    signature = inspect.Signature(parameters)

    def run(*args: Any, **kwargs: Any) -> None:
        _run(command, dict(signature.bind(*args, **kwargs).arguments))

    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__name__ = words.replace(" ", "_")
    run.__doc__ = inspect.getdoc(command.function)
    if command.summary:
        text = run.__doc__ or ""
        run.__doc__ = f"{command.summary}\n\n{text[text.index('Args:') :]}"
    return run


def _run(command: Command, values: dict[str, Any]) -> None:
    """Calls the function of a command, and prints what it returns."""
    global _current
    _current = command
    as_json = values.pop("as_json", False)
    arguments: dict[str, Any] = {**command.fixed, **command.defaults}
    for key, value in values.items():
        name, _, part = key.partition("__")
        if part:
            read = part == "augmentation"
            arguments.setdefault(name, {})[part] = _settings([f"{part}={value}"])[part] if read else value
        elif name == "settings":
            arguments[name] = _settings(value)
        else:
            arguments[name] = value
    known = inspect.signature(command.function).parameters
    if "on_event" in known and as_json:
        arguments["on_event"] = _print_json
    if "verbose" in known:
        arguments["verbose"] = True
    with contextlib.ExitStack() as stack:
        if command.doing is not None:
            hidden = values.get("self_test") is False
            step = stack.enter_context(quiet("" if hidden else command.doing))
            if "on_progress" in known:
                arguments["on_progress"] = step
        elif "on_progress" in known and err.is_terminal:
            status = stack.enter_context(err.status("reading"))
            arguments["on_progress"] = lambda count: status.update(f"reading: {count:,} recordings")
        result = command.function(**arguments)
    _show(result, as_json)


_current: Command | None = None
"""The command that runs, whose options messages name."""


def _print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, allow_nan=False), flush=True)


def _show(result: Any, as_json: bool) -> None:
    """Prints a result as JSON, or as Markdown."""
    if result is None:
        return
    if hasattr(result, "show"):
        if not as_json:
            result.show()
        for document in result if as_json else ():
            _print_json(document)
        return
    if not hasattr(result, "to_json"):
        # Simulated data, which is all that a command returns without a description.
        then = f"zoo train --model {TASKS[result.task].family} --data"
        result = api.describe(result)
        result.next = f"{then} {shlex.quote(result['file'])}"
    text = "" if as_json else result._repr_markdown_()
    for warning in result.warnings:
        warn(warning)
    if as_json:
        _print_json(result.to_json())
    elif text:
        from zoo.report import terminal

        terminal.show(text)
    sys.stdout.flush()
    if not as_json and (result.written or result.next):
        finish(result.written, result.next)
    if result.failure:
        raise ZooError(result.failure)


_HELP = """Train small models of motion, photographs and text, and run them on a phone.

First steps: `zoo list`, then `zoo info activity_gru_phone`. `zoo COMMAND --help` explains a command.
`--debug`, anywhere in a command, shows the traceback of an error."""

app = App(
    name="zoo", help=_HELP,
    version=f"pocket-zoo {zoo.__version__}", version_flags="--version", help_format="markdown",
    result_action="return_value", exit_on_error=False, print_error=False, suppress_keyboard_interrupt=False,
)  # fmt: skip


def _register() -> None:
    groups = {"": app}
    panels = {name: Group(name, sort_key=place) for place, name in enumerate((MODELS, TRAINING, DEVICES, DATA))}
    for words, text in _GROUPS.items():
        above, _, name = words.rpartition(" ")
        groups[words] = App(name=name, help=text, group=panels[DATA] if not above else (), sort_key=len(COMMANDS))
        groups[above].command(groups[words])
    for place, (words, command) in enumerate(COMMANDS.items()):
        above, _, name = words.rpartition(" ")
        group = () if above else panels[command.group]
        groups[above].command(_callable(words, command), name=name, sort_key=place, group=group)


_register()


def main() -> None:
    """Runs the command line. Errors are printed as one line, with a nonzero exit status.

    Ctrl-C exits with 130, and SIGTERM with 143, both after the same cleanup.
    """
    global _current
    _current = None
    debug = "--debug" in sys.argv
    arguments = [word for word in sys.argv[1:] if word != "--debug"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    # Figures are written to files: no window is opened, whatever is set.
    os.environ["MPLBACKEND"] = "agg"
    # Advice about retracing is for those who write the model, and what is wrong with a picture is said in one line.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    prepare_output()
    TERMINAL.update(quiet=quiet, logged=logged)
    os.environ[COMMAND] = "1"
    try:
        with terminable():
            app(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt as stop:
        how = "; ".join(getattr(stop, "__notes__", ()))
        _fail(f"interrupted: {how}" if how else "interrupted", getattr(stop, "status", INTERRUPTED))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(PIPE)
    except SystemExit as end:
        # Rich turns a broken pipe into status 1.
        sys.exit(PIPE if isinstance(end.__context__, BrokenPipeError) else end.code)
    except Exception as error:
        if debug and not isinstance(error, CycloptsError):
            raise
        _fail(*explain(error))
    finally:
        TERMINAL.clear()
        del os.environ[COMMAND]
    sys.exit(0)


def _fail(message: str, status: int) -> NoReturn:
    """Exits with one line on standard error."""
    text = " ".join(message.split())
    say(text if err.is_terminal else f"zoo: {text}", "broken")
    sys.exit(status)


_FILES = ("AlreadyExistsError", "DataLossError", "FailedPreconditionError", "NotFoundError", "PermissionDeniedError")
"""Errors of TensorFlow about files, which their messages name."""


def explain(error: BaseException) -> tuple[str, int]:
    """Returns the message and the exit status for an exception that ended a command.

    Errors of the system name the file that was in hand. Whatever is left is a bug.

    Example:
        >>> explain(FileNotFoundError(2, "No such file or directory", "data3.h5"))
        ('data3.h5: no such file or directory', 1)
        >>> explain(ZeroDivisionError("division by zero"))[1]
        70
    """
    if isinstance(error, CycloptsError):
        return _usage(error), USAGE
    if isinstance(error, ArgumentError):
        name = f"max_{error.parameter}" if error.group == "limits" else error.parameter
        # An argument of a model that has no option of its own was passed with `--set`.
        optional = _current is None or error.parameter in (part.name.split("__")[-1] for part in _parameters(_current))
        return f"{_options(name, _current)[0] if optional else name}{error.problem}", error.status
    if isinstance(error, ZooError):
        return str(error), error.status
    if isinstance(error, OSError) and (found := _system(error)):
        return found, 1
    if found := full(error):
        return f"{found} ({_first_line(error)}): make room, or choose another folder", 1
    if type(error).__name__ in _FILES and type(error).__module__.startswith("tensorflow"):
        return f"{_first_line(error)}: check that the file exists, is whole, and may be read or written", 1
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return f"out of memory ({_first_line(error)}): ask for less, or close other programs", 1
    report = "this is a bug: please report it with this command, --debug added, and the output of `zoo doctor`"
    return f"unexpected {type(error).__name__}: {_first_line(error)}; {report}", BUG


def _usage(error: CycloptsError) -> str:
    """A usage error of cyclopts, which would take several lines to show itself."""
    words = [word for word in (error.command_chain or ()) if not word.startswith("-")]
    help_of = f"see `{' '.join(['zoo', *words, '--help'])}`"
    if isinstance(error, MissingArgumentError) and error.argument is not None and not error.argument.tokens:
        return f"missing {error.argument.name.lstrip('-').upper()}; {help_of}"
    if isinstance(error, UnknownCommandError) and error.unused_tokens:
        word = error.unused_tokens[0]
        names = [name.split()[-1] for name in (*COMMANDS, *_GROUPS) if name.rpartition(" ")[0] == " ".join(words)]
        if task_named(word) in names:
            return f"no command {printable(word)}: it is called {task_named(word)} since version 0.3.0; {help_of}"
        return f"{unknown_name('command', word, names)}; {help_of}"
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        return f"unexpected {printable(' '.join(error.unused_tokens))}; {help_of}"
    return f"{printable(' '.join(str(error).split())).rstrip('.')}; {help_of}"


def _system(error: OSError) -> str:
    """An error of the system about a file. Empty if it names none."""
    reason = (error.strerror or str(error) or type(error).__name__).strip()
    if isinstance(error.filename, str | bytes | os.PathLike):
        return f"{os.fsdecode(error.filename)}: {reason[:1].lower()}{reason[1:]}"
    if error.errno == errno.ENOENT and "temporary" in str(error):
        return f"{reason[:1].lower()}{reason[1:]}: set TMPDIR to a folder with free space"
    if error.errno == errno.ENOENT and not error.filename:
        return "the current folder was deleted: change to one that exists"
    return ""


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


def prepare_output() -> None:
    """Makes standard output ready for any name, such as one of a file that is not UTF-8; exits if it is closed."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        sys.stdout = sys.stderr
        _fail("standard output is closed: redirect it to a file or to /dev/null", 1)
    # What cannot be encoded is printed as JSON would.
    if type(sys.stdout) is io.TextIOWrapper:
        encoding, lines = sys.stdout.encoding, sys.stdout.line_buffering
        sys.stdout = _Output(sys.stdout.detach(), encoding, "backslashreplace", line_buffering=lines)
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")


class _Output(io.TextIOWrapper):
    """Standard output whose errors say so: those of the system name no file."""

    def write(self, text: str, /) -> int:
        with self._named():
            return super().write(text)

    def flush(self) -> None:
        with self._named():
            super().flush()

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            # Python would try again when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise StorageError(f"standard output: cannot be written ({error.strerror})") from error


@contextlib.contextmanager
def quiet(doing: str = "") -> Iterator[Callable[[str], None]]:
    """Hides what the C++ code of TensorFlow and LiteRT prints regardless of log levels.

    Args:
        doing: What a terminal shows while the block runs.

    Yields:
        A function that shows the current step: in place of the last one on a terminal, as a line elsewhere.
    """
    with _redirected(os.open(os.devnull, os.O_WRONLY)) as original:
        console = original if _is_standard(sys.stderr) else err
        if not console.is_terminal:
            yield lambda step: console.print(f"{doing}: {step}", soft_wrap=True, markup=False, highlight=False)
        elif not doing:
            yield lambda step: None
        else:
            with console.status(escape(doing)) as status:
                yield lambda step: status.update(escape(f"{doing}: {step}"))


@contextlib.contextmanager
def logged(path: Path) -> Iterator[Console]:
    """Redirects standard error to a file, and yields a console for the original one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _redirected(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)) as original:
        yield original


@contextlib.contextmanager
def _redirected(target: int) -> Iterator[Console]:
    """Redirects standard error to a file descriptor, closed at the end, and yields a console for the original one."""
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        os.dup2(target, 2)
        with os.fdopen(os.dup(saved), "w") as stream:
            yield Console(file=stream)
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(target)


def _is_standard(stream: TextIO) -> bool:
    """Whether what is written to a stream goes to the file descriptor of standard error."""
    try:
        return stream.fileno() == 2
    except OSError:
        return False
