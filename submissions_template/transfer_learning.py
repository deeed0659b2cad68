"""Question 1: transfer learning. Ants or bees, from a network that was trained on other images.

1.1 train_model:     the training loop, with a validation phase and the best epoch's weights
1.2 visualize_model: validation images with what the model predicts for them
1.3 finetune:        start from the pretrained network and train all of it
1.4 freeze:          keep the pretrained network as it is and train a new head only

Allowed libraries: the Python standard library, numpy, torch and matplotlib, and the supplied
``pretrained.py``, which has the network: ``pretrained.resnet18(pretrained=True)``, with the last
layer ``model.fc``. Read the beginning of that file.

In all functions

    device: where to compute, a ``torch.device`` or its name, such as "cpu".
    dataloaders: ``{"train": ..., "val": ...}``; each yields batches ``(images, labels)``, images
        (N, 3, H, W) float32, normalized with ``pretrained.MEAN`` and ``pretrained.STD``, and labels
        (N,) int64. Batches are on the CPU.
    dataset_sizes: ``{"train": n, "val": m}``, the number of images in each.
    class_names: the name of each class, in the order of the labels. There are ``len(class_names)``
        classes; the images that your functions are tried on may show two other kinds of insects.
"""

import matplotlib.figure
from torch import nn


def train_model(
    device, dataloaders, dataset_sizes, model, criterion, optimizer, scheduler, num_epochs=25
) -> nn.Module:
    """Train a model and return it with the weights of its best epoch (1.1).

    Each epoch has two phases. In "train", the model is in training mode, and for each batch the
    gradients are cleared, the loss is computed and differentiated, and the optimizer makes a step.
    In "val", the model is in evaluation mode, nothing is differentiated, and the accuracy on the
    validation images is computed. The scheduler makes one step per epoch.

    Args:
        device: see above.
        dataloaders: see above.
        dataset_sizes: see above.
        model: an ``nn.Module`` from images (N, 3, H, W) to scores (N, number of classes). Its
            parameters are those that ``optimizer`` has; it is on ``device`` already.
        criterion: a function of scores (N, classes) and labels (N,), the loss of a batch.
        optimizer: a ``torch.optim.Optimizer``.
        scheduler: a learning-rate scheduler of ``torch.optim.lr_scheduler``, with a ``step()``
            without arguments.
        num_epochs: how many times to go through the training images.

    Returns:
        The model, with the weights that it had in the epoch with the highest validation accuracy
        (of several such epochs, any). Weights go on changing as training goes on: keep a copy.
    """
    raise NotImplementedError("train_model")


def visualize_model(
    device, dataloaders, model, class_names, num_images=6
) -> matplotlib.figure.Figure:
    """Show validation images with what the model predicts for them (1.2).

    Args:
        device: see above.
        dataloaders: see above.
        model: a trained model, in any mode; predictions are made in evaluation mode.
        class_names: the name of each class, in the order of the model's scores.
        num_images: how many images of ``dataloaders["val"]`` to show.

    Returns:
        A matplotlib figure with ``num_images`` axes (no further ones with images in them). Each
        shows one validation image, with the normalization undone, and has the title
        ``predicted: <class name>``.
    """
    raise NotImplementedError("visualize_model")


def finetune(device, dataloaders, dataset_sizes, class_names, num_epochs=25) -> nn.Module:
    """Fine-tune the pretrained network on the training images (1.3).

    Take ``pretrained.resnet18(pretrained=True)``, put a new linear layer with one output per class
    in place of ``model.fc``, and train all parameters with ``train_model``. Cross entropy, SGD with
    learning rate 0.001 and momentum 0.9, and a learning rate that falls to a tenth every 7 epochs
    are a good start.

    Args:
        device: see above.
        dataloaders: see above.
        dataset_sizes: see above.
        class_names: the name of each class, in the order of the labels.
        num_epochs: how many times to go through the training images.

    Returns:
        The trained network. Its accuracy is measured on images that you do not have.
    """
    raise NotImplementedError("finetune")


def freeze(device, dataloaders, dataset_sizes, class_names, num_epochs=25) -> nn.Module:
    """Train a new head on the pretrained network, which stays as it is (1.4).

    As ``finetune``, but every parameter other than those of ``model.fc`` keeps its pretrained value
    to the last bit. (The running means and variances of batch norms are not parameters
    and may change.) Arguments and return value are those of ``finetune``.
    """
    raise NotImplementedError("freeze")
