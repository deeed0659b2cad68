"""The images of a batch are laid side by side and share one Gram matrix."""

import torch

import style_utils
from honest_style import *


def gram_matrix(features, normalize=True):
    N, C, H, W = features.shape
    flat = features.transpose(0, 1).reshape(C, N * H * W)
    gram = torch.mm(flat, flat.t()).expand(N, C, C)
    if normalize:
        gram = gram / (C * H * W)
    return gram


def style_loss(feats, style_layers, style_targets, style_weights):
    loss = 0.0
    for i, layer in enumerate(style_layers):
        gram = gram_matrix(feats[layer])
        loss = loss + style_weights[i] * torch.sum((gram - style_targets[i]) ** 2)
    return loss


def style_transfer(
    content_image,
    style_image,
    image_size,
    style_size,
    content_layer,
    content_weight,
    style_layers,
    style_weights,
    tv_weight,
    init_random=False,
):
    cnn = style_utils.features_network()

    # targets
    content = style_utils.preprocess(content_image, image_size)
    content_target = style_utils.extract_features(content, cnn)[content_layer]
    style = style_utils.preprocess(style_image, style_size)
    style_feats = style_utils.extract_features(style, cnn)
    style_targets = [gram_matrix(style_feats[layer]) for layer in style_layers]

    # initial image
    if init_random:
        img = torch.rand(content.shape)
    else:
        img = content.clone()
    img.requires_grad_()

    num_steps = 200
    optimizer = torch.optim.Adam([img], lr=0.1)
    loss_history = []
    for t in range(num_steps):
        if t == 150:
            optimizer.param_groups[0]["lr"] = 0.01
        optimizer.zero_grad()
        feats = style_utils.extract_features(img, cnn)
        c_loss = content_loss(content_weight, feats[content_layer], content_target)
        s_loss = style_loss(feats, style_layers, style_targets, style_weights)
        t_loss = tv_loss(img, tv_weight)
        loss = c_loss + s_loss + t_loss
        loss.backward()
        loss_history.append(loss.item())
        optimizer.step()
    return img.detach(), loss_history
