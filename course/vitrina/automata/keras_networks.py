"""The Elman network of the course in Keras: a cell with noise in its state, the whole model, and the shock.

    z_t = x_t W + h_{t-1} U + b + noise        h_t = tanh(z_t)        logit_t = h_t V + c

The noise is there while the network learns and gone when it is used. The papers multiply a unit's own last activation,
nu n_t h_{t-1} (Oliva and Lago-Fernandez 2019, doi 10.1007/978-3-030-30487-4_25); sigma n_t is the other form that the
course compares. n_t is standard normal, drawn afresh for each unit, step and sequence.

It is the network of `vitrina.automata.elman`, which reads words faster: `to_network` and `to_keras` lead to and fro.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from vitrina.automata.elman import ElmanNetwork, shock_moves
from vitrina.automata.machines import Symbol
from vitrina.automata.networks import NoiseKind

_PACKAGE = "vitrina"


@keras.saving.register_keras_serializable(_PACKAGE)
class NoisyElmanCell(layers.Layer):
    """
    One step of an Elman network, for `keras.layers.RNN`.

    Parameters
    ----------
    units
        Hidden units.
    noise
        Strength of the noise while learning: its standard deviation (additive), or that of the factor of the unit's
        last activation (multiplicative). It is kept in the variable `strength`, so that it can grow while a network
        learns.
    kind : {"multiplicative", "additive"}
        Which noise.
    l1
        Weight of the sum of the sizes of W and U in the loss; the bias is left out.
    seed
        Draws the first weights, and the noise.

    Raises
    ------
    ValueError
        If there is no unit, noise or l1 is negative, or there is no such kind.
    """

    def __init__(
        self,
        units: int,
        *,
        noise: float = 0.0,
        kind: NoiseKind = "multiplicative",
        l1: float = 0.0,
        seed: int = 0,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        _check_units(units, noise, kind, l1)
        self.units, self.noise, self.kind, self.l1, self.seed = units, noise, kind, l1, seed
        self.state_size = self.output_size = units
        self.dice = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make W, U, b and the strength of the noise."""
        symbols = int(input_shape[-1] or 1)
        penalty = keras.regularizers.L1(self.l1) if self.l1 else None
        first = keras.initializers.RandomNormal(stddev=symbols**-0.5, seed=self.seed)
        # Orthogonal, so that at first nothing fades and nothing grows.
        turning = keras.initializers.Orthogonal(seed=self.seed + 1)
        self.inputs = self.add_weight((symbols, self.units), first, name="inputs", regularizer=penalty)
        self.recurrent = self.add_weight((self.units, self.units), turning, name="recurrent", regularizer=penalty)
        self.bias = self.add_weight((self.units,), "zeros", name="bias")
        strength = keras.initializers.Constant(self.noise)
        self.strength = self.add_weight((), strength, name="strength", trainable=False)

    def call(self, inputs: Any, states: Sequence[Any], training: bool = False) -> tuple[Any, list[Any]]:
        """Read one more symbol: one-hot (batch, symbols) and states [(batch, units)] to new states."""
        last, noise = states[0], None
        if training:
            noise = self.strength * keras.random.normal(ops.shape(last), dtype=last.dtype, seed=self.dice)
        hidden = self.step(self.drive(inputs), last, noise)
        return hidden, [hidden]

    def drive(self, inputs: Any) -> Any:
        """Return what symbols bring, x W + b: one-hot (..., symbols) to (..., units)."""
        return ops.matmul(inputs, self.inputs) + self.bias

    def step(self, drive: Any, last: Any, noise: Any | None) -> Any:
        """Return new states from what a symbol brings, the last states and normal noise: all (batch, units)."""
        drive = drive + ops.matmul(last, self.recurrent)
        if noise is not None:
            drive = drive + (noise * last if self.kind == "multiplicative" else noise)
        return ops.tanh(drive)

    def get_config(self) -> dict[str, Any]:
        """Return what makes such a cell again."""
        own = {name: getattr(self, name) for name in ("units", "noise", "kind", "l1", "seed")}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(_PACKAGE)
