"""The command line, made of the public functions by cyclopts.

Each row of the table names a function of `zoo.api`, whose signature and docstring are the options and the help. What a
function returns knows its document, which `--json` prints, and its Markdown. How text becomes a value is decided here.
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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import takewhile
from types import NoneType
from typing import Annotated, Any, Literal, NoReturn, Optional, get_args, get_origin

from cyclopts import App, Group, Parameter, exceptions

import zoo
from zoo.activity.studies import STUDIES
from zoo.api import data, devices, door, models, training
from zoo.api.door import members
from zoo.catalog import split_names
from zoo.errors import COMMAND, ArgumentError, StorageError, UsageError, ZooError, printable, shown, unknown_name
from zoo.families import TASKS, task_named
from zoo.files import full, library_leftovers
from zoo.jobs import CODE, terminable
from zoo.recipe import Recipe, Settings
from zoo.report.screen import err, finish, quiet, say, warn

USAGE, INTERRUPTED, PIPE, BUG = 2, 130, 141, 70
"""Exit statuses beside 1, which is an error that the user can fix."""

MODELS, TRAINING, DEVICES, DATA = "Models", "Training", "Devices", "Data and installation"


@dataclass(frozen=True)
class Command:
    """A row of the table: a public function, and how its command differs from it.

    `arguments` are parameters that are passed by their place alone, `fixed` those that the command itself passes, and
    `without` those that are no option. `recipe` are the fields of the recipe that are options, while `--set` takes all
    others, and `reading` the options with which `load_data` opens the data. A terminal shows what the command is
    `doing`, which hides the messages of C++ code. The `summary` is the help in place of that of the docstring.
    """

    function: Callable[..., Any]
    group: str = DATA
    arguments: tuple[str, ...] = ()
    doing: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    recipe: tuple[str, ...] = ()
    reading: tuple[str, ...] = ()
    summary: str = ""


_RECIPE = ("epochs", "learning_rate", "batch_size", "patience", "seed")
_READING = {
    "data_dir": "Folder that holds tfds:NAME. By default TFDS_DATA_DIR or ~/tensorflow_datasets.",
    "levels": "Value of white in a file of patches: 1 or 255.",
}
"""Options of `load_data`, with their help."""
_BUILD, _ALL = ("data_dir",), ("data_dir", "levels")

COMMANDS = {
    "list": Command(models.list_presets, MODELS),
    "info": Command(models.info, MODELS, ("model",)),
    "check": Command(models.check, MODELS, ("model",), "checking"),
    "predict": Command(models.predict, MODELS, ("model", "x"), "predicting", reading=_ALL),
    "push": Command(models.push, MODELS, ("model", "address")),
    "train": Command(training.train, TRAINING, defaults={"out": "model"}, recipe=_RECIPE, reading=_ALL),
    "finetune": Command(
        training.finetune, TRAINING, ("model",), defaults={"out": "model"}, recipe=_RECIPE, reading=_ALL
    ),
    "crossval": Command(
        training.cross_validate, TRAINING, recipe=_RECIPE, reading=_BUILD,
        defaults={"out": "crossval"},
    ),
    "benchmark": Command(
        training.benchmark, TRAINING, ("models",), recipe=_RECIPE, reading=_BUILD, defaults={"out": "benchmark"},
    ),
    "evaluate": Command(training.evaluate, TRAINING, ("model",), "evaluating", reading=_ALL),
    "tune": Command(
        training.tune, TRAINING, ("target",), defaults={"out": "search", "workers": 1}, reading=_ALL
    ),
    "export": Command(devices.export, DEVICES, ("model",), "exporting", defaults={"to": "exported"}, reading=_ALL),
    "stream": Command(devices.stream, DEVICES, ("model",)),
    "serve": Command(devices.serve, DEVICES, ("models",)),
    "bench": Command(devices.bench, DEVICES, ("models",), "benchmark"),
    "doctor": Command(devices.doctor, DATA, doing="self-test"),
    "label": Command(data.label, DATA, ("recordings",)),
    "data windows": Command(data.cut_windows, arguments=("recordings",)),
    "data build": Command(data.build, arguments=("name",)),
    "data describe": Command(data.describe, arguments=("file",), reading=_BUILD),
    "data import csv": Command(data.import_csv, arguments=("files",), without=("rotation",)),
    **{
        f"data import {row.command or name}": Command(
            data.import_study, arguments=("source",), fixed={"study": name},
            without=() if row.others else ("others",),
            summary=f"Import the {row.title} study in its official layout.\n\n{row.citation}. {row.license}.",
        )
        for name, row in STUDIES.items()
    },
    "data make patches": Command(data.make_patches, arguments=("photographs",)),
    "data make text": Command(data.make_text, arguments=("text",)),
    **{
        f"data simulate {task}": Command(
            data.simulate, fixed={"task": task}, defaults={"out": row.file},
            without=tuple(size for other in TASKS.values() for size in other.sizes if size not in row.sizes),
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
    "out": ("--out", "-o"), "top": ("--top", "-k"), "settings": ("--set",),
    "source": ("--from",),
}  # fmt: skip
"""Names of options that are not those of the parameter."""

_OPPOSITES = {"baselines": "--no-baselines", "self_test": "--no-self-test", "same_people": "--different-people"}
"""Options for the opposite of flags that are not off by default."""

_WHOLE_WORDS = {"files", "photographs", "recordings", "text", "x"}
"""Parameters that are several files or words, whose commas separate nothing."""

_DETAILS: dict[str, dict[str, Any]] = {
    # `-` is standard input.
    "csv": {"allow_leading_hyphen": True}, "columns": {"group": Group("CSV files")},
}  # fmt: skip
"""What else cyclopts is told about a parameter, or about the fields of one that is a group of settings."""

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def _option(name: str) -> tuple[str, ...]:
    """The option of a parameter, and its short forms."""
    return _NAMES.get(name, (f"--{name.replace('_', '-')}",))


def _number(kind: type, optional: bool, option: str, words: Sequence[str]) -> Any:
    """Reads a number. More strict than Python, which also reads `nan`, `1_000` and full-width digits."""
    text = words[0]
    if optional and text.lower() == "none":
        return None
    valid = (_WHOLE if kind is int else _DECIMAL).fullmatch(text.strip())
    value = kind(text) if valid else None
    if value is None or abs(value) == float("inf"):
        raise UsageError(f"{option} {shown(text)}: expected {'a whole number' if kind is int else 'a number'}")
    return value


def _word(option: str, words: Sequence[str]) -> str:
    """Refuses an empty text: as a rule, that is a variable of a script without a value."""
    if not words[0].strip():
        raise UsageError(f"{option} {words[0]!r}: is empty; expected a value, or leave it out")
    return words[0]


def _several(parts: Callable[[str], list[Any]], option: str, words: Sequence[str]) -> list[Any]:
    return [part for word in words for part in parts(_word(option, [word]))]


def _settings(words: Sequence[str], option: str = "--set", example: str = "hidden_units=100") -> dict[str, Any]:
    """Settings from NAME=VALUE, where a value is `none`, or JSON, or else text."""
    settings: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"{option} {shown(word)}: expected NAME=VALUE, such as {example}")
        settings[name.replace("-", "_")] = _setting(value)
    return settings


def _setting(text: str) -> Any:
    """A value that is `none`, `True` or `False`, or JSON, or else text."""
    with contextlib.suppress(ValueError):
        return json.loads(text)
    return {"none": None, "true": True, "false": False}.get(text.lower(), text)


def _parameter(
    key: str, hint: Any, default: Any, option: tuple[str, ...], kind: Any = inspect.Parameter.KEYWORD_ONLY,
    **details: Any,
) -> inspect.Parameter | None:  # fmt: skip
    """A parameter as cyclopts reads it, with the type that help shows; None if no text can be such a value."""
    name, none = key.rpartition("__")[2], (None, inspect.Parameter.empty)
    kinds = [get_args(part)[0] if get_origin(part) is Annotated else part for part in members(hint)]
    shown, *others = [part for part in kinds if part is not NoneType]
    listed = [members(get_args(part)[0]) for part in kinds if get_origin(part) is Iterable]
    several = any(str in held for held in listed)
    read: Callable[[str, Sequence[str]], Any] | None = None
    if shown is bool:
        # Most flags are off by default, and there is no option that switches them off.
        details |= {"show_default": False, "negative": _OPPOSITES.get(name, ()) if default is not False else ()}
    elif name in ("settings", "choose"):
        # Names and values are read in `_arguments`: cyclopts checks values against the type that its help shows.
        shown = list[str]
    elif shown in (int, float) and not others:
        read = partial(_number, shown, NoneType in kinds)
    elif [door.Count] in listed:
        number = partial(_number, int, False, option[0])
        shown, read = list[int], partial(_several, lambda word: [number([part]) for part in split_names(word)])
    elif several or (name == "x" and others):
        # Names are also separated by commas, which the name of a file may hold.
        shown, read = list[str], partial(_several, (lambda word: [word]) if name in _WHOLE_WORDS else split_names)
    elif str in kinds:
        shown, read, default = str, _word, default if default in none else str(default)
    elif get_origin(shown) is not Literal:
        return None
    if read is not None:
        details["converter"] = lambda kind, tokens: read(option[0], [token.value for token in tokens])
    annotation: Any = Annotated[
        shown if default is inspect.Parameter.empty else Optional[shown], Parameter(name=option, **details)  # noqa: UP045
    ]
    return inspect.Parameter(key, kind, default=default, annotation=annotation)


def _parameters(command: Command) -> list[inspect.Parameter]:
    """The options and arguments of a command, from the signature of its function."""
    taken, rows = inspect.signature(command.function).parameters, list[inspect.Parameter | None]()
    for name, parameter in taken.items():
        if name in (*command.without, *command.fixed, "verbose"):
            continue
        details = _DETAILS.get(name, {})
        settings = next((kind for kind in members(parameter.annotation)
                         if isinstance(kind, type) and issubclass(kind, Settings)), None)  # fmt: skip
        if settings is None:
            is_argument, default = name in command.arguments, command.defaults.get(name, parameter.default)
            is_first = name == "model" and not command.arguments
            kind = parameter.POSITIONAL_OR_KEYWORD if is_first else parameter.KEYWORD_ONLY
            rows.append(_parameter(
                name, parameter.annotation, (list(default) or None) if isinstance(default, tuple) else default,
                (name.upper(),) if is_argument else _option(name),
                parameter.POSITIONAL_ONLY if is_argument else kind, **details,
            ))  # fmt: skip
            continue
        for key in command.recipe if name == "recipe" else settings.model_fields:
            option = (f"{'--max-' if name == 'limits' else '--'}{key.replace('_', '-')}",)
            hint, meaning = settings.model_fields[key].annotation, settings.meanings()[key]
            rows.append(_parameter(f"{name}__{key}", hint, None, option, help=meaning, **details))
    for name in command.reading:
        hint = inspect.signature(data.load_data).parameters[name].annotation
        rows.append(_parameter(name, hint, None, _option(name), help=_READING[name]))
    if command.recipe and "settings" not in taken:
        words = "Other fields of the recipe, NAME=VALUE; zoo info lists them."
        rows.append(_parameter("settings", dict, None, _option("settings"), help=words))
    rows.append(_parameter("as_json", bool, False, ("--json",), help="Print JSON on standard output."))
    return sorted(filter(None, rows), key=lambda row: (row.kind, row.default is not row.empty))


def _callable(words: str, command: Command) -> Callable[..., Any]:
    """The function that cyclopts calls."""
    signature = inspect.Signature(_parameters(command))
    parts = signature.parameters.values()
    options = {part.name.rpartition("__")[2]: part.annotation.__metadata__[0].name[0] for part in parts}

    def run(*args: Any, **kwargs: Any) -> None:
        try:
            _run(command, dict(signature.bind(*args, **kwargs).arguments))
        except ArgumentError as error:
            # An argument of a model that has no option of its own was passed with `--set`.
            error.args = (f"{options.get(error.parameter, error.parameter)}{error.problem}",)
            raise

    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {part.name: part.annotation for part in parts}
    run.__name__ = words.replace(" ", "_")
    text = inspect.getdoc(command.function) or ""
    run.__doc__ = f"{command.summary}\n\n{text[text.index('Args:') :]}" if command.summary else text
    return run


def _arguments(command: Command, values: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the function of a command, from the values of its options."""
    taken = inspect.signature(command.function).parameters
    arguments: dict[str, Any] = {**command.fixed, **command.defaults}
    settings = _settings(values.pop("settings", None) or ())
    if choose := _settings(values.pop("choose", None) or (), "--choose", "filters=8,16"):
        arguments["choose"] = {
            name: value if isinstance(value, list) else [_setting(part) for part in str(value).split(",")]
            for name, value in choose.items()
        }
    reading = {name: values.pop(name) for name in command.reading if name in values}
    for key, value in values.items():
        name, _, part = key.partition("__")
        if part:
            arguments.setdefault(name, {})[part] = value
        else:
            # Such as groups, which are a number or a word.
            is_number = isinstance(value, str) and int in members(taken[name].annotation)
            arguments[name] = int(value) if is_number and re.fullmatch("-?[0-9]{1,18}", value) else value
    if twice := sorted(settings.keys() & arguments.get("recipe", {}).keys()):
        raise UsageError(f"--set {twice[0]}: is given by {_option(twice[0])[0]} as well; pass one of them")
    if settings:
        place = "settings" if "settings" in taken else "recipe"
        arguments[place] = settings | arguments.get(place, {})
    if reading:
        name = "file" if "file" in taken else "data"
        if arguments.get(name) is None:
            raise ArgumentError(next(iter(reading)), ": applies with --data FILE alone; leave it out")
        arguments[name] = data.load_data(arguments[name], **reading)
    return arguments


