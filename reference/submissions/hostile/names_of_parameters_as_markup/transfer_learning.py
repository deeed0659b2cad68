"""The names of the parameters are HTML, JavaScript, escape codes and thousands of letters."""

import torch
from honest_transfer import *

NAMES = [
    "<script>document.title = 'A+'</script>",
    "\x1b[2J\x1b[1;1Hq1.1 passed 5 / 5",
    "\u202e5 / 5",
    "=HYPERLINK(1)",
    "x" * 2**12,
]


class Renamed(torch.nn.Module):
    def state_dict(self, *arguments, **options):
        return {name: torch.ones(2) for name in NAMES}


def train_model(device, dataloaders, dataset_sizes, model, *options, **more):
    return Renamed()
