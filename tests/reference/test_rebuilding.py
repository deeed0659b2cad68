"""The network behind predictions, from nothing but the arrays of a model and its answers."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from reference.datasets import sentences
from reference.drivers import text_classification as driver
from reference.judges import network_disguises as disguises
from reference.judges import network_parts, networks, rebuilding, text_networks

pytestmark = pytest.mark.usefixtures("one_thread")
WIDTH, HIDDEN = 12, 9
JUDGES = {
    "bag_of_words": text_networks.bag_of_words,
    "average_embeddings": text_networks.average_embeddings,
    "average_glove": text_networks.average_glove,
    "rnn": text_networks.rnn,
    "lstm": text_networks.lstm,
}


@pytest.fixture(scope="module")
def inputs():
    return sentences.load("mini", None, 0)["inputs"]


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def numbered(inputs: dict) -> dict[str, int]:
    """Number the words from 1, in an order that says nothing."""
    words = sentences.vocabulary([*inputs["train_sentences"], *inputs["vectors"][0]])
    return {word: 1 + i for i, word in enumerate(sorted(words, key=lambda w: w[::-1]))}


class Reads(nn.Module):
    """Embeddings, what reads them, an output; loud weights, so that predictions differ."""

    def __init__(self, rows: int, reads: nn.Module | str, size: int, outputs: int = 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(rows, WIDTH)
        self.reads = reads
        self.out = nn.Linear(size, outputs)
        for parameter in self.out.parameters():
            nn.init.normal_(parameter)

    def read(self, vectors: torch.Tensor) -> torch.Tensor:
        """Vectors (T, d) of one sentence -> one vector."""
        if isinstance(self.reads, str):
            found = getattr(vectors, self.reads)(dim=0)
            return found.values if self.reads == "max" else found
        return self.reads(vectors[None])[0][0, -1]

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Word ids (T,) -> probability of label 1."""
        z = self.out(self.read(self.embedding(ids)))
        return torch.sigmoid(z[0]) if len(z) == 1 else torch.softmax(z, dim=0)[1]


def start(embedding: nn.Embedding, inputs: dict, ids: dict[str, int]) -> None:
    """Let embeddings start from the given vectors, projected: recurrent networks must."""
    words, matrix = inputs["vectors"]
    made = torch.Generator().manual_seed(1)
    shape = (matrix.shape[1], embedding.embedding_dim)
    onto = torch.randn(shape, generator=made) / np.sqrt(shape[0])
    with torch.no_grad():
        for word, vector in zip(words, torch.tensor(matrix), strict=True):
            if word in ids and ids[word] < len(embedding.weight):
                embedding.weight[ids[word]] = 2 * vector @ onto


def asked(
    name: str, inputs: dict, model: nn.Module, forward=None, ids=None, *, starts=True
) -> dict:
    """Return what the driver does about a model that was not trained."""
    ids = ids or numbered(inputs)
    forward = forward or model
    if starts and name in ("rnn", "lstm") and hasattr(model, "embedding"):
        start(model.embedding, inputs, ids)

    def predict(texts: list[str]) -> list[float]:
        with torch.no_grad():
            rows = [[ids[word] for word in text.split() if word in ids] for text in texts]
            return [float(forward(torch.tensor(row or [0]))) for row in rows]

    student = SimpleNamespace(**{f"train_{name}": lambda **_: (model.eval(), predict)})
    cut = {"test_sentences": inputs["test_sentences"][:60]}
    return getattr(driver, name)(student, seed=0, **inputs | cut), inputs | cut


def verdict(name: str, inputs: dict, model: nn.Module, forward=None, ids=None, *, starts=True):
    return JUDGES[name](*asked(name, inputs, model, forward, ids, starts=starts))


