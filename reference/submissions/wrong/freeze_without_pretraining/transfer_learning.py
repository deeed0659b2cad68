"""The frozen network has random weights."""

import torch.nn as nn
import torch.optim as optim
from torch.optim import lr_scheduler

import pretrained
from honest_transfer import *


def freeze(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
    model = pretrained.resnet18(pretrained=False)
    for param in model.parameters():
        param.requires_grad = False
    num_ftrs = model.fc.in_features
    model.fc = nn.Linear(num_ftrs, len(class_names))
    model = model.to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.fc.parameters(), lr=0.001, momentum=0.9)
    scheduler = lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
    return train_model(
        device, dataloaders, dataset_sizes, model, criterion, optimizer, scheduler, num_epochs=num_epochs
    )
