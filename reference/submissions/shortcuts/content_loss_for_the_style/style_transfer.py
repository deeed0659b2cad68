"""The content loss is handed in for the style loss; it compares Gram matrices of one layer."""

from honest_style import *


def style_loss(feats, style_layers, style_targets, style_weights):
    current = gram_matrix(feats[style_layers[0]])
    return content_loss(style_weights[0], current, style_targets[0])
