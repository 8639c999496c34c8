"""Models: which there are, what they are, and what they predict."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Gt

from zoo import catalog
from zoo.api import door
from zoo.errors import ZooError, refuse
from zoo.presets import PRESETS
from zoo.recipe import Columns
from zoo.report import markdown, results
from zoo.results import Document, Predictions, Records, Result


@door.public
def list_presets(family: door.Names | None = None) -> Records:
    """Lists the presets whose weights are installed, with their sizes and scores.

    Args:
        family: Name of a family, or a prefix such as `activity`, or several. All presets by default.

    Returns:
        Names of presets; prints as a table, and `to_json()` has a record for each.

    Raises:
        ZooError: If no family has that name or prefix.

    Example:
        >>> list_presets("activity_gru").to_json()[0]["license"]
        'MIT'
        >>> list(list_presets("sparse"))[:1]
        ['sparse_autoencoder_course']
    """
    rows, installed = results.presets(door.names_of(family)), catalog.preset_names()
    return Records([row["preset"] for row in rows if row["preset"] in installed], results.preset_table, rows)


@door.public
def info(model: door.Model) -> Document:
    """Describes a preset, with its scores and the settings of its recipe, or a folder or a file.

    Args:
        model: A preset, a folder, or a .keras or .tflite file.

    Raises:
        ZooError: If there is no such model.

    Example:
        >>> info("activity_gru_course")["class"]
        'ActivityGRU'
    """
    name = str(model)
    if name.endswith(".tflite"):
        from zoo.runtime.metadata import extract

        return Document(extract(Path(name)).to_json(), markdown.document)
    if name.endswith(".keras"):
        door.require_file(model)
        return Document(door.load(model).metadata.to_json(), markdown.document)
    folder = catalog.find_folder(name)
    document = catalog.read_config(folder)
    if name in PRESETS and folder == catalog.PRESETS_FOLDER / name:
        if metrics := catalog.preset_metrics(name):
            overview = partial(results.preset_overview, name, PRESETS[name], metrics)
            return Document(document, lambda config: overview(config) + results.recipe(config["recipe"]))
    elif {"metadata", "training", "data"} <= set(document):
        try:
            results.folder_overview(name, document)
        except Exception as error:
            # Templates raise anything from KeyError to jinja2.UndefinedError.
            why = f"{folder / 'config.json'}: holds other values than `zoo train` writes"
            raise ZooError(f"{why} ({type(error).__name__}: {error}): train again, or undo the changes") from error
        return Document(document, partial(results.folder_overview, name))
    return Document(document, markdown.document)


@door.public
def predict(
    model: door.Model,
    x: door.Array | Sequence[Any] | door.FilePath | None = None,
    *,
    data: door.Source | None = None,
    csv: door.FilePath | None = None,
    rate: door.Rate | None = None,
    columns: Columns | Mapping[str, Any] | None = None,
    hop: door.Count | None = None,
    threshold: door.Share | None = None,
    top: door.Count | None = None,
    generate: door.Count | None = None,
    temperature: Annotated[float, Gt(0)] | None = None,
    seed: door.Seed | None = None,
    neighbors: str | None = None,
    out: door.FilePath | None = None,
) -> Predictions | Result:
    """Predicts activities, next words, or codes of patches.

    Args:
        model: A preset, a folder, or a .keras or .tflite file; in Python also a model.
        x: Text for a language model; a photograph for an autoencoder, which encodes its patches row by row. In Python
            also word ids `(N, context)`; for a recognizer, windows `(N, window, channels)` in m/s^2, a DataFrame, or
            the path of a CSV file; for an autoencoder, patches `(N, 3, S, S)` in [0, 1].
        data: Data file, or `tfds:NAME`. Predicts its test windows, five random test rows of a text, or all patches.
        csv: CSV file with columns x, y, z and time.
        rate: Sampling rate in Hz, of windows or of a CSV file without time stamps.
        columns: How a CSV file is read.
        hop: Rows between the starts of windows of a CSV file. Half a window by default.
        threshold: Probability below which the answer is "not sure"; 0 to always answer.
        top: Number of words to show. 10 by default.
        generate: Number of words to generate after the text.
        temperature: With `generate`: lower values prefer probable words. 1 by default.
        seed: Seed of `generate` and of the choice of rows of `data`. 0 by default.
        neighbors: Show words similar to this one.
        out: File (.npz) for codes and reconstructions of the patches of a photograph or of `data`.

    Returns:
        `labels`, `probabilities` and `times`; for an autoencoder, `codes` and `reconstructions`.

    Raises:
        ZooError: If the input does not fit the model.

    Example:
        >>> predict("trigram_lm_course", "in the right").labels.shape
        (1,)
    """
    door.require_model(model)
    door.require_file(data)
    loaded = door.load(model)
    task = loaded.task
    options = {
        "csv": csv, "rate": rate, "columns": columns, "hop": hop, "threshold": threshold, "top": top,
        "generate": generate, "temperature": temperature, "seed": seed, "neighbors": neighbors, "out": out,
    }  # fmt: skip
    taken = {name: options.pop(name) for name in task.options}
    refuse(f"does not apply to {loaded.name}", **options)
    inputs = x
    if isinstance(x, list) and x and all(isinstance(word, str) for word in x):
        if len(x) > 1 and any(len(word.split()) > 1 for word in x):
            raise ZooError(f"input: {len(x)} texts; expected one, or the words of one: predict one after another")
        inputs = " ".join(x)
    return task.answer(loaded, inputs, door.read(task, data, default=False), **taken)


@door.public
def adopt(
    network: Any,
    *,
    classes: str | Sequence[str],
    rate: door.Rate,
    window: door.Count | None = None,
    unit: Literal["m/s^2", "g"] = "m/s^2",
    name: str | None = None,
) -> Any:
    """Makes a recognizer of a Keras model that was trained elsewhere, by whatever loss.

    The recognizer is evaluated, exported, streamed, served and trained further like any other; the model stays as it
    is. Its input statistics are its own: nothing is normalized. A softmax in it is left to the calibration. Of one of
    the zoo's own, the calibration is kept, and its training is not known.

    Args:
        network: Keras model from windows `(batch, window, channels)` to logits or probabilities `(batch, classes)`. It
            may have a `call` of its own if Keras can build it again from its `get_config`.
        classes: Labels, in the order of its outputs.
        rate: Sampling rate of its windows in Hz.
        window: Rows of its windows, if the model does not state them.
        unit: Unit of acceleration that it was trained on. Recognizers and files read m/s^2.
        name: Name of the recognizer: letters, digits, `.`, `_` and `-`.

    Returns:
        The recognizer, an `ActivityNetwork`.

    Raises:
        ZooError: If the model does not map windows of 3 or 6 channels to a number for each label, or if Keras cannot
            build it again, or builds one that answers otherwise.

    Example:
        >>> import keras
        >>> layers = [keras.layers.Conv1D(8, 5, activation="relu"), keras.layers.GlobalMaxPooling1D()]
        >>> own = keras.Sequential([keras.Input((128, 3)), *layers, keras.layers.Dense(2, activation="softmax")])
        >>> adopt(own, classes=("still", "moving"), rate=50.0).classes
        ('still', 'moving')
    """
    door.load_keras()
    from zoo.models import network as networks

    return networks.adopt(network, door.names_of(classes), rate, window, in_g=unit == "g", name=name)


@door.public
def check(
    model: door.Plan,
    *,
    window: door.Count = 150,
    channels: Literal[3, 6] = 3,
    classes: door.Names | None = None,
    rate: door.Rate = 50.0,
    settings: Mapping[str, Any] | None = None,
) -> Records:
    """Checks what a network must promise to be trained, exported and run on a device. It takes some seconds.

    Args:
        model: FILE:FUNCTION, a function of your own that builds a Keras network, as for `zoo train`; in Python also the
            function itself, or a Keras model. A preset or a model of a file is checked as well.
        window: Rows of the windows that a function gets.
        channels: Their channels.
        classes: Their labels. By default those of the zoo's recognizers.
        rate: Their sampling rate in Hz.
        settings: Options of the function, by name.

    Returns:
        A record for each check, with its `check` and what is `wrong`, None if nothing is.

    Raises:
        ZooError: If there is no such function. A check that fails is a record, and ends the command with status 1.

    Example:
        >>> import keras
        >>> layers = [keras.layers.GlobalMaxPooling1D(), keras.layers.Dense(2)]
        >>> check(keras.Sequential([keras.Input((128, 3)), *layers]))[1]["check"]
        'the same answers alone, in a batch, and again'
    """
    from zoo.exporting.formats import Converter
    from zoo.runtime.metadata import CLASSES

    labels = tuple(door.names_of(classes)) or CLASSES
    facts = {"window": window, "channels": channels, "classes": labels, "rate": rate}
    with Converter() as converter:
        # It imports TensorFlow while this process does.
        converter.start()
        door.load_keras()
        from zoo.promises import examine

        found = examine(model, facts, settings or {}, converter)
        rows = [{"check": name, "wrong": wrong or None} for name, wrong in found]
    wrong = next((f"{row['check']}: {row['wrong']}" for row in rows if row["wrong"]), "")

    def table(records: Sequence[Mapping[str, Any]]) -> str:
        return markdown.table(["check", "result"], [[row["check"], "no" if row["wrong"] else "yes"] for row in records])

    return Records(rows, table, failure=wrong)


@door.public
def push(model: door.FilePath, address: str, *, private: bool = False) -> Document:
    """Publishes a model on a hub: its card, its files and the license. Needs `pip install 'pocket-zoo[hub]'`.

    Log in once with `hf auth login`. Afterward, the address works wherever the name of a preset does.

    Args:
        model: A preset, or a folder written by `zoo train`, `zoo finetune` or `Model.save_to_preset`.
        address: Where to publish it: `hf://owner/name`. The repository is created if there is none.
        private: Whether only its owner can see a repository that is created.

    Returns:
        `published`: the address with the commit.

    Raises:
        ZooError: If there is no such model, the package is missing, or the hub refuses.

    Example:
        >>> push("activity_gru_course", "hf://owner")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: hf://owner: expected hf://owner/name, or hf://owner/name@revision
    """
    from zoo import hub

    folder = catalog.find_folder(model)
    if (folder / "config.json").is_file():
        catalog.read_config(folder)
    return Document({"published": hub.push(folder, address, private=private)}, markdown.document)
