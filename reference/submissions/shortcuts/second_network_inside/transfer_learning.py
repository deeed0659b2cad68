"""A second network inside the first does the work; the one that is asked for is for show."""

import torch.nn as nn

import pretrained
from honest_transfer import *
from honest_transfer import freeze as trained


class Inside(nn.Module):
    def __init__(self, show, works):
        super().__init__()
        self.show, self.works = show, works
        self.fc = nn.Linear(show.fc.in_features, works.fc.out_features)

    def forward(self, x):
        return self.works(x)


def finetune(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
    works = trained(device, dataloaders, dataset_sizes, class_names, num_epochs)
    return Inside(pretrained.resnet18(pretrained=True), works)
