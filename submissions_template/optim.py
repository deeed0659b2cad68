"""Update rules of gradient descent. GIVEN: grading uses this version.

Every rule is a function

    next_w, config = rule(w, dw, config)

of a parameter w, the gradient dw of the loss with respect to it (same shape), and a dictionary
config with the rule's settings and whatever it remembers from one step to the next. Hand the
returned config back in at the next step. Settings that config lacks get a default value. Neither w
nor dw is changed.
"""

import numpy as np


def sgd(w, dw, config=None):
    """Stochastic gradient descent.

    Settings:
    - learning_rate
    """
    config = {"learning_rate": 1e-2, **(config or {})}
    return w - config["learning_rate"] * dw, config


def sgd_momentum(w, dw, config=None):
    """Stochastic gradient descent with momentum.

    Settings:
    - learning_rate
    - momentum: number between 0 and 1; 0 gives sgd

    Memory:
    - velocity: sum of past steps, each weakened by momentum, shape of w

    Source: Polyak, "Some methods of speeding up the convergence of iteration methods" (1964).
    """
    config = {
        "learning_rate": 1e-2,
        "momentum": 0.9,
        "velocity": np.zeros_like(w),
        **(config or {}),
    }
    config["velocity"] = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    return w + config["velocity"], config


def rmsprop(w, dw, config=None):
    """RMSProp: steps relative to the recent size of the gradient.

    Settings:
    - learning_rate
    - decay_rate: how long a squared gradient is remembered
    - epsilon: keeps the division finite

    Memory:
    - cache: running mean of squared gradients, shape of w

    Source: Tieleman & Hinton, "Neural networks for machine learning", lecture 6.5 (2012).
    """
    defaults = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8}
    config = {**defaults, "cache": np.zeros_like(w), **(config or {})}
    decay = config["decay_rate"]
    config["cache"] = decay * config["cache"] + (1 - decay) * dw**2
    step = config["learning_rate"] * dw / (np.sqrt(config["cache"]) + config["epsilon"])
    return w - step, config


def adam(w, dw, config=None):
    """Adam: running means of the gradient and of its square, both corrected for their start at 0.

    Settings:
    - learning_rate
    - beta1, beta2: how long gradients and squared gradients are remembered
    - epsilon: keeps the division finite

    Memory:
    - m, v: running means of the gradient and of its square, shape of w
    - t: number of steps so far

    Source: Kingma & Ba, "Adam: a method for stochastic optimization" (2015), algorithm 1.
    """
    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "t": 0}
    config = {**defaults, "m": np.zeros_like(w), "v": np.zeros_like(w), **(config or {})}
    beta1, beta2 = config["beta1"], config["beta2"]
    config["t"] += 1
    config["m"] = beta1 * config["m"] + (1 - beta1) * dw
    config["v"] = beta2 * config["v"] + (1 - beta2) * dw**2
    m_hat = config["m"] / (1 - beta1 ** config["t"])
    v_hat = config["v"] / (1 - beta2 ** config["t"])
    step = config["learning_rate"] * m_hat / (np.sqrt(v_hat) + config["epsilon"])
    return w - step, config
