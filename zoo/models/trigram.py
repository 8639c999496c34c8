r"""Neural language model: predicts the next word from the C words before it, three by default.

w is a batch of N contexts, (N, C) word ids from 0 to V - 1.

    e = [E[w_1], ..., E[w_C]]       (N, C D)    E (V, D), one row per word, shared by all positions
    h = act(e W + b)                (N, P)      W (C D, P); L - 1 further layers map h to h, each with its own (P, P)
    z = h U + c                     (N, V)      U (P, V): the logits, y = softmax(z)

Loss: the mean over the batch of -log y[d] in nats, where d is the next word. Its exponential is the perplexity. With a
sigmoid activation and one hidden layer this is the network of the course (e, W_ih, b_ih, W_ho, b_ho there).

Number of parameters: V D + (C D P + P) + (L - 1) (P P + P) + P V + V for L hidden layers.

Initialization: `keras`, the defaults of Keras (E uniform in [-0.05, 0.05], W and U Glorot uniform, b and c zero);
`wide`, the same except that E is drawn from N(0, 0.5^2); `course`, all weights from N(0, 0.01^2), including b and c.

Dropout acts in three places, in training only: on whole words, that is, rows of the embedding (`word_dropout`), on the
entries of e (`embedding_dropout`), and on the entries of each h (`dropout`).

Source: Bengio, Ducharme, Vincent, Janvin: A neural probabilistic language model, JMLR 3, 2003, without its direct
connections. Sizes, text and constants of the course are those of Hinton's Neural networks for machine learning, 2012.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import keras
import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray
from scipy.special import softmax

from zoo.errors import ZooError
from zoo.models.layers import Dropout
from zoo.models.model import Depth, Model, Size, check_activation, names_of
from zoo.recipe import Count, Fraction, Seed, checked
from zoo.runtime.vocabulary import context_ids, tokenize


@keras.saving.register_keras_serializable(package="zoo")
class TrigramLM(Model):
    """Language model: maps contexts `(batch, context)` of word ids to logits `(batch, vocabulary)` of the next word.

    Args:
        vocabulary: V, words in the order of their ids, or their number.
        embedding: D, size of the word embeddings, 1 or more.
        hidden_units: P, number of units of each hidden layer, 1 or more.
        context: C, number of previous words, 1 or more.
        activation: act, name of the Keras activation of the hidden layers.
        num_layers: L, number of hidden layers, 1 or more.
        dropout: Dropout rate of the output of each hidden layer, in [0, 1).
        embedding_dropout: Dropout rate of the entries of the embeddings, in [0, 1).
        word_dropout: Dropout rate of whole words of the context, in [0, 1).
        initializer: `keras`, `wide` or `course`.
        provenance: Origin of the weights, as recorded in training: `source`, `simulated`, `license`, `data_sha256`.
        seed: Random seed of the initial weights and of dropout.
        dtype: Keras dtype policy, such as `mixed_float16`. The global policy of Keras by default.
        name: Name of the model.

    Raises:
        ZooError: If an argument is out of range.

    Example:
        >>> model = TrigramLM()
        >>> model(np.array([[5, 9, 2]])).shape
        TensorShape([1, 250])
        >>> model.count_params()
        97082
    """

    loss_name: ClassVar[str] = "cross_entropy"

    def __init__(
        self,
        vocabulary: int | Sequence[str] = 250,
        embedding: Size = 32,
        hidden_units: Size = 256,
        context: Size = 3,
        activation: str = "sigmoid",
        num_layers: Depth = 1,
        dropout: Fraction = 0.0,
        embedding_dropout: Fraction = 0.0,
        word_dropout: Fraction = 0.0,
        initializer: Literal["keras", "wide", "course"] = "keras",
        provenance: Mapping[str, Any] | None = None,
        seed: Seed = 0,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        embedding, hidden_units, context, num_layers, dropout, embedding_dropout, word_dropout = self.checked(
            embedding=embedding, hidden_units=hidden_units, context=context, num_layers=num_layers, dropout=dropout,
            embedding_dropout=embedding_dropout, word_dropout=word_dropout,
        )  # fmt: skip
        initializer, provenance, seed, dtype, name = self.checked(
            initializer=initializer, provenance=provenance, seed=seed, dtype=dtype, name=name
        )
        words = names_of("vocabulary", vocabulary)
        check_activation("activation", activation)
        seeds = iter(np.random.SeedSequence(seed).generate_state(3 * num_layers + 5).tolist())

        def normal() -> keras.initializers.Initializer:
            return keras.initializers.RandomNormal(0.0, 0.01, seed=next(seeds))

        def dense(units: int, activation: str | None, name: str) -> keras.layers.Dense:
            kernel, bias = (
                (normal(), normal()) if initializer == "course"
                else (keras.initializers.GlorotUniform(seed=next(seeds)), "zeros")
            )  # fmt: skip
            return keras.layers.Dense(units, activation, True, kernel, bias, dtype=dtype, name=name)

        starts = {
            "keras": lambda: keras.initializers.RandomUniform(seed=next(seeds)),
            "wide": lambda: keras.initializers.RandomNormal(0.0, 0.5, seed=next(seeds)),
            "course": normal,
        }
        table = starts[initializer]()
        inputs = keras.Input((context,), dtype="int32", name="context")
        e = keras.layers.Embedding(len(words), embedding, table, dtype=dtype, name="embedding")(inputs)
        if word_dropout:
            e = Dropout(word_dropout, (None, context, 1), next(seeds), dtype=dtype, name="word_dropout")(e)
        h = keras.layers.Flatten(dtype=dtype, name="words")(e)
        if embedding_dropout:
            h = Dropout(embedding_dropout, seed=next(seeds), dtype=dtype, name="embedding_dropout")(h)
        for layer in range(1, num_layers + 1):
            h = dense(hidden_units, activation, f"hidden_{layer}")(h)
            if dropout:
                h = Dropout(dropout, seed=next(seeds), dtype=dtype, name=f"dropout_{layer}")(h)
        logits = dense(len(words), None, "logits")(h)
        super().__init__(inputs, logits, provenance=provenance, seed=seed, dtype=dtype, name=name)
        self.vocabulary, self.embedding, self.hidden_units, self.context = words, embedding, hidden_units, context
        self.activation, self.num_layers, self.dropout = activation, num_layers, dropout
        self.embedding_dropout, self.word_dropout, self.initializer = embedding_dropout, word_dropout, initializer

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {
            "vocabulary": list(self.vocabulary), "embedding": self.embedding, "hidden_units": self.hidden_units,
            "context": self.context, "activation": self.activation, "num_layers": self.num_layers,
            "dropout": self.dropout, "embedding_dropout": self.embedding_dropout, "word_dropout": self.word_dropout,
            "initializer": self.initializer, **super().get_config(),
        }  # fmt: skip

    def generate(self, prompt: str, num_words: int = 20, temperature: float = 1.0, seed: int = 0) -> str:
        """Continues a text word by word, drawing each word from the predicted probabilities.

        Args:
            prompt: Beginning of the text, at least `context` words, all of them in the vocabulary.
            num_words: Number of words to generate, 1 or more.
            temperature: Divisor of the logits, greater than 0. Lower values prefer probable words.
            seed: Random seed. The same seed generates the same text.

        Returns:
            The prompt, in lower case and with spaces between all words, and the generated words.

        Raises:
            ZooError: If an argument is out of range, or a word is not in the vocabulary.

        Example:
            >>> model = Model.from_preset("trigram_lm_course")
            >>> model.generate("In the right", num_words=2, temperature=0.01)
            'in the right place at'
        """
        words = sample(
            self.predict_on_batch, self.vocabulary, self.context, prompt, num_words, temperature, seed, self.name
        )
        return " ".join(words)


def sample(
    logits_of: Callable[[NDArray[np.int32]], Any], vocabulary: Sequence[str], context: int, prompt: str, count: int,
    temperature: float, seed: int, name: str,
) -> list[str]:  # fmt: skip
    """The words of a prompt and `count` further words, each drawn by logits `(1, V)` of contexts `(1, context)`."""
    count, seed = checked("num_words", Count, count), checked("seed", Annotated[int, Ge(0)], seed)
    if not checked("temperature", float, temperature) > 0:
        raise ZooError(f"temperature {temperature:g}: expected a number above 0")
    prompt = checked("prompt", str, prompt)
    ids = context_ids(prompt, vocabulary, context, name)
    random, added = np.random.default_rng(seed), []
    for _ in range(count):
        logits = np.asarray(logits_of(np.array([ids], np.int32)), np.float64)[0]
        # At a low temperature, all but the most probable words overflow to a probability of 0.
        with np.errstate(over="ignore"):
            drawn = int(random.choice(len(vocabulary), p=softmax((logits - logits.max()) / temperature)))
        added.append(vocabulary[drawn])
        ids = [*ids[1:], drawn]
    return [*tokenize(prompt), *added]