def _with_settings(words: Sequence[str]) -> list[str]:
    """The words of a command, with options of a function that it names as settings: `--set filters=24`."""
    command = COMMANDS.get(words[0]) if words else None
    if command is None or not any(re.search(r"\.py:\w+$", word) for word in words):
        return list(words)
    own = {name for row in _parameters(command) for name in row.annotation.__metadata__[0].name}
    made, rest = list[str](), list(words)
    while rest:
        option, equals, value = (word := rest.pop(0)).partition("=")
        if option.startswith("--") and option not in {*own, *_OPPOSITES.values(), "--help"}:
            # What begins with two dashes is the next option.
            value = value if equals or not rest or rest[0].startswith("--") else rest.pop(0)
            made += ["--set", f"{option[2:].replace('-', '_')}={value}"]
        else:
            made.append(word)
    return made


def _run(command: Command, values: dict[str, Any]) -> None:
    """Calls the function of a command, and prints what it returns."""
    as_json = values.pop("as_json", False)
    arguments, names = _arguments(command, values), inspect.signature(command.function).parameters
    if "on_event" in names and as_json:
        arguments["on_event"] = _print_json
    with contextlib.ExitStack() as stack:
        if command.doing is not None:
            step = stack.enter_context(quiet("" if values.get("self_test") is False else command.doing))
            if "on_progress" in names:
                arguments["on_progress"] = step
        elif "on_progress" in names and err.is_terminal:
            status = stack.enter_context(err.status("reading"))
            arguments["on_progress"] = lambda count: status.update(f"reading: {count:,} recordings")
        result = command.function(**arguments)
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
        then = f"zoo train --model {TASKS[result.task].family} --data {shlex.quote(str(result.path))}"
        result = replace(data.describe(result), next=then)
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


