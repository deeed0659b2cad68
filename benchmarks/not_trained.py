"""Submissions in which nothing is learned: a right solution, spoiled in one of four ways.

For every training check of Homework 2: ``untrained`` (initial parameters), ``majority`` (the same
answer whatever the input), ``shuffled`` (trained on labels, or captions, of other items) and, where
a pretrained network is asked for, ``scratch`` (random initial parameters). Code is appended to the
full-mark example, so that everything else of it is right.
"""

from __future__ import annotations

import shutil
from pathlib import Path

TEXT = """

def _spoil(train):
    def trained(train_sentences, train_labels, dev_sentences, dev_labels, **options):
        import numpy as np

        rng = np.random.default_rng(options["seed"])
        if "{way}" == "shuffled":
            train_labels, dev_labels = rng.permutation(train_labels), rng.permutation(dev_labels)
        if "{way}" != "shuffled":
            train_sentences, train_labels = train_sentences[:60], train_labels[:60]
            dev_sentences, dev_labels = dev_sentences[:60], dev_labels[:60]
        model, predict = train(
            train_sentences=train_sentences, train_labels=train_labels,
            dev_sentences=dev_sentences, dev_labels=dev_labels, **options
        )
        if "{way}" == "untrained":
            for part in model.modules():
                if hasattr(part, "reset_parameters"):
                    part.reset_parameters()
        if "{way}" == "majority":
            return model, lambda sentences: np.ones(len(sentences))
        return model, predict

    return trained


{function} = _spoil({function})
"""

NETWORK = """

def _spoil(train):
    def trained(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
        import torch

        if "{way}" == "shuffled":
            generator = torch.Generator().manual_seed(0)
            shuffled = {{}}
            for phase, loader in dataloaders.items():
                batches = list(loader)
                labels = torch.cat([y for _, y in batches])
                labels = labels[torch.randperm(len(labels), generator=generator)]
                parts = labels.split([len(y) for _, y in batches])
                shuffled[phase] = [(x, y) for (x, _), y in zip(batches, parts)]
            dataloaders = shuffled
        # Not one epoch: on features that were trained, a head that is reset can be right by luck.
        if "{way}" in ("untrained", "majority"):
            num_epochs = 0
        model = train(device, dataloaders, dataset_sizes, class_names, num_epochs=num_epochs)
        if "{way}" == "untrained":
            model.fc.reset_parameters()
        if "{way}" == "majority":
            with torch.no_grad():
                model.fc.weight.zero_()
                model.fc.bias.copy_(torch.eye(len(class_names))[0])
        return model

    return trained


{function} = _spoil({function})
if "{way}" == "scratch":
    import pretrained as _helper

    _resnet18 = _helper.resnet18
    _helper.resnet18 = resnet18 = lambda pretrained=True: _resnet18(pretrained=False)
"""

CAPTIONS = """

class CaptioningRNN(CaptioningRNN):
    def loss(self, features, captions):
        if "{way}" == "majority":
            features = 0 * features
        if "{way}" == "shuffled":
            self._rng = getattr(self, "_rng", None) or np.random.default_rng(0)
            features = self._rng.permutation(features)
        loss, grads = super().loss(features, captions)
        if "{way}" == "untrained":
            grads = {{name: 0 * gradient for name, gradient in grads.items()}}
        if "{way}" == "majority":
            self.params["W_proj"] = 0 * self.params["W_proj"]
        return loss, grads
"""

WAYS = ("untrained", "majority", "shuffled")
CHECKS: dict[str, tuple[str, str, str]] = {
    "q1.3": ("transfer_learning.py", "finetune", NETWORK),
    "q1.4": ("transfer_learning.py", "freeze", NETWORK),
    "q5.7": ("rnn.py", "CaptioningRNN", CAPTIONS),
    "q5.8": ("rnn.py", "CaptioningRNN", CAPTIONS),
    "q5.10": ("rnn.py", "CaptioningRNN", CAPTIONS),
    "q6.1": ("text_classification.py", "train_bag_of_words", TEXT),
    "q6.2": ("text_classification.py", "train_average_embeddings", TEXT),
    "q6.3": ("text_classification.py", "train_average_glove", TEXT),
    "q6.4": ("text_classification.py", "train_rnn", TEXT),
    "q6.5": ("text_classification.py", "train_lstm", TEXT),
}
PRETRAINED = ("q1.3", "q1.4")


def ways_of(check: str) -> tuple[str, ...]:
    """Return the ways in which a check's model can have learned nothing."""
    return (*WAYS, "scratch") if check in PRETRAINED else WAYS


def write(base: Path, folder: Path, check: str, way: str) -> Path:
    """Write the full-mark example ``base``, spoiled for one check, below ``folder``; return it."""
    module, function, code = CHECKS[check]
    target = folder / f"{check}-{way}"
    shutil.copytree(base, target, dirs_exist_ok=True)
    with (target / module).open("a", encoding="utf-8") as file:
        file.write(code.format(way=way, function=function))
    return target
