"""Image captioning with a recurrent network: the reference solution.

An image enters once, as the first hidden state; from then on the network reads a word and predicts
the next one:

    h_0 = features W_proj + b_proj
    h_t = cell(W_embed[word_t], h_{t-1})          word_1 = <START>
    scores_t = h_t W_vocab + b_vocab              of word_{t+1}

In training ``word_t`` is the t-th word of the true caption, in sampling the network's own last
prediction.

Letters used in shapes
    N batch size, T time steps, D image features, W word vector, H hidden units, V vocabulary size.
    G is 1 for the vanilla RNN and 4 for the LSTM, whose four gates lie side by side.

Sources: question q5; Vinyals et al., "Show and tell" (2015); Karpathy & Fei-Fei, "Deep
visual-semantic alignments" (2015), for the image as the first hidden state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

if __package__:
    from . import rnn_layers as nn
else:  # beside a student's files
    import rnn_layers as nn

Array = npt.NDArray[Any]

GATES = {"rnn": 1, "lstm": 4}
INITIAL_WEIGHTS_SEED = 0


class CaptioningRNN:
    """Produces a caption for an image from its feature vector.

    Attributes:
        params: the weights by name: ``W_proj`` (D, H) and ``b_proj`` (H,) from the image to the
            first hidden state; ``W_embed`` (V, W), a word vector per row; ``Wx`` (W, G*H), ``Wh``
            (H, G*H) and ``b`` (G*H,) of the cell; ``W_vocab`` (H, V) and ``b_vocab`` (V,) from a
            hidden state to the scores of the next word.
    """

    def __init__(
        self,
        word_to_idx: Mapping[str, int],
        input_dim: int = 512,
        wordvec_dim: int = 128,
        hidden_dim: int = 128,
        cell_type: str = "rnn",
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        """Draw initial weights for a vocabulary (word -> id, V words) and the sizes D, W, H."""
        if cell_type not in GATES:
            raise ValueError(f"cell_type: got {cell_type!r}, expected one of {sorted(GATES)}")
        self.cell_type = cell_type
        self.null = word_to_idx["<NULL>"]
        self.start = word_to_idx.get("<START>")
        self.params: dict[str, Array] = {}

        D, W, H, V = input_dim, wordvec_dim, hidden_dim, len(word_to_idx)
        rng = np.random.default_rng(INITIAL_WEIGHTS_SEED)
        shapes = {
            "W_proj": (D, H),
            "W_embed": (V, W),
            "Wx": (W, GATES[cell_type] * H),
            "Wh": (H, GATES[cell_type] * H),
            "W_vocab": (H, V),
        }
        for name, shape in shapes.items():
            # A product with n inputs keeps the variance of its inputs if the weights have 1 / n.
            scale = 0.01 if name == "W_embed" else 1 / np.sqrt(shape[0])
            self.params[name] = (scale * rng.standard_normal(shape)).astype(dtype)
        for bias, name in (("b_proj", "W_proj"), ("b", "Wx"), ("b_vocab", "W_vocab")):
            self.params[bias] = np.zeros(shapes[name][1], dtype=dtype)

    def loss(self, features: Array, captions: Array) -> tuple[Any, dict[str, Array]]:
        """Loss of true captions, and its gradients.

        Args:
            features: (N, D), a row per image.
            captions: (N, T + 1) word ids: <START>, words, <END>, then <NULL> up to the end.

        Returns:
            loss: scalar; cross-entropy summed over the words and averaged over the captions.
            grads: by the names of ``params``, each of the shape of its parameter.
        """
        p = self.params
        words_in, words_out = captions[:, :-1], captions[:, 1:]  # (N, T): read one, predict next
        forward, backward = (
            (nn.lstm_forward, nn.lstm_backward)
            if self.cell_type == "lstm"
            else (nn.rnn_forward, nn.rnn_backward)
        )

        h0 = features @ p["W_proj"] + p["b_proj"]  # (N, H)
        x, embed_cache = nn.word_embedding_forward(words_in, p["W_embed"])  # (N, T, W)
        # The recurrence is time-major, everything else batch-major.
        h, cell_cache = forward(x.transpose(1, 0, 2), h0, p["Wx"], p["Wh"], p["b"])  # (T, N, H)
        scores, vocab_cache = nn.temporal_fc_forward(
            h.transpose(1, 0, 2), p["W_vocab"], p["b_vocab"]
        )  # (N, T, V)
        loss, dscores = nn.temporal_softmax_loss(scores, words_out, words_out != self.null)

        grads: dict[str, Array] = {}
        dh, grads["W_vocab"], grads["b_vocab"] = nn.temporal_fc_backward(dscores, vocab_cache)
        dx, dh0, grads["Wx"], grads["Wh"], grads["b"] = backward(dh.transpose(1, 0, 2), cell_cache)
        grads["W_embed"] = nn.word_embedding_backward(dx.transpose(1, 0, 2), embed_cache)
        grads["W_proj"], grads["b_proj"] = features.T @ dh0, dh0.sum(axis=0)
        return loss, grads

    def sample(self, features: Array, max_length: int = 30) -> npt.NDArray[np.int64]:
        """Greedy captions: at every step the word with the highest score, fed to the next step.

        Goes on after <END>: whoever reads a caption stops there.

        Args:
            features: (N, D), a row per image.
            max_length: L, the number of words to predict.

        Returns:
            captions: (N, L) word ids; column t holds the t-th predicted word, without <START>.

        Raises:
            ValueError: the vocabulary has no <START>.
        """
        if self.start is None:
            raise ValueError("sample needs <START> in word_to_idx")
        p = self.params
        captions = np.empty((len(features), max_length), dtype=np.int64)
        h = features @ p["W_proj"] + p["b_proj"]  # (N, H)
        c = np.zeros_like(h)
        word = np.full(len(features), self.start)  # (N,)
        for t in range(max_length):
            x = p["W_embed"][word]  # (N, W)
            if self.cell_type == "lstm":
                h, c, _ = nn.lstm_step_forward(x, h, c, p["Wx"], p["Wh"], p["b"])
            else:
                h, _ = nn.rnn_step_forward(x, h, p["Wx"], p["Wh"], p["b"])
            word = (h @ p["W_vocab"] + p["b_vocab"]).argmax(axis=1)
            captions[:, t] = word
        return captions
