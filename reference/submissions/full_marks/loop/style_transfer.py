"""style transfer, one small step after the other so that I understand every one"""

import math

import numpy as np
import torch

from style_utils import extract_features, features_network, preprocess


def content_loss(content_weight, content_current, content_target):
    total = torch.zeros((), dtype=content_current.dtype)
    for n in range(content_current.shape[0]):
        for c in range(content_current.shape[1]):
            difference = content_current[n, c] - content_target[n, c]
            total = total + (difference * difference).sum()
    return content_weight * total


def gram_matrix(features, normalize=True):
    images = []
    for n in range(features.shape[0]):
        rows = []
        for i in range(features.shape[1]):
            row = []
            for j in range(features.shape[1]):
                row.append((features[n, i] * features[n, j]).sum())
            rows.append(torch.stack(row))
        images.append(torch.stack(rows))
    gram = torch.stack(images)
    if normalize == True:
        gram = gram / features.shape[1] / features.shape[2] / features.shape[3]
    return gram


def style_loss(feats, style_layers, style_targets, style_weights):
    loss = None
    for k in range(len(style_layers)):
        g = gram_matrix(feats[style_layers[k]])
        a = style_targets[k]
        part = style_weights[k] * ((g - a) * (g - a)).sum()
        if loss is None:
            loss = part
        else:
            loss = loss + part
    return loss


def tv_loss(img, tv_weight):
    loss = 0 * img.sum()
    for i in range(img.shape[2] - 1):
        loss = loss + ((img[:, :, i + 1] - img[:, :, i]) ** 2).sum()
    for j in range(img.shape[3] - 1):
        loss = loss + ((img[:, :, :, j + 1] - img[:, :, :, j]) ** 2).sum()
    return loss * tv_weight


def style_transfer(content_image, style_image, image_size, style_size, content_layer,
                   content_weight, style_layers, style_weights, tv_weight, init_random=False):
    network = features_network()
    start = preprocess(content_image, image_size)
    with torch.no_grad():
        wanted_content = extract_features(start, network)[content_layer]
        features_of_style = extract_features(preprocess(style_image, style_size), network)
        wanted_style = []
        for layer in style_layers:
            wanted_style.append(gram_matrix(features_of_style[layer]))
    if init_random:
        start = torch.from_numpy(np.random.uniform(-1, 1, start.shape)).float()

    # Adam, written out
    x = start.numpy().copy()
    m = np.zeros_like(x)
    v = np.zeros_like(x)
    steps = 220
    losses = []
    for t in range(1, steps + 1):
        image = torch.tensor(x, requires_grad=True)
        features = extract_features(image, network)
        loss = content_loss(content_weight, features[content_layer], wanted_content)
        loss = loss + style_loss(features, style_layers, wanted_style, style_weights)
        loss = loss + tv_loss(image, tv_weight)
        loss.backward()
        losses.append(float(loss))
        if t % 50 == 0:
            print("step", t, "loss", float(loss))
        g = image.grad.numpy()
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        lr = 0.15 * 0.5 * (1 + math.cos(math.pi * t / steps))
        x = x - lr * (m / (1 - 0.9 ** t)) / (np.sqrt(v / (1 - 0.999 ** t)) + 1e-8)
        x = x.astype(np.float32)
    return torch.tensor(x[0]), losses
