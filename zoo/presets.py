"""The table of presets: family, constructor arguments, recipe and training data of each.

A new preset is a new row; `make presets` trains its weights.
"""

from dataclasses import dataclass
from typing import Any

from zoo.catalog import unknown_name
from zoo.recipe import Recipe


@dataclass(frozen=True)
class Preset:
    """A row of the table.

    Args:
        family: Key of `zoo.families.FAMILIES`.
        description: Description in one line.
        arguments: Constructor arguments, without those that follow from the data.
        recipe: Recipe of the training.
        data: Training data.
        license: License of the training data.
        note: Remarks on how the preset was made, for its card.
        everyone: Whether the weights were trained on all people of several studies. Scores are then those of
            cross-validation, in which each person, or each study, is left out in turn.
    """

    family: str
    description: str
    arguments: dict[str, Any]
    recipe: Recipe
    data: str
    license: str
    note: str = ""
    everyone: bool = False


_MOTIONSENSE = "MotionSense (Malekzadeh, Clegg, Cavallaro, Haddadi, IoTDI 2019, doi 10.1145/3302505.3310068)"
_COURSE_WINDOWS = f"{_MOTIONSENSE}: 3,000 windows of 15 people, 500 of each class, in the course's layout"

_STUDIES = (
    "69 people from four studies: MotionSense (Malekzadeh et al., 2019), WISDM (Weiss et al., 2019; its label `stairs` "
    "stands for upstairs or downstairs), GeoTec (Matey-Sanz et al., 2023) and Oxford step counter (Salvi et al., 2018)"
)
_STUDIES_LICENSE = "MIT (MotionSense), CC BY 4.0 (WISDM, GeoTec, Oxford step counter)"

_PHOTOGRAPHS = (
    "8,084 patches of 15 photographs: astronaut, coffee and rocket of scikit-image (public domain, CC0, public "
    "domain), china and flower of scikit-learn (danielbuechele and vultilion, CC BY 2.0), and ten of Debian's "
    "budgie-backgrounds (CC0); four of the 15 are held out"
)
_PHOTOGRAPHS_LICENSE = "CC BY 2.0 for two photographs, CC0 or public domain for the others"

_TEXT = (
    "Geoffrey Hinton's 4-grams (three words and the next one) over a vocabulary of 250 words (University of Toronto): "
    "372,500 rows for training"
)
_TEXT_LICENSE = "none stated, so the text is not in this repository"
_TEXT_NOTE = (
    "Sizes and recipe are those of the course. The course draws all weights from N(0, 0.01^2), so that all words look "
    "alike at first and the first epochs learn only word frequencies. The preset uses the default initializers of "
    "Keras instead (embedding uniform, kernels Glorot uniform, biases 0)."
)
_TEXT_BEST_NOTE = (
    "Learning rates, widths and dropout were compared on the validation set, with one seed each. The learning rate "
    "mattered most; dropout of whole words or of the embedding, a third layer, and residual blocks did not help. "
    "Identical contexts are merged into one row whose target is the distribution of the next words. This reduces the "
    "number of rows to 38%, and does not change the cost."
)

_PHOTOGRAPHS_NOTE = (
    "The recipe's seed, 12, decides which photographs are held out. It was chosen from 0 to 19 before anything was "
    "trained on the split: with it, the variance of luminance within patches of the held-out photographs is closest to "
    "that of the others."
)

_BEST_PHOTOGRAPHS_NOTE = (
    f"{_PHOTOGRAPHS_NOTE} Patches are not whitened. They are rotated and mirrored in training, except in its last "
    "quarter, so that the mean activations fit the original patches. The weight of the sparsity term is the "
    "smallest in the table below that keeps the mean activation of every unit within 0.01 of the target in training. "
    "On photographs with more or less contrast, units are more or less active, whatever the weight."
)

