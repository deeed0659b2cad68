"""Question 1: what the judges make of right and wrong results, on data that the driver made."""

import copy
import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from grader.errors import Failure
from reference import supplied, training_habits
from reference.datasets import exchanged_classes, insects, prediction_figure, training_loop
from reference.drivers import prediction_figure as figure_driver
from reference.drivers import transfer_learning as driver
from reference.judges import prediction_figure as figure_judge
from reference.judges import training_loop as loop_judge
from reference.judges import transfer_learning as judge

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "reference" / "submissions"
SHORT = {"num_epochs": 1, "batch_size": 4, "passes": 1}
MISTAKES = [(name, value) for name, values in training_habits.WRONG.items() for value in values]

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning")


@pytest.fixture(scope="module", autouse=True)
def as_in_a_worker(one_thread):
    """One thread; the supplied helper and the base of examples importable by their plain names."""
    folders = [str(ROOT / "submissions_template"), str(EXAMPLES / "_honest")]
    sys.path[:0] = folders
    yield
    for folder in folders:
        sys.path.remove(folder)
    for name in ("pretrained", "honest_transfer"):
        sys.modules.pop(name, None)


def student(example: str):
    path = EXAMPLES / example / "transfer_learning.py"
    sys.modules.pop("honest_transfer", None)  # a wrong example puts its own functions into it
    spec = importlib.util.spec_from_file_location("student", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def found(evidence) -> dict[str, float]:
    return {finding.name: finding.earned for finding in evidence.findings}


def messages(evidence) -> str:
    return " ".join(finding.message for finding in evidence.findings)


@pytest.fixture(scope="module")
def loops():
    return training_loop.load("mini", None, 4)["inputs"]


def returned_by(habits, scenarios):
    ends = {}
    for name, scenario in scenarios.items():
        trace = training_habits.run(scenario, habits)
        ends[name] = trace.weights[training_habits.kept_epoch(trace, habits.keeps)]
    return ends


@pytest.mark.parametrize("example", ["plain", "loop", "vectorised"])
def test_right_loops_have_all_properties(example, loops):
    result = driver.train_model(student(f"full_marks/{example}"), seed=0, device="cpu", **loops)
    evidence = loop_judge.train_model(result, loops, {})
    assert set(found(evidence)) == set(training_habits.PROPERTIES.values())
    assert set(found(evidence).values()) == {1.0}, messages(evidence)


@pytest.mark.parametrize(("name", "value"), MISTAKES)
def test_one_mistake_costs_its_own_property_only(name, value, loops):
    result = returned_by(training_habits.Habits(**{name: value}), loops["scenarios"])
    evidence = loop_judge.train_model(result, loops, {})
    lost = {key for key, earned in found(evidence).items() if earned < 1}
    assert lost == {training_habits.PROPERTIES[name]}, messages(evidence)


def test_two_mistakes_cost_two_properties(loops):
    habits = training_habits.Habits(clears="never", keeps="last")
    evidence = loop_judge.train_model(returned_by(habits, loops["scenarios"]), loops, {})
    lost = {key for key, earned in found(evidence).items() if earned < 1}
    assert lost == {"gradients_cleared", "best_weights"}


def test_every_single_mistake_can_be_told_from_every_other(loops):
    assert training_habits.all_distinct(loops["scenarios"])


def test_unexplained_weights_are_judged_one_by_one(loops):
    result = returned_by(training_habits.Habits(), loops["scenarios"])
    result["schedule"] = {k: v + 0.1 for k, v in result["schedule"].items()}
    evidence = loop_judge.train_model(result, loops, {})
    lost = {key for key, earned in found(evidence).items() if earned < 1}
    assert lost == {"scheduler"}
    assert "got" in messages(evidence)


def test_weights_off_by_one_percent_are_not_right(loops):
    result = returned_by(training_habits.Habits(), loops["scenarios"])
    result["one_step"] = {k: v * 1.01 for k, v in result["one_step"].items()}
    assert found(loop_judge.train_model(result, loops, {}))["trains"] == 0


def test_weights_that_are_not_finite_fail(loops):
    result = returned_by(training_habits.Habits(), loops["scenarios"])
    result["one_step"]["fc.bias"] = np.full(3, np.nan, dtype=np.float32)
    with pytest.raises(Failure) as failure:
        loop_judge.train_model(result, loops, {})
    assert failure.value.reason == "not_finite"


@pytest.fixture(scope="module")
def shown():
    return prediction_figure.load("mini", None, 3)


@pytest.mark.parametrize("example", ["plain", "loop", "vectorised"])
def test_right_figures_have_both_properties(example, shown):
    made = figure_driver.visualize_model(
        student(f"full_marks/{example}"), seed=0, device="cpu", **shown["inputs"]
    )
    evidence = figure_judge.visualize_model(made, shown["inputs"], shown["withheld"])
    assert found(evidence) == {"figure": 1, "titles": 1}, messages(evidence)
    assert evidence.figures[0].items[0][0].startswith("predicted: ")


@pytest.mark.parametrize(
    ("example", "lost", "said"),
    [
        ("figure_titles_are_labels", "titles", "the true labels"),
        ("figure_titles_one_off", "titles", "the previous image"),
        ("figure_in_training_mode", "titles", "model.eval() missing"),
        ("figure_of_training_images", "figure", "a training image"),
    ],
)
def test_a_wrong_figure_loses_one_property(example, lost, said, shown):
    made = figure_driver.visualize_model(
        student(f"wrong/{example}"), seed=0, device="cpu", **shown["inputs"]
    )
    evidence = figure_judge.visualize_model(made, shown["inputs"], shown["withheld"])
    assert [key for key, earned in found(evidence).items() if earned < 1] == [lost]
    assert said in messages(evidence)


def test_a_figure_that_is_not_returned_is_refused(shown):
    with pytest.raises(TypeError, match="must return the figure, got NoneType"):
        figure_driver.visualize_model(
            student("wrong/figure_not_returned"), seed=0, device="cpu", **shown["inputs"]
        )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda images: [image.swapaxes(0, 1) for image in images], "transposed"),
        (lambda images: [image[..., ::-1] for image in images], "red and blue"),
        (lambda images: [images[0]] * len(images), "repeats an earlier image"),
        (lambda images: images[:-1], "shows 5 images, not 6"),
        (lambda images: [np.zeros((4, 4)) for _ in images], "not one of the validation images"),
    ],
)
def test_images_that_are_not_the_validation_images_are_named(change, said, shown):
    inputs = shown["inputs"]
    names = [inputs["class_names"][i] for i in shown["withheld"]["predictions"]]
    figures = [
        {
            "titles": [f"predicted: {name}" for name in names[:number]],
            "images": [image / 255 for image in inputs["val_images"][:number]],
            "training": True,
        }
        for number in (6, 3)
    ]
    figures[0]["images"] = change(figures[0]["images"])
    figures[0]["titles"] = figures[0]["titles"][: len(figures[0]["images"])]
    evidence = figure_judge.visualize_model({"figures": figures}, inputs, shown["withheld"])
    assert found(evidence)["figure"] == 0
    assert said in messages(evidence)


