"""Asked for an LSTM, the model is a vanilla RNN on a quarter of the columns."""

import honest_captioning
from honest_captioning import *


class CaptioningRNN(honest_captioning.CaptioningRNN):
    def loss(self, features, captions):
        full, cell = self.params, self.cell_type
        H = full["Wh"].shape[0]
        self.params = {k: v[..., :H] if k in ("Wx", "Wh", "b") else v for k, v in full.items()}
        self.cell_type = "rnn"
        loss, grads = super().loss(features, captions)
        self.params, self.cell_type = full, cell
        for name in ("Wx", "Wh", "b"):
            padded = np.zeros_like(full[name])
            padded[..., :H] = grads[name]
            grads[name] = padded
        return loss, grads
