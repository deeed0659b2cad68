"""All parameters are in the optimizer, those of the backbone with a learning rate of zero."""

import torch.nn as nn
import torch.optim as optim
from torch.optim import lr_scheduler

import pretrained
from honest_transfer import *


def finetune(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
    model = pretrained.resnet18(pretrained=True)
    model.fc = nn.Linear(model.fc.in_features, len(class_names))
    backbone = [p for name, p in model.named_parameters() if not name.startswith("fc.")]
    groups = [{"params": backbone, "lr": 0.0}, {"params": model.fc.parameters()}]
    optimizer = optim.SGD(groups, lr=0.001, momentum=0.9)
    scheduler = lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
    return train_model(
        device, dataloaders, dataset_sizes, model, nn.CrossEntropyLoss(), optimizer, scheduler, num_epochs
    )