_COURSE_NOTE = (
    "Sizes, initialization, learning rates and stopping rule are those of the course, and so is the input, which is "
    "not normalized. The course tested on random windows; here, the test windows are from people who are in no "
    "training window. Validation windows are random, as in the course."
)
_STUDIES_NOTE = (
    "Windows of 200 rows, one starting every 100 rows, are cropped to 150 at a random position and resampled at a "
    "random pace. Two of the five people in the Oxford data may be two of the others under another id, so its scores "
    "may be partly those of people in training. "
)
_POCKET_NOTE = (
    f"{_STUDIES_NOTE}The network has half as many units as activity_gru_phone. The recipe differs in three ways: twice "
    "the learning rate, half again as many epochs, and `carry`, with which half of the training windows start from the "
    "final state of another window. `carry` makes no difference for single windows, and lets a stream keep one state "
    "that never restarts (benchmarks/streaming.py). No other recipe was tried on four studies. Frames, layers, the "
    "magnitude of each row, pace, spin and tilt were chosen earlier, by cross-validation on the people in MotionSense: "
    "the magnitude, a second layer, and a wider range of pace and tilt helped; dropout and more units made no "
    "difference beyond the spread over seeds. A search for other hyperparameters on the same people, limited to files "
    "of at most 32,000 bytes, found nothing better (benchmarks/pocket_search.json)."
)

_TINY_NOTE = (
    f"{_STUDIES_NOTE}The recipe is that of activity_gru_pocket, and was the only one tried. One layer of 12 units was "
    "chosen by size alone: its `int8` file is smaller than 10 kB, including the ids of the training people."
)

_CNN_NOTE = (
    f"{_STUDIES_NOTE}The recipe is that of activity_gru_phone, with 30 epochs instead of 20. The number of filters was "
    "chosen so that there are about as many weights as in activity_gru_pocket. Two changes were tried with one seed, "
    "on four of the ten groups of people and on each study left out. With 128 filters, the network scored about a "
    "point higher on people of known studies, and a point lower on studies left out. Mixing the mean and standard "
    "deviation of the features of two windows (MixStyle, Zhou et al. 2021, arXiv:2104.02008) did not help. Neither did "
    "any of four ideas that were tried on each study left out: pretraining the convolutions to fill in masked parts of "
    "windows, including windows of WISDM's other activities; adding WISDM's movements, such as kicking a ball, as a "
    "class of their own; adding what its people did sitting or standing, such as eating, with a label that stands for "
    "both; and a pace that varies by 45% instead of 25%."
)

_PHONE_NOTE = (
    f"{_STUDIES_NOTE}The recipe was chosen with one seed on the people and studies that are also in the scores above, "
    "so these may be slightly too high. On the same ten groups of people, a learning rate of 0.01 with 30 epochs "
    "reached a macro-F1 of 0.914 and was worse than this recipe in every group, since the loss of such a large "
    "network rises for a while at that rate; 48 units with that rate and 20 epochs reached 0.918. A batch of 128 with "
    "fewer half turns of the phone scored clearly better than one of 64; the two changes were not tried separately. A "
    "batch of 256, weight decay with dropout, and narrower ranges of pace, tilt and intensity made no difference. "
    "Three ideas, tried with 48 units, did not make the network recognize more walking of a study that was left out: "
    "inputs that do not depend on how the phone is held (acceleration along and across gravity), rotating windows "
    "with movement into every orientation, and random gains of slow and of quick movements. If all classes have the "
    "same weight (`class_weights=balanced`), more of the stairs in a study that was left out are recognized, but much "
    "more of its walking is mistaken for stairs; classes are therefore not weighted. The threshold rejects 2% of the "
    "held-out windows of the cross-validation, but few movements that were not in training "
    "(benchmarks/abstention.py). On four of the ten groups of people, the averaged outputs of four other networks, "
    "some purely convolutional and some with a GRU on top of convolutions, scored less than a point higher than the "
    "best of the four, so no network was distilled from such an ensemble."
)

