"""Networks that read all at once as C: the encoder of the autoencoder, and the language model."""

from typing import Any

from zoo.exporting.c99.network import Array, Function, Layer, Network, activation_of, dense, number, text
from zoo.runtime.metadata import AutoencoderMetadata, TrigramMetadata

_ENCODER_HEADER = """
/* Encodes a patch: three planes of ZOO_SIZE by ZOO_SIZE values in [0, 1], red, green, blue; writes ZOO_CODE values. */
void zoo_encode(const float *rgb, float *code);
""".strip()

_ENCODER = """
void zoo_encode(const float *restrict rgb, float *restrict code)
{{
    const int pixels = ZOO_SIZE * ZOO_SIZE;
    float gray[ZOO_SIZE * ZOO_SIZE], mean = 0.0F;
    for (int i = 0; i < pixels; ++i) {{
        gray[i] = {red} * rgb[i] + {green} * rgb[pixels + i] + {blue} * rgb[2 * pixels + i];
        mean += gray[i];
    }}
    mean /= (float)pixels;
    for (int i = 0; i < pixels; ++i)
        gray[i] -= mean;
    zoo_limit(gray, pixels, {limit});
    for (int i = 0; i < pixels; ++i)
        gray[i] = 0.1F + 0.8F * (gray[i] - {low}) / {spread};
    zoo_dense(&zoo_tied, gray, code);
    {activation}
}}
""".strip()

_WORDS_HEADER = """
extern const char *const zoo_words[ZOO_WORDS];

/* The id of a word, from 0, or -1 where the vocabulary lacks it. */
int32_t zoo_id(const char *word);

/* Reads the ids of ZOO_CONTEXT words, and writes ZOO_WORDS probabilities of the next word. Returns 0, or -1 where an
   id is not that of a word: then no probability is written. */
int zoo_next_word(const int32_t *ids, float *probabilities);
""".strip()

_WORDS = """
const char *const zoo_words[ZOO_WORDS] = {{
    {words},
}};

int32_t zoo_id(const char *word)
{{
    for (int32_t id = 0; id < ZOO_WORDS; ++id) {{
        int i = 0;
        while (word[i] != 0 && word[i] == zoo_words[id][i])
            ++i;
        if (word[i] == zoo_words[id][i])
            return id;
    }}
    return -1;
}}

int zoo_next_word(const int32_t *restrict ids, float *restrict probabilities)
{{
    float read[{widest}], hidden[{units}];
    for (int i = 0; i < ZOO_CONTEXT; ++i)
        if (ids[i] < 0 || ids[i] >= ZOO_WORDS)
            return -1;
    for (int i = 0; i < ZOO_CONTEXT; ++i)
        zoo_row(&zoo_embedding, ids[i], read + i * {embedding});
    {statements}
    zoo_dense(&zoo_logits, hidden, probabilities);
    zoo_softmax(probabilities, ZOO_WORDS);
    return 0;
}}
""".strip()


def encoder(model: Any, metadata: AutoencoderMetadata, luminance: list[float]) -> Network:
    """Describes the encoder of an autoencoder; `luminance` are the weights of red, green and blue."""
    tied, (limit, low, high) = model.get_layer("tied"), metadata.scale
    names = dict(zip(("red", "green", "blue"), map(number, luminance), strict=True))
    code = _ENCODER.format(
        **names, limit=number(limit), low=number(low), spread=number(high - low),
        activation="\n    ".join(activation_of(tied, "code", metadata.hidden_units)),
    )  # fmt: skip
    facts = {
        "SIZE": (number(metadata.size), "pixels, width and height of a patch"),
        "CODE": (number(metadata.hidden_units), "values of a code"),
    }
    rgb = {"rgb": Array("float", (3, metadata.size, metadata.size))}
    encode = Function("zoo_encode(rgb, code)", rgb, {"code": Array("float", (metadata.hidden_units,))})
    return Network({"zoo_tied": dense(tied)}, {}, [code], facts, [_ENCODER_HEADER], {"encode": encode})


def language_model(model: Any, metadata: TrigramMetadata) -> Network:
    """Describes a language model."""
    table = model.get_layer("embedding").embeddings.numpy()
    layers = {"zoo_embedding": Layer(table), "zoo_logits": dense(model.get_layer("logits"))}
    units, statements = model.hidden_units, list[str]()
    for place in range(1, model.num_layers + 1):
        layer, name = model.get_layer(f"hidden_{place}"), f"zoo_hidden_{place}"
        layers[name] = dense(layer)
        statements += [f"zoo_copy(read, hidden, {units});"] if place > 1 else []
        statements += [f"zoo_dense(&{name}, read, hidden);", *activation_of(layer, "hidden", units)]
    code = _WORDS.format(
        words=",\n    ".join(map(text, metadata.words)), widest=max(metadata.context * model.embedding, units),
        units=units, embedding=model.embedding, statements="\n    ".join(statements),
    )  # fmt: skip
    facts = {
        "WORDS": (number(len(metadata.words)), "of the vocabulary"),
        "CONTEXT": (number(metadata.context), "words"),
    }
    probabilities = {"probabilities": Array("float", (len(metadata.words),))}
    ids = {"ids": Array("int32_t", (metadata.context,))}
    function = Function("zoo_next_word(ids, probabilities)", ids, probabilities)
    return Network(layers, {}, [code], facts, [_WORDS_HEADER], {"next_word": function})
