"""A chain of Keras layers that is computed directly: in small networks Keras' bookkeeping takes most of the time."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

_PLAIN = (layers.Dense, layers.Conv2D, layers.MaxPooling2D, layers.AveragePooling2D, layers.Flatten)


@keras.saving.register_keras_serializable("vitrina")
class Sequential(keras.Sequential):
    """A `keras.Sequential` in every respect, and the same numbers to the last bit.

    Called on a batch outside a graph it hands the values from one layer to the next, in Keras' own operations of
    TensorFlow. Whatever needs more (options of the call, other layers, mixed types, an error) takes Keras' way.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs of a batch."""
        if len(args) != 1 or kwargs or not self._is_direct(args[0]):
            return super().__call__(*args, **kwargs)
        values = tf.cast(args[0], self.inputs[0].dtype)
        for layer in self.layers:
            values = _values(layer, values)
        return values

    def _is_direct(self, inputs: Any) -> bool:
        if not isinstance(inputs, np.ndarray | tf.Tensor) or not self.built or not tf.executing_eagerly():
            return False
        known = self.inputs[0]
        return tuple(inputs.shape[1:]) == known.shape[1:] and all(
            type(layer) in _PLAIN and layer.compute_dtype == known.dtype for layer in self.layers
        )


def _values(layer: Any, values: Any) -> Any:
    if "call" in vars(layer) or isinstance(layer, layers.MaxPooling2D | layers.AveragePooling2D | layers.Flatten):
        return layer.call(values)
    if isinstance(layer, layers.Dense):
        values = tf.matmul(values, layer.kernel)
    elif layer.groups == 1 and layer.data_format == "channels_last":
        values = tf.nn.convolution(
            values, layer.kernel, layer.strides, layer.padding.upper(), None, layer.dilation_rate
        )
    else:
        return layer.call(values)
    if layer.bias is not None:
        values = tf.nn.bias_add(values, layer.bias)
    activation: Any = layer.activation
    return values if activation is None else activation(values)
