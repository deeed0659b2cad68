"""Style transfer: supplied network and pictures, data set, driver and judge."""

import copy
import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from grader.errors import Failure
from reference import style_pretraining
from reference import style_transfer as right
from reference.datasets import paintings
from reference.judges import style_transfer as judge

pytestmark = pytest.mark.usefixtures("one_thread")
ROOT = Path(__file__).resolve().parents[2]
UTILS = right.style_utils
SIZE = 32  # pixels; the small side of the images in these tests
STEPS = 120  # of a test's students, unless what they do is wrong whatever they do next


@pytest.fixture(autouse=True)
def small_network():
    UTILS.install(None)


@pytest.fixture(scope="module")
def small():
    """One style at a small size: inputs, and what the reference reaches."""
    inputs = paintings.generate(0)
    strokes = inputs["styles"]["strokes"]
    settings = {**strokes["settings"], "image_size": SIZE, "style_size": SIZE}
    inputs["styles"] = {"strokes": {"picture": strokes["picture"], "settings": settings}}
    inputs["random_start_size"] = 20
    losses, content = paintings.objectives(inputs)["strokes"]
    return inputs, {"strokes": paintings.reference_run(losses, content, "mini")}


@pytest.fixture(scope="module")
def driver():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "style_utils", UTILS)
        yield load_driver()


