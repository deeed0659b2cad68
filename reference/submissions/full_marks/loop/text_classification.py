"""my text classification, written with dictionaries so that I understand every step"""

import math
import random

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
