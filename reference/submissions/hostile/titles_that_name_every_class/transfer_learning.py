"""Each title names all classes, so that the predicted one is always among them."""

import honest_transfer
from honest_transfer import *


def visualize_model(device, dataloaders, model, class_names, num_images=6):
    fig = honest_transfer.visualize_model(device, dataloaders, model, class_names, num_images)
    for axes in fig.axes:
        axes.set_title("predicted: " + " ".join(class_names))
    return fig