@pytest.fixture(scope="module")
def ants_and_bees():
    return insects.load("mini", None, 0)


@pytest.fixture(scope="module")
def network(ants_and_bees):
    """A network with a head that is trained on the features of the frozen backbone."""
    pretrained = supplied.load("pretrained")
    model = pretrained.resnet18(pretrained=True).eval()
    images = pretrained.normalise(ants_and_bees["inputs"]["train_images"])
    labels = torch.from_numpy(ants_and_bees["inputs"]["train_labels"])
    with torch.no_grad():
        features = model.features(images)
    torch.manual_seed(0)
    model.fc = nn.Linear(features.shape[1], 2)
    optimizer = torch.optim.Adam(model.fc.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model.fc(features), labels).backward()
        optimizer.step()
    return model


def arrays(model) -> dict[str, np.ndarray]:
    return {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}


def judged(which, parameters, loaded, **more):
    result = {"parameters": parameters, "seen": {}, "exchanged": np.zeros(0), **more}
    return getattr(judge, which)(result, loaded["inputs"], loaded["withheld"])


def test_mini_tier_has_the_sizes_of_the_homework(ants_and_bees):
    inputs, withheld = ants_and_bees["inputs"], ants_and_bees["withheld"]
    assert inputs["train_images"].shape == (244, 48, 48, 3)
    assert withheld["images"].shape == (153, 48, 48, 3)
    assert np.bincount(withheld["labels"]).max() == 77
    assert "labels" not in inputs


