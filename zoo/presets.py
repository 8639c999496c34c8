"""The table of presets: family, constructor arguments, recipe and training data of each.

A new preset is a new row; `make presets` trains its weights.
"""

from dataclasses import dataclass
from typing import Any

from zoo.errors import unknown_name
from zoo.recipe import Recipe


@dataclass(frozen=True)
class Source:
    """Training data, with its authors and its license.

    Of `studies`, the weights are trained on all people, and the scores are those of cross-validation, in which each
    person, or each study, is left out in turn. `other` are movements of these people that are one class, `other`.
    """

    text: str
    license: str
    studies: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preset:
    """A row of the table. Arguments are those of the constructor that do not follow from the data.

    `tried` are the macro-F1 of recipes that were compared on 69 of the people of its score, from four studies.
    """

    family: str
    description: str
    arguments: dict[str, Any]
    recipe: Recipe
    data: Source
    tried: tuple[float, ...] = ()


_COURSE = Source(
    "MotionSense (Malekzadeh, Clegg, Cavallaro, Haddadi, IoTDI 2019, doi 10.1145/3302505.3310068): 3,000 windows of 15 "
    "people, 500 of each class, in the course's layout",
    "MIT",
)
_STUDIES = Source(
    "110 people from six studies: MotionSense (Malekzadeh et al., 2019), WISDM (Weiss et al., 2019), GeoTec "
    "(Matey-Sanz et al., 2023), Oxford step counter (Salvi et al., 2018), selfBACK (Sani et al., 2017) and DSADS "
    "(Altun et al., 2010)",
    "MIT (MotionSense), CC BY 4.0 (the other five)",
    studies=("motionsense", "wisdm", "geotec", "oxford", "selfback", "dsads"),
    other=(
        "basketball", "catching_ball", "cross_trainer", "cycling", "dribbling_ball", "jumping", "kicking_ball",
        "rowing", "stepper",
    ),
)  # fmt: skip
_PHOTOGRAPHS = Source(
    "8,084 patches of 15 photographs: astronaut, coffee and rocket of scikit-image (public domain, CC0, public "
    "domain), china and flower of scikit-learn (danielbuechele and vultilion, CC BY 2.0), and ten of Debian's "
    "budgie-backgrounds (CC0); four of the 15 are held out",
    "CC BY 2.0 for two photographs, CC0 or public domain for the others",
)
_TEXT = Source(
    "Geoffrey Hinton's 4-grams (three words and the next one) over a vocabulary of 250 words (University of Toronto): "
    "372,500 rows for training",
    "none stated, so the text is not in this repository",
)

# The course sums gradients over its batch of 32, while Keras averages them: learning rates are 32 times those of the
# course, and its limit of 5 on the entries of the gradient becomes 5 / 32.
_COURSE_ARGUMENTS = {"frame": 1, "initializer": "course"}
_COURSE_RECIPE = Recipe(
    optimizer="sgd", learning_rate=32 * 5e-3, momentum=0.85, batch_size=32, steps=2000, parts=50, patience=3,
    validation=0.1, validation_by="window", normalize=False,
)  # fmt: skip

_STUDIES_ARGUMENTS = {
    "units": 32, "num_layers": 2, "frame": 5, "frame_activation": "leaky_relu", "magnitude": True, "window": 150,
}  # fmt: skip
_STUDIES_AUGMENTATION = {
    "pace": 0.25, "smooth": 0.3, "mirror": 0.5, "spin": 180.0, "tilt": 25.0, "scale": 0.1, "intensity": 0.5,
    "clip": 0.2, "noise": 0.3, "half_turn": 0.5, "quarter_turn": 0.1,
}  # fmt: skip
_STUDIES_RECIPE = Recipe(
    optimizer="adam", learning_rate=1e-2, schedule="cosine", warmup_epochs=2, clip_norm=1.0, ema_decay=0.999,
    batch_size=128, steps=2000, parts=20, validation=0.1, label_smoothing=0.1, rejection_rate=0.02,
    augmentation=_STUDIES_AUGMENTATION,
)  # fmt: skip
_POCKET_RECIPE = _STUDIES_RECIPE.replace(parts=30, augmentation=_STUDIES_AUGMENTATION | {"carry": 0.5})

_AUTOENCODER_ARGUMENTS = {"hidden_units": 64, "sparsity_target": 0.04}


