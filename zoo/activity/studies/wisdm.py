"""WISDM Smartphone and Smartwatch Activity and Biometrics Dataset: a phone in the trouser pocket, 18 activities.

A line of `data_<id>_accel_phone.txt` is `subject,code,nanoseconds,x,y,z;`, in m/s^2 with Android's sign. Phones were
asked for 20 Hz and delivered 20 to 50; clocks stall. In the first 10 s of sitting and standing, people still move to
their place (one in ten; the typical one 4 s); at the end, within 2 s, nothing but the last row is unusual.
"""

import re
from collections.abc import Iterator
from itertools import groupby

from zoo.activity.recordings import Recording
from zoo.activity.studies.reading import Source

_FIVE = {"A": "walking", "B": "jogging", "C": "stairs", "D": "sitting", "E": "standing"}
_OTHERS = {
    "F": "typing", "G": "brushing_teeth", "H": "eating_soup", "I": "eating_chips", "J": "eating_pasta",
    "K": "drinking", "L": "eating_sandwich", "M": "kicking_ball", "O": "catching_ball", "P": "dribbling_ball",
    "Q": "writing", "R": "clapping", "S": "folding_clothes",
}  # fmt: skip


def read(source: Source) -> Iterator[Recording]:
    """Reads walking, jogging, stairs (up and down are not told apart), sitting and standing, or all activities."""
    activities = _FIVE | _OTHERS if source.others else _FIVE
    for name, text in source.texts():
        subject = re.findall(r"data_(\d+)_", name)[-1]
        rows = source.rows(name, text, ("subject", "code", "time", "x", "y", "z"), end=";")
        for code, group in groupby(rows, key=lambda row: row[1].strip()):
            if code not in activities:
                source.dropped["performances of other activities"] += 1
                continue
            performance = list(group)
            if len(performance) < 2:
                source.dropped["performances of a single row"] += 1
                continue
            values = source.numbers(f"{name}, activity {code}", performance, 2, 3, 4, 5)
            times = source.seconds(f"{name}, activity {code}", values[:, 0], "ns")
            yield from source.recordings(
                name, subject, activities[code], times, values[:, 1:], position="trouser pocket"
            )
