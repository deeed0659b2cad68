"""Captioning with one recurrent layer, RNN or LSTM behind the same interface."""

from types import SimpleNamespace

import numpy as np
import rnn_layers as rl
from layers import fc_backward, fc_forward


def _swap(sequence):
    """Batch-major <-> time-major."""
    return np.swapaxes(sequence, 0, 1)


class _Cell:
    """What differs between the two cells: the functions, the number of gates, and the state."""

    def __init__(self, kind):
        self.gates = 4 if kind == "lstm" else 1
        self.forward = getattr(rl, f"{kind}_forward")
        self.backward = getattr(rl, f"{kind}_backward")
        self._step = getattr(rl, f"{kind}_step_forward")

    def initial(self, h):
        return (h,) if self.gates == 1 else (h, np.zeros_like(h))

    def step(self, x, state, weights):
        *state, _cache = self._step(x, *state, *weights)
        return tuple(state)


class CaptioningRNN:
    def __init__(
        self,
        word_to_idx,
        input_dim=512,
        wordvec_dim=128,
        hidden_dim=128,
        cell_type="rnn",
        dtype=np.float32,
    ):
        if cell_type not in {"rnn", "lstm"}:
            raise ValueError(cell_type)
        self._cell = _Cell(cell_type)
        self._special = SimpleNamespace(
            **{name: word_to_idx.get(f"<{name.upper()}>") for name in ("null", "start", "end")}
        )
        V, G = len(word_to_idx), self._cell.gates
        rng = np.random.default_rng()

        def glorot(rows, columns):
            limit = np.sqrt(6.0 / (rows + columns))
            return rng.uniform(-limit, limit, size=(rows, columns)).astype(dtype)

        self.params = {
            "W_proj": glorot(input_dim, hidden_dim),
            "b_proj": np.zeros(hidden_dim, dtype),
            "W_embed": glorot(V, wordvec_dim),
            "Wx": glorot(wordvec_dim, G * hidden_dim),
            "Wh": glorot(hidden_dim, G * hidden_dim),
            "b": np.zeros(G * hidden_dim, dtype),
            "W_vocab": glorot(hidden_dim, V),
            "b_vocab": np.zeros(V, dtype),
        }

    @property
    def _weights(self):
        return tuple(self.params[name] for name in ("Wx", "Wh", "b"))

    def loss(self, features, captions):
        """Cross-entropy of (N, T + 1) captions given (N, D) features, and its gradients."""
        p = self.params
        target = captions[:, 1:]
        tape = {}
        h0, tape["proj"] = fc_forward(features, p["W_proj"], p["b_proj"])
        x, tape["embed"] = rl.word_embedding_forward(captions[:, :-1], p["W_embed"])
        h, tape["cell"] = self._cell.forward(_swap(x), h0, *self._weights)
        scores, tape["vocab"] = rl.temporal_fc_forward(_swap(h), p["W_vocab"], p["b_vocab"])
        loss, dscores = rl.temporal_softmax_loss(scores, target, target != self._special.null)

        dh, dW_vocab, db_vocab = rl.temporal_fc_backward(dscores, tape["vocab"])
        dx, dh0, dWx, dWh, db = self._cell.backward(_swap(dh), tape["cell"])
        dW_embed = rl.word_embedding_backward(_swap(dx), tape["embed"])
        _dfeatures, dW_proj, db_proj = fc_backward(dh0, tape["proj"])
        return loss, {
            "W_proj": dW_proj,
            "b_proj": db_proj,
            "W_embed": dW_embed,
            "Wx": dWx,
            "Wh": dWh,
            "b": db,
            "W_vocab": dW_vocab,
            "b_vocab": db_vocab,
        }

    def sample(self, features, max_length=30):
        """Greedy captions (N, max_length); a finished row leaves the batch, the rest is <NULL>."""
        p, special = self.params, self._special
        captions = np.full((len(features), max_length), special.null, dtype=np.int32)
        state = self._cell.initial(features @ p["W_proj"] + p["b_proj"])
        rows = np.arange(len(features))
        words = np.full(len(features), special.start)
        for t in range(max_length):
            state = self._cell.step(p["W_embed"][words], state, self._weights)
            words = (state[0] @ p["W_vocab"] + p["b_vocab"]).argmax(axis=-1)
            captions[rows, t] = words
            going_on = words != special.end
            if not going_on.any():
                break
            rows, words = rows[going_on], words[going_on]
            state = tuple(part[going_on] for part in state)
        return captions