def test_torch_networks_are_found_with_their_names(inputs):
    rows = 1 + len(numbered(inputs))
    for make, name, words in (
        (nn.RNN, "rnn", f"a vanilla RNN with {HIDDEN} hidden units"),
        (nn.LSTM, "lstm", f"an LSTM with {HIDDEN} hidden units"),
        (nn.GRU, "", f"a GRU with {HIDDEN} hidden units"),
    ):
        model = Reads(rows, make(WIDTH, HIDDEN, batch_first=True), HIDDEN)
        for asked_for in ("rnn", "lstm"):
            found = verdict(asked_for, inputs, model)
            assert found.network == words
            # An RNN is what another question asks for; a GRU answers none.
            another = "sibling" if name else "other"
            assert found.verdict == ("wanted" if name == asked_for else another)
            assert (found.message == "") == (found.verdict == "wanted")
            assert words in found.message or found.verdict == "wanted"


def test_layers_and_two_outputs_belong_to_the_network(inputs):
    cell = nn.LSTM(WIDTH, HIDDEN, num_layers=2, batch_first=True)
    found = verdict("lstm", inputs, Reads(1 + len(numbered(inputs)), cell, HIDDEN, outputs=2))
    assert found.verdict == "wanted"
    assert found.network == f"an LSTM with 2 layers of {HIDDEN} hidden units"


@pytest.mark.parametrize("how", ["mean", "max"])
def test_the_mean_and_the_maximum_of_all_states_are_other_networks(inputs, how):
    class Uses(Reads):
        def read(self, vectors):
            found = getattr(self.reads(vectors[None])[0][0], how)(dim=0)
            return found.values if how == "max" else found

    cell = nn.RNN(WIDTH, HIDDEN, batch_first=True)
    found = verdict("rnn", inputs, Uses(1 + len(numbered(inputs)), cell, HIDDEN))
    assert found.verdict == "other"
    assert found.network == f"the {how} of all states of a vanilla RNN with {HIDDEN} hidden units"


def test_a_second_direction_is_another_network(inputs):
    class Both(Reads):
        def read(self, vectors):
            return self.reads(vectors[None])[1][0].flatten()

    cell = nn.LSTM(WIDTH, HIDDEN, batch_first=True, bidirectional=True)
    found = verdict("lstm", inputs, Both(1 + len(numbered(inputs)), cell, 2 * HIDDEN))
    assert found.verdict == "other"
    assert found.network.startswith("a bidirectional LSTM")


