"""A network in a wrapper is the network; what is more than a wrapper stays what it is."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from reference.drivers.transfer_learning import _parameters, train_well


def network():
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


class Wrapper(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)


class WithOwnLayer(Wrapper):
    def __init__(self, module):
        super().__init__(module)
        self.head = nn.Linear(2, 2)


class Renamed(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.backbone = module


class Compiled(nn.Module):  # what torch.compile returns where it compiles
    def __init__(self, module):
        super().__init__()
        self._orig_mod = module


WRAPPERS = {
    "nothing": lambda net: net,
    "DataParallel": nn.DataParallel,
    "twice": lambda net: nn.DataParallel(nn.DataParallel(net)),
    "AveragedModel": AveragedModel,
    "AveragedModel of DataParallel": lambda net: AveragedModel(nn.DataParallel(net)),
    "compiled": Compiled,
    "compiled DataParallel": lambda net: Compiled(nn.DataParallel(net)),
    "own class": Wrapper,
    "own class around all": lambda net: Wrapper(AveragedModel(Compiled(net))),
    "own class with another name": Renamed,
    "own Sequential": nn.Sequential,
    "own ModuleList": lambda net: nn.ModuleList([net]),
    "deepcopy": copy.deepcopy,
    "eval": lambda net: net.eval(),
    "frozen": lambda net: net.requires_grad_(requires_grad=False),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_its_parameters_have_the_names_of_the_network(name):
    found = _parameters(WRAPPERS[name](network()), "train")
    expected = {key: value.numpy() for key, value in network().state_dict().items()}
    assert list(found) == list(expected)
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value)


@pytest.mark.parametrize("change", ["double", "half", "bfloat16", "float"])
def test_numbers_of_another_precision_come_in_single_precision(change):
    found = _parameters(nn.DataParallel(getattr(network(), change)()), "train")
    for key, value in network().state_dict().items():
        assert found[key].dtype == np.float32 or not value.is_floating_point()
        np.testing.assert_allclose(found[key], value.numpy(), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("wrapper", [WithOwnLayer, lambda net: nn.Sequential(net, nn.PReLU())])
def test_what_is_more_than_a_wrapper_is_not_taken_apart(wrapper):
    found = _parameters(wrapper(network()), "train")
    assert set(found) == set(wrapper(network()).state_dict())


@pytest.mark.parametrize("value", [None, {}, (network(), []), network().state_dict(), "resnet"])
def test_what_is_not_a_network_is_named(value):
    with pytest.raises(TypeError, match=f"must return the model, got {type(value).__name__}"):
        _parameters(value, "train")


def test_lazy_layers_are_trained():
    model = nn.Sequential()
    model.add_module("flat", nn.Flatten())
    model.add_module("fc", nn.LazyLinear(2))
    images, labels = torch.ones(4, 3, 2, 2), torch.tensor([0, 1, 0, 1])
    batches = {"train": [(images, labels)], "val": [(images, labels)]}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    sizes = {"train": 4, "val": 4}
    trained = train_well("cpu", batches, sizes, model, nn.CrossEntropyLoss(), optimizer, None, 2)
    assert _parameters(trained, "train")["fc.weight"].shape == (2, 12)
