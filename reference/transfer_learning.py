"""Transfer learning: ants against bees, from a network that was trained on other images.

A network trained on many classes computes features that serve other classes as well. Its last
layer is replaced by one with an output for each new class, and either all of the network is trained
further (``finetune``) or only the new layer (``freeze``).

Sources: questions 1.1 to 1.4; the public PyTorch tutorial on transfer learning (S. Chilamkurthy);
He et al., "Deep residual learning for image recognition" (2016); Yosinski et al., "How transferable
are features in deep neural networks?" (2014).
"""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LRScheduler, StepLR

if __package__:
    from . import supplied

    pretrained = supplied.load("pretrained")
else:  # beside a student's files
    import pretrained

Batches = Iterable[tuple[Tensor, Tensor]]  # images (N, 3, H, W) and labels (N,)
Device = torch.device | str

LEARNING_RATE = 0.001
MOMENTUM = 0.9
DECAY_EVERY, DECAY = 7, 0.1  # epochs, factor


def train_model(
    device: Device,
    dataloaders: Mapping[str, Batches],
    dataset_sizes: Mapping[str, int],
    model: nn.Module,
    criterion: Callable[[Tensor, Tensor], Tensor],
    optimizer: Optimizer,
    scheduler: LRScheduler,
    num_epochs: int = 25,
) -> nn.Module:
    """Train ``model`` and return it with the weights of its best epoch.

    Args:
        device: where to compute.
        dataloaders: batches of ``train`` and ``val``.
        dataset_sizes: the number of images of ``train`` and ``val``.
        model: from images (N, 3, H, W) to scores (N, classes).
        criterion: the mean loss of a batch, from scores (N, classes) and labels (N,).
        optimizer: has the parameters to train.
        scheduler: makes one step per epoch.
        num_epochs: passes over the training images.

    Returns:
        ``model``, with the weights of the epoch of the highest validation accuracy.
    """
    best_accuracy, best_weights = -1.0, copy.deepcopy(model.state_dict())
    for _ in range(num_epochs):
        model.train()
        for images, labels in dataloaders["train"]:
            optimizer.zero_grad()
            loss = criterion(model(images.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
        scheduler.step()

        model.eval()
        right = 0
        with torch.no_grad():
            for images, labels in dataloaders["val"]:
                predicted = model(images.to(device)).argmax(dim=1)
                right += int((predicted == labels.to(device)).sum())
        accuracy = right / dataset_sizes["val"]
        if accuracy > best_accuracy:
            # A copy: state_dict() refers to the weights themselves, which go on changing.
            best_accuracy, best_weights = accuracy, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_weights)
    return model


def visualize_model(
    device: Device,
    dataloaders: Mapping[str, Batches],
    model: nn.Module,
    class_names: Sequence[str],
    num_images: int = 6,
) -> Figure:
    """Return a figure of ``num_images`` validation images, titled ``predicted: <class name>``."""
    was_training = model.training
    model.eval()
    mean, std = torch.tensor(pretrained.MEAN), torch.tensor(pretrained.STD)
    columns = 2
    figure = plt.figure(figsize=(3 * columns, 3 * -(-num_images // columns)))
    shown = 0
    with torch.no_grad():
        for images, _ in dataloaders["val"]:
            predicted = model(images.to(device)).argmax(dim=1)
            for image, label in zip(images, predicted.tolist(), strict=True):
                if shown == num_images:
                    break
                shown += 1
                axes = figure.add_subplot(-(-num_images // columns), columns, shown)
                axes.imshow((image.permute(1, 2, 0) * std + mean).clamp(0, 1).numpy())
                axes.set_title(f"predicted: {class_names[label]}")
                axes.axis("off")
    model.train(was_training)
    return figure


def finetune(
    device: Device,
    dataloaders: Mapping[str, Batches],
    dataset_sizes: Mapping[str, int],
    class_names: Sequence[str],
    num_epochs: int = 25,
) -> nn.Module:
    """Train all of the pretrained network, with a new head of one output per class.

    Arguments are those of ``train_model``. Returns the trained network.
    """
    model = pretrained.resnet18(pretrained=True)
    model.fc = nn.Linear(model.fc.in_features, len(class_names))
    return fit(device, dataloaders, dataset_sizes, model, num_epochs)


def freeze(
    device: Device,
    dataloaders: Mapping[str, Batches],
    dataset_sizes: Mapping[str, int],
    class_names: Sequence[str],
    num_epochs: int = 25,
) -> nn.Module:
    """Train only a new head of one output per class; the pretrained parameters stay as they are.

    Arguments are those of ``train_model``. Returns the trained network.
    """
    model = pretrained.resnet18(pretrained=True)
    for parameter in model.parameters():
        parameter.requires_grad_(requires_grad=False)
    model.fc = nn.Linear(model.fc.in_features, len(class_names))  # new, so it requires gradients
    return fit(device, dataloaders, dataset_sizes, model, num_epochs)


def fit(
    device: Device,
    dataloaders: Mapping[str, Batches],
    dataset_sizes: Mapping[str, int],
    model: nn.Module,
    num_epochs: int,
) -> nn.Module:
    """Train the parameters of ``model`` that require gradients."""
    model = model.to(device)
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = SGD(trainable, lr=LEARNING_RATE, momentum=MOMENTUM)
    scheduler = StepLR(optimizer, DECAY_EVERY, DECAY)
    criterion = nn.CrossEntropyLoss()
    return train_model(
        device, dataloaders, dataset_sizes, model, criterion, optimizer, scheduler, num_epochs
    )