ORDERS = ["ifgo", "ofig", "gofi", "figo"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("together", [False, True])
def test_own_cells_are_found_in_any_order_of_gates(inputs, order, together):
    """One matrix for [h, x], or one for each; (k, 4H) as in numpy, or four of (H, k)."""

    class OwnCell(Reads):
        def __init__(self, rows):
            super().__init__(rows, "", HIDDEN)
            size = WIDTH + HIDDEN
            self.w = nn.Parameter(torch.randn(size, 4 * HIDDEN) if together else torch.zeros(1))
            shapes = [] if together else [(HIDDEN, WIDTH)] * 4 + [(HIDDEN, HIDDEN)] * 4
            self.each = nn.ParameterList([torch.randn(shape) for shape in shapes])
            self.b = nn.Parameter(torch.randn(4 * HIDDEN))

        def read(self, vectors):
            h = c = torch.zeros(HIDDEN)
            for x in vectors:
                if together:
                    a = torch.cat([h, x]) @ self.w + self.b
                else:
                    a = torch.cat(
                        [w @ x + u @ h for w, u in zip(self.each[:4], self.each[4:], strict=True)]
                    )
                    a = a + self.b
                gate = dict(zip(order, a.chunk(4), strict=True))
                c = torch.sigmoid(gate["f"]) * c + torch.sigmoid(gate["i"]) * torch.tanh(gate["g"])
                h = torch.sigmoid(gate["o"]) * torch.tanh(c)
            return h

    found = verdict("lstm", inputs, OwnCell(1 + len(numbered(inputs))))
    assert (found.verdict, found.network) == ("wanted", f"an LSTM with {HIDDEN} hidden units")


@pytest.mark.parametrize("resets_first", [False, True])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("order", ["rzn", "zrn"])
def test_a_gru_that_a_student_wrote_is_named(inputs, order, turned, resets_first):
    class OwnGRU(Reads):
        def __init__(self, rows):
            super().__init__(rows, "", HIDDEN)
            self.w = nn.Parameter(torch.randn(WIDTH, 3 * HIDDEN))
            self.u = nn.Parameter(torch.randn(HIDDEN, 3 * HIDDEN))
            self.b = nn.Parameter(torch.randn(3 * HIDDEN))

        def read(self, vectors):
            h = torch.zeros(HIDDEN)
            at = order.index("n")
            for x in vectors:
                gate = dict(zip(order, (x @ self.w + self.b).chunk(3), strict=True))
                back = dict(zip(order, (h @ self.u).chunk(3), strict=True))
                r, z = (torch.sigmoid(gate[g] + back[g]) for g in "rz")
                if resets_first:
                    new = torch.tanh(gate["n"] + (r * h) @ self.u.chunk(3, dim=1)[at])
                else:
                    new = torch.tanh(gate["n"] + r * back["n"])
                h = z * new + (1 - z) * h if turned else z * h + (1 - z) * new
            return h

    model = OwnGRU(1 + len(numbered(inputs)))
    found = verdict("lstm", inputs, model)
    assert (found.verdict, found.network) == ("other", f"a GRU with {HIDDEN} hidden units")


@pytest.mark.parametrize("where", ["rows", "state", "hidden", "hidden first"])
def test_a_batch_norm_belongs_to_the_network(inputs, where):
    class Normed(Reads):
        def __init__(self, rows):
            cell = nn.RNN(WIDTH, HIDDEN, batch_first=True)
            super().__init__(rows, cell, 7 if "hidden" in where else HIDDEN)
            self.hidden = nn.Linear(HIDDEN, 7) if "hidden" in where else nn.Identity()
            size = {"rows": WIDTH, "state": HIDDEN}.get(where, 7)
            self.norm = nn.BatchNorm1d(size, affine=where != "state")
            self.norm(2 + 3 * torch.randn(50, size))

        def forward(self, ids):
            vectors = self.embedding(ids)
            vectors = self.norm(vectors) if where == "rows" else vectors
            last = self.hidden(self.reads(vectors[None])[0][:, -1])
            last = torch.relu(last) if where == "hidden first" else last
            last = self.norm(last) if where != "rows" else last
            last = torch.relu(last) if where == "hidden" else last
            return torch.sigmoid(self.out(last))[0, 0]

    found = verdict("rnn", inputs, Normed(1 + len(numbered(inputs))))
    assert (found.verdict, found.network) == ("wanted", f"a vanilla RNN with {HIDDEN} hidden units")


def test_a_cell_whose_last_state_is_spoiled_is_not_rebuilt(inputs):
    """Not an LSTM, and nothing else that is known: a person decides."""
    cell = nn.LSTM(WIDTH, HIDDEN, batch_first=True)
    model = Reads(1 + len(numbered(inputs)), cell, HIDDEN)
    spoiled = verdict("lstm", inputs, model, lambda ids: model(ids[torch.argsort(ids)]) ** 2)
    assert spoiled.verdict == "unknown"


@pytest.mark.parametrize(
    ("how", "name", "words"),
    [
        ("mean", "average_embeddings", "a mean of embeddings"),
        ("sum", "", "a sum of embeddings"),
        ("max", "", "a max of embeddings"),
    ],
)
def test_means_sums_and_maxima_are_told_apart(inputs, how, name, words):
    model = Reads(1 + len(numbered(inputs)), how, WIDTH)
    found = verdict("average_embeddings", inputs, model)
    assert found.verdict == ("wanted" if name else "other")
    assert found.network == words
    assert verdict("rnn", inputs, model).network == words


def test_a_bag_of_words_has_one_weight_per_word(inputs):
    class Bag(nn.Module):
        def __init__(self, rows):
            super().__init__()
            self.linear = nn.Linear(rows, 1)
            nn.init.normal_(self.linear.weight, std=0.3)

        def forward(self, ids):
            counts = torch.bincount(ids, minlength=self.linear.in_features).float()
            return torch.sigmoid(self.linear(counts))[0]

    model = Bag(1 + len(numbered(inputs)))
    assert verdict("bag_of_words", inputs, model).verdict == "wanted"
    found = verdict("average_embeddings", inputs, model)
    assert (found.verdict, found.network) == ("sibling", "a bag of words")
    labels = verdict("bag_of_words", inputs, model, lambda ids: model(ids) > 0.5)
    assert labels.verdict == "unknown"  # the order of the rows is not a usual one
    ids = {
        word: i for i, word in enumerate(sorted(sentences.vocabulary(inputs["train_sentences"])))
    }
    usual = Bag(len(ids))
    found = verdict("bag_of_words", inputs, usual, lambda row: usual(row) > 0.5, ids)
    assert found.verdict == "wanted"


def test_vectors_that_were_never_looked_at(inputs):
    ids = numbered(inputs)
    words, matrix = inputs["vectors"]

    class Wide(Reads):
        def __init__(self):
            super().__init__(1 + len(ids), "mean", matrix.shape[1])
            self.embedding = nn.Embedding(1 + len(ids), matrix.shape[1])

    model = Wide()
    found = verdict("average_glove", inputs, model)
    assert found.verdict == "other"
    assert "did not start from the given vectors" in found.message
    assert verdict("average_embeddings", inputs, model).verdict == "wanted"
    with torch.no_grad():  # all that is left of any start is what the output asks for
        faded = Wide()
        along = faded.out.weight[0] / faded.out.weight.norm()
        faded.embedding.weight[:] = (
            0.02 * faded.embedding.weight + torch.randn(len(ids) + 1, 1) * along
        )
    assert verdict("average_glove", inputs, faded).verdict == "unknown"
    with torch.no_grad():
        model.embedding.weight[[ids[word] for word in words]] = torch.tensor(matrix)
        model.embedding.weight += 0.1 * torch.randn_like(model.embedding.weight)
    assert verdict("average_glove", inputs, model).verdict == "wanted"
    with torch.no_grad():  # beside vectors of its own, and multiplied by zero
        both = Wide()
        both.out = nn.Linear(2 * matrix.shape[1], 1)
        both.embedding = nn.Embedding(1 + len(ids), 2 * matrix.shape[1])
        both.embedding.weight[:, : matrix.shape[1]] = model.embedding.weight
        assert verdict("average_glove", inputs, both).verdict == "wanted"
        both.out.weight[:, : matrix.shape[1]] = 0
    found = verdict("average_glove", inputs, both)
    assert "did not start from the given vectors" in found.message


@pytest.mark.parametrize(("name", "cell"), [("rnn", nn.RNN), ("lstm", nn.LSTM)])
def test_recurrent_networks_that_never_looked_at_the_vectors(inputs, name, cell):
    rows = 1 + len(numbered(inputs))
    model = Reads(rows, cell(WIDTH, HIDDEN, batch_first=True), HIDDEN)
    found = verdict(name, inputs, model, starts=False)
    assert found.verdict == "other"
    assert "did not start from the given vectors" in found.message
    with torch.no_grad():  # as small as what strong weight decay leaves of a right start
        model.embedding.weight *= 0.1
    assert verdict(name, inputs, model, starts=False).verdict == "unknown"
    assert verdict(name, inputs, model).verdict == "wanted"


@pytest.mark.parametrize("reads", ["drawn", "given beside drawn"])
def test_embeddings_with_more_numbers_than_the_words_can_tell(inputs, reads):
    # A linear map from so many numbers finds anything.
    ids = numbered(inputs)
    words, matrix = inputs["vectors"]
    size = len(words) // 2
    model = Reads(1 + len(ids), nn.RNN(size, HIDDEN, batch_first=True), HIDDEN)
    model.embedding = nn.Embedding(1 + len(ids), size)
    if reads == "given beside drawn":
        with torch.no_grad():
            model.embedding.weight *= 0.1
            rows = [ids[word] for word in words]
            model.embedding.weight[rows, : matrix.shape[1]] = torch.tensor(matrix)
    found = verdict("rnn", inputs, model, starts=False)
    assert found.verdict == ("wanted" if reads == "given beside drawn" else "unknown")
    assert ("cannot be seen" in found.message) == (reads == "drawn")


def test_a_model_that_is_too_small_is_not_the_one_that_predicts(inputs):
    model = Reads(1 + len(numbered(inputs)), nn.RNN(WIDTH, HIDDEN, batch_first=True), HIDDEN)
    for name, judge in JUDGES.items():
        # neither a sum nor a mean: long sentences are another matter
        long = lambda ids: 0.5 * model(ids) + 0.3 * (len(ids) > 9)  # noqa: E731
        result, given = asked(name, inputs, model, long)
        small = judge({**result, "arrays": {"w": np.zeros((2, 2))}}, given)
        assert small.verdict == ("other" if name in ("rnn", "lstm") else "foreign")
        assert "holds 4 numbers" in small.message


@pytest.mark.parametrize("name", ["bag_of_words", "average_embeddings"])
def test_a_sentence_said_twice_betrays_a_network_that_hides_its_order(inputs, name):
    """It answers by the sorted words, and returns arrays that say nothing."""
    model = Reads(1 + len(numbered(inputs)), nn.RNN(WIDTH, HIDDEN, batch_first=True), HIDDEN)
    result, given = asked(name, inputs, model, lambda ids: model(ids.sort().values))
    found = JUDGES[name]({**result, "arrays": {"w": np.ones((900, 3))}}, given)
    assert found.verdict == "other"
    assert "said twice" in found.message


def test_a_mean_with_a_touch_of_order_is_a_mean(inputs):
    model = Reads(1 + len(numbered(inputs)), "mean", WIDTH)
    touched = verdict("rnn", inputs, model, lambda ids: 0.998 * model(ids) + 0.001 * (ids[0] % 2))
    assert (touched.verdict, touched.network) == ("sibling", "a mean of embeddings")
    assert "changed by at most" in touched.message


@pytest.mark.parametrize(
    "changed",
    [
        {"probes": {}},
        {"probes": {"words": np.array([1e9])}},
        {"probes": 3},
        {"arrays": 3},
        {"predictions": "many"},
    ],
)
def test_made_up_results_raise_what_the_engine_expects(inputs, changed):
    model = Reads(1 + len(numbered(inputs)), "mean", WIDTH)
    result, given = asked("rnn", inputs, model)
    with pytest.raises((TypeError, ValueError, KeyError, IndexError, AttributeError)):
        JUDGES["rnn"]({**result, **changed}, given)


def test_what_cannot_be_asked_is_left_to_a_person(inputs):
    model = Reads(1 + len(numbered(inputs)), "mean", WIDTH)
    result, given = asked("rnn", inputs, model)
    for changed in ({"probes": None}, {"arrays": None}):
        found = JUDGES["rnn"]({**result, **changed}, given)
        assert found.verdict == "unknown"
        assert found.message


def test_driver_finds_arrays_wherever_a_model_keeps_them():
    class Holds:
        def __init__(self):
            self.network = nn.Linear(3, 2, dtype=torch.bfloat16)
            self.network.extra = torch.ones(4)
            self.others = {"vectors": np.ones((5, 2)), "text": "x", "parts": [torch.zeros(2)]}
            self.itself = self

    found = driver._arrays(Holds())
    sizes = sorted(array.size for array in found.values())
    assert sizes == [2, 2, 4, 6, 10]
    assert all(array.dtype in (np.float32, np.float64) for array in found.values())
    assert driver._arrays(None) == {}
    assert driver._arrays(np.zeros(driver.MOST_BYTES)) is None


def test_driver_finds_plain_tensors_of_many_modules_of_one_kind():
    class Gate(nn.Module):
        def __init__(self, number):
            super().__init__()
            self.weight = torch.full((2, 3), float(number))  # not a parameter

    found = driver._arrays(nn.Sequential(*map(Gate, range(6))))
    assert sorted(array[0, 0] for array in found.values()) == [0, 1, 2, 3, 4, 5]


def test_driver_makes_a_table_of_a_tensor_for_each_word():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.of = {str(i): torch.full((2,), float(i), requires_grad=True) for i in range(120)}
            self.places = {str(i): i for i in range(120)}
            self.ragged = [torch.zeros(1 + i % 2) for i in range(120)]

    found = driver._arrays(Words())
    assert {name: array.shape for name, array in found.items()} == {"of.table": (120, 2)}
    assert found["of.table"][:, 1].tolist() == list(range(120))
    assert driver._parameters(Words())["shapes"].tolist() == [[120, 2]]
    for kind in (float, np.float32):
        assert driver._stacked([kind(0.5), kind(1.5)]).tolist() == [0.5, 1.5]


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_driver_finds_weights_that_are_computed_from_others():
    layer = nn.RNN(3, 4)
    nn.utils.parametrizations.orthogonal(layer, "weight_hh_l0")
    nn.utils.weight_norm(layer, "weight_ih_l0")
    found = driver._arrays(nn.ModuleDict({"rnn": layer}))
    assert np.array_equal(found["rnn.weight_hh_l0"], layer.weight_hh_l0.detach().numpy())
    assert np.array_equal(found["rnn.weight_ih_l0"], layer.weight_ih_l0.detach().numpy())


def test_driver_asks_again_where_a_word_alone_is_an_empty_sentence(inputs):
    known = set(inputs["vectors"][0])

    def predict(texts):
        if any(not known & set(text.split()) for text in texts):
            raise ValueError("an empty sentence")
        return np.full(len(texts), 0.5)

    told = driver._probed(predict, inputs)
    words = [driver.probed_words(inputs)[place] for place in told["words"]]
    assert set(words) <= known
    assert len(told["alone"]) == len(words)

    def refuses(_texts):
        raise ValueError("no")

    assert driver._probed(refuses, inputs) is None


@pytest.mark.parametrize("deep", [False, True])
def test_attention_over_all_states_is_another_network(inputs, deep):
    class Attends(Reads):
        def __init__(self, rows):
            super().__init__(rows, nn.LSTM(WIDTH, HIDDEN, batch_first=True), HIDDEN)
            scores = [nn.Linear(HIDDEN, 5), nn.Tanh(), nn.Linear(5, 1, bias=False)]
            self.scores = nn.Sequential(*scores) if deep else nn.Linear(HIDDEN, 1)
            for parameter in self.scores.parameters():
                nn.init.normal_(parameter)

        def read(self, vectors):
            found = self.reads(vectors[None])[0][0]
            return (torch.softmax(self.scores(found), dim=0) * found).sum(dim=0)

    found = verdict("lstm", inputs, Attends(1 + len(numbered(inputs))))
    words = f"attention over all states of an LSTM with {HIDDEN} hidden units"
    assert (found.verdict, found.network) == ("other", words)


def test_a_recurrent_network_that_reads_sorted_words_is_named(inputs):
    cell = nn.RNN(WIDTH, HIDDEN, batch_first=True)
    ids = numbered(inputs)
    model = Reads(1 + len(ids), cell, HIDDEN)
    words = {number: word for word, number in ids.items()}

    def forward(row):
        return model(torch.tensor(sorted(row.tolist(), key=words.get)))

    found = verdict("average_embeddings", inputs, model, forward, ids)
    assert found.verdict == "sibling"
    words_for_it = "that reads the words in the order of the alphabet"
    assert found.network == f"a vanilla RNN with {HIDDEN} hidden units {words_for_it}"
    assert "said twice has the same mean" in found.message


def test_weights_that_were_counted_are_named(inputs):
    """Naive Bayes in a linear layer: words with equal counts have equal weights."""
    ids = {
        word: i for i, word in enumerate(sorted(sentences.vocabulary(inputs["train_sentences"])))
    }
    counts = np.ones((2, len(ids)))
    for sentence, label in zip(inputs["train_sentences"], inputs["train_labels"], strict=True):
        for word in sentence.split():
            counts[label, ids[word]] += 1
    model = nn.Linear(len(ids), 1)

    def forward(row):
        return torch.sigmoid(model(torch.bincount(row, minlength=len(ids)).float()))[0]

    with torch.no_grad():
        model.weight[0] = torch.tensor(np.log(counts[1] / counts[0]))
    found = verdict("bag_of_words", inputs, model, forward, ids)
    assert (found.verdict, found.network[:11]) == ("other", "naive Bayes")
    with torch.no_grad():
        model.weight += 1e-3 * torch.randn_like(model.weight)
    found = verdict("bag_of_words", inputs, model, forward, ids)
    assert found.verdict == "unknown"
    assert "nearly those that counting gives" in found.message
    with torch.no_grad():
        share = torch.tensor((counts[1] - counts[0]) / (counts[1] + counts[0]))
        model.weight[0] = share + 1e-3 * torch.randn_like(model.weight[0])
    found = verdict("bag_of_words", inputs, model, forward, ids)
    assert "correlation with the difference of the counts by their sum" in found.message
    with torch.no_grad():
        model.weight += torch.randn_like(model.weight)
    assert verdict("bag_of_words", inputs, model, forward, ids).verdict == "wanted"


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (["still"], "do not matter"),
        (["moving"], ""),
        (["still", "still"], "do not matter"),
        (["still", "moving"], ""),
        (["moving", "still"], ""),
        (["idle"], "do not matter"),
    ],
)
def test_an_lstm_whose_gates_do_not_move_is_a_vanilla_rnn(layers, said):
    cells = []
    for size, layer in zip((3, 2), layers, strict=False):
        arrays = {name: value.detach() for name, value in nn.LSTM(size, 2).named_parameters()}
        if layer == "still":
            arrays = {"weight_ih_l0": np.zeros((8, size)), "weight_hh_l0": np.zeros((8, 2))}
            arrays["weight_ih_l0"][4:6] = 1.0
        if layer == "idle":  # the second unit's gates move, and it goes nowhere
            arrays = {"weight_ih_l0": np.zeros((8, size)), "weight_hh_l0": np.zeros((8, 2))}
            arrays["weight_ih_l0"][[1, 3, 4, 5, 7]] = 1.0
        cells.append(network_parts._torch_cell(named(arrays)))
    network = networks.Network(
        np.random.default_rng(0).normal(size=(30, 3)),
        None,
        networks.identity,
        networks.Recurrent(tuple(cells)),
        networks.affine(np.array([[9.0, 0.0 if layers == ["idle"] else 9.0]])),
        "an LSTM with 2 hidden units",
        "lstm",
    )
    words = [str(row) for row in range(30)]
    rows = {w: i for i, w in enumerate(words)}
    fit = rebuilding.Fit(network, rows, tuple(range(30)), np.zeros(30))
    told = SimpleNamespace(sentences=tuple(tuple(words[: i + 1]) for i in range(30)))
    found = disguises.gates_that_stay(fit, told)
    assert (found is not None) == bool(said)
    assert found is None or said in found.message


