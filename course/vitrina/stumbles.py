"""What students stumble over in Python and TensorFlow: errors whose text says little to a beginner, and what helps."""

from __future__ import annotations

import re

from vitrina.messages import _

#: What an error says, and what to do about it; the first that fits is told.
_HINTS = (
    (
        r"'NoneType' object has no attribute 'numpy'|unsupported operand .*'NoneType'|convert a value \(None\)",
        _(
            "A tape's gradient is `None` when nothing was recorded: call `tape.watch(x)` before the model sees `x`, "
            "and stay with TensorFlow between `x` and the result."
        ),
    ),
    (
        r"'numpy\.\w+' object has no attribute '_id'",
        _("A tape follows TensorFlow only: what you differentiate was computed by NumPy, which leaves no trace on it."),
    ),
    (
        r"'NoneType' object is not (subscriptable|iterable|callable)",
        _("Something gave nothing back: is the `return` missing in a function that you call?"),
    ),
    (r"EagerTensor' object", _("TensorFlow's tensors lack some of NumPy's methods: `.numpy()` or `np.asarray` helps.")),
    (
        r"takes \d+ positional arguments? but \d+ (was|were) given|missing \d+ required positional",
        _("Keep the arguments that the cell came with: the check calls your function with exactly those."),
    ),
    (
        r"mismatch in its core dimension|Matrix size-incompatible|shapes .* not aligned",
        _("A matrix product needs the inner axes to agree. Print the shapes: is a transpose missing?"),
    ),
    (
        r"could not be broadcast|Incompatible shapes|could not broadcast|must be equal rank",
        _(
            "Print the shapes of both sides. The first axis counts samples; `x[:, None]` adds an axis where one is "
            "missing."
        ),
    ),
    (
        r"IndexError: .*out of bounds .* with size 1\b",
        _("Which axis is it? The first one counts samples, and a batch may hold a single one: `a[:, target]`."),
    ),
    (
        r"IndexError: .*out of bounds",
        _("Indices run from 0 to one less than the size. Print the index and the shape: is it the right axis?"),
    ),
    (
        r"IndexError: only integers, slices",
        _("An index must be a whole number, and `np.zeros(n)` makes floats: `np.zeros(n, dtype=int)` does not."),
    ),
    (
        r"boolean index did not match",
        _("A mask needs one value for each thing that it picks along its axis: was it made along the other axis?"),
    ),
    (
        r"truth value of an array",
        _(
            "A comparison of arrays gives many truth values, and `if` takes one: `.any()`, `.all()`, or number by "
            "number. Has the array one axis more than you thought?"
        ),
    ),
    (
        r"'numpy\.ndarray' object is not callable",
        _("Arrays take square brackets, `a[i]`; round ones call a function. Has an array taken a function's name?"),
    ),
    (
        r"unhashable type: 'numpy\.ndarray'",
        _("A set or dictionary cannot hold arrays: `tuple(a.tolist())` can be a key, and so can `int(a[i])`."),
    ),
    (
        r"RecursionError",
        _("It calls itself without end. Keep what has been visited, and stop where you have been before."),
    ),
    (
        r"'ElmanCell' object",
        _("A cell has the parts `cell.W`, `cell.U`, `cell.b`, `cell.v` and `cell.c`: arrays, and the number c."),
    ),
    (r"NameError: ", _("Has the cell that defines it been run? *Run All* runs them in order.")),
)


def hint_for(error: str) -> str:
    """Return what helps against an error, or nothing.

    Parameters
    ----------
    error : str
        Kind and text of the error.
    """
    return next((hint for pattern, hint in _HINTS if re.search(pattern, error)), "")
