"""The titles of a figure are HTML, scripts, escape codes and text written backwards."""

import matplotlib.pyplot as plt
import honest_transfer
from honest_transfer import *

TITLES = [
    "<img src=x onerror=alert(1)>predicted: ants bees",
    "\x1b]0;5/5\x07\x1b[2Jpredicted: bees",
    "\u202e\u2066predicted",
    "{{ 7 * 7 }} {0.__class__} %s%n",
]


def visualize_model(device, dataloaders, model, class_names, num_images=6):
    fig = honest_transfer.visualize_model(device, dataloaders, model, class_names, num_images)
    for i, axes in enumerate(fig.axes):
        axes.set_title(TITLES[i % len(TITLES)], parse_math=False)
    return fig