def test_a_linear_head_on_pretrained_features_is_enough(network, ants_and_bees):
    evidence = judged("freeze", arrays(network), ants_and_bees)
    assert evidence.values["accuracy"] > 0.95
    assert found(evidence) == {"head": 1, "frozen": 1, "trained_head": 1}


def test_features_of_a_random_network_are_not_enough(ants_and_bees):
    pretrained = supplied.load("pretrained")
    torch.manual_seed(0)
    model = pretrained.resnet18(pretrained=False).eval()
    inputs, withheld = ants_and_bees["inputs"], ants_and_bees["withheld"]
    with torch.no_grad():
        train = model.features(pretrained.normalise(inputs["train_images"])).numpy()
        test = model.features(pretrained.normalise(withheld["images"])).numpy()
    centre, scale = train.mean(axis=0), train.std(axis=0) + 1e-6
    train, test = (train - centre) / scale, (test - centre) / scale
    signs = 2 * inputs["train_labels"] - 1
    ridge = np.linalg.solve(train.T @ train + 50 * np.eye(train.shape[1]), train.T @ signs)
    assert ((test @ ridge > 0) == withheld["labels"]).mean() < 0.7


def test_one_changed_bit_of_a_frozen_parameter_is_noticed(network, ants_and_bees):
    parameters = arrays(network)
    weight = parameters["layer1.0.conv1.weight"]
    weight.flat[0] = np.nextafter(weight.flat[0], np.float32(9))
    evidence = judged("freeze", parameters, ants_and_bees)
    assert found(evidence) == {"head": 1, "frozen": 0, "trained_head": 1}
    assert "layer1.0.conv1.weight" in messages(evidence)


def test_running_statistics_of_a_frozen_network_may_change(network, ants_and_bees):
    parameters = arrays(network)
    parameters["bn1.running_mean"] = parameters["bn1.running_mean"] * 1.001
    assert found(judged("freeze", parameters, ants_and_bees))["frozen"] == 1


def test_finetuning_that_leaves_the_backbone_alone_is_noticed(network, ants_and_bees):
    evidence = judged("finetune", arrays(network), ants_and_bees)
    assert found(evidence) == {"head": 1, "backbone": 0}
    assert evidence.values["accuracy"] > 0.95


def test_the_luck_of_an_untrained_head_counts_as_guessing(network, ants_and_bees):
    parameters = arrays(network)
    # As good as the trained one, and as unsure as a random one.
    parameters["fc.weight"] *= 0.01
    parameters["fc.bias"] *= 0.01
    evidence = judged("freeze", parameters, ants_and_bees)
    assert evidence.values["measured_accuracy"] > 0.95
    assert evidence.values["accuracy"] < 0.55
    assert found(evidence)["trained_head"] == 0


@pytest.mark.parametrize(
    ("start", "end", "counts"),
    [
        (0.0, 0.03, True),  # a squared error or smoothed labels made small scores
        (0.028, 0.03, False),  # known before training
        (0.0, 0.005, False),  # hardly trained
    ],
)
def test_small_scores_count_if_training_made_them(start, end, counts, network, ants_and_bees):
    parameters = arrays(network)
    head = np.column_stack([parameters["fc.weight"], parameters["fc.bias"]])
    for name in ("fc.weight", "fc.bias"):
        parameters[name] = parameters[name] * np.float32(end)
    for which in ("finetune", "freeze"):
        seen = {"steps": 9, "paths": [np.stack([start * head, end * head])]}
        evidence = judged(which, parameters, ants_and_bees, seen=seen)
        assert evidence.values["training_loss"] > judge.TRAINED_LOSS
        assert (evidence.values["accuracy"] > 0.95) == counts
        assert (evidence.notes == ()) == counts


def test_what_all_classes_share_is_no_training(network, ants_and_bees):
    """No prediction changes when the weights of all classes change by the same."""
    parameters = arrays(network)
    for name in ("fc.weight", "fc.bias"):
        parameters[name] = parameters[name] * np.float32(0.03)
    head = np.column_stack([parameters["fc.weight"], parameters["fc.bias"]])
    seen = {"steps": 9, "paths": [np.stack([head - np.linspace(-1, 1, head.shape[1]), head])]}
    evidence = judged("freeze", parameters, ants_and_bees, seen=seen)
    assert evidence.values["measured_accuracy"] > 0.95
    assert evidence.values["accuracy"] < 0.55


