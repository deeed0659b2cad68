"""Runs beside the student's ``transfer_learning.py`` in a worker; holds no secret.

``visualize_model`` returns what a figure shows. ``ColourModel`` is also used on the trusted side.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

BATCH = 4  # images that visualize_model gets at a time
MAX_TITLE = 200  # characters

Arrays = Mapping[str, np.ndarray]


class ColourModel(nn.Module):
    """Judges images by their mean color; images (n, 3, H, W) -> scores (n, classes)."""

    def __init__(self, parameters: Arrays) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.fc = nn.Linear(3, len(parameters["fc.bias"]))
        self.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in parameters.items()})

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, H, W) -> scores (n, classes)."""
        scores: Tensor = self.fc(self.norm(images).mean(dim=(2, 3)))
        return scores


def visualize_model(student: ModuleType, *, seed: int, device: str, **data: Any) -> dict[str, Any]:
    """Call the student's ``visualize_model`` once for each of ``num_images`` (0: left out).

    Returns:
        ``figures``, a list with a dictionary for each call: ``titles`` and ``images`` of those axes
        of the returned figure that have an image, and ``training``, the model's mode afterwards.
    """
    import matplotlib.pyplot as plt
    import pretrained  # supplied, beside the student's files

    torch.manual_seed(seed)
    loaders = {
        phase: DataLoader(
            TensorDataset(
                pretrained.normalise(data[f"{phase}_images"]),
                torch.from_numpy(np.array(data[f"{phase}_labels"], dtype=np.int64)),
            ),
            batch_size=BATCH,
        )
        for phase in ("train", "val")
    }
    figures = []
    for number in data["num_images"]:
        model = ColourModel(data["parameters"]).to(device)
        model.train()
        arguments = (device, loaders, model, list(data["class_names"]))
        figure = student.visualize_model(*arguments, *([number] if number else []))
        figures.append({**_shown(figure), "training": bool(model.training)})
        plt.close("all")
    return {"figures": figures}


def _shown(figure: Any) -> dict[str, Any]:
    """Read the axes with images off a figure.

    Raises:
        TypeError: ``figure`` is not a matplotlib figure.
    """
    from matplotlib.figure import FigureBase

    if not isinstance(figure, FigureBase):
        raise TypeError(f"visualize_model must return the figure, got {type(figure).__name__}")
    axes = [axes for axes in figure.axes if axes.images]
    return {
        "titles": [str(a.get_title())[:MAX_TITLE] for a in axes],
        "images": [np.ma.getdata(a.images[0].get_array()) for a in axes],
    }
