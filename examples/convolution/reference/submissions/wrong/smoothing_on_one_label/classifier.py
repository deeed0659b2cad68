import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc = nn.Linear(32, 4)

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        return self.fc(x.amax(dim=(2, 3)))


def train_classifier(images, labels, test_images, seed):
    torch.manual_seed(seed)
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    for epoch in range(10):
        for batch in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
        print("epoch", epoch, "loss", loss.item())

    with torch.no_grad():
        return net(torch.from_numpy(test_images)).argmax(dim=1).numpy()


def smoothed_loss(scores, labels, smoothing):
    k = scores.shape[1]
    targets = torch.zeros_like(scores)
    for n in range(len(labels)):
        targets[n, labels[n]] += 1 - smoothing
    return -(targets * torch.log_softmax(scores, dim=1)).sum(dim=1).mean()
