"""Makes ``submissions_template/resnet18_mini.npz``: ``python -m reference.pretraining``.

Trains the ResNet-18 of reduced width of ``submissions_template/pretrained.py`` to tell the 106
species of drawn insects apart that are neither ants nor bees, and stores it in half precision.
It takes about three minutes on one core. On new drawings the network that is shipped names 22 % of
the species rightly (guessing: 1 %), and 86 % of the numbers of segments, 82 % of the lengths of the
legs, 75 % of the patterns, 63 % of the antennae and 60 % of the numbers of wings.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from . import supplied
from .datasets import insect_drawings

SEED = 20
DRAWINGS = 12_000
TEST_DRAWINGS = 1_060
EPOCHS = 18
BATCH = 64
LEARNING_RATE = 5e-3
WEIGHT_DECAY = 5e-2


def labelled(rng: np.random.Generator, n: int) -> tuple[np.ndarray, Tensor]:
    """Draw n insects, all species equally often; returns images (n, S, S, 3) and labels (n,)."""
    labels = rng.permutation(np.resize(np.arange(len(insect_drawings.OTHERS)), n))
    species = [insect_drawings.OTHERS[i] for i in labels]
    return insect_drawings.draw_many(rng, species), torch.from_numpy(labels)


def varied(images: Tensor) -> Tensor:
    """Mirror and turn a batch (n, 3, S, S), and exchange its colors."""
    if torch.rand(()) < 0.5:
        images = images.flip(3)
    images = torch.rot90(images, int(torch.randint(4, ())), (2, 3))
    return images[:, torch.randperm(3)]


def body_parts() -> list[Tensor]:
    """For each part of a body plan, its variant in each species, (species,)."""
    columns = zip(*insect_drawings.OTHERS, strict=True)
    return [torch.from_numpy(np.unique(np.array(c), return_inverse=True)[1]) for c in columns]


class WithParts(nn.Module):
    """A network with a second head for the body parts, used in pretraining only.

    Knowing that two species have the same wings teaches more per drawing than their names do.
    """

    def __init__(self, network: nn.Module, parts: list[Tensor]) -> None:
        super().__init__()
        self.network = network
        self.parts = parts
        self.sizes = [int(column.max()) + 1 for column in parts]
        self.part_head = nn.Linear(network.fc.in_features, sum(self.sizes))

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """Cross entropy of the species and of each of its body parts."""
        features = self.network.features(images)
        total = nn.functional.cross_entropy(self.network.fc(features), labels)
        scores = self.part_head(features).split(self.sizes, dim=1)
        for score, column in zip(scores, self.parts, strict=True):
            total = total + nn.functional.cross_entropy(score, column[labels])
        return total


def train(seed: int, drawings: int, epochs: int) -> nn.Module:
    """Pretrain a network on ``drawings`` drawings."""
    pretrained = supplied.load("pretrained")
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    images, labels = labelled(rng, drawings)
    model = pretrained.ResNet18(pretrained.MINI_CLASSES, pretrained.MINI_WIDTH)
    both = WithParts(model, body_parts())
    optimizer = torch.optim.AdamW(both.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = epochs * -(-drawings // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, steps)
    for epoch in range(epochs):
        total = 0.0
        model.train()
        for batch in torch.randperm(drawings).split(BATCH):
            inputs = varied(pretrained.normalise(images[batch.numpy()]))
            loss = both.loss(inputs, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        print(f"epoch {epoch + 1}/{epochs}: loss {total / drawings:.3f}", flush=True)  # noqa: T201
    return model


def evaluate(model: nn.Module, seed: int) -> dict[str, float]:
    """Accuracy on new drawings: of the species, and of the body parts of the predicted species."""
    pretrained = supplied.load("pretrained")
    images, labels = labelled(np.random.default_rng([seed, 1]), TEST_DRAWINGS)
    model.eval()
    with torch.no_grad():
        predicted = model(pretrained.normalise(images)).argmax(dim=1)
    accuracy = {"species": float((predicted == labels).float().mean())}
    for name, column in zip(insect_drawings.Species._fields, body_parts(), strict=True):
        accuracy[name] = float((column[predicted] == column[labels]).float().mean())
    return accuracy


def main() -> None:
    """Train and write the checkpoint."""
    path = Path(__file__).resolve().parents[1] / "submissions_template" / "resnet18_mini.npz"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--drawings", type=int, default=DRAWINGS)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = train(arguments.seed, arguments.drawings, arguments.epochs)
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    halves = {
        name: value.astype(np.float16) if value.dtype == np.float32 else value
        for name, value in state.items()
    }
    np.savez_compressed(arguments.out, **halves)
    size = arguments.out.stat().st_size
    print(f"{arguments.out}: {size / 1e6:.2f} MB")  # noqa: T201
    for name, accuracy in evaluate(model, arguments.seed).items():
        print(f"accuracy on new drawings, {name}: {accuracy:.3f}")  # noqa: T201


if __name__ == "__main__":
    main()
