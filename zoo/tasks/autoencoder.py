"""Sparse autoencoders from end to end: patches in, a trained, measured and exported model out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.special import logit

from zoo import training
from zoo.data import dead_leaves, patches, photographs, pipeline
from zoo.data.augmentation import PatchAugmentation
from zoo.data.examples import Examples, Sliceable
from zoo.data.loading import load_as
from zoo.data.patches import LUMINANCE, PatchData, Scale
from zoo.errors import ZooError
from zoo.evaluation import autoencoder as metrics
from zoo.families import find_family
from zoo.formats import parity, signatures
from zoo.formats.parity import Tolerance
from zoo.layers import kl_sparsity
from zoo.metadata import AutoencoderMetadata
from zoo.models.autoencoder import SparseAutoencoder
from zoo.recipes import Recipe
from zoo.tasks.exporting import Exportable
from zoo.tasks.loading import Loaded
from zoo.tasks.running import Plan
from zoo.tasks.task import Predictions, Source, Task, origin, provenance
from zoo.training import Fitted

COURSE = {"sparsity_target": 0.04, "sparsity_weight": 1.0, "weight_decay": 5e-4}
"""rho, beta and lambda of the course's cost."""

_GOLDEN, _TERMS = 512, 2048
"""Patches that artifacts are compared on, and that the terms of the cost are shown for."""


@dataclass(frozen=True)
class _Part:
    """Rows of a file, to learn from or held out.

    Args:
        rows: Row numbers.
        photographs: Names of the photographs they were cut from; empty where they are not known.
    """

    rows: NDArray[np.int64]
    photographs: tuple[str, ...]


def _split(data: PatchData, recipe: Recipe) -> tuple[_Part, _Part]:
    """Training rows and rows held out, whole photographs where they are known."""
    if not recipe.validation:
        everything = np.arange(len(data.patches))
        return _named(data, everything), _named(data, everything[:0])
    learned_from, held_out = data.hold_out(recipe.validation, recipe.split_by_seed)
    return _named(data, learned_from), _named(data, held_out)


def _named(data: PatchData, rows: NDArray[np.int64]) -> _Part:
    names = () if data.photographs is None else tuple(sorted(set(data.photographs[rows].tolist())))
    return _Part(rows, names)