def _print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, allow_nan=False), flush=True)


_HELP = """Train small models of motion, photographs and text, and run them on a phone.

First steps: `zoo list`, then `zoo info activity_gru_phone`. `zoo COMMAND --help` explains a command.
`--debug`, anywhere in a command, shows the traceback of an error; `--code FILE` first runs a file of your own, which
registers layers with Keras."""

app = App(
    name="zoo", help=_HELP,
    version=f"pocket-zoo {zoo.__version__}", version_flags="--version", help_format="markdown",
    default_parameter=Parameter(negative=()), result_action="return_value",
    exit_on_error=False, print_error=False, suppress_keyboard_interrupt=False,
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
    """Runs the command line. Ctrl-C exits with 130, and SIGTERM with 143, both after the same cleanup."""
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
    os.environ[COMMAND] = "1"
    if arguments[:3] == ["data", "make", "text"] and any(word.partition("=")[0] == "--text" for word in arguments):
        warn("--text is deprecated and leaves with the next version: `zoo data make text FILE`")
        arguments = [word.removeprefix("--text=") for word in arguments if word != "--text"]
    try:
        with terminable(), library_leftovers():
            _call(_with_settings(_without_code(arguments)))
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
        if debug and not isinstance(error, exceptions.CycloptsError):
            raise
        _fail(*explain(error))
    finally:
        del os.environ[COMMAND]
        os.environ.pop(CODE, None)
    sys.exit(0)


def _without_code(words: list[str]) -> list[str]:
    """The words of a command without `--code FILE`, which runs before it, as each of several does."""
    rest, words_left = list[str](), iter(words)
    for word in words_left:
        name, is_joined, file = word.partition("=")
        if name == "--code":
            door.run(file if is_joined else next(words_left, ""))
        else:
            rest.append(word)
    return rest


def _fail(message: str, status: int) -> NoReturn:
    """Exits with one line on standard error."""
    text = " ".join(message.split())
    say(text if err.is_terminal else f"zoo: {text}", "broken")
    sys.exit(status)


_FILES = ("AlreadyExistsError", "DataLossError", "FailedPreconditionError", "NotFoundError", "PermissionDeniedError")
"""Errors of TensorFlow about files, which their messages name."""


def explain(error: BaseException) -> tuple[str, int]:
    """The message and the exit status for an exception that ended a command. Whatever names no cause is a bug."""
    if isinstance(error, exceptions.CycloptsError):
        return _usage(error), USAGE
    if isinstance(error, ZooError):
        return str(error), error.status
    if isinstance(error, OSError) and (line := _system(error)):
        return line, 1
    if line := full(error):
        return f"{line} ({_first_line(error)}): make room, or choose another folder", 1
    if type(error).__name__ in _FILES and type(error).__module__.startswith("tensorflow"):
        return f"{_first_line(error)}: check that the file exists, is whole, and may be read or written", 1
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return f"out of memory ({_first_line(error)}): ask for less, or close other programs", 1
    report = "this is a bug: please report it with this command, --debug added, and the output of `zoo doctor`"
    return f"unexpected {type(error).__name__}: {_first_line(error)}; {report}", BUG


def _usage(error: exceptions.CycloptsError) -> str:
    """A usage error of cyclopts, which would take several lines to show itself."""
    words = [word for word in (error.command_chain or ()) if not word.startswith("-")]
    help_of = f"see `{' '.join(['zoo', *words, '--help'])}`"
    if isinstance(error, exceptions.MissingArgumentError) and error.argument is not None and not error.argument.tokens:
        return f"missing {error.argument.name.lstrip('-').upper()}; {help_of}"
    if isinstance(error, exceptions.UnknownCommandError) and error.unused_tokens:
        word = error.unused_tokens[0]
        names = [name.split()[-1] for name in (*COMMANDS, *_GROUPS) if name.rpartition(" ")[0] == " ".join(words)]
        if task_named(word) in names:
            return f"no command {printable(word)}: it is called {task_named(word)} since version 0.3.0; {help_of}"
        return f"{unknown_name('command', word, names)}; {help_of}"
    if isinstance(error, exceptions.UnknownOptionError) and (moved := _moved(error)):
        return f"{moved}; {help_of}"
    if isinstance(error, exceptions.UnusedCliTokensError) and error.unused_tokens:
        return f"unexpected {printable(' '.join(error.unused_tokens))}; {help_of}"
    return f"{printable(' '.join(str(error).split())).rstrip('.')}; {help_of}"


def _call(words: list[str]) -> None:
    """Runs a command, in which spaces may separate names as commas do: `--subjects 2 9`."""
    try:
        app(words)
    except exceptions.UnusedCliTokensError as error:
        if not (joined := _joined(error)):
            raise
        _call(joined)


def _joined(error: exceptions.UnusedCliTokensError) -> list[str]:
    """The words of a command with commas for spaces between the names of an option; empty where none has several."""
    command, tokens = COMMANDS.get(" ".join(error.command_chain or ())), list(error.root_input_tokens or ())
    if command is None or (error.unused_tokens or [""])[0] not in tokens:
        return []
    last = tokens.index((error.unused_tokens or [""])[0])
    place = next((place for place in range(last, -1, -1) if tokens[place].startswith("-")), last)
    name, equals, first = tokens[place].partition("=")
    # Until the next option.
    others = list(takewhile(lambda word: not word.startswith("-"), tokens[place + 1 :]))
    several = {
        option
        for row in _parameters(command)
        for option in row.annotation.__metadata__[0].name
        if list[str] in members(get_args(row.annotation)[0]) and row.name != "settings"
    }
    names = ",".join([first] * bool(equals) + others)
    return [*tokens[:place], name, names, *tokens[place + 1 + len(others) :]] if name in several else []


def _moved(error: exceptions.UnknownOptionError) -> str:
    """Where an option of an earlier version has gone; empty for others."""
    option = (error.token.keyword or "").partition("=")[0]
    name = option.lstrip("-").replace("-", "_").removeprefix("no_")
    name = {"min_steps": "steps"}.get(name, name)
    if name not in Recipe.model_fields or not {"train", "finetune", "crossval"} & set(error.command_chain or ()):
        return ""
    return f"{option}: is now --set {name}={'false' if option.startswith('--no-') else 'VALUE'}"


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
        sys.stdout.flush()
        raw, lines = _Output(sys.stdout.fileno(), "w", closefd=False), sys.stdout.isatty()
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw), sys.stdout.encoding, "backslashreplace", line_buffering=lines
        )
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")


class _Output(io.FileIO):
    """Standard output whose errors say so: those of the system name no file."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            # Python would try again when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise StorageError(f"standard output: cannot be written ({error.strerror})") from error
