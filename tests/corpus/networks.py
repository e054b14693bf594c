"""Recurrent networks written by hand, whose automaton is known because they were made from it."""

import numpy as np

from vitrina.automata.elman import ElmanNetwork


def ends_in_aa() -> ElmanNetwork:
    """One unit far from saturated, which tells by how large it is whether a word ends in aa."""
    return ElmanNetwork(("a", "b"), np.array([[0.5], [-0.5]]), np.array([[0.4]]), np.zeros(1), np.ones(1), -0.5)


def unlearnt(units: int = 12, gain: float = 0.0, seed: int = 0) -> ElmanNetwork:
    """Draw a network that learnt nothing: constant without gain, chaotic with a large one."""
    generator = np.random.default_rng(seed)
    recurrent = gain * generator.standard_normal((units, units)) / np.sqrt(units)
    inputs = generator.standard_normal((2, units)) * bool(gain)
    return ElmanNetwork(("a", "b"), inputs, recurrent, np.zeros(units), generator.standard_normal(units), -1e-9)
