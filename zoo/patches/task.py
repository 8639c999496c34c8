"""The task of sparse autoencoders: training, evaluation, prediction and export."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray
from scipy.special import logit

from zoo.data import pipeline
from zoo.data.dataset import Data, DataSet
from zoo.errors import ZooError, option, refuse, setting, shown
from zoo.exporting import signatures
from zoo.exporting.artifacts import EXACT, Exportable, Outputs, Tolerance
from zoo.exporting.c99 import families
from zoo.families import find_family
from zoo.files import new_file, write_arrays
from zoo.loading import Loaded
from zoo.models.autoencoder import SparseAutoencoder
from zoo.models.layers import kl_sparsity
from zoo.models.model import Model
from zoo.patches import data as patches
from zoo.patches import metrics, simulate
from zoo.patches.data import LUMINANCE, Scale
from zoo.provenance import known_of
from zoo.recipe import Recipe, Settings, Share
from zoo.report import markdown
from zoo.results import Document, Predictions
from zoo.runtime.interpreter import floats
from zoo.runtime.metadata import AutoencoderMetadata
from zoo.task import Feed, Split, Task, origin, provenance

if TYPE_CHECKING:
    from zoo.training import Training

COURSE = {"sparsity_target": 0.04, "sparsity_weight": 1.0, "weight_decay": 5e-4}
"""rho, beta and lambda of the cost in the course."""

_BRIGHTEST = 2.0
"""Of patches in [0, 1], filtered ones overshoot a little; 255 times as much is another scale."""

_MORE = 0.01
"""How much greater than that of PCA the error of a model is for a note, as a share."""

_SHOWN = 5
"""Units that a prediction names."""

_GOLDEN, _TERMS = 512, 2048
"""Numbers of patches to compare artifacts on, and to compute the terms of the cost on."""


class PatchAugmentation(Settings):
    """Augmentation of patches."""

    label = "augmentation"

    symmetries: bool = False
    """Whether an epoch shows each patch in all eight symmetries of the square."""
    plain: Share = 0.0
    """Share of the epochs, at the end, that instead show each patch eight times unchanged. Averages, such as the mean
    activation of a unit, then fit the original patches."""


def _sample(part: DataSet, count: int) -> DataSet:
    """At most `count` evenly spaced patches."""
    places = np.linspace(0, len(part) - 1, min(count, len(part))).astype(int)
    return part.where(np.isin(np.arange(len(part)), places))


@dataclass(frozen=True)
class PatchSplit(Split):
    """Patches that have been preprocessed by a scale that was fitted on those for training, and divided."""

    scale: Scale = field(kw_only=True)


def _held_out_scores(model: SparseAutoencoder, held_out: DataSet, constants: Mapping[str, Any]) -> dict[str, float]:
    vectors = held_out.arrays()[0]
    terms = _cost(model, vectors, constants)
    return {"cost": float(sum(terms.values())), "mse": 2 * float(terms["error"]) / vectors.shape[1]}


def _cost(model: SparseAutoencoder, vectors: Any, constants: Mapping[str, Any]) -> dict[str, Any]:
    """The three terms of J on patches as one batch: the scalars `error`, `weights`, `sparsity`."""
    codes = model.encode(vectors)
    difference = vectors - ops.cast(model.decode(codes), "float32")
    return {
        "error": 0.5 * ops.mean(ops.sum(difference**2, axis=1)),
        "weights": constants["weight_decay"] * ops.sum(ops.square(model.get_layer("tied").kernel)),
        "sparsity": kl_sparsity(codes, constants["sparsity_target"], constants["sparsity_weight"]),
    }


def _check_size(pixels: int, data: Data, name: str) -> None:
    size, wanted = data.train.inputs.shape[-1], round(pixels**0.5)
    if size != wanted:
        raise ZooError(
            f"{data}: patches of {size} x {size}; {name} reads {wanted} x {wanted}: cut others with `zoo data "
            f"make patches --size {wanted}`, or train with {setting('pixels', size**2)}"
        )


def _parts(loaded: Loaded, data: Data, split: str) -> tuple[str, DataSet, DataSet]:
    """The name of the evaluated part, its patches, and the patches to fit PCA on."""
    if split not in ("test", "validation", "train"):
        raise ZooError(f"split {shown(split)}: expected test, validation or train")
    if data.sha256 != loaded.metadata.data_sha256:
        if split != "test":
            raise ZooError(f"{data}: is not known to have trained {loaded.name}, so it has no {split} part")
        return "whole file", data.train, data.train
    if "recipe" in loaded.config:
        recipe = Recipe.from_json(loaded.config["recipe"])
        training_part, held_out = patches.hold_out(data, recipe.validation, recipe.split_by_seed)
    else:
        photographs = data.train.column("photograph")
        names = np.full(len(data.train), "") if photographs is None else photographs
        out = np.isin(names, loaded.metadata.held_out)
        if not out.any():
            return "whole file", data.train, data.train
        training_part, held_out = data.train.where(~out), data.train.where(out)
    if split == "train" or not len(held_out):
        return "train", training_part, training_part
    return "validation", held_out, training_part


def _encode_all(loaded: Loaded, part: DataSet) -> list[NDArray[np.float32]]:
    """Preprocessed patches, codes and reconstructions of a data set, computed a block at a time."""
    blocks = zip(*(_encode(loaded, rgb) for rgb, _ in part.blocks()), strict=True)
    return [np.concatenate(arrays) for arrays in blocks]


def _predictions(codes: NDArray[np.float32], reconstructions: NDArray[np.float32]) -> Predictions:
    return Predictions(np.empty(0, str), np.empty((len(codes), 0), np.float32), (), None, codes, reconstructions)


def _encode(loaded: Loaded, rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    """Preprocessed patches, codes and reconstructions of patches, or of vectors that are preprocessed already."""
    vectors = rows if rows.ndim == 2 else Scale(*loaded.metadata.scale).apply(rows)
    if loaded.interpreter is not None:
        run = loaded.interpreter.run
        return vectors, run("encode", rgb=rows)["code"], run("reconstruct", rgb=rows)["patch"]
    codes = np.asarray(loaded.keras_model.encode(vectors))
    return vectors, codes, np.asarray(loaded.keras_model.decode(codes))


def kernel(loaded: Loaded) -> NDArray[np.float32]:
    """W `(D, H)`. For an exported file it is computed from the output of `decode` for single units."""
    if loaded.interpreter is None:
        return np.asarray(loaded.keras_model.get_layer("tied").kernel.numpy())
    units = loaded.metadata.hidden_units
    code = np.concatenate([np.zeros((1, units), np.float32), np.eye(units, dtype=np.float32)])
    before = logit(np.clip(loaded.interpreter.run("decode", code=code)["patch"].astype(np.float64), 1e-6, 1 - 1e-6))
    return np.asarray((before[1:] - before[0]).T, np.float32)


class _Terms(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Adds the terms of the cost of some patches to the history, of the model that is trained: with several devices, a
    copy.
    """

    def __init__(self, patches: tf.Tensor) -> None:
        super().__init__()
        self.patches = patches

    def set_model(self, model: Model) -> None:
        super().set_model(model)
        self.terms = tf.function(lambda: _cost(model, self.patches, model.get_config()))

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        logs.update({name: float(value) for name, value in self.terms().items()})


