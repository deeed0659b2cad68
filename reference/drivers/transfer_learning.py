"""Runs beside the student's ``transfer_learning.py`` in a worker; holds no secret.

``finetune`` and ``freeze`` return the parameters of the trained network, ``train_model`` those of
small models after a few epochs. What they are worth is found out elsewhere. ``ProbeModel`` is also
used on the trusted side.
"""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import optimizer as optimizers
from torch.utils.data import DataLoader, Dataset, TensorDataset

Arrays = Mapping[str, np.ndarray]

HEAD = "fc"  # what every network here has: the layer that is exchanged
MAX_WRAPPERS = 8
MOST_VALUES = 128  # of a layer while it is trained
MOST_NUMBERS = 65_536  # of such a layer
MOST_PATHS = 8
ROUNDING = 1.0e-6  # of the largest number of an array


class ProbeModel(nn.Module):
    """A linear model, after a batch norm if asked for; images (n, 3, 4, 4) -> scores (n, classes).

    If ``telling``, its scores are exchanged when gradients are recorded in evaluation mode: whether
    a validation phase records any then shows in the accuracy, and so in the epoch that is kept.
    """

    def __init__(self, parameters: Arrays, *, telling: bool) -> None:
        super().__init__()
        self.telling = telling
        batch_norm = "norm.weight" in parameters
        self.norm = nn.BatchNorm2d(3) if batch_norm else nn.Identity()
        self.fc = nn.Linear(48, len(parameters["fc.bias"]))
        self.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in parameters.items()})

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, 4, 4) -> scores (n, classes)."""
        scores: Tensor = self.fc(self.norm(images).flatten(1))
        if self.telling and scores.requires_grad and not self.training:
            scores = scores.roll(1, dims=1)
        return scores


class Photographs(Dataset[tuple[Tensor, int]]):
    """Images (n, H, W, 3) uint8 and labels (n,); normalized, and mirrored at random if asked."""

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        mirrored: torch.Generator | None = None,
        passes: int = 1,
    ) -> None:
        self.images, self.labels = images, labels
        self._mirrored, self._passes = mirrored, passes

    def __len__(self) -> int:
        """Return the number of images of an epoch."""
        return self._passes * len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return an image (3, H, W) float32 and its label."""
        import pretrained  # supplied, beside the student's files

        index %= len(self.labels)
        image = pretrained.normalise(self.images[index : index + 1])[0]
        if self._mirrored is not None and torch.rand((), generator=self._mirrored) < 0.5:
            image = image.flip(2)
        return image, int(self.labels[index])


class Path:
    """The values of a layer before the first step of its optimizer, and after its steps.

    Of many steps, every second, fourth, ... is kept.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.layer = weight, bias
        self.values = [self._now()]
        self._every, self._steps = 1, 0

    def _now(self) -> np.ndarray:
        """Return the weights (m, n) with the bias in a last column, (m, n + 1)."""
        weight, bias = self.layer
        columns = [weight, weight.new_zeros(len(weight)) if bias is None else bias]
        columns = [column.detach().float().cpu().reshape(len(weight), -1) for column in columns]
        return torch.cat(columns, dim=1).numpy().copy()

    def step(self) -> None:
        """Remember where a step has led."""
        self._steps += 1
        if self._steps % self._every == 0:
            self.values.append(self._now())
        if len(self.values) > MOST_VALUES:
            self.values, self._every = self.values[:1] + self.values[2::2], 2 * self._every


class Watch:
    """Looks at pretrained networks while they are trained: some get their first weights back."""

    def __init__(self) -> None:
        self._networks: list[tuple[nn.Module, dict[str, Tensor]]] = []
        self._seen: list[dict[str, Any]] = []
        self._paths: dict[int, Path] = {}

    @contextmanager
    def looking(self, pretrained: ModuleType) -> Iterator[None]:
        """Remember each network that gets pretrained parameters, and look at each step."""
        load = pretrained.load_parameters

        def load_parameters(network: nn.Module, parameters: Any) -> None:
            load(network, parameters)
            start = {name: value.detach().clone() for name, value in network.named_parameters()}
            self._networks.append((network, start))
            self._seen.append({"steps": 0})

        hooks = (
            optimizers.register_optimizer_step_pre_hook(self._before),
            optimizers.register_optimizer_step_post_hook(self._after),
        )
        pretrained.load_parameters = load_parameters  # type: ignore[attr-defined]
        try:
            yield
        finally:
            pretrained.load_parameters = load  # type: ignore[attr-defined]
            for hook in hooks:
                hook.remove()

    def _before(self, optimizer: Any, *_args: Any) -> None:
        for weight, bias in _small_layers(optimizer):
            if id(weight) not in self._paths:
                self._paths[id(weight)] = Path(weight, bias)
        for number in self._trained(optimizer):
            if not self._seen[number]["steps"]:
                self._look(number, "before")

    def _after(self, optimizer: Any, *_args: Any) -> None:
        for weight, _bias in _small_layers(optimizer):
            self._paths[id(weight)].step()
        for number in self._trained(optimizer):
            step = self._seen[number]["steps"] = self._seen[number]["steps"] + 1
            if step & (step - 1) == 0:  # 1, 2, 4, ...
                self._look(number, "during")

    def _trained(self, optimizer: Any) -> list[int]:
        """Return the numbers of the networks with a parameter of this optimizer's."""
        theirs = {id(p) for group in optimizer.param_groups for p in group["params"]}
        networks = enumerate(self._networks)
        return [i for i, (one, _) in networks if any(id(p) in theirs for p in one.parameters())]

    def _look(self, number: int, when: str) -> None:
        """Keep the smallest array before the head that is not as it was loaded."""
        network, start = self._networks[number]
        changed = {
            name: value.detach().float().cpu()
            for name, value in network.named_parameters()
            if name in start and not name.startswith(f"{HEAD}.")
            if value.dtype in {torch.float32, torch.float64}
            if _differs(value.detach().float().cpu(), start[name])
        }
        if changed and when not in self._seen[number]:
            name = min(changed, key=lambda name: changed[name].numel())
            self._seen[number][when] = {name: changed[name].numpy().copy()}

    def seen(self, model: nn.Module) -> dict[str, Any]:
        """Return the ``steps`` of optimizers with parameters of a network.

        Also arrays by name that were not the pretrained ones ``before`` the first or ``during`` it,
        and ``paths``, a list of (k, m, n + 1): those of layers with the shape of its head, which
        may have been trained before it became the head. The first of each is before any step.
        """
        pairs = zip(self._networks, self._seen, strict=True)
        found = next((seen for (network, _start), seen in pairs if network is model), {})
        head = [p.shape for p in getattr(model, HEAD, nn.Module()).parameters() if p.ndim == 2]
        paths = [path for path in self._paths.values() if path.layer[0].shape in head]
        return {**found, "paths": [np.stack(path.values) for path in paths[-MOST_PATHS:]]}


