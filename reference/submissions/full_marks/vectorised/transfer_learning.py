"""Question 1, with one function per phase and a head with dropout."""

from copy import deepcopy

import pretrained
import torch
from matplotlib.figure import Figure
from torch import nn


def _train(model, batches, criterion, optimizer, device):
    model.train()
    for x, y in batches:
        optimizer.zero_grad(set_to_none=True)
        criterion(model(x.to(device)), y.to(device)).backward()
        optimizer.step()


@torch.no_grad()
def _accuracy(model, batches, size, device):
    model.eval()
    return sum((model(x.to(device)).argmax(1) == y.to(device)).sum().item() for x, y in batches) / size


def train_model(device, dataloaders, dataset_sizes, model, criterion, optimizer, scheduler, num_epochs=25):
    snapshots = []
    for _ in range(num_epochs):
        _train(model, dataloaders["train"], criterion, optimizer, device)
        score = _accuracy(model, dataloaders["val"], dataset_sizes["val"], device)
        scheduler.step()
        snapshots.append((score, deepcopy(model.state_dict())))
    model.load_state_dict(max(snapshots, key=lambda pair: pair[0])[1])
    return model.eval()


def visualize_model(device, dataloaders, model, class_names, num_images=6):
    images = torch.cat([x for x, _ in dataloaders["val"]])[:num_images]
    with torch.no_grad():
        predictions = model.to(device).eval()(images.to(device)).argmax(1).tolist()
    mean, std = (torch.tensor(v)[:, None, None] for v in (pretrained.MEAN, pretrained.STD))
    shown = ((images * std + mean).clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).numpy()
    figure = Figure(layout="constrained")
    for axes, image, k in zip(figure.subplots(1, num_images, squeeze=False).flat, shown, predictions):
        axes.imshow(image)
        axes.set(title=f"predicted: {class_names[k]}", xticks=[], yticks=[])
    return figure


def _transfer(device, dataloaders, dataset_sizes, class_names, num_epochs, frozen):
    model = pretrained.resnet18(pretrained=True)
    model.requires_grad_(not frozen)
    model.fc = nn.Sequential(nn.Dropout(0.1), nn.Linear(model.fc.in_features, len(class_names)))
    model.to(device)
    groups = [{"params": model.fc.parameters(), "lr": 1e-2}]
    if not frozen:
        body = [p for name, p in model.named_parameters() if not name.startswith("fc")]
        groups.append({"params": body, "lr": 1e-3})
    optimizer = torch.optim.SGD(groups, lr=1e-3, momentum=0.9, nesterov=True, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, num_epochs)
    loss = nn.CrossEntropyLoss(label_smoothing=0.05)
    return train_model(device, dataloaders, dataset_sizes, model, loss, optimizer, scheduler, num_epochs)


def finetune(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
    return _transfer(device, dataloaders, dataset_sizes, class_names, num_epochs, frozen=False)


def freeze(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
    return _transfer(device, dataloaders, dataset_sizes, class_names, num_epochs, frozen=True)
