"""my text classification, written with dictionaries so that I understand every step"""

import math
import random

import numpy as np
import torch


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    print("training on", len(train_sentences), "sentences")
    random.seed(seed)
    weight = {}
    bias = 0.0
    lr = 0.1
    order = list(range(len(train_sentences)))
    for epoch in range(10):
        random.shuffle(order)
        for i in order:
            words = train_sentences[i].split(" ")
            z = bias
            for w in words:
                z = z + weight.get(w, 0.0)
            z = max(-30.0, min(30.0, z))
            p = 1.0 / (1.0 + math.exp(-z))
            g = p - float(train_labels[i])
            for w in words:
                weight[w] = weight.get(w, 0.0) - lr * g
            bias = bias - lr * g
        lr = lr * 0.7
        print("epoch done", epoch)

    # put the learned numbers into a torch layer, as the homework asks for a module
    words = sorted(weight)
    column = {w: k for k, w in enumerate(words)}
    model = torch.nn.Sequential(torch.nn.Linear(len(words), 1), torch.nn.Sigmoid())
    with torch.no_grad():
        model[0].weight[0] = torch.tensor([weight[w] for w in words])
        model[0].bias[0] = bias

    def predict(sentences):
        out = []
        for s in sentences:
            x = torch.zeros(1, len(words))
            for w in s.split(" "):
                if w in column:
                    x[0, column[w]] += 1
            out.append(1 if model(x).item() > 0.5 else 0)
        return torch.tensor(out)

    return model, predict


def average_by_hand(table, column, sentences, labels, epochs, lr):
    # one sentence after the other, gradients worked out on paper:
    # z = w . mean + b, dloss/dz = p - y, dloss/dw = g * mean, dloss/dvector = g * w / T
    w = np.zeros(table.shape[1])
    b = 0.0
    order = list(range(len(sentences)))
    rows = []
    for s in sentences:
        rows.append([column[t] for t in s.split(" ") if t in column])
    for epoch in range(epochs):
        random.shuffle(order)
        for i in order:
            row = rows[i]
            if len(row) == 0:
                continue
            mean = table[row].sum(axis=0) / len(row)
            z = max(-30.0, min(30.0, float(w @ mean) + b))
            g = 1.0 / (1.0 + math.exp(-z)) - float(labels[i])
            dvector = g * w / len(row)
            w = w - lr * g * mean
            b = b - lr * g
            for k in row:
                table[k] -= lr * dvector
        lr = lr * 0.85
        print("epoch done", epoch)
    return w, b


class Average(torch.nn.Module):
    def __init__(self, table, w, b):
        super().__init__()
        self.vectors = torch.nn.Parameter(torch.tensor(table, dtype=torch.float32))
        self.linear = torch.nn.Linear(len(w), 1)
        with torch.no_grad():
            self.linear.weight[0] = torch.tensor(w)
            self.linear.bias[0] = b

    def forward(self, row):
        mean = torch.zeros(self.vectors.shape[1])
        if len(row) > 0:
            mean = self.vectors[row].mean(dim=0)
        return torch.sigmoid(self.linear(mean))


def predict_with_average(model, column):
    def predict(sentences):
        answers = []
        for s in sentences:
            row = [column[t] for t in s.split(" ") if t in column]
            answers.append(model(row).item())
        return answers

    return predict


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    random.seed(seed)
    column = {}
    for s in train_sentences:
        for t in s.split(" "):
            column.setdefault(t, len(column))
    table = np.random.RandomState(seed % 2**32).randn(len(column), 20) * 0.1
    w, b = average_by_hand(table, column, train_sentences, train_labels, 12, 0.5)
    model = Average(table, w, b)
    return model, predict_with_average(model, column)


def table_of(vectors, train_sentences, seed):
    # the given vectors first, small random ones for the training words that have none
    column = {}
    rows = []
    for word, vector in zip(vectors[0], vectors[1]):
        column[word] = len(column)
        rows.append(np.array(vector, dtype=np.float64))
    rng = np.random.RandomState(seed % 2**32)
    for s in train_sentences:
        for t in s.split(" "):
            if t not in column:
                column[t] = len(column)
                rows.append(rng.randn(len(rows[0])) * 0.1)
    return np.array(rows), column