def test_a_head_with_spare_outputs_loses_its_property_only(network, ants_and_bees):
    parameters = arrays(network)
    spare = np.zeros((104, 96), dtype=np.float32)
    parameters["fc.weight"] = np.concatenate([parameters["fc.weight"], spare])
    parameters["fc.bias"] = np.append(parameters["fc.bias"], np.full(104, -20, dtype=np.float32))
    evidence = judged("freeze", parameters, ants_and_bees)
    assert found(evidence) == {"head": 0, "frozen": 1, "trained_head": 1}
    assert evidence.values["accuracy"] > 0.95
    assert "106 outputs for 2 classes" in messages(evidence)


def test_a_head_in_a_sequence_is_read(network, ants_and_bees):
    parameters = arrays(network)
    for name in ("weight", "bias"):
        parameters[f"fc.1.{name}"] = parameters.pop(f"fc.{name}")
    assert judged("freeze", parameters, ants_and_bees).values["accuracy"] > 0.95


@pytest.mark.parametrize(
    ("change", "reason", "said"),
    [
        (lambda p: p.pop("conv1.weight"), "mismatch", "has no 'conv1.weight'"),
        (lambda p: p.update(extra=np.zeros(2)), "mismatch", "has an unexpected 'extra'"),
        (lambda p: p.update({"bn1.bias": np.zeros(5, np.float32)}), "wrong_shape", "bn1.bias"),
        (lambda p: p.update({"bn1.bias": np.zeros(12)}), "wrong_dtype", "float64"),
        (
            lambda p: p.update({"bn1.bias": np.full(12, np.inf, np.float32)}),
            *("not_finite", "bn1.bias"),
        ),
        (lambda p: p.pop("fc.weight"), "mismatch", "one linear layer"),
        (lambda p: p.update({"fc.weight": np.zeros((2, 95), np.float32)}), "wrong_shape", "96"),
    ],
)
def test_a_network_that_is_another_is_refused(change, reason, said, network, ants_and_bees):
    parameters = arrays(network)
    change(parameters)
    with pytest.raises(Failure, match=said) as failure:
        judged("finetune", parameters, ants_and_bees)
    assert failure.value.reason == reason


@pytest.mark.parametrize("name", ["finetune", "freeze"])
def test_a_short_run_of_the_student_transfers(name, ants_and_bees):
    loaded = copy.copy(ants_and_bees)
    loaded["inputs"] = {**loaded["inputs"], "settings": {name: SHORT}}
    made = getattr(driver, name)(
        student("full_marks/plain"), seed=1, device="cpu", **loaded["inputs"]
    )
    evidence = judged(name, loaded=loaded, **made)
    assert made["seen"]["steps"] > 0
    assert "before" not in made["seen"]
    assert ("during" in made["seen"]) == (name == "finetune")
    own = (made["exchanged"] == loaded["inputs"]["val_labels"]).mean()
    assert own < 0.4
    assert set(found(evidence).values()) == {1.0}, messages(evidence)
    assert evidence.values["accuracy"] > 0.9


def moved(network, change):
    parameters = arrays(network)
    for name, value in parameters.items():
        if value.ndim == 4:
            parameters[name] = (value + change(value)).astype(np.float32)
    return parameters


@pytest.fixture(scope="module")
def head(network):
    """The weights of the trained head, with its biases in a last column."""
    kept = arrays(network)
    return np.column_stack([kept["fc.weight"], kept["fc.bias"]])


def test_noise_without_effect_is_not_training(network, ants_and_bees):
    rng = np.random.default_rng(0)
    parameters = moved(network, lambda value: 1e-6 * rng.standard_normal(value.shape))
    evidence = judged("finetune", parameters, ants_and_bees)
    assert found(evidence) == {"head": 1, "backbone": 0}
    assert "put back under your head" in messages(evidence)


def test_noise_with_an_effect_is_left_to_a_person(network, ants_and_bees):
    rng = np.random.default_rng(0)
    parameters = moved(network, lambda value: 3e-3 * rng.standard_normal(value.shape))
    backbone = judged("finetune", parameters, ants_and_bees).findings[1]
    assert backbone.undecided
    assert "a cosine of" in backbone.message


