"""Homework: image captioning with recurrent networks.

My solution. In sample I do one image after the other, a caption is a list of words.
"""

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

    def batch_to_time(self, a):
        """(N, T, K) -> (T, N, K), and also the other way round"""
        result = np.zeros((a.shape[1], a.shape[0], a.shape[2]))
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                result[j, i] = a[i, j]
        return result

    def loss(self, features, captions):
        """features (N, D), captions (N, T + 1) -> loss, grads"""
        captions_in = captions[:, :-1]
        captions_out = captions[:, 1:]
        # ---- your code here ----
        N = captions_out.shape[0]
        T = captions_out.shape[1]
        # True where there is a word
        mask = np.zeros((N, T), dtype=bool)
        for n in range(N):
            for t in range(T):
                if captions_out[n, t] != self._null:
                    mask[n, t] = True

        h0, proj_cache = fc_forward(features, self.params["W_proj"], self.params["b_proj"])
        x, embed_cache = word_embedding_forward(captions_in, self.params["W_embed"])
        x = self.batch_to_time(x)
        Wx = self.params["Wx"]
        Wh = self.params["Wh"]
        b = self.params["b"]
        if self.cell_type == "lstm":
            h, cell_cache = lstm_forward(x, h0, Wx, Wh, b)
        else:
            h, cell_cache = rnn_forward(x, h0, Wx, Wh, b)
        h = self.batch_to_time(h)
        scores, vocab_cache = temporal_fc_forward(h, self.params["W_vocab"], self.params["b_vocab"])
        loss, dscores = temporal_softmax_loss(scores, captions_out, mask)

        grads = {}
        dh, dW_vocab, db_vocab = temporal_fc_backward(dscores, vocab_cache)
        grads["W_vocab"] = dW_vocab
        grads["b_vocab"] = db_vocab
        dh = self.batch_to_time(dh)
        if self.cell_type == "lstm":
            dx, dh0, dWx, dWh, db = lstm_backward(dh, cell_cache)
        else:
            dx, dh0, dWx, dWh, db = rnn_backward(dh, cell_cache)
        grads["Wx"] = dWx
        grads["Wh"] = dWh
        grads["b"] = db
        dx = self.batch_to_time(dx)
        grads["W_embed"] = word_embedding_backward(dx, embed_cache)
        dfeatures, dW_proj, db_proj = fc_backward(dh0, proj_cache)
        grads["W_proj"] = dW_proj
        grads["b_proj"] = db_proj
        return loss, grads
        # ---- end of your code ----

    def caption_of(self, feature, max_length):
        """feature (D,) -> list of words, until <END>"""
        p = self.params
        h = np.dot(feature, p["W_proj"]) + p["b_proj"]
        h = h.reshape(1, -1)  # a batch of one
        c = np.zeros(h.shape)
        word = self._start
        words = []
        while len(words) < max_length:
            x = p["W_embed"][word].reshape(1, -1)
            if self.cell_type == "lstm":
                h, c, cache = lstm_step_forward(x, h, c, p["Wx"], p["Wh"], p["b"])
            else:
                h, cache = rnn_step_forward(x, h, p["Wx"], p["Wh"], p["b"])
            scores = np.dot(h[0], p["W_vocab"]) + p["b_vocab"]
            # the word with the highest score
            word = 0
            for v in range(len(scores)):
                if scores[v] > scores[word]:
                    word = v
            words.append(word)
            if word == self._end:
                break
        return words

    def sample(self, features, max_length=30):
        """features (N, D) -> captions (N, max_length)"""
        captions = np.full((features.shape[0], max_length), self._null, dtype=np.int64)
        # ---- your code here ----
        for n in range(features.shape[0]):
            words = self.caption_of(features[n], max_length)
            for t in range(len(words)):
                captions[n, t] = words[t]
        # ---- end of your code ----
        return captions
