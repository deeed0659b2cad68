"""Training loop for captioning models. GIVEN: grading uses this version."""

import numpy as np
import optim
from captioning_utils import sample_minibatch


class CaptioningSolver:
    """Trains a model on minibatches of captions, with one of the update rules of optim.py.

        solver = CaptioningSolver(model, data, update_rule="adam", num_epochs=50, batch_size=25,
                                  optim_config={"learning_rate": 5e-3}, lr_decay=0.95)
        solver.train()
        plt.plot(solver.loss_history)

    Inputs:
    - model: has params, a dictionary of arrays, and loss(features, captions) -> loss, grads, where
      grads holds a gradient for every one of the params
    - data: dictionary with train_captions (C, L), train_image_idxs (C,), train_features (I, D)
    - update_rule: name of a function of optim.py
    - num_epochs: how often to go through as many captions as there are
    - batch_size: number of captions per step
    - optim_config: settings of the update rule, such as {"learning_rate": 1e-3}
    - lr_decay: factor on the learning rate after every epoch
    - verbose, print_every: whether to print the loss, and after how many steps
    - seed: of the draw of the minibatches; the same seed gives the same training

    After train(), model.params holds the trained parameters and loss_history the loss of every
    step.
    """

    def __init__(
        self,
        model,
        data,
        *,
        update_rule="sgd",
        num_epochs=10,
        batch_size=100,
        optim_config=None,
        lr_decay=1.0,
        verbose=True,
        print_every=10,
        seed=0,
    ):
        if update_rule not in ("sgd", "sgd_momentum", "rmsprop", "adam"):
            raise ValueError(f"update_rule: got {update_rule!r}, optim.py has no such rule")
        self.model = model
        self.data = data
        self.update_rule = getattr(optim, update_rule)
        self.num_epochs = num_epochs
        self.batch_size = batch_size
        self.lr_decay = lr_decay
        self.verbose = verbose
        self.print_every = print_every
        self.rng = np.random.default_rng(seed)
        self.optim_configs = {name: dict(optim_config or {}) for name in model.params}
        self.loss_history = []

    def train(self):
        """Train for num_epochs epochs."""
        total = len(self.data["train_captions"])
        steps_per_epoch = max(1, total // self.batch_size)
        steps = self.num_epochs * steps_per_epoch
        for step in range(1, steps + 1):
            self._step()
            if self.verbose and (step % self.print_every == 0 or step == steps):
                print(f"step {step} of {steps}: loss {self.loss_history[-1]:.4f}")  # noqa: T201
            if step % steps_per_epoch == 0:
                for config in self.optim_configs.values():
                    config["learning_rate"] *= self.lr_decay

    def _step(self):
        captions, features = sample_minibatch(self.data, self.batch_size, "train", self.rng)
        loss, grads = self.model.loss(features, captions)
        self.loss_history.append(loss)
        for name, w in self.model.params.items():
            next_w, config = self.update_rule(w, grads[name], self.optim_configs[name])
            self.model.params[name] = next_w
            self.optim_configs[name] = config
