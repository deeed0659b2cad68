"""Loss runs the vanilla RNN for both cells, on the first quarter of the LSTM weights."""

import numpy as np

import honest_captioning
from honest_captioning import *


class CaptioningRNN(honest_captioning.CaptioningRNN):
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