def load_driver():
    path = ROOT / "reference" / "drivers" / "style_transfer.py"
    spec = importlib.util.spec_from_file_location("driver_of_style_transfer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def painter(weights=(1.0, 1.0, 1.0), *, steps=STEPS, rate=0.2, cut_tv=False, ends=lambda x, _c: x):
    """A student whose program adds up its losses with ``weights``."""

    def style_transfer(
        content_image, style_image, size, style_size, layer, weight, layers, ws, tv, *,
        init_random=False,
    ):  # fmt: skip
        content = UTILS.preprocess(content_image, size)
        style = UTILS.preprocess(style_image, style_size)
        losses = right.objective(content, style, layer, weight, layers, ws, tv)
        image = (torch.rand_like(content) if init_random else content).clone().requires_grad_()
        optimizer = torch.optim.Adam([image], lr=rate)
        history = []
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
            optimizer.zero_grad()
            c, s, t = losses.terms(image)
            t = t.detach() if cut_tv else t
            loss = weights[0] * c + weights[1] * s + weights[2] * t
            loss.backward()
            history.append(loss.item())
            optimizer.step()
        return ends(image, content), history

    return SimpleNamespace(style_transfer=style_transfer)


@pytest.fixture(scope="module")
def good(small, driver):
    """What the driver returns for a student without mistakes."""
    UTILS.install(None)
    return driver.style_transfer(painter(), seed=3, device="cpu", **copy.deepcopy(small[0]))


@pytest.fixture
def judged(small, driver):
    """Run the driver on a student and judge; returns the ratio, the findings and all evidence."""
    inputs, withheld = small

    def run(student, change=lambda _result: None):
        if isinstance(student, dict):
            result = copy.deepcopy(student)
        else:
            result = driver.style_transfer(student, seed=3, device="cpu", **copy.deepcopy(inputs))
        change(result)
        evidence = judge.style_transfer(result, inputs, withheld)
        return (
            evidence.values["loss_ratio"]["strokes"],
            {f.name: f for f in evidence.findings},
            evidence,
        )

    return run


def test_layers_of_the_small_network():
    network = UTILS.features_network()
    features = UTILS.extract_features(torch.zeros(2, 3, 64, 80), network)
    assert [tuple(f.shape[1:]) for f in features] == [
        *[(48, 31, 39), (48, 31, 39), (48, 15, 19), (48, 15, 19), (48, 15, 19)],
        *[(48, 7, 9), (64, 7, 9), (64, 7, 9)],
    ]
    assert not any(p.requires_grad for p in network.parameters())
    assert UTILS.CHECKPOINT.stat().st_size < 100_000


def test_small_network_is_what_its_script_makes():
    made = style_pretraining.random_features()
    state = UTILS.features_network().state_dict()
    assert {f"features.{name}" for name in state} == set(made)
    for name, value in state.items():
        torch.testing.assert_close(value, made[f"features.{name}"], rtol=2e-3, atol=2e-3)


def test_install_takes_arrays_and_ignores_the_classifier():
    state = UTILS.features_network().state_dict()
    doubled = {f"features.{name}": 2 * value.numpy() for name, value in state.items()}
    UTILS.install({**doubled, "classifier.1.weight": np.zeros((10, 64, 1, 1))})
    assert torch.equal(UTILS.features_network()[0].weight, 2 * state["0.weight"])
    UTILS.install(None)
    assert torch.equal(UTILS.features_network()[0].weight, state["0.weight"])


@pytest.mark.parametrize(
    ("given", "size", "shape"),
    [((100, 60), 30, (30, 50)), ((60, 100), 30, (50, 30)), ((33, 20), 10, (10, 16))],
)
def test_preprocess_sets_the_smaller_side(given, size, shape):
    image = Image.new("RGB", given, (255, 0, 124))
    tensor = UTILS.preprocess(image, size)
    assert tensor.shape == (1, 3, *shape)
    assert tensor.dtype == torch.float32
    expected = (np.array([1, 0, 124 / 255]) - UTILS.MEAN) / UTILS.STD
    np.testing.assert_allclose(tensor[0, :, 3, 4], expected, rtol=1e-5)


def test_deprocess_undoes_preprocess():
    picture = paintings.generate(0)["content"]
    height = min(picture.shape[:2])
    again = UTILS.deprocess(UTILS.preprocess(Image.fromarray(picture), height))
    assert np.array_equal(np.asarray(again), picture)


def test_pictures_follow_from_the_seed():
    first, again, other = (paintings.generate(seed) for seed in (1, 1, 2))
    assert np.array_equal(first["content"], again["content"])
    assert first["content"].shape == (90, 120, 3)
    for name in paintings.MINI:
        pictures = [made["styles"][name]["picture"] for made in (first, again, other)]
        assert pictures[0].dtype == np.uint8
        assert np.array_equal(pictures[0], pictures[1])
        assert not np.array_equal(pictures[0], pictures[2])
        assert pictures[0].std() > 30  # something is painted there


def test_weights_and_the_order_of_layers_follow_from_the_seed():
    drawn = [paintings.generate(seed)["styles"] for seed in range(8)]
    factors = set()
    for styles in drawn:
        found = []
        for name, style in styles.items():
            chosen = style["settings"]
            known = dict(zip(paintings.STYLE_LAYERS, paintings.MINI[name][3], strict=True))
            pairs = zip(chosen["style_layers"], chosen["style_weights"], strict=True)
            (factor,) = {round(weight / known[layer], 9) for layer, weight in pairs}
            found.append(factor)
        assert sorted(found) == sorted(paintings.MINI_STYLE_FACTORS)
        factors.add(tuple(found))
    assert len(factors) > 2
    assert len({tuple(s["settings"]["style_layers"]) for all_ in drawn for s in all_.values()}) > 5


def test_load_refuses_what_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="tier: got 'large'"):
        paintings.load("large", None, 0)
    with pytest.raises(FileNotFoundError, match="--data DIR"):
        paintings.load("full", None, 0)
    with pytest.raises(FileNotFoundError, match=r"tubingen\.jpg not found"):
        paintings.load("full", tmp_path, 0)
    (tmp_path / "styles").mkdir()
    (tmp_path / "styles" / "tubingen.jpg").write_text("no picture")
    with pytest.raises(ValueError, match="not a picture"):
        paintings.load("full", tmp_path, 0)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "squeezenet1_1.pt").write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match="not a state dictionary"):
        paintings._weights(tmp_path / "weights" / "squeezenet1_1.pt")


def test_reference_lowers_the_losses(small):
    inputs, withheld = small
    run = withheld["strokes"]
    losses, content = paintings.objectives(inputs)["strokes"]
    start = sum(term.item() for term in losses.terms(content))
    assert run["history"][0] == pytest.approx(start)
    assert run["history"][-1] == pytest.approx(sum(run["terms"]))
    assert sum(run["terms"]) < start / 1.6


