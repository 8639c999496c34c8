"""Part 2 of the course: a trigram language model. Every figure and table of the report, from one file.

    python examples/course/part2.py --data data2.h5 --out part2 [--quick]

On two cores, the full run takes about ten minutes, and `--quick` about one.
"""

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

from report import Report, options

from zoo import loading, train
from zoo.presets import PRESETS
from zoo.report.drawing import training
from zoo.report.markdown import label
from zoo.text import figures
from zoo.text.task import TASK as TRIGRAM
from zoo.text.task import examples

given = options(__doc__, "data2.h5", "part2")
report = Report(given.out, "Part 2: a trigram language model")

# Validation accuracy that the course's report gives for each size.
COURSE = {"trigram_lm_course": 0.3691, "trigram_lm_course_16_128": 0.3436, "trigram_lm_course_8_64": 0.3195}

# %% [markdown]
# ## A. Three sizes

# %%
scratch = TemporaryDirectory()
report.text(f"Data: `{given.data.name}`.", "## A. Three sizes", "D numbers per word, P hidden units.")
models, rows, measured, baselines = {}, [], [], {}
for name, wanted in COURSE.items():
    folder = Path(scratch.name) / name
    train(name, given.data, {"epochs": 5} if given.quick else None, out=folder)
    models[name] = loading.load(str(folder))
    found = TRIGRAM.evaluate(models[name], given.data, split="validation", baselines=not baselines)
    baselines = baselines or found["baselines"]
    history, summary = models[name].history, models[name].config["training"]
    size = f"D, P = {PRESETS[name].arguments['embedding']}, {PRESETS[name].arguments['hidden_units']}"
    report.text(f"### {size}")
    report.figure(f"a_{name}.png", training(history), f"training with {size}")
    rows.append((size, f"{found['top1']:.2%}", f"{wanted:.2%}", f"{found['cross_entropy']:.3f}",
                 f"{len(history)}", f"{summary['seconds']:.0f} s"))  # fmt: skip
    measured.append({"preset": name, "validation_top1": found["top1"], "course": wanted,
                     "cross_entropy": found["cross_entropy"], "epochs": len(history), **summary})  # fmt: skip
rows += [
    (label(name), f"{found['top1']:.2%}", "", f"{found['cross_entropy']:.3f}", "", "")
    for name, found in baselines.items()
]
report.text(
    "### The three sizes",
    "Below them, three models that count words: how often each word occurs, which word follows the last one, and the "
    "4-grams smoothed by the method of Kneser and Ney.",
)
best, rival = (
    max(measured, key=lambda row: row["validation_top1"]),
    max(baselines, key=lambda name: baselines[name]["top1"]),
)
report.headline(
    f"**{best['validation_top1']:.2%} of the next words are predicted** by the best of three networks, "
    f"{baselines[rival]['top1']:.2%} by the best model that counts words ({label(rival)})."
)
report.table(("model", "validation accuracy", "course", "cross-entropy", "epochs", "time"), rows)
report.text(
    "What differs from the course: it starts all weights from N(0, 0.01^2), from where every word looks alike and the "
    "first epochs only learn how often words are; and in its embedding gradient it takes every third column where it "
    "should take three blocks. Here Keras's start and automatic differentiation are used. A file other than the "
    "course's own also has other rows for validation.",
    *(["The text is simulated: nobody wrote it."] if models["trigram_lm_course"].metadata.simulated else []),
)

# %% [markdown]
# ## B. Five random test trigrams

# %%
largest = models["trigram_lm_course"]
answers = examples(largest, TRIGRAM.load_data(given.data))
report.text(
    "## B. Five random test trigrams",
    "The ten most probable words after each, the wanted one in bold where it is among them. The course's report drew "
    "other rows.",
)
for row in answers:
    report.text(f"**{' '.join(row['context'])}** ... wanted: **{row['wanted']}**")
    words = [f"**{next_['word']}**" if next_["word"] == row["wanted"] else next_["word"] for next_ in row["next"]]
    report.table(
        ("", *(str(place) for place in range(1, len(words) + 1))),
        [("word", *words), ("probability", *(f"{next_['probability']:.1%}" for next_ in row["next"]))],
    )

# %%
pictures = TRIGRAM.pictures(largest, given.data)
report.text("The words in the plane, by their embedding:")
report.figure("b_words.png", figures.words(pictures["words"], pictures["places"]), "words")

# %%
scratch.cleanup()
report.numbers = {
    "seed": 0,
    "data_sha256": largest.metadata.data_sha256,
    "sizes": measured,
    "baselines": baselines,
    "examples": answers,
}
print(report.write())
