"""Sharpness-aware steps (Foret et al., 2021) of an optimizer of its own."""

import torch
import torch.nn as nn
import torch.optim as optim

import pretrained
from honest_transfer import *


class SAM(optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(list(params), {"lr": lr})
        self.base = optim.SGD(self.param_groups, lr=lr, momentum=0.9)

    @torch.no_grad()
    def step(self, closure):
        with torch.enable_grad():
            closure()
        params = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        size = torch.sqrt(sum((p.grad**2).sum() for p in params)) + 1e-12
        ways = [0.05 * p.grad / size for p in params]
        for p, way in zip(params, ways):
            p.add_(way)
        with torch.enable_grad():
            closure()
        for p, way in zip(params, ways):
            p.sub_(way)
        self.base.step()


def finetune(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
    model = pretrained.resnet18(pretrained=True)
    model.fc = nn.Linear(model.fc.in_features, len(class_names))
    model = model.to(device).train()
    optimizer = SAM(model.parameters(), lr=0.002)
    for _ in range(num_epochs):
        for images, labels in dataloaders["train"]:

            def closure():
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(images.to(device)), labels.to(device))
                loss.backward()
                return loss

            optimizer.step(closure)
    return model