def _differs(value: Tensor, start: Tensor) -> bool:
    """Say whether an array has changed, by more than adding and subtracting the same does.

    Optimizers that look around (SAM) go a little way and back before they make a step.
    """
    change = (value - start).abs().max()
    return not bool(change <= ROUNDING * start.abs().max())


def _small_layers(optimizer: Any) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Yield the weights (m, n) that an optimizer has, each with its bias (m,) if that follows."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for weight, after in zip(parameters, [*parameters[1:], None], strict=True):
        if weight.ndim == 2 and weight.numel() <= MOST_NUMBERS:
            has_bias = after is not None and after.shape == weight.shape[:1]
            yield weight, after if has_bias else None


def finetune(student: ModuleType, *, seed: int, device: str, **data: Any) -> dict[str, Any]:
    """Call the student's ``finetune``; see ``_transfer``."""
    return _transfer(student, "finetune", torch.device(device), seed, data)


def freeze(student: ModuleType, *, seed: int, device: str, **data: Any) -> dict[str, Any]:
    """Call the student's ``freeze``; see ``_transfer``."""
    return _transfer(student, "freeze", device, seed, data)


def _transfer(
    student: ModuleType, name: str, device: Any, seed: int, data: dict[str, Any]
) -> dict[str, Any]:
    """Call one of the functions that return a trained network.

    Returns:
        ``parameters``, the network's arrays by name; ``seen``, what ``Watch`` saw of it;
        ``exchanged``, the classes (n,) that the network of a second, short call gives the
        validation images after it got the labels exchanged, empty if that call fails.
    """
    import pretrained  # supplied, beside the student's files

    network, settings = data["network"], data["settings"][name]
    pretrained.install(network["architecture"], network["parameters"] or None)
    _replace_train_model(student)
    torch.manual_seed(seed)
    watch = Watch()
    with watch.looking(pretrained):
        model = _called(student, name, device, seed, data, settings)
    parameters, seen = _parameters(model, name), watch.seen(_unwrapped(model))
    labels = {key: 1 - data[key] for key in ("train_labels", "val_labels")}
    short = {**settings, "num_epochs": 1, "passes": 1}
    try:
        model = _called(student, name, device, seed, {**data, **labels}, short)
        exchanged = _predicted(model.eval(), data["val_images"], short["batch_size"], device)
    except Exception:  # noqa: BLE001 - student code may raise anything; the first call has its points
        exchanged = np.zeros(0, dtype=np.int64)
    return {"parameters": parameters, "seen": seen, "exchanged": exchanged}


def _called(
    student: ModuleType, name: str, device: Any, seed: int, data: dict[str, Any], settings: Any
) -> Any:
    """Return what the student's function returns for these images and settings."""
    shuffling, mirroring = torch.Generator(), torch.Generator()
    shuffling.manual_seed(seed)
    mirroring.manual_seed(seed + 1)
    train = Photographs(data["train_images"], data["train_labels"], mirroring, settings["passes"])
    val = Photographs(data["val_images"], data["val_labels"])
    loaders = {
        "train": DataLoader(
            train, batch_size=settings["batch_size"], shuffle=True, generator=shuffling
        ),
        "val": DataLoader(val, batch_size=settings["batch_size"]),
    }
    sizes = {"train": len(train), "val": len(val)}
    names, epochs = list(data["class_names"]), settings["num_epochs"]
    return getattr(student, name)(device, loaders, sizes, names, epochs)


