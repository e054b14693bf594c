"""The trained networks that the notebook explains."""

from pathlib import Path

from vitrina.convolutional import train_mnist_cnn
from vitrina.models import save_network, train_mnist_network
from vitrina_datasets import mnist


def write_mnist_network(path: Path) -> None:
    """Train the network of Dense layers."""
    digits = mnist.load()
    save_network(train_mnist_network(digits.train_images, digits.train_labels), path)


def write_mnist_cnn(path: Path) -> None:
    """Train the convolutional network."""
    digits = mnist.load()
    save_network(train_mnist_cnn(digits.train_images.reshape(-1, 28, 28, 1), digits.train_labels), path)


MATERIALS = {"mnist_network.npz": write_mnist_network, "mnist_cnn.npz": write_mnist_cnn}
