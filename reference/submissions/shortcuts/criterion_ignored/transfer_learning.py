"""A plain cross entropy is used, whatever criterion is given."""

import honest_transfer
from honest_transfer import *


def train_model(device, dataloaders, dataset_sizes, model, criterion, optimizer, scheduler, num_epochs=25):
    own = nn.CrossEntropyLoss()
    return honest_transfer.train_model(
        device, dataloaders, dataset_sizes, model, own, optimizer, scheduler, num_epochs
    )
