"""Layer-wise relevance propagation through a convolutional network and through the memory of an LSTM.

A convolution is a Dense layer that is applied at every place of an image; pooling shares a window's relevance out.
Rules as in Montavon et al. 2019, doi 10.1007/978-3-030-28954-6_10.
"""

import keras
import numpy as np

from vitrina_solutions.lrp import lrp_epsilon, lrp_gamma, lrp_zb


def lrp_max_pool(activations: np.ndarray, relevance: np.ndarray, size: int) -> np.ndarray:
    """
    LRP through max pooling: the winner takes all.

    The image is tiled by windows of size x size values, in each channel by itself. A window's relevance goes to its
    largest activation, the others get 0. If several are equally large, the first of them takes all, row by row from
    the top left (as `np.argmax` counts). (Montavon et al. 2019.)

    Parameters
    ----------
    activations : array, shape (batch, height, width, channels)
        What enters the pooling.
    relevance : array, shape (batch, height / size, width / size, channels)
        The relevance of its outputs, one for each window and channel.
    size : int
        Side of a window; it divides height and width.

    Returns
    -------
    array, shape of activations
        Each sample's sum is that of `relevance`.
    """
    shares = np.zeros(activations.shape)
    for sample, row, column, channel in np.ndindex(relevance.shape):
        rows, columns = slice(row * size, (row + 1) * size), slice(column * size, (column + 1) * size)
        window = activations[sample, rows, columns, channel]
        winner = np.unravel_index(np.argmax(window), window.shape)
        shares[sample, rows, columns, channel][winner] = relevance[sample, row, column, channel]
    return shares


def lrp_average_pool(activations: np.ndarray, relevance: np.ndarray, size: int) -> np.ndarray:
    """
    LRP through average pooling: each activation takes its share of the window's sum.

    The image is tiled by windows of size x size values, in each channel by itself. In a window with the activations a_i
    and the relevance R:

    R_i = a_i / (Σ_j a_j + 1e-12) · R

    The activations are not negative, as they are after a ReLU. (Montavon et al. 2019: LRP-0, as an average is a sum
    with equal weights.)

    Parameters
    ----------
    activations : array, shape (batch, height, width, channels)
        What enters the pooling, none below 0.
    relevance : array, shape (batch, height / size, width / size, channels)
        The relevance of its outputs, one for each window and channel.
    size : int
        Side of a window; it divides height and width.

    Returns
    -------
    array, shape of activations
        Each sample's sum is that of `relevance`, but for windows where all is 0.
    """
    batch, rows, columns, channels = relevance.shape
    windows = activations.reshape(batch, rows, size, columns, size, channels)
    sums = windows.sum(axis=(2, 4), keepdims=True)
    shares = windows / (sums + 1e-12) * relevance[:, :, None, :, None, :]
    return shares.reshape(activations.shape)


def lrp_conv(
    activations: np.ndarray, kernel: np.ndarray, bias: np.ndarray, relevance: np.ndarray, gamma: float
) -> np.ndarray:
    """
    LRP-γ through a convolution without padding, stride 1.

    The output at (row, column) looks at the window of the image that begins there: one Dense layer, with the window as
    its inputs and the kernel as its weights, applied at every place. So apply your `lrp_gamma` to each window and add
    up what a pixel gets from all the windows that it lies in. A kernel of shape (h, w, channels_in, channels_out)
    becomes weights (h · w · channels_in, channels_out) by `reshape`, and a window in the same order becomes inputs.

    The same can be done at once with `tf.nn.conv2d` and `tf.nn.conv2d_transpose`. Both ways are right. (Montavon et al.
    2019.)

    Parameters
    ----------
    activations : array, shape (batch, height, width, channels_in)
        The inputs of the convolution, none below 0.
    kernel : array, shape (h, w, channels_in, channels_out)
        Its weights.
    bias : array, shape (channels_out,)
        Its bias.
    relevance : array, shape (batch, height − h + 1, width − w + 1, channels_out)
        The relevance of its outputs.
    gamma : float
        γ, at least 0.

    Returns
    -------
    array, shape of activations
        With a bias of 0 each sample's sum is that of `relevance`.
    """
    high, wide, _, channels = kernel.shape
    weights = kernel.reshape(-1, channels)
    shares = np.zeros(activations.shape)
    for row, column in np.ndindex(relevance.shape[1:3]):
        window = activations[:, row : row + high, column : column + wide]
        shared = lrp_gamma(window.reshape(len(window), -1), weights, bias, relevance[:, row, column], gamma)
        shares[:, row : row + high, column : column + wide] += shared.reshape(window.shape)
    return shares


