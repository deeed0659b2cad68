"""The branch for the LSTM raises NotImplementedError."""

import honest_captioning


class CaptioningRNN(honest_captioning.CaptioningRNN):
    def sample(self, features, max_length=30):
        if self.cell_type == "lstm":
            raise NotImplementedError("lstm: not yet")
        return super().sample(features, max_length)