@dataclass(frozen=True)
class Prepared:
    """A file of patches, read, preprocessed and split once, for any number of trainings.

    Args:
        data: The checked file.
        learned_from: The patches to learn from.
        held_out: The patches held out.
        scale: The constants of the preprocessing, fitted on what is learned from.
        vectors: All patches, preprocessed.
    """

    data: PatchData
    learned_from: _Part
    held_out: _Part
    scale: Scale
    vectors: Sliceable

    def build(self, plan: Plan) -> SparseAutoencoder:
        """Makes the model of a plan."""
        known = {"pixels": self.data.pixels, "scale": self.scale.constants, "seed": plan.recipe.seed, "name": plan.name}
        model: SparseAutoencoder = find_family(plan.family).load()(**known | plan.arguments)
        _check_size(model.pixels, self.data, plan.name)
        return model

    def learned(self, recipe: Recipe) -> tuple[Callable[[int, int], tf.data.Dataset], int]:
        """Endless training batches, from an epoch and of a size, as `training.fit` asks for them; and rows an epoch.

        Raises:
            ZooError: If the augmentation is not one of patches.
        """
        examples = _examples(self.vectors, self.learned_from.rows)
        augmentation = PatchAugmentation.from_json(recipe.augmentation or {})
        batches = partial(pipeline.training_batches, seed=recipe.seed)
        if not augmentation.symmetries:
            return lambda epoch, size: batches(examples, size, first_epoch=epoch), len(examples)
        vectors = np.concatenate([block for block, _ in examples.blocks()])
        turned, repeated = (Examples.all(x, x) for x in (patches.symmetric(vectors), np.tile(vectors, (8, 1))))
        first_plain = recipe.epochs - round(augmentation.plain * recipe.epochs)

        def train(epoch: int, size: int) -> tf.data.Dataset:
            before = max(0, first_plain - epoch) * (len(turned) // size)
            plain = batches(repeated, size, first_epoch=max(epoch, first_plain))
            return batches(turned, size, first_epoch=epoch).take(before).concatenate(plain)

        return train, len(turned)

    def fit(
        self, recipe: Recipe, model: SparseAutoencoder, *, callbacks: Sequence[keras.callbacks.Callback] = (),
        **options: Any,
    ) -> Fitted:  # fmt: skip
        """Trains a model; options are those of `training.fit`."""
        held_out = _examples(self.vectors, self.held_out.rows)
        shown = _examples(self.vectors, _sample(self.learned_from.rows, _TERMS))
        terms = _Terms(np.concatenate([block for block, _ in shown.blocks()]))
        return training.fit(
            model, recipe, *self.learned(recipe),
            # The sparsity term is on a batch's mean, so validation is one batch, or a few of equal size.
            pipeline.batches(held_out, -(-len(held_out) // -(-len(held_out) // 4096))) if len(held_out) else None,
            callbacks=[terms, *callbacks],
            **options,
        )  # fmt: skip

    def scores(self, model: SparseAutoencoder) -> dict[str, float]:
        """`cost` and `mse` of a trained model on the photographs held out.

        The cost is J with the course's constants, whatever the model was trained with, so that models whose sparsity
        and decay weigh differently are compared by the same number.

        Raises:
            ZooError: If nothing is held out.
        """
        if not len(self.held_out.rows):
            raise ZooError(f"{self.data}: nothing is held out to score on: set validation above 0")
        held_out = np.concatenate([block for block, _ in _examples(self.vectors, self.held_out.rows).blocks()])
        error, weights, sparsity = _cost(model, held_out, COURSE)
        return {"cost": error + weights + sparsity, "mse": 2 * error / self.data.pixels}

    def finish(self, recipe: Recipe, model: SparseAutoencoder) -> dict[str, Any]:
        """Records the provenance of a trained model in it, and measures it on the patches held out.

        Returns:
            `train_patches`, `held_out` (photographs), `held_out_patches`, and `validation`: `loss` and `mse`, None
            where nothing is held out.
        """
        limit, low, high = self.scale.constants
        model.scale = (limit, low, high)
        model.provenance = provenance(self.data, held_out=list(self.held_out.photographs))
        validation = None
        if len(self.held_out.rows):
            held_out = np.concatenate([block for block, _ in _examples(self.vectors, self.held_out.rows).blocks()])
            error, weights, sparsity = _cost(model, held_out, model.get_config())
            validation = {"loss": error + weights + sparsity, "mse": 2 * error / self.data.pixels}
        return {
            "train_patches": len(self.learned_from.rows), "held_out": list(self.held_out.photographs),
            "held_out_patches": len(self.held_out.rows), "validation": validation,
        }  # fmt: skip


class _Terms(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Adds the three terms of the cost, on training patches as one batch, to the numbers of each epoch."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        super().__init__()
        self.vectors = vectors

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        assert logs is not None
        logs["error"], logs["weights"], logs["sparsity"] = _cost(self.model, self.vectors, self.model.get_config())


def _cost(
    model: SparseAutoencoder, vectors: NDArray[np.float32], constants: Mapping[str, Any]
) -> tuple[float, float, float]:
    """The three terms of J on patches as one batch: error, weights, sparsity."""
    codes = model.encode(vectors)
    difference = vectors - np.asarray(model.decode(codes))
    kernel = model.get_layer("tied").kernel.numpy()
    return (
        float(0.5 * (difference**2).sum(axis=1).mean()),
        constants["weight_decay"] * float((kernel**2).sum()),
        float(kl_sparsity(codes, constants["sparsity_target"], constants["sparsity_weight"])),
    )


def _examples(vectors: Any, rows: NDArray[np.int64]) -> Examples:
    """An autoencoder wants its own input back."""
    return Examples(vectors, vectors, rows)


def metadata_of(loaded: Loaded) -> AutoencoderMetadata:
    """What an autoencoder says of itself.

    Raises:
        ZooError: If the model is no autoencoder.
    """
    if not isinstance(loaded.metadata, AutoencoderMetadata):
        raise ZooError(f"{loaded.name}: is a {loaded.metadata.family}; expected an autoencoder of patches")
    return loaded.metadata


def _check_size(pixels: int, data: PatchData, name: str) -> None:
    if data.pixels != pixels:
        size, wanted = round(data.pixels**0.5), round(pixels**0.5)
        raise ZooError(
            f"{data}: patches of {size} x {size}; {name} reads {wanted} x {wanted}: cut others with `zoo data "
            f"make patches --size {wanted}`, or train with --set pixels={data.pixels}"
        )


def _parts(loaded: Loaded, data: PatchData, own: bool, split: str) -> tuple[str, _Part, _Part]:
    """What the measured rows are called, those rows, and the ones to fit PCA on."""
    if split not in ("test", "train"):
        raise ZooError(f"split {split!r}: expected test or train")
    everything = _named(data, np.arange(len(data.patches)))
    if not own:
        if split == "train":
            raise ZooError(f"{data}: is not the file that {loaded.name} was trained on, so it has no train part")
        return "whole file", everything, everything
    if "recipe" not in loaded.config:
        out = np.isin(data.photographs, metadata_of(loaded).held_out) if data.photographs is not None else None
        if out is None or not out.any():
            return "whole file", everything, everything
        learned_from, held_out = _named(data, np.flatnonzero(~out)), _named(data, np.flatnonzero(out))
    else:
        learned_from, held_out = _split(data, Recipe.from_json(loaded.config["recipe"]))
    if split == "train" or not len(held_out.rows):
        return "train", learned_from, learned_from
    return "test", held_out, learned_from


def _codes(loaded: Loaded, data: PatchData, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Codes and reconstructions of patches, whatever the model is kept in."""
    codes, found = [], []
    for block in data.blocks(rows):
        code, patch = _encode(loaded, block)
        codes.append(code)
        found.append(patch)
    return np.concatenate(codes), np.concatenate(found)


def _encode(loaded: Loaded, rgb: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Codes and reconstructions of a batch of patches."""
    if loaded.interpreter is not None:
        run = loaded.interpreter.run
        return run("encode", rgb=rgb)["code"], run("reconstruct", rgb=rgb)["patch"]
    codes = np.asarray(loaded.keras_model.encode(Scale(*metadata_of(loaded).scale).apply(rgb)))
    return codes, np.asarray(loaded.keras_model.decode(codes))


def _golden(loaded: Loaded, data: PatchData | None, split: str) -> NDArray[np.float32]:
    size = metadata_of(loaded).size
    if data is None:
        random = np.random.default_rng([7, 2])
        pictures = [dead_leaves.draw(f"dead leaves {number}", 12 * size, random) for number in range(4)]
        return np.concatenate([photographs.cut(picture, _GOLDEN // 4, size, random)[0] for picture in pictures])
    _check_size(size**2, data, loaded.name)
    _, held_out, learned_from = _parts(loaded, data, data.sha256 == loaded.metadata.data_sha256, "test")
    rows = (held_out if split == "test" else learned_from).rows
    return np.concatenate(list(data.blocks(_sample(rows, _GOLDEN))))


def _sample(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Row numbers evenly spaced among some, at most `count`."""
    return np.asarray(rows[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int))])


def kernel(loaded: Loaded) -> NDArray[np.float32]:
    """W `(D, H)`; for an exported file, derived from what `decode` returns for single units."""
    if loaded.interpreter is None:
        return np.asarray(loaded.keras_model.get_layer("tied").kernel.numpy())
    units = metadata_of(loaded).hidden_units
    code = np.concatenate([np.zeros((1, units), np.float32), np.eye(units, dtype=np.float32)])
    before = logit(np.clip(loaded.interpreter.run("decode", code=code)["patch"].astype(np.float64), 1e-6, 1 - 1e-6))
    return np.asarray((before[1:] - before[0]).T, np.float32)


class AutoencoderTask(Task):
    """Sparse autoencoders of patches of natural images."""

    name = "autoencoder"
    data_file = "data1.h5"
    recipe = Recipe(
        optimizer="adam", learning_rate=5e-3, schedule="cosine", batch_size=128, epochs=200, validation=0.2,
        loss="half_squared_error",
    )  # fmt: skip
    unused = ("loss", "label_smoothing", "class_weights", "normalize", "validation_by", "merge_contexts")
    augmentation = PatchAugmentation
    objectives: ClassVar[Mapping[str, str]] = {"cost": "min", "mse": "min"}
    score = "mse"

    def read(self, source: Source, **options: Any) -> PatchData:
        """Checks a file of patches and opens it; `levels` is what white is in it, 1 or 255."""
        return load_as(PatchData, source, **options)

    def prepare(self, data: PatchData, recipe: Recipe) -> Prepared:
        """Holds photographs out, and fits the preprocessing on the others."""
        data = self.read(data)
        learned_from, held_out = _split(data, recipe)
        scale = Scale.fit(data.patches, learned_from.rows)
        return Prepared(data, learned_from, held_out, scale, data.vectors(scale))

    def metadata(self, model: SparseAutoencoder) -> AutoencoderMetadata:
        """What an exported file of an autoencoder says of it."""
        if model.scale is None:
            raise ZooError(f"{model.name}: has no constants of preprocessing: train it with `zoo train`, or set scale")
        return AutoencoderMetadata(
            **origin(model), size=round(model.pixels**0.5), hidden_units=model.hidden_units,
            sparsity_target=model.sparsity_target, scale=tuple(model.scale),
            held_out=tuple((model.provenance or {}).get("held_out", ())),
        )  # fmt: skip

    def evaluate(
        self, loaded: Loaded, data: PatchData, *, split: str = "test", baselines: bool = True
    ) -> dict[str, Any]:  # fmt: skip
        """Measures a model on a file of patches.

        Args:
            loaded: The model.
            data: Patches: of those that it was trained on the photographs held out are measured, of others all.
            split: `test` for those, or `train` for the training patches.
            baselines: PCA is measured in any case.

        Returns:
            The numbers of `metrics.report`, those of `metrics.by_photograph` where the file names its
            photographs, and `model`, `data`, `split`, `photographs`, `simulated`, `notes`.

        Raises:
            ZooError: If the patches are not of the model's size.
        """
        metadata = metadata_of(loaded)
        data = self.read(data)
        digest = data.sha256
        _check_size(metadata.size**2, data, loaded.name)
        name, measured, reference = _parts(loaded, data, digest == metadata.data_sha256, split)
        notes = [*data.notes, *(["simulated pictures: no camera took them"] if data.simulated else [])]
        if measured is reference:
            notes.append("PCA is fitted on the patches that it is measured on, which flatters it")
        if digest == metadata.data_sha256 and name != "test":
            notes.append("training patches: the model was trained on them")
        scale = Scale(*metadata.scale)
        vectors = np.concatenate([scale.apply(block) for block in data.blocks(measured.rows)])
        if not np.ptp(vectors, axis=0).any():
            raise ZooError(f"{data}: {len(vectors)} patches, all equal: expected different ones")
        train_vectors = np.concatenate([scale.apply(block) for block in data.blocks(reference.rows)])
        codes, found = _codes(loaded, data, measured.rows)
        by_photograph = {} if data.photographs is None else metrics.by_photograph(
            vectors, found, data.photographs[measured.rows]
        )  # fmt: skip
        return {
            "model": loaded.name, "data": str(data), "split": name, "data_sha256": digest,
            "photographs": list(measured.photographs), "simulated": data.simulated,
            "sparsity_target": metadata.sparsity_target,
            **metrics.report(vectors, codes, found, metadata.sparsity_target, train_vectors, kernel(loaded)),
            **by_photograph, "notes": notes,
        }  # fmt: skip

    def predict(self, loaded: Loaded, x: Any) -> Predictions:
        """Codes and reconstructions of patches.

        Args:
            loaded: The model.
            x: Patches `(N, 3, S, S)` in [0, 1], or preprocessed ones `(N, S * S)` of a Keras model.
        """
        rows = np.asarray(x, np.float32)
        size = metadata_of(loaded).size
        if rows.shape[1:] == (size**2,) and loaded.model is not None:
            codes = np.asarray(loaded.keras_model.encode(rows))
            found = np.asarray(loaded.keras_model.decode(codes))
        elif rows.shape[1:] == (3, size, size):
            codes, found = _encode(loaded, rows)
        else:
            raise ZooError(f"input: patches of shape {rows.shape}; {loaded.name} reads (N, 3, {size}, {size})")
        return Predictions(np.empty(0, str), np.empty((len(rows), 0), np.float32), (), None, codes, found)

    def exportable(self, loaded: Loaded, data: PatchData | None) -> Exportable:
        """What export must know of an autoencoder.

        Args:
            loaded: The model.
            data: Patches of which those held out are what artifacts are compared on; simulated ones where None.
        """
        metadata, data = metadata_of(loaded), None if data is None else self.read(data)
        scale = Scale(*metadata.scale)

        def inputs(split: str) -> dict[str, dict[str, NDArray[np.float32]]]:
            rgb = _golden(loaded, data, split)
            code = np.asarray(loaded.keras_model.encode(scale.apply(rgb)))
            return {"encode": {"rgb": rgb}, "decode": {"code": code}, "reconstruct": {"rgb": rgb}}

        golden = inputs("test")
        wanted = scale.apply(golden["encode"]["rgb"])
        return Exportable(
            lambda model: signatures.patches(model, metadata.size, metadata.scale, LUMINANCE.tolist()),
            golden,
            # Rounded weights and activations move single numbers; the score says what that costs.
            parity.EXACT | {"float16": Tolerance(0.01), "dynamic": Tolerance(0.2), "int8": Tolerance(0.3)},
            calibration=inputs("train"),
            score=lambda outputs: {"r2": metrics.r2(wanted, outputs["reconstruct"]["patch"])},
        )

    def pictures(self, loaded: Loaded, data: PatchData, count: int = 200) -> dict[str, Any]:
        """Arrays that figures show besides the report: patches, their reconstructions, the filters.

        Args:
            loaded: The model.
            data: What was measured.
            count: Patches to draw at random.

        Returns:
            `rgb (count, 3, S, S)`, `patches` and `reconstructions` `(count, S * S)`, `kernel (S * S, H)`.
        """
        data = self.read(data)
        rows = _parts(loaded, data, data.sha256 == loaded.metadata.data_sha256, "test")[1].rows
        chosen = np.sort(np.random.default_rng(0).choice(rows, min(count, len(rows)), replace=False))
        rgb = np.concatenate(list(data.blocks(chosen)))
        # The rows of a file are those of one photograph after another.
        mixed = np.random.default_rng(1).permutation(len(chosen))
        return {
            "rgb": rgb[mixed],
            "patches": Scale(*metadata_of(loaded).scale).apply(rgb[mixed]),
            "reconstructions": _codes(loaded, data, chosen)[1][mixed],
            "kernel": kernel(loaded),
        }


TASK = AutoencoderTask()
