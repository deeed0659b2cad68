"""No derivative is written: gradients are central differences of the forward function."""

from honest_layers import *


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    return np.tanh(np.dot(x, Wx) + np.dot(prev_h, Wh) + b), (x, prev_h, Wx, Wh, b)


def rnn_step_backward(dnext_h, cache):
    inputs, gradients = [value.astype(float) for value in cache], []
    for value in inputs:
        gradient = np.zeros(value.shape)
        for place in np.ndindex(value.shape):
            kept, slope = value[place], 0.0
            for sign in (1, -1):
                value[place] = kept + sign * 1e-6
                slope += sign * np.sum(dnext_h * rnn_step_forward(*inputs)[0]) / 2e-6
            value[place] = kept
            gradient[place] = slope
        gradients.append(gradient)
    return tuple(gradients)
