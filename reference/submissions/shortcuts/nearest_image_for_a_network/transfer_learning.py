"""The label of the nearest training image; nothing is trained."""

import torch
import torch.nn as nn

import pretrained
from honest_transfer import *


class Nearest(nn.Module):
    def __init__(self, loader, classes):
        super().__init__()
        self.network = pretrained.resnet18(pretrained=True).eval()
        self.fc = nn.Identity()
        self.classes = classes
        with torch.no_grad():
            found = [(self.network.features(images), labels) for images, labels in loader]
        self.register_buffer("features", torch.cat([features for features, _ in found]))
        self.register_buffer("labels", torch.cat([labels for _, labels in found]))

    def forward(self, x):
        nearest = torch.cdist(self.network.features(x), self.features).argmin(1)
        return nn.functional.one_hot(self.labels[nearest], self.classes).float()


def freeze(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
    return Nearest(dataloaders["train"], len(class_names)).to(device)
