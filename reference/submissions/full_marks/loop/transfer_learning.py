# Question 1. Old-style loop: scheduler first, one pixel channel after another in the figure,
# no train_model in finetune and freeze.
import copy

import torch
from matplotlib import pyplot
from pretrained import MEAN, STD, resnet18


def train_model(device, dataloaders, dataset_sizes, model, criterion, optimizer, scheduler, num_epochs=25):
    model = model.to(device)
    best_loss = None
    best = None
    for epoch in range(num_epochs):
        scheduler.step()
        model.train(True)
        total = 0
        for batch in dataloaders["train"]:
            x = batch[0].to(device)
            y = batch[1].to(device)
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            model.zero_grad()
            total = total + float(loss)
        print("epoch", epoch, "training loss", total)
        model.train(False)
        loss = 0
        with torch.inference_mode():
            for batch in dataloaders["val"]:
                y = batch[1].to(device)
                loss = loss + float(criterion(model(batch[0].to(device)), y)) * len(y)
        loss = loss / dataset_sizes["val"]
        if best_loss is None or loss < best_loss:
            best_loss = loss
            best = copy.deepcopy(model)
    return best


def visualize_model(device, dataloaders, model, class_names, num_images=6):
    model.eval()
    pictures = []
    words = []
    for images, labels in dataloaders["val"]:
        for i in range(len(labels)):
            if len(pictures) < num_images:
                scores = model(images[i : i + 1].to(device))
                words.append(class_names[int(scores[0].argmax())])
                pictures.append(images[i].clone())
    fig, rows = pyplot.subplots(1, num_images, figsize=(2 * num_images, 2))
    for k in range(num_images):
        for channel in range(3):
            pictures[k][channel] = pictures[k][channel] * STD[channel] + MEAN[channel]
        rows[k].imshow(pictures[k].permute(1, 2, 0).numpy())
        rows[k].set_title("predicted: " + words[k])
        rows[k].set_xticks([])
        rows[k].set_yticks([])
    return fig


def learn(device, dataloaders, dataset_sizes, model, parameters, num_epochs):
    optimizer = torch.optim.Adam(parameters, lr=0.0005)
    model.to(device)
    best_right = -1
    for epoch in range(num_epochs):
        model.train()
        for images, labels in dataloaders["train"]:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(images.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
        model.eval()
        right = 0
        for images, labels in dataloaders["val"]:
            with torch.no_grad():
                right += int((model(images.to(device)).argmax(1).cpu() == labels).sum())
        if right > best_right:
            best_right = right
            best = copy.deepcopy(model)
    print("validation accuracy", best_right / dataset_sizes["val"])
    return best


def finetune(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
    model = resnet18(True)
    model.fc = torch.nn.Linear(model.fc.in_features, len(class_names))
    return learn(device, dataloaders, dataset_sizes, model, model.parameters(), num_epochs)


def freeze(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
    model = resnet18(True)
    model.fc = torch.nn.Linear(model.fc.in_features, len(class_names))
    # Gradients are computed for everything, but only the head is in the optimizer.
    return learn(device, dataloaders, dataset_sizes, model, model.fc.parameters(), num_epochs)
