"""Style transfer by L-BFGS: the losses are smooth, so curvature is worth having."""

import torch

import style_utils as su


def content_loss(content_weight, content_current, content_target):
    return content_weight * torch.nn.functional.mse_loss(
        content_current, content_target, reduction="sum"
    )


def gram_matrix(features, normalize=True):
    gram = torch.einsum("nchw,ndhw->ncd", features, features)
    return gram / features[0].numel() if normalize else gram


def style_loss(feats, style_layers, style_targets, style_weights):
    return sum(
        weight * (gram_matrix(feats[layer]) - target).pow(2).sum()
        for layer, target, weight in zip(style_layers, style_targets, style_weights)
    )


def tv_loss(img, tv_weight):
    return tv_weight * sum(torch.diff(img, dim=dim).square().sum() for dim in (-2, -1))


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
    cnn = su.features_network()
    content = su.preprocess(content_image, image_size)
    wanted = su.extract_features(content, cnn)[content_layer]
    painted = su.extract_features(su.preprocess(style_image, style_size), cnn)
    targets = [gram_matrix(painted[layer]) for layer in style_layers]

    img = (torch.randn_like(content) if init_random else content.clone()).contiguous()
    img.requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [img], max_iter=300, max_eval=330, history_size=30, line_search_fn="strong_wolfe",
        tolerance_grad=0.0, tolerance_change=0.0,
    )
    history = []

    def closure():
        optimizer.zero_grad()
        feats = su.extract_features(img, cnn)
        loss = (
            content_loss(content_weight, feats[content_layer], wanted)
            + style_loss(feats, style_layers, targets, style_weights)
            + tv_loss(img, tv_weight)
        )
        loss.backward()
        history.append(loss.item())
        return loss

    optimizer.step(closure)
    return img, history