def train_average_glove(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    random.seed(seed)
    table, column = table_of(vectors, train_sentences, seed)
    w, b = average_by_hand(table, column, train_sentences, train_labels, 12, 0.2)
    model = Average(table, w, b)
    return model, predict_with_average(model, column)


class MyRNN(torch.nn.Module):
    def __init__(self, table, size):
        super().__init__()
        self.size = size
        self.words = torch.nn.Embedding(len(table), table.shape[1])
        self.words.weight.data = torch.tensor(table, dtype=torch.float32)
        self.from_word = torch.nn.Linear(table.shape[1], size)
        self.from_state = torch.nn.Linear(size, size, bias=False)
        # start close to "remember everything"
        self.from_state.weight.data = torch.eye(size) * 0.9
        self.out = torch.nn.Linear(size, 1)

    def forward(self, x):
        h = torch.zeros(x.shape[0], self.size)
        for t in range(x.shape[1]):
            h = torch.tanh(self.from_word(self.words(x[:, t])) + self.from_state(h))
        return torch.sigmoid(self.out(h))


class MyLSTM(torch.nn.Module):
    def __init__(self, table, size):
        super().__init__()
        self.size = size
        self.words = torch.nn.Embedding(len(table), table.shape[1])
        self.words.weight.data = torch.tensor(table, dtype=torch.float32)
        self.forget_gate = torch.nn.Linear(table.shape[1] + size, size)
        self.input_gate = torch.nn.Linear(table.shape[1] + size, size)
        self.output_gate = torch.nn.Linear(table.shape[1] + size, size)
        self.candidate = torch.nn.Linear(table.shape[1] + size, size)
        self.forget_gate.bias.data.fill_(1.0)
        self.out = torch.nn.Linear(size, 1)

    def forward(self, x):
        h = torch.zeros(x.shape[0], self.size)
        c = torch.zeros(x.shape[0], self.size)
        for t in range(x.shape[1]):
            both = torch.cat([self.words(x[:, t]), h], dim=1)
            f = torch.sigmoid(self.forget_gate(both))
            i = torch.sigmoid(self.input_gate(both))
            o = torch.sigmoid(self.output_gate(both))
            c = f * c + i * torch.tanh(self.candidate(both))
            h = o * torch.tanh(c)
        return torch.sigmoid(self.out(h))


def by_length(rows):
    # sentences of one length go together, so nothing needs to be padded
    groups = {}
    for i, row in enumerate(rows):
        groups.setdefault(len(row), []).append(i)
    return groups


def train_sequence_model(model, column, sentences, labels, seed, epochs, lr):
    rng = random.Random(seed)
    rows = [[column[t] for t in s.split(" ")] for s in sentences]
    groups = by_length(rows)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=lr)
    for epoch in range(epochs):
        batches = []
        for group in groups.values():
            rng.shuffle(group)
            for start in range(0, len(group), 32):
                batches.append(group[start : start + 32])
        rng.shuffle(batches)
        for batch in batches:
            x = torch.tensor([rows[i] for i in batch])
            y = torch.tensor([[float(labels[i])] for i in batch])
            p = model(x)
            loss = -(y * torch.log(p + 1e-7) + (1 - y) * torch.log(1 - p + 1e-7)).mean()
            optimizer.zero_grad()
            loss.backward()
            for parameter in model.parameters():
                parameter.grad.clamp_(-0.5, 0.5)
            optimizer.step()
        if epoch >= epochs // 2:
            for setting in optimizer.param_groups:
                setting["lr"] = setting["lr"] * 0.6
        print("epoch done", epoch, loss.item())

    def predict(sentences):
        answers = torch.zeros(len(sentences), 1)
        rows = [[column[t] for t in s.split(" ") if t in column] for s in sentences]
        for group in by_length(rows).values():
            x = torch.tensor([rows[i] for i in group], dtype=torch.long)
            answers[group] = model(x)
        return answers

    return predict


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    table, column = table_of(vectors, train_sentences, seed)
    model = MyRNN(table, 40)
    predict = train_sequence_model(model, column, train_sentences, train_labels, seed, 22, 0.002)
    return model, predict


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    torch.manual_seed(seed)
    table, column = table_of(vectors, train_sentences, seed)
    model = MyLSTM(table, 40)
    predict = train_sequence_model(model, column, train_sentences, train_labels, seed, 8, 0.004)
    return model, predict
