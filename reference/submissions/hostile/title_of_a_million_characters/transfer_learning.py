"""A title that the driver cannot cut; a regular expression takes an hour for its million spaces."""

import matplotlib.pyplot as plt

from honest_transfer import *


class Long(str):
    def __str__(self):
        return self

    def __getitem__(self, key):
        return "predicted" + " " * 1_000_000 + "!"


def visualize_model(device, dataloaders, model, class_names, num_images=6):
    fig = plt.figure()
    images = [image for batch, _ in dataloaders["val"] for image in batch][:num_images]
    for position, image in enumerate(images):
        ax = fig.add_subplot(1, num_images, position + 1)
        ax.set_title(Long("x"))
        ax.imshow(image.permute(1, 2, 0).numpy())
    return fig