def lrp_conv_zb(pixels: np.ndarray, kernel: np.ndarray, relevance: np.ndarray, low: float, high: float) -> np.ndarray:
    """
    The z^B rule through a convolution at the pixels, without padding, stride 1.

    As `lrp_conv`, with your `lrp_zb` at every place. (Montavon et al. 2017, doi 10.1016/j.patcog.2016.11.008.)

    Parameters
    ----------
    pixels : array, shape (batch, height, width, channels_in)
        The image, between `low` and `high`.
    kernel : array, shape (h, w, channels_in, channels_out)
        The weights of the convolution.
    relevance : array, shape (batch, height − h + 1, width − w + 1, channels_out)
        The relevance of its outputs.
    low : float
        The lowest value that a pixel can have.
    high : float
        The highest value that a pixel can have.

    Returns
    -------
    array, shape of pixels
        Each sample's sum is that of `relevance`.
    """
    tall, wide, _, channels = kernel.shape
    weights = kernel.reshape(-1, channels)
    shares = np.zeros(pixels.shape)
    for row, column in np.ndindex(relevance.shape[1:3]):
        window = pixels[:, row : row + tall, column : column + wide]
        shared = lrp_zb(window.reshape(len(window), -1), weights, relevance[:, row, column], low, high)
        shares[:, row : row + tall, column : column + wide] += shared.reshape(window.shape)
    return shares


def lrp_cnn(model: "keras.Model", images: np.ndarray, target: int, epsilon: float, gamma: float) -> np.ndarray:
    """
    LRP through a whole convolutional network, with the rule that suits each layer: a composite.

    - Dense layers: LRP-ε.
    - Max pooling (windows of 2 x 2): the winner takes all.
    - Convolutions: LRP-γ; but the first one, at the pixels: z^B with the bounds 0 and 1.
    - Flatten: the relevance gets the shape back that entered it. A ReLU passes relevance on unchanged.

    Forward: `model.layers` is the list of layers, each can be called, and `np.asarray` makes an array of what it gives;
    keep what enters each. Start: the logit of class c, other outputs 0. Backward: from the last layer to the first.
    `isinstance(layer, keras.layers.Dense)` tells what a layer is (`Conv2D`, `MaxPooling2D`, `Flatten`), and
    `layer.get_weights()` gives kernel and bias. (Montavon et al. 2019, section 10.3: LRP-ε above, LRP-γ below, z^B at
    the pixels.)

    Parameters
    ----------
    model
        Layers Conv2D with ReLU, MaxPooling2D, ..., Flatten, Dense; returns logits, shape (batch, classes).
    images : array, shape (batch, height, width, channels)
        The images to explain, pixels between 0 and 1.
    target : int
        The class c, the same for all images.
    epsilon : float
        ε of the Dense layers.
    gamma : float
        γ of the convolutions.

    Returns
    -------
    array, shape of images
        The relevance of each pixel.
    """
    entering = [images]
    for layer in model.layers:
        entering.append(np.asarray(layer(entering[-1])))
    logits = entering.pop()
    relevance = np.zeros(logits.shape)
    relevance[:, target] = logits[:, target]
    for layer, activations in zip(reversed(model.layers), reversed(entering), strict=True):
        parameters = layer.get_weights()
        if isinstance(layer, keras.layers.Dense):
            relevance = lrp_epsilon(activations, parameters[0], parameters[1], relevance, epsilon)
        elif isinstance(layer, keras.layers.Flatten):
            relevance = relevance.reshape(activations.shape)
        elif isinstance(layer, keras.layers.MaxPooling2D):
            relevance = lrp_max_pool(activations, relevance, 2)
        elif layer is model.layers[0]:
            relevance = lrp_conv_zb(activations, parameters[0], relevance, 0.0, 1.0)
        else:
            relevance = lrp_conv(activations, parameters[0], parameters[1], relevance, gamma)
    return relevance


def lrp_lstm_memory(
    forget_gate: np.ndarray,
    memory: np.ndarray,
    input_gate: np.ndarray,
    candidate: np.ndarray,
    relevance: np.ndarray,
    epsilon: float,
) -> np.ndarray:
    """
    LRP through the memory of an LSTM, one step of time: the signal takes all, the gates get nothing.

    The new memory is c = f · m + i · g: the old memory m as far as the forget gate f lets it through, and the candidate
    g as far as the input gate i does. Its relevance R is shared between the two summands by LRP-ε; of each product the
    signal (m or g) takes the whole share, and the gate gets none:

    R_m = f · m / (c + ε sign(c)) · R,   R_g = i · g / (c + ε sign(c)) · R,   with sign(0) = +1

    (Arras et al. 2017, doi 10.18653/v1/W17-5221, section 3.2.)

    Parameters
    ----------
    forget_gate : array, shape (batch, units)
        f, between 0 and 1.
    memory : array, shape (batch, units)
        m, the memory before this step.
    input_gate : array, shape (batch, units)
        i, between 0 and 1.
    candidate : array, shape (batch, units)
        g, what this step would write.
    relevance : array, shape (batch, units)
        R, the relevance of the new memory c.
    epsilon : float
        ε, above 0.

    Returns
    -------
    array, shape (2, batch, units)
        R_m and R_g, the relevance of the old memory and of the candidate.
    """
    kept, written = forget_gate * memory, input_gate * candidate
    total = kept + written
    share = relevance / (total + np.where(total >= 0, epsilon, -epsilon))
    return np.stack([kept * share, written * share])