def _predicted(model: nn.Module, images: np.ndarray, batch: int, device: Any) -> np.ndarray:
    """Images (n, H, W, 3) uint8 -> the classes (n,) of the highest scores."""
    like = next(model.parameters())
    loader = DataLoader(Photographs(images, np.zeros(len(images), dtype=int)), batch_size=batch)
    with torch.no_grad():
        scores = [model(part.to(device, like.dtype)) for part, _labels in loader]
    return torch.cat(scores).argmax(dim=1).cpu().numpy()


def _replace_train_model(student: ModuleType) -> None:
    """Put a right ``train_model`` in place of the student's: its mistakes are paid for elsewhere.

    A call that the given signature does not allow still goes to the student's own.
    """
    own = getattr(student, "train_model", None)
    signature = inspect.signature(train_well)

    def train_model(*args: Any, **kwargs: Any) -> Any:
        try:
            signature.bind(*args, **kwargs)
        except TypeError:
            if callable(own):
                return own(*args, **kwargs)
            raise
        return train_well(*args, **kwargs)

    student.train_model = train_model  # type: ignore[attr-defined]


def train_well(
    device: Any,
    dataloaders: Any,
    dataset_sizes: Any,
    model: nn.Module,
    criterion: Any,
    optimizer: Any,
    scheduler: Any,
    num_epochs: int = 25,
) -> nn.Module:
    """Train ``model`` and return it with the weights of the epoch of best validation accuracy."""
    del dataset_sizes
    model.to(device)
    _make_lazy_layers(model, device, dataloaders["train"])
    best, kept = -1, {k: v.clone() for k, v in model.state_dict().items()}
    for _ in range(num_epochs):
        model.train()
        for images, labels in dataloaders["train"]:
            optimizer.zero_grad()
            criterion(model(images.to(device)), labels.to(device)).backward()
            optimizer.step()
        if scheduler is not None:
            scheduler.step()
        model.eval()
        right = 0
        with torch.no_grad():
            for images, labels in dataloaders["val"]:
                right += int((model(images.to(device)).argmax(1) == labels.to(device)).sum())
        if right > best:
            best, kept = right, {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(kept)
    return model


def _make_lazy_layers(model: nn.Module, device: Any, batches: Any) -> None:
    """Let layers such as ``LazyLinear`` find out their sizes: they have no values before."""
    if any(isinstance(value, nn.UninitializedParameter) for value in model.parameters()):
        images, _labels = next(iter(batches))
        model.eval()
        with torch.no_grad():
            model(images.to(device))


def _parameters(model: Any, name: str) -> dict[str, np.ndarray]:
    """Return the arrays of a network by name, in single precision, without wrappers around it."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"{name} must return the model, got {type(model).__name__}")
    arrays = _unwrapped(model).state_dict()
    return {
        k: (v.detach().float() if v.is_floating_point() else v.detach()).cpu().numpy().copy()
        for k, v in arrays.items()
    }


def _unwrapped(model: nn.Module) -> nn.Module:
    """Return the network inside DataParallel, an averaged model, a compiled or a student's one.

    What these have in common: all of their parameters are those of one inner network.
    """
    for _ in range(MAX_WRAPPERS):
        if hasattr(model, HEAD):
            break
        own = {id(parameter) for parameter in model.parameters()}
        inner = (m for m in model.children() if own == {id(p) for p in m.parameters()})
        found = next(inner, None)
        if found is None:
            break
        model = found
    return model


def train_model(
    student: ModuleType, *, scenarios: dict[str, dict[str, Any]], seed: int, device: str
) -> dict[str, Any]:
    """Call the student's ``train_model`` in each scenario of ``datasets/training_loop.py``.

    Returns:
        For each scenario, the arrays of the returned model by name.
    """
    torch.manual_seed(seed)
    returned = {}
    for i, (name, given) in enumerate(scenarios.items()):
        model = ProbeModel(given["parameters"], telling=given["telling"]).to(device)
        model.train(bool(given["training"]))
        optimizer = torch.optim.SGD(model.parameters(), lr=given["learning_rate"])
        scheduler = torch.optim.lr_scheduler.StepLR(
            optimizer, given["step_size"], gamma=given["gamma"]
        )
        loaders = {phase: _batches(given[phase]) for phase in ("train", "val")}
        sizes = {phase: len(given[phase]["labels"]) for phase in loaders}
        where = torch.device(device) if i % 2 else device
        criterion = nn.CrossEntropyLoss(label_smoothing=given["smoothing"])
        trained = student.train_model(
            where, loaders, sizes, model, criterion, optimizer, scheduler, given["num_epochs"]
        )
        returned[name] = _parameters(trained, "train_model")
    return returned


def _batches(phase: dict[str, Any]) -> DataLoader[tuple[Tensor, ...]]:
    images, labels = (torch.from_numpy(np.array(phase[key])) for key in ("images", "labels"))
    return DataLoader(TensorDataset(images, labels), batch_size=phase["batch"])