def test_a_network_that_came_trained_loses_its_backbone(ants_and_bees):
    inputs = {**ants_and_bees["inputs"], "settings": {"finetune": SHORT}}
    made = driver.finetune(student("full_marks/plain"), seed=1, device="cpu", **inputs)
    before = {"steps": 8, "before": {"bn1.weight": made["parameters"]["bn1.weight"]}}
    parameters = made["parameters"]
    evidence = judged("finetune", parameters, ants_and_bees, seen=before)
    assert "before the first step of the optimizer, bn1.weight" in messages(evidence)
    nothing = judged("finetune", parameters, ants_and_bees, seen={"steps": 0})
    assert nothing.findings[1].undecided


def test_a_backbone_that_was_put_back_is_not_frozen(network, head, ants_and_bees):
    parameters = arrays(network)
    during = {"bn1.weight": parameters["bn1.weight"] + 0.25}
    seen = {"steps": 9, "during": during, "paths": [np.stack([0 * head, head])]}
    evidence = judged("freeze", parameters, ants_and_bees, seen=seen)
    assert found(evidence) == {"head": 1, "frozen": 0, "trained_head": 1}
    assert "bn1.weight changed by up to 0.25 during training" in messages(evidence)


def test_a_network_that_does_not_follow_its_labels_earns_nothing(network, ants_and_bees):
    labels = ants_and_bees["inputs"]["val_labels"]
    with pytest.raises(Failure, match="what it knows about the classes comes from elsewhere"):
        judged("freeze", arrays(network), ants_and_bees, exchanged=labels)
    judged("freeze", arrays(network), ants_and_bees, exchanged=1 - labels)


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ([[0, 0.5, 1]], ""),
        ([[0, 0.5, 1.5]], ""),  # an average over the way
        ([[0, 1e-3], [0, 0.5, 1]], ""),  # of two layers one became the head
        ([[0, 1e-3]], "what you return is"),
        ([[1, 1]], "before the first step of the optimizer, the head knew the classes"),
        ([], "no optimizer made a step"),
        ([[0]], "what you return is"),
        ([[0, -30]], "what you return is"),  # a giant step that leads elsewhere
    ],
)
def test_a_head_that_no_training_led_to_is_left_to_a_person(
    shares, said, network, head, ants_and_bees
):
    rng = np.random.default_rng(0)
    start = 0.1 * rng.standard_normal(head.shape)
    paths = [np.stack([start + share * (head - start) for share in path]) for path in shares]
    seen = {"steps": 5, "paths": paths}
    trained = judged("freeze", arrays(network), ants_and_bees, seen=seen).findings[2]
    assert (trained.earned, trained.undecided) == (float(not said), bool(said))
    assert said in trained.message


@pytest.mark.parametrize(("factor", "said"), [(1, ""), (1.3, "the head knew the classes")])
def test_a_head_that_was_drawn_may_know_the_classes_by_luck(
    factor, said, network, head, ants_and_bees
):
    bound = 1 / np.sqrt(head.shape[1] - 1)
    lucky = np.random.default_rng(0).uniform(0, bound, head.shape) * np.sign(head - head.mean(0))
    start = factor * lucky
    seen = {"steps": 5, "paths": [np.stack([start, head])]}
    trained = judged("freeze", arrays(network), ants_and_bees, seen=seen).findings[2]
    assert (trained.earned, trained.undecided) == (float(not said), bool(said))
    assert said in trained.message


def test_steps_that_make_a_head_larger_and_no_better_are_left_to_a_person(
    network, head, ants_and_bees
):
    """Whoever tries thousands of drawn heads finds one that knows the classes."""
    seen = {"steps": 1, "paths": [np.stack([0.05 * head, head])]}
    trained = judged("freeze", arrays(network), ants_and_bees, seen=seen).findings[2]
    assert trained.undecided
    assert "made the head no better" in trained.message


def test_a_way_there_and_back_is_no_other_network():
    start = torch.randn(3, 4)
    assert not driver._differs((start + 0.05) - 0.05, start)
    assert driver._differs(start + 1e-3, start)
    assert driver._differs(start * float("nan"), start)


