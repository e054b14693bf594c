"""Answers to part C that need more than a line: other right ways, and the frame of wrong ones."""

import keras
import numpy as np
import tensorflow as tf

from vitrina_solutions import lrp
from vitrina_solutions.lrp_convolution import lrp_average_pool, lrp_conv, lrp_conv_zb, lrp_max_pool

from ._answers import minus, plus, safe


def tiles(activations, relevance, size):
    """Cut an image into its pooling windows: (batch, rows, columns, channels, size * size)."""
    batch, rows, columns, channels = relevance.shape
    cut = activations.reshape(batch, rows, size, columns, size, channels)
    return cut.transpose(0, 1, 3, 5, 2, 4).reshape(batch, rows, columns, channels, size * size)


def untiled(shares, shape, size):
    batch, rows, columns, channels, _ = shares.shape
    cut = shares.reshape(batch, rows, columns, channels, size, size)
    return cut.transpose(0, 1, 4, 2, 5, 3).reshape(shape)


def pool(activations, relevance, size, share):
    """Share each window's relevance out by a function of its values (..., size * size)."""
    parts = share(tiles(activations, relevance, size))
    return untiled(parts * relevance[..., None], activations.shape, size)


def first_winner(values):
    return np.eye(values.shape[-1])[np.argmax(values, axis=-1)]


def last_winner(values):
    return first_winner(values[..., ::-1])[..., ::-1]


def column_winner(values):
    """Count down the columns first, as Fortran does."""
    side = round(values.shape[-1] ** 0.5)
    order = np.arange(values.shape[-1]).reshape(side, side).T.ravel()
    return first_winner(values[..., order])[..., np.argsort(order)]


def average_by_tape(activations, relevance, size):
    """The four steps: forward, divide, backward, multiply."""
    a = tf.convert_to_tensor(activations)
    with tf.GradientTape() as tape:
        tape.watch(a)
        z = tf.nn.avg_pool2d(a, size, size, "VALID")
        total = tf.reduce_sum(z * tf.stop_gradient(relevance / (z + 1e-12)))
    return activations * tape.gradient(total, a).numpy()


def conv_at_once(activations, kernel, bias, relevance, gamma, *, raised_bias=True, turned=False):
    """LRP-γ by TensorFlow's convolution and its transpose."""
    w = kernel + gamma * plus(kernel)
    b = bias + gamma * plus(bias) * raised_bias
    z = tf.nn.conv2d(activations, w, 1, "VALID").numpy() + b
    down = w[::-1, ::-1] if turned else w
    return activations * tf.nn.conv2d_transpose(relevance / safe(z), down, activations.shape, 1, "VALID").numpy()


def conv_by_tape(activations, kernel, bias, relevance, gamma):
    a = tf.Variable(activations)
    w, b = kernel + gamma * plus(kernel), bias + gamma * plus(bias)
    with tf.GradientTape() as tape:
        z = tf.nn.conv2d(a, w, 1, "VALID") + b
        total = tf.reduce_sum(z * tf.stop_gradient(relevance / z))
    return activations * tape.gradient(total, a).numpy()


def place_by_place(activations, kernel, relevance, rule, *, add=True, order=(0, 1, 2, 3)):
    """Apply a rule of Dense layers at every place, with one thing done differently."""
    high, wide, _, channels = kernel.shape
    shares = np.zeros(activations.shape)
    weights = (
        kernel.transpose(2, 0, 1, 3).reshape(-1, channels) if order != (0, 1, 2, 3) else kernel.reshape(-1, channels)
    )
    for row, column in np.ndindex(relevance.shape[1:3]):
        window = activations[:, row : row + high, column : column + wide]
        shared = rule(window.reshape(len(window), -1), weights, relevance[:, row, column]).reshape(window.shape)
        here = shares[:, row : row + high, column : column + wide]
        here[...] = here + shared if add else shared
    return shares


def counted(activations, kernel, relevance):
    """How many windows each pixel lies in."""
    return place_by_place(activations, kernel, relevance, lambda a, w, r: np.ones_like(a))


def zb_at_once(pixels, kernel, relevance, low, high):
    def up(values, weights):
        return tf.nn.conv2d(values, weights, 1, "VALID").numpy()

    lows, highs, w, p, n = np.full_like(pixels, low), np.full_like(pixels, high), kernel, plus(kernel), minus(kernel)
    s = relevance / safe(up(pixels, w) - up(lows, p) - up(highs, n))
    x_part, l_part, h_part = (tf.nn.conv2d_transpose(s, v, pixels.shape, 1, "VALID").numpy() for v in (w, p, n))
    return pixels * x_part - low * l_part - high * h_part


def conv_zb(*arguments, rule=lrp.lrp_zb, add=True):
    pixels, kernel, relevance, low, high = arguments
    return place_by_place(pixels, kernel, relevance, lambda x, w, r: rule(x, w, r, low, high), add=add)


def composite(
    model,
    images,
    target,
    epsilon,
    gamma,
    *,
    seed=lambda logits, target: np.eye(logits.shape[1])[target] * logits,
    dense=lrp.lrp_epsilon,
    pooling=lrp_max_pool,
    first=lambda x, kernel, bias, r, gamma: lrp_conv_zb(x, kernel, r, 0.0, 1.0),
    conv=lrp_conv,
):
    """LRP through a convolutional network, with one rule changed."""
    entering = [images]
    for layer in model.layers:
        entering.append(layer(entering[-1]).numpy())
    relevance = seed(entering[-1], target)
    for number in range(len(model.layers) - 1, -1, -1):
        layer, a = model.layers[number], entering[number]
        if isinstance(layer, keras.layers.Dense):
            relevance = dense(a, *layer.get_weights(), relevance, epsilon)
        elif isinstance(layer, keras.layers.Conv2D):
            relevance = (conv if number else first)(a, *layer.get_weights(), relevance, gamma)
        elif isinstance(layer, keras.layers.MaxPooling2D):
            relevance = pooling(a, relevance[:, : a.shape[1] // 2, : a.shape[2] // 2], 2)
        else:
            relevance = relevance.reshape(a.shape)
    return relevance


def composite_at_once(*arguments):
    """With TensorFlow's convolutions and windows cut all at once."""
    return composite(
        *arguments,
        first=lambda x, kernel, bias, r, gamma: zb_at_once(x, kernel, r, 0.0, 1.0),
        conv=conv_at_once,
        pooling=lambda a, r, size: pool(a, r, size, first_winner),
    )


def spread_evenly(activations, relevance, size):
    return pool(activations, relevance, size, lambda values: np.full(values.shape, 1 / size**2))


def as_average(activations, relevance, size):
    return lrp_average_pool(activations, relevance, size)


def remember(forget_gate, memory, input_gate, candidate, relevance, epsilon, *, stabilise=safe):
    """LRP through an LSTM's memory, with its denominator done differently."""
    z = stabilise(forget_gate * memory + input_gate * candidate, epsilon)
    return np.array([forget_gate * memory / z * relevance, input_gate * candidate / z * relevance])


def remember_as_layer(forget_gate, memory, input_gate, candidate, relevance, epsilon):
    """Two inputs, weights of 1, one Dense layer for each unit."""
    answer = np.empty((2, *memory.shape))
    for place in np.ndindex(*memory.shape):
        parts = np.array([[forget_gate[place] * memory[place], input_gate[place] * candidate[place]]])
        shares = lrp.lrp_epsilon(parts, np.ones((2, 1)), np.zeros(1), relevance[place].reshape(1, 1), epsilon)
        answer[(slice(None), *place)] = shares[0]
    return answer
