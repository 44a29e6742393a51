"""Train a network of your own on what the threshold accepts and rejects.

    python examples/train_on_the_result.py WORKSPACE

Run ``label_by_script.py`` first. The network here is a single layer over the embeddings. For one that sees pixels, take
``torch_dataset("images", transform=...)`` with the transforms of torchvision; the rest stays as it is.
"""

import sys
from pathlib import Path

import torch
from torch.utils.data import DataLoader

import bam_engine


def main(workspace: Path) -> None:
    """Fit the network and print its loss."""
    torch.manual_seed(0)
    with bam_engine.open(workspace) as bam:
        dataset = bam.attribute("colourful").torch_dataset("embeddings", labels="threshold")

    loader = DataLoader(dataset, batch_size=32, shuffle=True)
    network = torch.nn.Linear(len(dataset[0][0]), 1)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.05)
    loss_of = torch.nn.BCEWithLogitsLoss()

    for epoch in range(1, 21):
        total = 0.0
        for vectors, labels in loader:
            loss = loss_of(network(vectors).squeeze(1), labels.float())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(labels)
        if epoch % 5 == 0:
            print(f"epoch {epoch:2}: loss {total / len(dataset):.3f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