_STUDIES_ARGUMENTS = {
    "units": 32, "num_layers": 2, "frame": 5, "frame_activation": "leaky_relu", "magnitude": True, "window": 150,
}  # fmt: skip
_STUDIES_AUGMENTATION = {
    "pace": 0.25, "smooth": 0.3, "mirror": 0.5, "spin": 180.0, "tilt": 25.0, "scale": 0.1, "intensity": 0.5,
    "clip": 0.2, "noise": 0.3, "half_turn": 0.5, "quarter_turn": 0.1,
}  # fmt: skip
_STUDIES_RECIPE = Recipe(
    optimizer="adam", learning_rate=1e-2, schedule="cosine", warmup_epochs=2, clip_norm=1.0, ema_decay=0.999,
    batch_size=128, epochs=20, min_steps=2000, validation=0.1, label_smoothing=0.1, rejection_rate=0.02,
    augmentation=_STUDIES_AUGMENTATION,
)  # fmt: skip

_POCKET_RECIPE = _STUDIES_RECIPE.replace(epochs=30, augmentation=_STUDIES_AUGMENTATION | {"carry": 0.5})

_COURSE_TEXT = Recipe(optimizer="sgd", learning_rate=0.15, momentum=0.85, batch_size=200, epochs=50, patience=5)

