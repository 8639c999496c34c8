"""TensorFlow Datasets: the zoo's data as sharded builds that `tfds.load` and `zoo.load_data` read.

| builder | configurations | is made of |
|---|---|---|
| `zoo_activity` | `course`; `motionsense_150_75`, `recordings_150_75`, and others of that form | data3.h5; MotionSense's zip; recordings.h5 |
| `zoo_patches` | `course`; `photographs_10240` and others of that form | data1.h5; photographs |
| `zoo_trigrams` | `course`; `text_250` and others of that form | data2.h5; UTF-8 text, one sentence per line |

Importing this package registers them:

    import tensorflow_datasets as tfds
    import zoo.data.tfds

    tfds.load("zoo_activity/motionsense_150_75", data_dir="builds")

Every source first becomes a file in the course's layout, by the zoo's own writers, and is checked by the zoo's own
readers; so a build holds the same rows, in the same order, with the same splits. Shards are ArrayRecord files, which
`tfds.data_source` and the zoo read at any place.

Sources are read in blocks, so that a build larger than memory needs disk alone. With the extra `beam`, Apache Beam reads
the blocks of the course's layout and writes the shards, with as many workers as its runner has: the same rows in the same
order.
"""  # noqa: E501

from zoo.errors import ZooError

try:
    import tensorflow_datasets  # noqa: F401
except ImportError:
    raise ZooError("tensorflow-datasets is not installed: pip install 'pocket-zoo[datasets]'") from None

from zoo.data.tfds.activity import ActivityConfig, ZooActivity
from zoo.data.tfds.builds import build, load, open_build
from zoo.data.tfds.patches import PatchesConfig, ZooPatches
from zoo.data.tfds.text import TrigramsConfig, ZooTrigrams

__all__ = [
    "ActivityConfig", "PatchesConfig", "TrigramsConfig", "ZooActivity", "ZooPatches", "ZooTrigrams", "build", "load",
    "open_build",
]  # fmt: skip