class AutoencoderTask(Task):
    """Task of sparse autoencoders for patches of natural images."""

    name = "patches"
    recipe = Recipe(
        optimizer="adam", learning_rate=5e-3, schedule="cosine", batch_size=128, epochs=200, validation=0.2,
    )  # fmt: skip
    unused = (
        "label_smoothing", "class_weights", "rejection_rate", "normalize", "validation_by", "merge_contexts", "steps",
    )  # fmt: skip
    augmentation = PatchAugmentation
    fitted = ("scale", "provenance")
    objectives: ClassVar[Mapping[str, str]] = {"cost": "min", "mse": "min"}
    int8_bytes: ClassVar[tuple[int, int] | None] = (7780, 2)
    options = ("out",)

    def match(self, data: Data, name: str, arguments: Mapping[str, Any]) -> Data:
        """Refuses patches of another size."""
        if "pixels" in arguments:
            _check_size(arguments["pixels"], data, name)
        return data

    def split(self, data: Data, recipe: Recipe, *, folds: bool = False) -> PatchSplit:
        """Holds out photographs, and fits the preprocessing on the others."""
        data = self.load_data(data)
        train, held_out = patches.hold_out(data, recipe.validation, recipe.split_by_seed)
        scale = Scale.fit(train)
        vectors = patches.vectors(data.train, scale)
        train, held_out = (part.with_columns({"input": vectors}) for part in (train, held_out))
        return PatchSplit(data, train, held_out if len(held_out) else None, scale=scale)

    def build(self, training: "Training", split: PatchSplit) -> SparseAutoencoder:
        """Creates the model."""
        known = {
            "pixels": split.data.train.inputs.shape[-1] ** 2, "scale": list(split.scale), "seed": training.recipe.seed,
            "name": training.name,
        }  # fmt: skip
        model: SparseAutoencoder = find_family(training.family).load()(**known | training.arguments)
        return model

    def feed(self, model: SparseAutoencoder, split: PatchSplit, recipe: Recipe) -> Feed:
        """Batches of patches, in all symmetries if the recipe says so."""
        train, held_out = split.train, split.validation
        augmentation = PatchAugmentation(**(recipe.augmentation or {}))
        batches, rows = partial(pipeline.training_batches, seed=recipe.seed), len(train)
        of_epochs: Callable[..., tf.data.Dataset] = partial(batches, train)
        if augmentation.symmetries:
            vectors, rows = train.arrays()[0], 8 * rows
            shown = patches.symmetric(vectors), np.tile(vectors, (8, 1))
            turned, repeated = (DataSet.of({"input": rows_of_epoch}) for rows_of_epoch in shown)
            first_plain = recipe.length - round(augmentation.plain * recipe.length)

            def of_epochs(sizes: Sequence[int], first_epoch: int = 0) -> tf.data.Dataset:
                before = max(0, first_plain - first_epoch) * len(sizes)
                plain = batches(repeated, sizes, first_epoch=max(first_epoch, first_plain))
                return batches(turned, sizes, first_epoch=first_epoch).take(before).concatenate(plain)

        sampled = tf.constant(_sample(train, _TERMS).arrays()[0])

        # The sparsity term depends on the mean of a batch, so validation is one batch, or a few of equal size.
        size = 0 if held_out is None else -(-len(held_out) // -(-len(held_out) // 4096))
        validation = None if held_out is None else pipeline.batches(held_out, size)
        return Feed(of_epochs, rows, validation, callbacks=[_Terms(sampled)])

    def scores(self, model: SparseAutoencoder, split: PatchSplit) -> dict[str, float]:
        """`cost` and `mse` of a trained model on the held-out photographs."""
        # The course's own constants, so that models with other weights of the penalties are compared by one measure.
        return _held_out_scores(model, split.validation, COURSE)

    def finish(
        self, model: SparseAutoencoder, split: PatchSplit, recipe: Recipe, learners: Sequence[Model] = ()
    ) -> dict[str, Any]:
        """Returns `train_patches`, `held_out` (photographs), `held_out_patches`, and `validation` (`loss`, `mse`)."""
        model.scale, held_out = tuple(split.scale), split.validation
        names = [] if held_out is None else held_out.names("photograph")
        model.provenance = provenance(model, split.data, held_out=names)
        found = None if held_out is None else _held_out_scores(model, held_out, model.get_config())
        return {
            "train_patches": len(split.train), "held_out": names,
            "held_out_patches": 0 if held_out is None else len(held_out),
            "validation": {"loss": found["cost"], "mse": found["mse"]} if found else None,
        }  # fmt: skip

    def metadata(self, model: SparseAutoencoder) -> AutoencoderMetadata:
        """The metadata of a model's exported files."""
        if model.scale is None:
            raise ZooError(f"{model.name}: has no constants of preprocessing: train it with `zoo train`, or set scale")
        return AutoencoderMetadata(
            **origin(model), size=round(model.pixels**0.5), hidden_units=model.hidden_units,
            sparsity_target=model.sparsity_target, scale=tuple(model.scale),
            held_out=tuple(known_of(model).get("held_out", ())),
        )  # fmt: skip

    def evaluate(
        self, loaded: Loaded, data: Data, *, split: str = "test", baselines: bool = True
    ) -> dict[str, Any]:  # fmt: skip
        """Evaluates a model, and always PCA: on held-out photographs if it was trained on this file, else on all."""
        metadata = loaded.metadata
        data = self.load_data(data)
        digest = data.sha256
        _check_size(metadata.size**2, data, loaded.name)
        name, measured, reference = _parts(loaded, data, split)
        notes = [*data.facts["notes"], *(["simulated pictures: these patches are synthetic"] if data.simulated else [])]
        if measured is reference:
            notes.append("PCA is fitted on the patches that it is evaluated on, so its score is too good")
        if name == "validation":
            notes.append("validation photographs: the training may have chosen its epoch on them; others are a test")
        elif digest == metadata.data_sha256:
            notes.append("training patches: the model was trained on them")
        vectors, codes, reconstructions = _encode_all(loaded, measured)
        if not np.ptp(vectors, axis=0).any():
            raise ZooError(f"{data}: {len(vectors)} patches, all equal: expected different ones")
        scale, names = Scale(*metadata.scale), measured.column("photograph")
        fitted = np.concatenate([scale.apply(rgb) for rgb, _ in reference.blocks()])
        report = metrics.report(vectors, codes, reconstructions, metadata.sparsity_target, fitted, kernel(loaded))
        r2, mse, pca = report["r2"], report["mse"], report["pca_mse"]
        if r2 < 0:
            notes.append(f"R² {r2:.3f} is below 0: the mean of each pixel has a lower error than the reconstructions")
        elif mse > (1 + _MORE) * pca:
            notes.append(f"MSE {mse:.5f} is above that of PCA ({pca:.5f}), whose codes are not sparse")
        return {
            "model": loaded.name, "data": str(data), "split": name, "data_sha256": digest,
            "photographs": measured.names("photograph"), "simulated": data.simulated,
            "sparsity_target": metadata.sparsity_target,
            **report, **({} if names is None else metrics.by_photograph(vectors, reconstructions, names)),
            "notes": notes,
        }  # fmt: skip

    def predict(self, loaded: Loaded, x: Any) -> Predictions:
        """Encodes patches `(N, 3, S, S)` in [0, 1], or for a Keras model preprocessed patches `(N, S * S)`."""
        rows = floats("input", x)
        low, high = float(rows.min(initial=0)), float(rows.max(initial=0))
        if high > _BRIGHTEST or low < 1 - _BRIGHTEST:
            advice = "divide them by 255" if low >= 0 else "do not subtract their mean"
            raise ZooError(f"input: values from {low:g} to {high:g}; {loaded.name} reads patches in [0, 1]: {advice}")
        size = loaded.metadata.size
        known = [(3, size, size), *([] if loaded.model is None else [(size**2,)])]
        if rows.shape[1:] not in known:
            raise ZooError(f"input: patches of shape {rows.shape}; {loaded.name} reads (N, 3, {size}, {size})")
        _, codes, reconstructions = _encode(loaded, rows)
        return _predictions(codes, reconstructions)

    def answer(
        self, loaded: Loaded, x: Any | None, data: Data | None, *, out: str | Path | None = None
    ) -> Predictions | Document:
        """What `zoo.predict` returns for patches; for a photograph, or all patches of data, it can write the codes."""
        if (x is None) == (data is None):
            raise ZooError(
                f"{loaded.name}: expected one of: a photograph such as photo.jpg, {option('data', 'FILE')}, or patches "
                "(in Python)"
            )
        if data is None and not isinstance(x, str | Path):
            refuse(f"applies with a photograph or {option('data', 'FILE')} alone", out=out)
            return self.predict(loaded, x)
        size, path = loaded.metadata.size, None if out is None else Path(out)
        if path is not None and path.suffix != ".npz":
            raise ZooError(f"out {path}: expected a name that ends in .npz")
        # What cannot be written to is refused before the work.
        with nullcontext() if path is None else new_file(path, False):
            if data is None:
                part = DataSet.of({"input": patches.tiles(patches.open_photograph(Path(str(x))), size)})
            else:
                _check_size(size**2, data, loaded.name)
                part = data.train
            vectors, codes, reconstructions = _encode_all(loaded, part)
            if path is not None:
                write_arrays(path, codes=codes, reconstructions=reconstructions, patches=vectors)
        means = codes.mean(axis=0)
        document = {
            "model": loaded.name, "data": str(x if data is None else data), "patches": len(codes),
            "units": codes.shape[1], "mean_activation": float(codes.mean()),
            "strongest_units": {str(unit): round(float(means[unit]), 3) for unit in np.argsort(-means)[:_SHOWN]},
            "mse": float(np.square(reconstructions - vectors).mean()), **({} if path is None else {"out": str(path)}),
        }  # fmt: skip
        what, render = "codes and reconstructions", markdown.document
        written, then = (
            (f"{what} in {path}", "") if path else ("", f"add {option('out', 'FILE.npz')}, which writes {what}")
        )
        if data is not None:
            return Document(document, render, written=written, next=then)
        encoded = _predictions(codes, reconstructions)
        return replace(encoded, document=document, render=render, written=written, next=then)

    def exportable(self, loaded: Loaded, data: Data | None) -> Exportable:
        """Compares artifacts on held-out patches, or on simulated ones without data."""
        metadata, size = loaded.metadata, loaded.metadata.size
        scale = Scale(*metadata.scale)
        if data is None:
            random = np.random.default_rng([7, 2])
            pictures = [simulate.draw(f"dead leaves {number}", 12 * size, random) for number in range(4)]
            drawn = np.concatenate([patches.cut(picture, _GOLDEN // 4, size, random)[0] for picture in pictures])
            test = train = DataSet.of({"input": drawn})
        else:
            data = self.load_data(data)
            _check_size(size**2, data, loaded.name)
            _, test, train = _parts(loaded, data, "test")

        def inputs(part: DataSet) -> dict[str, dict[str, NDArray[np.float32]]]:
            rgb = _sample(part, _GOLDEN).arrays()[0]
            code = np.asarray(loaded.keras_model.encode(scale.apply(rgb)))
            return {"encode": {"rgb": rgb}, "decode": {"code": code}, "reconstruct": {"rgb": rgb}}

        golden = inputs(test)
        wanted = scale.apply(golden["encode"]["rgb"])

        def score(outputs: Mapping[str, Outputs]) -> dict[str, float]:
            # C code is the encoder alone.
            return {"r2": metrics.r2(wanted, outputs["reconstruct"]["patch"])} if "reconstruct" in outputs else {}

        return Exportable(
            lambda model: signatures.patches(model, size, metadata.scale, LUMINANCE.tolist()),
            golden,
            # Rounding changes some outputs considerably; the score shows the effect on the whole.
            EXACT | {
                "float16": Tolerance(0.01), "dynamic": Tolerance(0.2), "int8": Tolerance(0.3),
                "c99": EXACT["float32"], "c99_int8": Tolerance(0.3),
            },
            calibration=inputs(train),
            code=dict.fromkeys(
                ("c99", "c99_int8"), lambda model: families.encoder(model, metadata, LUMINANCE.tolist())
            ),
            score=score, simulated=data is None,
        )  # fmt: skip

    def pictures(
        self, loaded: Loaded, data: Data, split: str = "test", count: int = 200
    ) -> dict[str, Any]:  # fmt: skip
        """Random patches of a split: `rgb (count, 3, S, S)`, `patches`, `reconstructions (count, S * S)`; `kernel`."""
        data = self.load_data(data)
        part = _parts(loaded, data, split)[1]
        rows = np.random.default_rng(0).choice(part.rows, min(count, len(part)), replace=False)
        chosen = part.where(np.isin(part.rows, rows))
        vectors, _, reconstructions = _encode_all(loaded, chosen)
        # The rows of a file are ordered by photograph.
        mixed = np.random.default_rng(1).permutation(len(chosen))
        arrays = {"rgb": chosen.arrays()[0], "patches": vectors, "reconstructions": reconstructions}
        return {name: array[mixed] for name, array in arrays.items()} | {"kernel": kernel(loaded)}


TASK = AutoencoderTask()
