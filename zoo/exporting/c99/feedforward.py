"""Networks that read all at once as C: the encoder of the autoencoder, and the language model."""

from typing import Any

from zoo.exporting.c99.network import (
    Array,
    Function,
    Layer,
    Network,
    activation_of,
    defined,
    dense,
    function,
    native,
    number,
    texts,
)
from zoo.runtime.metadata import AutoencoderMetadata, TrigramMetadata


def encoder(model: Any, metadata: AutoencoderMetadata, luminance: list[float]) -> Network:
    """Describes the encoder of an autoencoder; `luminance` are the weights of red, green and blue."""
    tied, (limit, low, high) = model.get_layer("tied"), metadata.scale
    constants = dict(zip(("RED", "GREEN", "BLUE"), luminance, strict=True))
    constants |= {"LIMIT": limit, "LOW": low, "SPREAD": high - low}
    code = [
        defined({name: number(value) for name, value in constants.items()}),
        function("zoo_activate(float *code)", activation_of(tied, "code", metadata.hidden_units) or ["(void)code;"]),
        native("c99_encoder.c"),
    ]
    facts = {
        "SIZE": (number(metadata.size), "pixels, width and height of a patch"),
        "CODE": (number(metadata.hidden_units), "values of a code"),
    }
    rgb = {"rgb": Array("float", (3, metadata.size, metadata.size))}
    encode = Function("zoo_encode(rgb, code)", rgb, {"code": Array("float", (metadata.hidden_units,))})
    return Network({"zoo_tied": dense(tied)}, {}, code, facts, [native("c99_encoder.h")], {"encode": encode})


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
    widest = max(metadata.context * model.embedding, units)
    code = [
        texts("zoo_words", metadata.words),
        defined({"READ": widest, "HIDDEN": units, "EMBEDDING": model.embedding}),
        function("zoo_hidden(float *restrict read, float *restrict hidden)", statements),
        native("c99_words.c"),
    ]
    facts = {
        "WORDS": (number(len(metadata.words)), "of the vocabulary"),
        "CONTEXT": (number(metadata.context), "words"),
    }
    probabilities = {"probabilities": Array("float", (len(metadata.words),))}
    ids = {"ids": Array("int32_t", (metadata.context,))}
    next_word = Function("zoo_next_word(ids, probabilities)", ids, probabilities)
    return Network(layers, {}, code, facts, [native("c99_words.h")], {"next_word": next_word})