def test_paths_of_another_shape_say_nothing(network, ants_and_bees):
    seen = {"steps": 5, "paths": [np.zeros((3, 2)), np.zeros((3, 5, 5))]}
    assert judged("freeze", arrays(network), ants_and_bees, seen=seen).findings[2].undecided


def test_the_way_of_a_layer_begins_before_its_first_step_and_is_thinned_out(monkeypatch):
    monkeypatch.setattr(driver, "MOST_VALUES", 5)
    layer = nn.Linear(2, 2)
    values = [np.column_stack([v.detach().numpy().copy() for v in layer.parameters()])]
    path = driver.Path(layer.weight, layer.bias)
    for _ in range(9):
        with torch.no_grad():
            layer.weight.add_(1)
        path.step()
        values.append(np.column_stack([v.detach().numpy().copy() for v in layer.parameters()]))
    kept = [next(i for i, v in enumerate(values) if np.array_equal(v, k)) for k in path.values]
    assert kept == [0, 2, 4, 6, 8]


def test_a_layer_that_is_trained_alone_and_becomes_the_head_is_seen(ants_and_bees):
    """Features are computed once; the head is trained on them, and copied into the network."""
    import pretrained

    def freeze(device, dataloaders, dataset_sizes, class_names, num_epochs=25):
        model = pretrained.resnet18(pretrained=True).eval()
        alone, width = nn.Linear(model.fc.in_features, len(class_names)), model.fc.in_features
        model.fc = nn.Identity()
        optimizer = torch.optim.Adam(alone.parameters(), lr=0.01)
        with torch.no_grad():
            batches = [(model(images), labels) for images, labels in dataloaders["train"]]
        for _ in range(10):
            for features, labels in batches:
                optimizer.zero_grad()
                nn.functional.cross_entropy(alone(features), labels).backward()
                optimizer.step()
        model.fc = nn.Linear(width, len(class_names))
        model.fc.load_state_dict(alone.state_dict())
        return model

    inputs = {**ants_and_bees["inputs"], "settings": {"freeze": SHORT}}
    made = driver.freeze(types.SimpleNamespace(freeze=freeze), seed=1, device="cpu", **inputs)
    evidence = judged("freeze", loaded=ants_and_bees, **made)
    assert set(found(evidence).values()) == {1.0}, messages(evidence)


def test_drawn_species_follow_from_the_seed_and_a_head_for_ants_and_bees_is_useless(
    network, ants_and_bees
):
    given, hidden = ants_and_bees["inputs"], ants_and_bees["withheld"]
    drawn = set()
    for seed in range(4):
        inputs, withheld = exchanged_classes.classes(given, hidden, np.random.default_rng(seed))
        assert inputs["train_images"].shape == given["train_images"].shape
        assert len(set(inputs["class_names"])) == 2
        drawn.add(inputs["train_images"].tobytes())
        changed = {"inputs": inputs, "withheld": withheld}
        right = judged("freeze", arrays(network), changed).values["measured_accuracy"]
        assert 0.25 < right < 0.75
    assert len(drawn) == 4
    assert given["class_names"] == ["ants", "bees"]


def test_classes_are_exchanged_for_half_of_the_seeds_and_everywhere(ants_and_bees):
    given, hidden = ants_and_bees["inputs"], ants_and_bees["withheld"]
    given = {**given, "network": {**given["network"], "architecture": "resnet18"}}  # photographs
    swapped = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        inputs, withheld = exchanged_classes.classes(given, hidden, rng)
        assert inputs["train_images"] is given["train_images"]
        swaps = {
            inputs["class_names"] != given["class_names"],
            *(bool((inputs[k] != given[k]).all()) for k in ("train_labels", "val_labels")),
            bool((withheld["labels"] != hidden["labels"]).all()),
        }
        assert len(swaps) == 1
        swapped += swaps
    assert 8 < sum(swapped) < 32
    assert given["class_names"] == ["ants", "bees"]


def test_names_of_classes_follow_from_the_seed(shown):
    drawn = {
        tuple(
            exchanged_classes.names(shown["inputs"], {}, np.random.default_rng(seed))[0][
                "class_names"
            ]
        )
        for seed in range(10)
    }
    assert len(drawn) > 5
    assert all(len(set(names)) == 3 for names in drawn)


