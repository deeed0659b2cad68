"""The state_dict has thousands of tensors without memory of their own, each a terabyte."""

import torch
from honest_transfer import *


class Giant(torch.nn.Module):
    def state_dict(self, *arguments, **options):
        one = torch.zeros(1)
        return {f"layer{i}.weight": one.expand(2**20, 2**18) for i in range(3000)}


def train_model(device, dataloaders, dataset_sizes, model, *options, **more):
    return Giant()
