"""The model is returned as it came."""

from honest_transfer import *


def train_model(device, dataloaders, dataset_sizes, model, criterion, optimizer, scheduler, num_epochs=25):
    return model
