"""The reference rnn_layers against torch: autograd of the plain equations, and torch's own layers.

Everything is compared in float64. Gradients are those of sum(out * upstream), for a random
upstream gradient of every output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import rnn_layers as ref

if TYPE_CHECKING:
    from collections.abc import Callable

# (T, N, D, H), with T = 1, N = 1 and D != H either way.
SIZES = [(4, 3, 5, 2), (5, 2, 3, 6), (1, 3, 4, 5), (6, 1, 3, 4), (1, 1, 2, 3), (3, 4, 1, 1)]
size = st.integers(1, 6)
quick = settings(deadline=None, max_examples=40)


@pytest.fixture(autouse=True)
def _no_silent_overflow():
    # Underflow to zero is what a saturated gate is made of; everything else is a mistake.
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


# ----------------------------------------------------------------------------------- oracles ---


def torch_rnn_step(x, prev_h, Wx, Wh, b):
    return (torch.tanh(x @ Wx + prev_h @ Wh + b),)


def torch_rnn(x, h0, Wx, Wh, b):
    h, states = h0, []
    for x_t in x:
        (h,) = torch_rnn_step(x_t, h, Wx, Wh, b)
        states.append(h)
    return (torch.stack(states),)


def torch_lstm_step(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x @ Wx + prev_h @ Wh + b
    f = torch.sigmoid(a[:, :H])
    i = torch.sigmoid(a[:, H : 2 * H])
    g = torch.tanh(a[:, 2 * H : 3 * H])
    o = torch.sigmoid(a[:, 3 * H :])
    c = f * prev_c + i * g
    return o * torch.tanh(c), c


def torch_lstm(x, h0, Wx, Wh, b):
    h, c, states = h0, torch.zeros_like(h0), []
    for x_t in x:
        h, c = torch_lstm_step(x_t, h, c, Wx, Wh, b)
        states.append(h)
    return (torch.stack(states),)


def torch_nn_rnn(x, h0, Wx, Wh, b):
    return (_torch_layer(torch.nn.RNN, x, (h0[None],), Wx.T, Wh.T, b),)


def torch_nn_lstm(x, h0, Wx, Wh, b):
    """torch orders the gates i, f, g, o where this homework has f, i, g, o."""

    def reorder(w):
        f, i, g, o = w.chunk(4, dim=-1)
        return torch.cat([i, f, g, o], dim=-1)

    state = (h0[None], torch.zeros_like(h0)[None])
    return (_torch_layer(torch.nn.LSTM, x, state, reorder(Wx).T, reorder(Wh).T, reorder(b)),)


def _torch_layer(kind, x, state, weight_ih, weight_hh, bias):
    layer = kind(x.shape[2], state[0].shape[2], dtype=x.dtype)
    parameters = {
        "weight_ih_l0": weight_ih,
        "weight_hh_l0": weight_hh,
        "bias_ih_l0": bias,
        "bias_hh_l0": torch.zeros_like(bias),
    }
    given_state = state if len(state) > 1 else state[0]
    output, _ = torch.func.functional_call(layer, parameters, (x, given_state))
    return output


def torch_fc(x, w, b):
    return (torch.einsum("ntd,dm->ntm", x, w) + b,)


def torch_softmax_loss(x, y, mask):
    per_word = torch.nn.functional.cross_entropy(
        x.reshape(-1, x.shape[2]), torch.as_tensor(y).reshape(-1), reduction="none"
    )
    return (per_word * torch.as_tensor(mask).reshape(-1)).sum() / len(x)


# ----------------------------------------------------------------------------------- helpers ---


def normal(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> np.ndarray:
    return scale * rng.standard_normal(shape)


def rnn_arguments(rng, T, N, D, H, *, gates=1, scale=1.0):
    """x (T, N, D), h0, Wx, Wh, b; with gates=4 those of an LSTM."""
    return (
        normal(rng, T, N, D, scale=scale),
        normal(rng, N, H, scale=scale),
        normal(rng, D, gates * H, scale=scale),
        normal(rng, H, gates * H, scale=scale),
        normal(rng, gates * H, scale=scale),
    )


def lstm_step_arguments(rng, N, D, H, *, scale=1.0):
    x, h, Wx, Wh, b = rnn_arguments(rng, 1, N, D, H, gates=4, scale=scale)
    return x[0], h, normal(rng, N, H, scale=scale), Wx, Wh, b


def rnn_step_arguments(rng, N, D, H, *, scale=1.0):
    x, *others = rnn_arguments(rng, 1, N, D, H, scale=scale)
    return (x[0], *others)


def fc_arguments(rng, N, T, D, M, *, scale=1.0):
    return (
        normal(rng, N, T, D, scale=scale),
        normal(rng, D, M, scale=scale),
        normal(rng, M, scale=scale),
    )


def close(got: Any, want: Any, *, rtol: float = 1e-9, atol: float = 1e-10) -> None:
    if isinstance(want, torch.Tensor):
        want = want.detach().numpy()
    assert np.shape(got) == np.shape(want)
    assert np.all(np.isfinite(got))
    # The absolute part goes with the size of the array: sums of large terms may cancel.
    largest = float(np.max(np.abs(want), initial=1.0))
    np.testing.assert_allclose(got, want, rtol=rtol, atol=atol * largest)


def agree(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    oracle: Callable[..., tuple[torch.Tensor, ...]],
    arguments: tuple[np.ndarray, ...],
    rng: np.random.Generator,
) -> None:
    """Outputs and all gradients are those of the oracle, and no argument has changed."""
    tensors = [torch.tensor(a, requires_grad=True) for a in arguments]
    wanted = oracle(*tensors)
    upstream = [normal(rng, *out.shape) for out in wanted]
    gradients = torch.autograd.grad(wanted, tensors, [torch.tensor(u) for u in upstream])

    before = [a.tobytes() for a in (*arguments, *upstream)]
    *outputs, cache = forward(*arguments)
    results = backward(*upstream, cache)
    again = backward(*upstream, cache)  # a cache serves more than once
    assert [a.tobytes() for a in (*arguments, *upstream)] == before

    assert len(outputs) == len(wanted)
    for got, want in zip(outputs, wanted, strict=True):
        close(got, want)
    for got, want, second in zip(results, gradients, again, strict=True):
        close(got, want)
        np.testing.assert_array_equal(got, second)


CASES = {
    "rnn_step": (ref.rnn_step_forward, ref.rnn_step_backward, torch_rnn_step),
    "lstm_step": (ref.lstm_step_forward, ref.lstm_step_backward, torch_lstm_step),
    "rnn": (ref.rnn_forward, ref.rnn_backward, torch_rnn),
    "rnn against torch.nn.RNN": (ref.rnn_forward, ref.rnn_backward, torch_nn_rnn),
    "lstm": (ref.lstm_forward, ref.lstm_backward, torch_lstm),
    "lstm against torch.nn.LSTM": (ref.lstm_forward, ref.lstm_backward, torch_nn_lstm),
    "fc": (ref.temporal_fc_forward, ref.temporal_fc_backward, torch_fc),
}


def arguments_of(case: str, rng, T, N, D, H, *, scale=1.0):
    if case == "rnn_step":
        return rnn_step_arguments(rng, N, D, H, scale=scale)
    if case == "lstm_step":
        return lstm_step_arguments(rng, N, D, H, scale=scale)
    if case == "fc":
        return fc_arguments(rng, N, T, D, H, scale=scale)
    return rnn_arguments(rng, T, N, D, H, gates=4 if "lstm" in case else 1, scale=scale)


# --------------------------------------------------- recurrent and fully connected layers ---


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_torch(case, sizes):
    rng = np.random.default_rng(0)
    agree(*CASES[case], arguments_of(case, rng, *sizes), rng)


@pytest.mark.parametrize("case", CASES)
@quick
@given(T=size, N=size, D=size, H=size, seed=st.integers(0, 2**32 - 1))
def test_agrees_with_torch_at_any_size(case, T, N, D, H, seed):
    rng = np.random.default_rng(seed)
    agree(*CASES[case], arguments_of(case, rng, T, N, D, H, scale=0.7), rng)


@pytest.mark.parametrize("scale", [50.0, 1e4])
@pytest.mark.parametrize("case", CASES)
def test_large_magnitudes(case, scale):
    rng = np.random.default_rng(1)
    agree(*CASES[case], arguments_of(case, rng, 4, 3, 5, 2, scale=scale), rng)


@pytest.mark.parametrize("case", CASES)
def test_keeps_float32(case):
    rng = np.random.default_rng(2)
    forward, backward, _ = CASES[case]
    doubles = arguments_of(case, rng, 4, 3, 5, 2)
    singles = tuple(a.astype(np.float32) for a in doubles)
    *outputs, cache = forward(*singles)
    *double_outputs, double_cache = forward(*doubles)
    upstream = [normal(rng, *out.shape) for out in outputs]
    results = backward(*[u.astype(np.float32) for u in upstream], cache)
    double_results = backward(*upstream, double_cache)
    for got, want in zip([*outputs, *results], [*double_outputs, *double_results], strict=True):
        assert got.dtype == np.float32
        close(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_central_differences(case):
    """No torch here: the slope of sum(out * upstream) along every coordinate."""
    rng = np.random.default_rng(3)
    forward, backward, _ = CASES[case]
    arguments = arguments_of(case, rng, 3, 2, 4, 3, scale=0.5)
    *outputs, cache = forward(*arguments)
    upstream = [normal(rng, *out.shape) for out in outputs]

    def objective(*changed):
        *out, _ = forward(*changed)
        return sum(np.sum(o * u) for o, u in zip(out, upstream, strict=True))

    step = 1e-5
    gradients = backward(*upstream, cache)
    for k, gradient in enumerate(gradients):
        assert gradient.shape == arguments[k].shape
        for index in np.ndindex(arguments[k].shape):
            up, down = [a.copy() for a in arguments], [a.copy() for a in arguments]
            up[k][index] += step
            down[k][index] -= step
            slope = (objective(*up) - objective(*down)) / (2 * step)
            assert gradient[index] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_one_step_is_a_sequence_of_length_one():
    rng = np.random.default_rng(4)
    x, h0, Wx, Wh, b = rnn_arguments(rng, 1, 3, 4, 2)
    np.testing.assert_array_equal(
        ref.rnn_forward(x, h0, Wx, Wh, b)[0][0], ref.rnn_step_forward(x[0], h0, Wx, Wh, b)[0]
    )
    x, h0, Wx, Wh, b = rnn_arguments(rng, 1, 3, 4, 2, gates=4)
    np.testing.assert_array_equal(
        ref.lstm_forward(x, h0, Wx, Wh, b)[0][0],
        ref.lstm_step_forward(x[0], h0, np.zeros_like(h0), Wx, Wh, b)[0],
    )


def test_lstm_gate_order_by_hand():
    """One unit, no weights: the gates are those of the biases f, i, g, o."""
    zeros = np.zeros((1, 1))
    b = np.array([0.3, -0.4, 0.7, 1.1])
    f, i, o = (1 / (1 + np.exp(-b[k])) for k in (0, 1, 3))
    next_h, next_c, _ = ref.lstm_step_forward(
        zeros, zeros, np.array([[2.0]]), np.zeros((1, 4)), np.zeros((1, 4)), b
    )
    close(next_c, np.array([[f * 2.0 + i * np.tanh(0.7)]]))
    close(next_h, o * np.tanh(next_c))


# ----------------------------------------------------------------------------------- sigmoid ---


def test_sigmoid():
    x = np.array([[-1000.0, -30.0, -1.0, -0.0], [0.0, 1.0, 30.0, 1000.0]])
    before = x.tobytes()
    close(ref.sigmoid(x), torch.sigmoid(torch.tensor(x)), rtol=1e-14, atol=0)
    assert x.tobytes() == before
    assert ref.sigmoid(x)[0, 0] == 0
    assert ref.sigmoid(x)[1, 3] == 1


def test_sigmoid_small_values_keep_their_digits():
    assert ref.sigmoid(np.array(-700.0)) == pytest.approx(np.exp(-700.0), rel=1e-13)


def test_sigmoid_keeps_float32_and_nan():
    assert ref.sigmoid(np.array([-200.0, 200.0], dtype=np.float32)).dtype == np.float32
    with np.errstate(invalid="ignore"):
        assert np.isnan(ref.sigmoid(np.array([np.nan])))[0]


# --------------------------------------------------------------------------------- embedding ---


@pytest.mark.parametrize(
    "words",
    [
        np.array([[0, 3, 3, 1], [3, 3, 0, 4]]),
        np.zeros((3, 5), dtype=int),
        np.array([[2]]),
        np.array([[1], [1]], dtype=np.int32),
    ],
    ids=["repeated", "one word only", "single", "int32"],
)
def test_embedding(words):
    rng = np.random.default_rng(5)
    W = normal(rng, 5, 3)
    dout = normal(rng, *words.shape, 3)
    before = [a.tobytes() for a in (words, W, dout)]
    out, cache = ref.word_embedding_forward(words, W)
    dW = ref.word_embedding_backward(dout, cache)
    assert [a.tobytes() for a in (words, W, dout)] == before
    assert not np.shares_memory(out, W)

    W_torch = torch.tensor(W, requires_grad=True)
    wanted = torch.nn.functional.embedding(torch.tensor(words), W_torch)
    (wanted_dW,) = torch.autograd.grad(wanted, W_torch, torch.tensor(dout))
    close(out, wanted)
    close(dW, wanted_dW)


def test_embedding_keeps_float32():
    W = np.ones((4, 2), dtype=np.float32)
    out, cache = ref.word_embedding_forward(np.array([[1, 1, 3]]), W)
    dW = ref.word_embedding_backward(np.ones((1, 3, 2), dtype=np.float32), cache)
    assert out.dtype == dW.dtype == np.float32
    np.testing.assert_array_equal(dW[:, 0], [0, 2, 0, 1])


# ------------------------------------------------------------------------------ softmax loss ---


def check_softmax(x, y, mask):
    before = [a.tobytes() for a in (x, y, mask)]
    loss, dx = ref.temporal_softmax_loss(x, y, mask)
    assert [a.tobytes() for a in (x, y, mask)] == before
    x_torch = torch.tensor(x, requires_grad=True)
    wanted = torch_softmax_loss(x_torch, y, mask)
    (wanted_dx,) = torch.autograd.grad(wanted, x_torch)
    assert np.ndim(loss) == 0
    close(loss, wanted)
    close(dx, wanted_dx)
    return loss, dx


@quick
@given(N=size, T=size, V=size, seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([1, 50]))
def test_softmax_loss(N, T, V, seed, scale):
    rng = np.random.default_rng(seed)
    check_softmax(
        normal(rng, N, T, V, scale=scale), rng.integers(0, V, (N, T)), rng.random((N, T)) < 0.7
    )


def test_softmax_loss_all_false_rows():
    rng = np.random.default_rng(6)
    mask = np.array([[False] * 4, [True, False, True, True], [False] * 4])
    _, dx = check_softmax(normal(rng, 3, 4, 5), rng.integers(0, 5, (3, 4)), mask)
    assert not dx[[0, 2]].any()


def test_softmax_loss_all_false():
    rng = np.random.default_rng(7)
    x, y = normal(rng, 2, 3, 4), rng.integers(0, 4, (2, 3))
    loss, dx = check_softmax(x, y, np.zeros((2, 3), dtype=bool))
    assert loss == 0
    assert not dx.any()


def test_softmax_loss_of_thousands():
    rng = np.random.default_rng(8)
    x = rng.choice([-1000.0, 0.0, 1000.0], size=(4, 6, 5))
    loss, _ = check_softmax(x, rng.integers(0, 5, (4, 6)), np.ones((4, 6), dtype=bool))
    assert loss > 1000  # some right word has probability exp(-1000), which is not a number


@pytest.mark.parametrize("level", [1000.0, -1000.0])
def test_softmax_loss_of_equal_scores(level):
    """Shifting all scores changes nothing: the loss is T log V, however large they are."""
    loss, dx = check_softmax(
        np.full((2, 3, 7), level), np.zeros((2, 3), dtype=int), np.ones((2, 3), dtype=bool)
    )
    assert loss == pytest.approx(3 * np.log(7))
    close(dx.sum(axis=2), np.zeros((2, 3)))


def test_softmax_loss_divides_by_batch_not_by_words():
    rng = np.random.default_rng(9)
    x, y = normal(rng, 1, 3, 4), rng.integers(0, 4, (1, 3))
    mask = np.array([[True, True, False]])
    once, _ = ref.temporal_softmax_loss(x, y, mask)
    twice, _ = ref.temporal_softmax_loss(*(np.concatenate([a, a]) for a in (x, y, mask)))
    assert twice == pytest.approx(once)
    unpadded, _ = ref.temporal_softmax_loss(x[:, :2], y[:, :2], mask[:, :2])
    assert unpadded == pytest.approx(once)


def test_softmax_loss_keeps_float32():
    rng = np.random.default_rng(10)
    x, y = normal(rng, 3, 4, 5), rng.integers(0, 5, (3, 4))
    mask = rng.random((3, 4)) < 0.5
    loss, dx = ref.temporal_softmax_loss(x.astype(np.float32), y, mask)
    wanted_loss, wanted_dx = ref.temporal_softmax_loss(x, y, mask)
    assert loss.dtype == dx.dtype == np.float32
    close(loss, wanted_loss, rtol=1e-5)
    close(dx, wanted_dx, rtol=1e-4, atol=1e-6)


def test_softmax_loss_central_differences():
    rng = np.random.default_rng(11)
    x, y = normal(rng, 2, 3, 4), rng.integers(0, 4, (2, 3))
    mask = np.array([[True, False, True], [True, True, False]])
    _, dx = ref.temporal_softmax_loss(x, y, mask)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += 1e-5
        down[index] -= 1e-5
        rise = (
            ref.temporal_softmax_loss(up, y, mask)[0] - ref.temporal_softmax_loss(down, y, mask)[0]
        )
        assert dx[index] == pytest.approx(rise / 2e-5, rel=1e-6, abs=1e-9)
