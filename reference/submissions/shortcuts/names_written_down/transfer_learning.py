"""The names of the classes are written down; those that are given are ignored."""

from honest_transfer import *
from honest_transfer import visualize_model as show


def visualize_model(device, dataloaders, model, class_names, num_images=6):
    return show(device, dataloaders, model, ["ants", "bees", "wasps"], num_images)