class OneHot(layers.Layer):
    """Turn numbers of symbols (batch, length) into one-hot rows (batch, length, symbols)."""

    def __init__(self, symbols: int, **layer: Any) -> None:
        super().__init__(**layer)
        self.symbols = symbols

    def call(self, inputs: Any) -> Any:
        """Encode a batch."""
        return ops.one_hot(inputs, self.symbols, dtype=self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the rows."""
        return (*input_shape, self.symbols)

    def get_config(self) -> dict[str, Any]:
        """Return what makes such a layer again."""
        return {**super().get_config(), "symbols": self.symbols}


def elman_model(
    symbols: int,
    units: int,
    *,
    noise: float = 0.0,
    kind: NoiseKind = "multiplicative",
    l1: float = 0.0,
    seed: int,
    one_hot: bool = False,
    length: int | None = None,
    dtype: str = "float32",
) -> keras.Sequential:
    """
    Build an untrained network that says after each symbol whether the word so far belongs.

    Parameters
    ----------
    symbols, units
        Sizes of the alphabet and of the hidden layer.
    noise, kind
        As in `NoisyElmanCell`.
    l1
        Weight of the sum of the sizes of W, U and V in the loss; biases are left out.
    seed
        Draws the first weights, and the noise.
    one_hot
        Whether words come as one-hot rows (batch, length, symbols), which gradients can be taken by, instead of
        numbers of symbols (batch, length).
    length
        Of all words, if they have one length: time is then written out in the graph, which trains faster.
    dtype
        Of weights and logits.

    Returns
    -------
    keras.Sequential
        Words to logits (batch, length), one for each prefix.

    Raises
    ------
    ValueError
        If there is no symbol or unit, noise or l1 is negative, or there is no such kind.
    """
    if symbols < 1:
        raise ValueError(f"an alphabet has at least one symbol, got {symbols}")
    cell = NoisyElmanCell(units, noise=noise, kind=kind, l1=l1, seed=seed, dtype=dtype)
    read = [keras.Input((length, symbols), dtype=dtype)] if one_hot else [keras.Input((length,), dtype="int32")]
    read += [] if one_hot else [OneHot(symbols, dtype=dtype)]
    first: Any = keras.initializers.RandomNormal(stddev=units**-0.5, seed=seed + 2)
    penalty = keras.regularizers.L1(l1) if l1 else None
    readout = layers.Dense(1, kernel_initializer=first, kernel_regularizer=penalty, dtype=dtype)
    recurrent = layers.RNN(cell, return_sequences=True, unroll=length is not None, dtype=dtype)
    return keras.Sequential([*read, recurrent, readout, layers.Reshape((-1,), dtype=dtype)])


def to_network(model: keras.Model, alphabet: tuple[Symbol, ...]) -> ElmanNetwork:
    """
    Return the NumPy network of a Keras model; it shares no memory with it.

    Parameters
    ----------
    model
        As `elman_model` builds it.
    alphabet
        The symbols, in the order of their numbers.

    Raises
    ------
    ValueError
        If the model is another one, or the alphabet has another size.
    """
    cell, readout = model_parts(model)
    inputs, recurrent, bias, weights, offset = (
        variable.numpy().astype(np.float64)
        for variable in (cell.inputs, cell.recurrent, cell.bias, readout.kernel, readout.bias)
    )
    if len(alphabet) != len(inputs):
        raise ValueError(f"the model reads {len(inputs)} symbols, the alphabet has {len(alphabet)}")
    return ElmanNetwork(tuple(alphabet), inputs, recurrent, bias, weights[:, 0], float(offset[0]))


def to_keras(network: ElmanNetwork, **options: Any) -> keras.Sequential:
    """
    Return the Keras model of a NumPy network.

    Parameters
    ----------
    network
        Its weights are copied.
    options
        Of `elman_model`: `noise`, `kind`, `l1` for more training, `one_hot`, `length`, `dtype`.
    """
    options.setdefault("seed", 0)
    model = elman_model(len(network.inputs), len(network.bias), **options)
    cell, readout = model_parts(model)
    cell.inputs.assign(network.inputs)
    cell.recurrent.assign(network.recurrent)
    cell.bias.assign(network.bias)
    readout.kernel.assign(network.readout[:, np.newaxis])
    readout.bias.assign([network.offset])
    return model


def shock(model: keras.Model, strength: float, *, seed: int) -> None:
    """
    Disturb all weights, W, U and V, by normal noise, so that units which L1 has silenced speak again. Biases stay.

    Oliva and Lago-Fernandez (2019), doi 10.1007/978-3-030-30487-4_25, when learning stalls; their strength is 0.5.

    Parameters
    ----------
    model
        As `elman_model` builds it; it is changed.
    strength
        Standard deviation of what is added.
    seed
        Draws it.

    Raises
    ------
    ValueError
        If strength is negative, or the model is another one.
    """
    cell, readout = model_parts(model)
    weights = cell.inputs, cell.recurrent, readout.kernel
    moves = shock_moves([tuple(variable.shape) for variable in weights], strength, seed=seed)
    for variable, move in zip(weights, moves, strict=True):
        variable.assign_add(move)


def model_parts(model: keras.Model) -> tuple[NoisyElmanCell, Any]:
    """
    Return the cell and the readout of a model as `elman_model` builds it.

    Raises
    ------
    ValueError
        If the model is another one.
    """
    cells = [layer.cell for layer in model.layers if isinstance(layer, layers.RNN)]
    readouts = [layer for layer in model.layers if isinstance(layer, layers.Dense)]
    if len(cells) != 1 or len(readouts) != 1 or not isinstance(cells[0], NoisyElmanCell):
        raise ValueError("this needs a model of one RNN layer with a NoisyElmanCell and one Dense: see elman_model")
    return cells[0], readouts[0]


def _check_units(units: int, noise: float, kind: str, l1: float) -> None:
    if units != int(units) or units < 1:
        raise ValueError(f"a network has at least one hidden unit, got {units}")
    if not (noise >= 0 and l1 >= 0):
        raise ValueError(f"noise and l1 must not be negative, got {noise} and {l1}")
    if kind not in ("additive", "multiplicative"):
        raise ValueError(f"the noise is 'additive' or 'multiplicative', got {kind!r}")
