"""The right network in wrappers, fed by loaders with workers."""

import torch
import torch.nn as nn
import torch.optim as optim
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader

import pretrained
from honest_transfer import *


def freeze(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
    model = pretrained.resnet18(pretrained=True)
    for param in model.parameters():
        param.requires_grad = False
    model.fc = nn.Linear(model.fc.in_features, len(class_names))
    model = torch.compile(nn.DataParallel(model).to(device))
    loaders = {
        phase: DataLoader(
            loader.dataset, batch_size=loader.batch_size, shuffle=phase == "train", num_workers=2
        )
        for phase, loader in dataloaders.items()
    }
    optimizer = optim.SGD(model.module.fc.parameters(), lr=0.001, momentum=0.9)
    scheduler = lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
    return train_model(
        device, loaders, dataset_sizes, model, nn.CrossEntropyLoss(), optimizer, scheduler, num_epochs
    )