@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_any_good_optimiser_earns_everything(judged, rate):
    ratio, findings, evidence = judged(painter(rate=rate))
    assert ratio < 1.15
    assert all(findings[name].earned == 1 for name in ("balance", "history", "init_random"))
    balance = evidence.values["strokes"]["balance"]
    assert 0.85 < balance["style"] / balance["content"] < 1.15


def test_lower_than_the_reference_is_welcome(judged):
    ratio, findings, _ = judged(painter(steps=300))
    assert ratio < 1
    assert findings["balance"].earned == 1


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        ((1.0, 2.0, 1.0), "times as much as it should, relative to content"),
        ((2.0, 1.0, 1.0), "times as much as it should, relative to style"),
        ((0.0, 1.0, 1.0), "content loss has no effect"),
        ((1.0, 0.0, 1.0), "style loss has no effect"),
    ],
)
def test_image_tells_wrong_weights(judged, weights, text):
    # Long enough for every processor: without the content loss, the minimum is approached slowly.
    _, findings, _ = judged(painter(weights, steps=3 * STEPS))
    assert findings["balance"].earned == 0
    assert text in findings["balance"].message


def test_history_tells_a_style_that_counts_twice(judged):
    _, findings, _ = judged(painter((1.0, 2.0, 1.0), steps=2))
    assert findings["history"].earned == 0
    assert "the style loss counts twice" in findings["history"].message


def test_total_variation_without_gradient_is_named(judged):
    ratio, findings, _ = judged(painter(cut_tv=True))
    assert ratio > 3
    assert findings["balance"].earned == 0
    assert "total variation has no effect" in findings["balance"].message
    assert "total variation" in findings["strokes"].message


@pytest.mark.parametrize(
    "ends",
    [lambda _x, c: c, lambda _x, c: torch.rand_like(c), lambda _x, c: torch.zeros_like(c)],
    ids=["content", "noise", "grey"],
)
def test_image_that_was_not_optimised_is_worth_nothing(judged, ends):
    ratio, findings, _ = judged(painter(ends=ends, steps=2))
    assert ratio > 1.6
    assert findings["balance"].earned == 0


def test_image_without_the_axis_of_the_batch_is_read(judged, good):
    def without(result):
        result["images"]["strokes"] = result["images"]["strokes"][0]

    assert judged(good, without)[0] == judged(good)[0]


@pytest.mark.parametrize(
    ("ends", "reason", "text"),
    [
        (lambda x, _c: x * float("nan"), "not_finite", "NaN or infinite"),
        (lambda x, _c: x * 1e30, "not_finite", "so large"),
        (lambda x, _c: x[0].permute(1, 2, 0), "wrong_shape", "return the tensor itself"),
        (lambda x, _c: x[:, :, :20], "wrong_shape", "its smaller side must be image_size"),
    ],
)
def test_image_that_cannot_be_judged_says_why(judged, ends, reason, text):
    with pytest.raises(Failure, match=text) as caught:
        judged(painter(ends=ends, steps=3))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("history", "text"),
    [
        ([], "has 0 entries"),
        ([5.0, float("nan")], "NaN"),
        ([1.0, 0.5], "starts at 1"),
        (None, "do not fall"),
        ("half", "ends at"),
    ],
)
def test_history_that_is_not_the_image_s_is_told(judged, good, history, text):
    def forge(result):
        own = result["histories"]["strokes"]
        made = {None: own[[0, 0]], "half": own[[0, -1]] * [1, 0.5]}
        result["histories"]["strokes"] = (
            np.array(history) if isinstance(history, list) else made[history]
        )

    _, findings, evidence = judged(good, forge)
    assert findings["history"].earned == 0
    assert text in findings["history"].message
    assert all(np.isfinite(evidence.figures[1].series["yours"]))


