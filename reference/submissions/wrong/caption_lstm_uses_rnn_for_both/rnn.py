"""Homework: image captioning with recurrent networks."""

import numpy as np
from layers import *
from rnn_layers import *


class CaptioningRNN:
    """Produces captions from image features, with a vanilla RNN or an LSTM."""

    def __init__(
        self,
        word_to_idx,
        input_dim=512,
        wordvec_dim=128,
        hidden_dim=128,
        cell_type="rnn",
        dtype=np.float32,
    ):
        """Create the parameters. GIVEN."""
        if cell_type not in ("rnn", "lstm"):
            raise ValueError(f"cell_type: got {cell_type!r}, expected 'rnn' or 'lstm'")
        self.cell_type = cell_type
        self.dtype = dtype
        self.word_to_idx = word_to_idx
        self.idx_to_word = {i: word for word, i in word_to_idx.items()}
        self._null = word_to_idx["<NULL>"]
        self._start = word_to_idx.get("<START>")
        self._end = word_to_idx.get("<END>")

        vocab_size = len(word_to_idx)
        gates = {"rnn": 1, "lstm": 4}[cell_type]
        rng = np.random.default_rng(0)  # the same initial parameters every time
        self.params = {
            "W_proj": rng.standard_normal((input_dim, hidden_dim)) / np.sqrt(input_dim),
            "b_proj": np.zeros(hidden_dim),
            "W_embed": rng.standard_normal((vocab_size, wordvec_dim)) / 100,
            "Wx": rng.standard_normal((wordvec_dim, gates * hidden_dim)) / np.sqrt(wordvec_dim),
            "Wh": rng.standard_normal((hidden_dim, gates * hidden_dim)) / np.sqrt(hidden_dim),
            "b": np.zeros(gates * hidden_dim),
            "W_vocab": rng.standard_normal((hidden_dim, vocab_size)) / np.sqrt(hidden_dim),
            "b_vocab": np.zeros(vocab_size),
        }
        for name, value in self.params.items():
            self.params[name] = value.astype(dtype)

    def loss(self, features, captions):
        """features (N, D), captions (N, T + 1) -> loss, grads"""
        captions_in = captions[:, :-1]
        captions_out = captions[:, 1:]
        # ---- your code here ----
        mask = captions_out != self._null
        W_proj, b_proj = self.params["W_proj"], self.params["b_proj"]
        W_embed = self.params["W_embed"]
        Wx, Wh, b = self.params["Wx"], self.params["Wh"], self.params["b"]
        W_vocab, b_vocab = self.params["W_vocab"], self.params["b_vocab"]

        # forward
        h0, cache_proj = fc_forward(features, W_proj, b_proj)
        words, cache_embed = word_embedding_forward(captions_in, W_embed)
        x = words.transpose(1, 0, 2)  # (T, N, W)
        H = h0.shape[1]
        h, cache_cell = rnn_forward(x, h0, Wx[:, :H], Wh[:, :H], b[:H])
        h = h.transpose(1, 0, 2)  # (N, T, H)
        scores, cache_vocab = temporal_fc_forward(h, W_vocab, b_vocab)
        loss, dscores = temporal_softmax_loss(scores, captions_out, mask)

        # backward
        grads = {}
        dh, grads["W_vocab"], grads["b_vocab"] = temporal_fc_backward(dscores, cache_vocab)
        dh = dh.transpose(1, 0, 2)  # (T, N, H)
        dx, dh0, dWx, dWh, db = rnn_backward(dh, cache_cell)
        for name, gradient in (("Wx", dWx), ("Wh", dWh), ("b", db)):
            grads[name] = np.zeros_like(self.params[name])
            grads[name][..., :H] = gradient
        dwords = dx.transpose(1, 0, 2)  # (N, T, W)
        grads["W_embed"] = word_embedding_backward(dwords, cache_embed)
        _, grads["W_proj"], grads["b_proj"] = fc_backward(dh0, cache_proj)
        # ---- end of your code ----
        return loss, grads

    def sample(self, features, max_length=30):
        """features (N, D) -> captions (N, max_length)"""
        captions = np.full((features.shape[0], max_length), self._null, dtype=np.int64)
        # ---- your code here ----
        N = features.shape[0]
        W_embed = self.params["W_embed"]
        Wx, Wh, b = self.params["Wx"], self.params["Wh"], self.params["b"]
        W_vocab, b_vocab = self.params["W_vocab"], self.params["b_vocab"]

        h, _ = fc_forward(features, self.params["W_proj"], self.params["b_proj"])
        c = np.zeros_like(h)
        word = np.full(N, self._start)
        for t in range(max_length):
            x = W_embed[word]  # (N, W)
            if self.cell_type == "rnn":
                h, _ = rnn_step_forward(x, h, Wx, Wh, b)
            else:
                h, c, _ = lstm_step_forward(x, h, c, Wx, Wh, b)
            scores = np.dot(h, W_vocab) + b_vocab  # (N, V)
            word = np.argmax(scores, axis=1)
            captions[:, t] = word
        # ---- end of your code ----
        return captions
