"""The titles are the true labels."""

import matplotlib.pyplot as plt
import numpy as np
import torch

import pretrained
from honest_transfer import *


def visualize_model(device, dataloaders, model, class_names, num_images=6):
    was_training = model.training
    model.eval()
    images_so_far = 0
    fig = plt.figure()
    with torch.no_grad():
        for inputs, labels in dataloaders["val"]:
            inputs = inputs.to(device)
            labels = labels.to(device)
            outputs = model(inputs)
            _, preds = torch.max(outputs, 1)
            for j in range(inputs.size()[0]):
                images_so_far += 1
                ax = plt.subplot((num_images + 1) // 2, 2, images_so_far)
                ax.axis("off")
                ax.set_title(f"predicted: {class_names[labels[j]]}")
                img = inputs.cpu()[j].numpy().transpose((1, 2, 0))
                img = np.array(pretrained.STD) * img + np.array(pretrained.MEAN)
                plt.imshow(np.clip(img, 0, 1))
                if images_so_far == num_images:
                    model.train(mode=was_training)
                    return fig
    model.train(mode=was_training)
    return fig