def test_init_random_must_start_elsewhere(judged):
    student = painter(steps=5)
    always = student.style_transfer
    student.style_transfer = lambda *given, init_random=False: always(*given, init_random=False)
    _, findings, _ = judged(student)
    assert findings["init_random"].earned == 0
    assert "is the loss of the content picture" in findings["init_random"].message


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda r: r.pop("images"), KeyError),
        (lambda r: r["images"].update(strokes=None), Failure),
        (lambda r: r["images"].update(strokes=np.full((1, 3, 32, 42), "a")), Failure),
        (lambda r: r["images"].update(strokes=np.zeros((1, 3, 4000, 5300), np.uint8)), Failure),
        (lambda r: r["histories"].update(strokes="all went well"), ValueError),
        (lambda r: r.update(random={}), KeyError),
    ],
)
def test_forged_result_is_refused(judged, good, change, error):
    with pytest.raises(error):
        judged(good, change)


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        (None, "the image and the list of losses"),
        ((Image.new("RGB", (4, 4)), [1.0]), "as a tensor"),
        ((torch.zeros(1, 3, 4, 4), 1.0), "a list of losses, got float"),
    ],
)
def test_driver_says_what_must_be_returned(small, driver, returned, text):
    student = SimpleNamespace(style_transfer=lambda *_a, **_k: returned)
    with pytest.raises(TypeError, match=text):
        driver.style_transfer(student, seed=0, device="cpu", **small[0])


def test_driver_gives_right_pieces(small, driver):
    """Mistakes in the four losses are paid for where they are checked."""

    def style_transfer(content_image, _style, size, *_rest, init_random=False):
        image = UTILS.preprocess(content_image, size)
        return image, [student.tv_loss(image, 2.0).item(), float(init_random)]

    student = SimpleNamespace(style_transfer=style_transfer, tv_loss=lambda *_a: 1 / 0)
    result = driver.style_transfer(student, seed=0, device="cpu", **small[0])
    image = torch.tensor(result["images"]["strokes"])
    expected = right.tv_loss(image, 2.0).item()
    assert result["histories"]["strokes"][0] == pytest.approx(expected)


def test_figures_show_pictures_and_curves(judged, good):
    ratio, _, evidence = judged(good)
    pictures, curves = evidence.figures
    captions = [caption for caption, _ in pictures.items]
    assert captions[:2] == ["content", "style strokes"]
    assert f"{ratio:.3f}" in captions[2]
    assert all(array.dtype == np.uint8 and array.shape[2] == 3 for _, array in pictures.items)
    assert set(curves.series) == {"yours", "reference"}
    assert curves.log


def test_full_tier_losses_and_network(data_folder):
    """Pinned: the content picture's losses with SqueezeNet; they follow from network and images."""
    inputs = paintings.read(data_folder)
    totals = {
        name: sum(term.item() for term in losses.terms(content))
        for name, (losses, content) in paintings.objectives(inputs).items()
    }
    expected = {"composition_vii": 25747, "the_scream": 62540, "starry_night": 44818}
    assert totals == {name: pytest.approx(total, rel=1e-2) for name, total in expected.items()}


def test_full_tier_network_knows_ants_and_bees(data_folder):
    """Wired as the checkpoint's authors did, the network names what is in the photographs."""
    state = torch.load(data_folder / "weights" / "squeezenet1_1.pt", weights_only=True)
    UTILS.install(state)
    network = UTILS.features_network()
    kernel, bias = (state[f"classifier.1.{name}"].float() for name in ("weight", "bias"))
    right_ones = 0
    for folder, label in (("ants", 310), ("bees", 309)):  # of ImageNet's classes
        paths = sorted((data_folder / "hymenoptera_data" / "val" / folder).glob("*.jpg"))[:12]
        for path in paths:
            features = network(UTILS.preprocess(UTILS.load_image(path), 224))
            scores = torch.relu(torch.nn.functional.conv2d(features, kernel, bias)).mean((2, 3))
            right_ones += int(scores.argmax()) == label
    assert right_ones >= 12  # of 24; by chance none: there are 1000 classes