# The course sums gradients over its batch of 32, while Keras averages them: learning rates are 32 times those of the
# course, and its limit of 5 on the entries of the gradient becomes 5 / 32.
PRESETS: dict[str, Preset] = {
    "activity_rnn_course": Preset(
        family="activity_rnn",
        description="The course's SimpleRNN of 128 units",
        arguments={"units": 128, "frame": 1, "initializer": "course"},
        recipe=Recipe(
            optimizer="sgd", learning_rate=32 * 1.5e-5, momentum=0.95, batch_size=32, epochs=50, patience=3,
            validation=0.1, validation_by="window", normalize=False, min_steps=2000,
        ),
        data=_COURSE_WINDOWS,
        license="MIT",
        note=_COURSE_NOTE,
    ),
    "activity_lstm_course": Preset(
        family="activity_lstm",
        description="The course's LSTM of 64 units",
        arguments={"units": 64, "frame": 1, "initializer": "course"},
        recipe=Recipe(
            optimizer="sgd", learning_rate=32 * 2e-4, momentum=0.75, clip_value=5 / 32, batch_size=32, epochs=100,
            patience=3, validation=0.2, validation_by="window", normalize=False, min_steps=2000,
        ),
        data=_COURSE_WINDOWS,
        license="MIT",
        note=_COURSE_NOTE,
    ),
    "activity_gru_course": Preset(
        family="activity_gru",
        description="The course's GRU of 32 units",
        arguments={"units": 32, "frame": 1, "initializer": "course"},
        recipe=Recipe(
            optimizer="sgd", learning_rate=32 * 5e-3, momentum=0.85, batch_size=32, epochs=50, patience=3,
            validation=0.1, validation_by="window", normalize=False, min_steps=2000,
        ),
        data=_COURSE_WINDOWS,
        license="MIT",
        note=_COURSE_NOTE,
    ),
    "activity_gru_tiny": Preset(
        family="activity_gru",
        description="The smallest recognizer: one GRU of 12 units, trained on four studies",
        arguments=_STUDIES_ARGUMENTS | {"units": 12, "num_layers": 1},
        recipe=_POCKET_RECIPE,
        data=_STUDIES,
        license=_STUDIES_LICENSE,
        note=_TINY_NOTE,
        everyone=True,
    ),
    "activity_gru_pocket": Preset(
        family="activity_gru",
        description="A small recognizer: two GRUs of 32 units, trained on four studies",
        arguments=_STUDIES_ARGUMENTS,
        recipe=_POCKET_RECIPE,
        data=_STUDIES,
        license=_STUDIES_LICENSE,
        note=_POCKET_NOTE,
        everyone=True,
    ),
    "activity_gru_phone": Preset(
        family="activity_gru",
        description="The recommended recognizer: two GRUs of 64 units, trained on four studies",
        arguments=_STUDIES_ARGUMENTS | {"units": 64},
        recipe=_STUDIES_RECIPE.replace(learning_rate=5e-3),
        data=_STUDIES,
        license=_STUDIES_LICENSE,
        note=_PHONE_NOTE,
        everyone=True,
    ),
    "activity_cnn_pocket": Preset(
        family="activity_cnn",
        description="A convolutional recognizer about as large as activity_gru_pocket, trained on four studies",
        arguments={"filters": 60, "magnitude": True, "window": 150},
        recipe=_STUDIES_RECIPE.replace(learning_rate=5e-3, epochs=30),
        data=_STUDIES,
        license=_STUDIES_LICENSE,
        note=_CNN_NOTE,
        everyone=True,
    ),
    "sparse_autoencoder_course": Preset(
        family="sparse_autoencoder",
        description="The course's sparse autoencoder of 64 hidden units with tied weights",
        arguments={
            "hidden_units": 64, "sparsity_target": 0.04, "sparsity_weight": 1.0, "weight_decay": 5e-4, "pixels": 256,
        },
        recipe=Recipe(
            optimizer="sgd", learning_rate=0.01, momentum=0.85, batch_size=32, epochs=200, patience=None,
            validation=0.25, loss="half_squared_error", seed=12,
        ),
        data=_PHOTOGRAPHS,
        license=_PHOTOGRAPHS_LICENSE,
        note=_PHOTOGRAPHS_NOTE,
    ),
    "sparse_autoencoder_best": Preset(
        family="sparse_autoencoder",
        description="The best sparse autoencoder: 64 units, a lower error than the course's, the same sparsity target",
        arguments={
            "hidden_units": 64, "sparsity_target": 0.04, "sparsity_weight": 2.0, "weight_decay": 0.0, "pixels": 256,
        },
        recipe=Recipe(
            optimizer="adam", learning_rate=0.02, schedule="cosine", warmup_epochs=1, batch_size=256, epochs=200,
            validation=0.25, loss="half_squared_error", augmentation={"symmetries": True, "plain": 0.25}, seed=12,
        ),
        data=_PHOTOGRAPHS,
        license=_PHOTOGRAPHS_LICENSE,
        note=_BEST_PHOTOGRAPHS_NOTE,
    ),
    "trigram_lm_course": Preset(
        family="trigram_lm",
        description="The course's trigram language model: word embeddings of size 32, 256 hidden units",
        arguments={"embedding": 32, "hidden_units": 256},
        recipe=_COURSE_TEXT.replace(micro_batches=2),
        data=_TEXT,
        license=_TEXT_LICENSE,
        note=_TEXT_NOTE,
    ),
    "trigram_lm_course_16_128": Preset(
        family="trigram_lm",
        description="The course's trigram language model: word embeddings of size 16, 128 hidden units",
        arguments={"embedding": 16, "hidden_units": 128},
        recipe=_COURSE_TEXT,
        data=_TEXT,
        license=_TEXT_LICENSE,
        note=_TEXT_NOTE,
    ),
    "trigram_lm_course_8_64": Preset(
        family="trigram_lm",
        description="The course's trigram language model: word embeddings of size 8, 64 hidden units",
        arguments={"embedding": 8, "hidden_units": 64},
        recipe=_COURSE_TEXT,
        data=_TEXT,
        license=_TEXT_LICENSE,
        note=_TEXT_NOTE,
    ),
    "trigram_lm_best": Preset(
        family="trigram_lm",
        description="The best language model: two wide hidden layers with dropout",
        arguments={
            "embedding": 64, "hidden_units": 768, "num_layers": 2, "activation": "gelu", "dropout": 0.45,
            "initializer": "wide",
        },
        recipe=Recipe(
            optimizer="adamw", learning_rate=4e-3, schedule="cosine", warmup_epochs=1, weight_decay=0.05,
            batch_size=512, epochs=24, merge_contexts=4,
        ),
        data=_TEXT,
        license=_TEXT_LICENSE,
        note=_TEXT_BEST_NOTE,
    ),
}  # fmt: skip


def find(name: str) -> Preset:
    """Finds a preset by name.

    Raises:
        ZooError: If there is no such preset. The message suggests the closest name.

    Example:
        >>> find("activity_gru_course").arguments["units"]
        32
    """
    if name not in PRESETS:
        raise unknown_name("preset", name, list(PRESETS))
    return PRESETS[name]