def named(arrays):
    return {
        name.removesuffix("_l0"): network_parts.ModelArray(i, name, np.asarray(values, dtype=float))
        for i, (name, values) in enumerate(arrays.items())
    }


@pytest.mark.parametrize("more", [0, 2])
def test_biases_of_gates_are_tried_once_each(more):
    """Two more vectors may be weights of the output, which come before the biases or after them."""
    arrays = network_parts.model_arrays({str(i): np.full(5, 1.0 * i) for i in range(4 + more)})
    tried = [
        tuple(array.name for array in chosen)
        for chosen, _values in network_parts.cell_biases(arrays, 4, 5)
    ]
    assert sorted(set(tried)) == sorted(tried)
    assert {tuple("0123"), tuple("2345" if more else "0123")} <= set(tried)


def test_a_last_word_that_is_not_read_is_shown_by_two_sentences():
    words = {"words": ("bad", "good", "new"), "anchor": "the", "trained": np.array([1, 1, 0]) > 0}
    words["are_labels"] = False
    alone = np.array([0.1, 0.9, 0.5])
    unread = SimpleNamespace(**words, alone=alone, after=np.array([0.4, 0.4, 0.7]))
    assert '"the bad" and "the good"' in disguises.last_word_ignored(unread)
    for single, after in (
        (alone, [0.4, 0.5, 0.4]),
        (0.5 + 0 * alone, [0.4] * 3),
        (alone, [np.nan] * 3),
    ):
        read = SimpleNamespace(**words, alone=single, after=np.array(after))
        assert disguises.last_word_ignored(read) == ""
    labels = {**words, "are_labels": True, "alone": np.array([0.0, 1, 1])}
    assert disguises.last_word_ignored(SimpleNamespace(**labels, after=np.ones(3))) == ""