def _course_text(embedding: int, hidden_units: int) -> Preset:
    return Preset(
        "trigram_lm",
        f"The course's trigram language model: word embeddings of size {embedding}, {hidden_units} hidden units",
        {"embedding": embedding, "hidden_units": hidden_units},
        Recipe(optimizer="sgd", learning_rate=0.15, momentum=0.85, batch_size=200, epochs=50, patience=5),
        _TEXT,
    )


PRESETS: dict[str, Preset] = {
    "activity_rnn_course": Preset(
        "activity_rnn", "The course's SimpleRNN of 128 units",
        {"units": 128} | _COURSE_ARGUMENTS, _COURSE_RECIPE.replace(learning_rate=32 * 1.5e-5, momentum=0.95), _COURSE,
    ),
    "activity_lstm_course": Preset(
        "activity_lstm", "The course's LSTM of 64 units",
        {"units": 64} | _COURSE_ARGUMENTS,
        _COURSE_RECIPE.replace(learning_rate=32 * 2e-4, momentum=0.75, clip_value=5 / 32, parts=100, validation=0.2),
        _COURSE,
    ),
    "activity_gru_course": Preset(
        "activity_gru", "The course's GRU of 32 units",
        {"units": 32} | _COURSE_ARGUMENTS, _COURSE_RECIPE, _COURSE,
    ),
    "activity_gru_tiny": Preset(
        "activity_gru", "The smallest recognizer: one GRU of 12 units, trained on six studies",
        _STUDIES_ARGUMENTS | {"units": 12, "num_layers": 1}, _POCKET_RECIPE.replace(seed=2), _STUDIES,
    ),
    "activity_gru_pocket": Preset(
        "activity_gru", "A small recognizer: two GRUs of 32 units, trained on six studies",
        _STUDIES_ARGUMENTS, _POCKET_RECIPE, _STUDIES,
    ),
    "activity_gru_phone": Preset(
        "activity_gru", "The recommended recognizer: two GRUs of 64 units, trained on six studies",
        _STUDIES_ARGUMENTS | {"units": 64}, _STUDIES_RECIPE.replace(learning_rate=5e-3), _STUDIES,
        tried=(0.914, 0.918, 0.924),
    ),
    "activity_cnn_pocket": Preset(
        "activity_cnn", "A convolutional recognizer about as large as activity_gru_pocket, trained on six studies",
        {"filters": 60, "magnitude": True, "window": 150},
        _STUDIES_RECIPE.replace(learning_rate=5e-3, parts=30), _STUDIES,
    ),
    "sparse_autoencoder_course": Preset(
        "sparse_autoencoder", "The course's sparse autoencoder of 64 hidden units with tied weights",
        _AUTOENCODER_ARGUMENTS | {"sparsity_weight": 1.0, "weight_decay": 5e-4, "pixels": 256},
        Recipe(
            optimizer="sgd", learning_rate=0.01, momentum=0.85, batch_size=32, epochs=200, patience=None,
            validation=0.25, seed=12,
        ),
        _PHOTOGRAPHS,
    ),
    "sparse_autoencoder_best": Preset(
        "sparse_autoencoder",
        "The best sparse autoencoder: 64 units, a lower error than the course's, the same sparsity target",
        _AUTOENCODER_ARGUMENTS | {"sparsity_weight": 2.0, "weight_decay": 0.0, "pixels": 256},
        Recipe(
            optimizer="adam", learning_rate=0.02, schedule="cosine", warmup_epochs=1, batch_size=256, epochs=200,
            validation=0.25, augmentation={"symmetries": True, "plain": 0.25}, seed=12,
        ),
        _PHOTOGRAPHS,
    ),
    "trigram_lm_course": _course_text(32, 256),
    "trigram_lm_course_16_128": _course_text(16, 128),
    "trigram_lm_course_8_64": _course_text(8, 64),
    "trigram_lm_best": Preset(
        "trigram_lm", "The best language model: two wide hidden layers with dropout",
        {
            "embedding": 64, "hidden_units": 768, "num_layers": 2, "activation": "gelu", "dropout": 0.45,
            "initializer": "wide",
        },
        Recipe(
            optimizer="adamw", learning_rate=4e-3, schedule="cosine", warmup_epochs=1, weight_decay=0.05,
            batch_size=512, epochs=24, merge_contexts=4,
        ),
        _TEXT,
    ),
}  # fmt: skip


def find(name: str, others: tuple[str, ...] = ()) -> Preset:
    """The preset of a name. An unknown one may be meant to be one of the `others`, such as a family."""
    if name not in PRESETS:
        raise unknown_name("preset", name, [*others, *PRESETS])
    return PRESETS[name]
