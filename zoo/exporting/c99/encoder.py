"""The encoder of the autoencoder as C, with the preprocessing of its patches."""

from typing import Any

from zoo.exporting.c99.literals import number
from zoo.exporting.c99.network import Array, Function, Network, activation_of, dense
from zoo.runtime.metadata import AutoencoderMetadata

_HEADER = """
/* Encodes a patch: three planes of ZOO_SIZE by ZOO_SIZE values in [0, 1], red, green, blue; writes ZOO_CODE values. */
void zoo_encode(const float *rgb, float *code);
""".strip()

_CODE = """
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


def network(model: Any, metadata: AutoencoderMetadata, luminance: list[float]) -> Network:
    """Describes the encoder of an autoencoder.

    Args:
        model: Keras model.
        metadata: Its metadata.
        luminance: Weights of red, green and blue.
    """
    tied, (limit, low, high) = model.get_layer("tied"), metadata.scale
    names = dict(zip(("red", "green", "blue"), map(number, luminance), strict=True))
    code = _CODE.format(
        **names, limit=number(limit), low=number(low), spread=number(high - low),
        activation="\n    ".join(activation_of(tied, "code", metadata.hidden_units)),
    )  # fmt: skip
    facts = {
        "SIZE": (number(metadata.size), "pixels, width and height of a patch"),
        "CODE": (number(metadata.hidden_units), "values of a code"),
    }
    rgb = {"rgb": Array("float", (3, metadata.size, metadata.size))}
    encode = Function("zoo_encode(rgb, code)", rgb, {"code": Array("float", (metadata.hidden_units,))})
    return Network({"zoo_tied": dense(tied)}, {}, [code], facts, [_HEADER], {"encode": encode})
