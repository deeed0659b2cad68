"""The head is trained, but keeps the outputs of the pretrained network."""

import torch.nn as nn
import torch.optim as optim
from torch.optim import lr_scheduler

import pretrained
from honest_transfer import *


def freeze(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
    model = pretrained.resnet18(pretrained=True)
    for param in model.parameters():
        param.requires_grad = False
    for param in model.fc.parameters():
        param.requires_grad = True
    model = model.to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.fc.parameters(), lr=0.001, momentum=0.9)
    scheduler = lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
    return train_model(
        device, dataloaders, dataset_sizes, model, criterion, optimizer, scheduler, num_epochs=num_epochs
    )