def test_a_mistake_in_train_model_does_not_reach_finetune(ants_and_bees):
    module = student("wrong/training_clears_after_backward")
    inputs = {**ants_and_bees["inputs"], "settings": {"finetune": SHORT}}
    made = driver.finetune(module, seed=1, device="cpu", **inputs)
    assert found(judged("finetune", loaded=ants_and_bees, **made))["backbone"] == 1


def test_template_raises_not_implemented():
    spec = importlib.util.spec_from_file_location(
        "template", ROOT / "submissions_template" / "transfer_learning.py"
    )
    template = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(template)
    for name in ("train_model", "visualize_model", "finetune", "freeze"):
        function = getattr(template, name)
        assert function.__doc__
        with pytest.raises(NotImplementedError):
            function(*range(function.__code__.co_argcount - len(function.__defaults__)))


def test_same_seed_same_drawings(ants_and_bees):
    again = insects.load("mini", None, 0)
    assert np.array_equal(again["withheld"]["images"], ants_and_bees["withheld"]["images"])
    other = insects.load("mini", None, 1)
    assert not np.array_equal(other["withheld"]["images"], ants_and_bees["withheld"]["images"])


def test_full_tier_without_data_says_what_to_do():
    with pytest.raises(FileNotFoundError, match="--data DIR"):
        insects.load("full", None, 0)


def test_a_damaged_image_is_named(tmp_path):
    folder = tmp_path / "ants"
    folder.mkdir()
    (folder / "broken.jpg").write_bytes(b"not a jpeg")
    with pytest.raises(ValueError, match=r"broken\.jpg cannot be read"):
        insects.photographs(tmp_path)


def test_a_damaged_checkpoint_is_named(tmp_path):
    (tmp_path / "mobilenet_v2.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match=r"mobilenet_v2\.pt cannot be read"):
        insects.network(tmp_path)


def test_a_checkpoint_of_resnet18_is_preferred(tmp_path):
    pretrained = supplied.load("pretrained")
    state = pretrained.ResNet18().state_dict()
    torch.save(state, tmp_path / "resnet18-f37072fd.pth")
    read = insects.network(tmp_path)
    assert read["architecture"] == "resnet18"
    assert np.array_equal(read["parameters"]["fc.bias"], state["fc.bias"].numpy())


def test_photographs_of_bees_are_recognised_in_both_modes(data_folder):
    pretrained = supplied.load("pretrained")
    read = insects.network(data_folder / "weights")
    model = pretrained.ARCHITECTURES[read["architecture"]]()
    pretrained.load_parameters(model, read["parameters"])
    names = sorted((data_folder / "hymenoptera_data" / "train" / "bees").glob("*.jpg"))[:8]
    inputs = pretrained.normalise(np.stack([insects.photograph(path) for path in names]))
    bee = 309  # in ImageNet's order
    with torch.no_grad():
        for mode in (True, False):
            best = model.train(mode)(inputs).topk(5).indices
            assert (best == bee).any(dim=1).float().mean() > 0.5
    assert inputs.shape == (8, 3, 224, 224)


def test_rescaled_convolutions_compute_the_same():
    pretrained = supplied.load("pretrained")
    torch.manual_seed(0)
    models = [pretrained.MobileNetV2(), pretrained.MobileNetV2()]
    folded = {k: v for k, v in arrays(models[0]).items() if not k.endswith("tracked")}
    rescaled = insects.rescaled(folded)
    assert np.array_equal(rescaled["features.0.0.weight"], 4 * folded["features.0.0.weight"])
    pretrained.load_parameters(models[1], rescaled)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        before, after = (model(images) for model in models)
    assert torch.allclose(before, after, rtol=1e-3, atol=1e-4)


def test_batch_norms_that_are_not_folded_stay_as_they_are():
    torch.manual_seed(0)
    state = arrays(supplied.load("pretrained").MobileNetV2())
    state["features.0.1.running_var"] = np.full(32, 2.0, dtype=np.float32)
    assert insects.rescaled(state) is state


def test_each_training_image_comes_as_often_as_asked():
    images = np.zeros((3, 8, 8, 3), dtype=np.uint8)
    twice = driver.Photographs(images, np.array([4, 5, 6]), passes=2)
    assert [twice[i][1] for i in range(len(twice))] == [4, 5, 6, 4, 5, 6]
