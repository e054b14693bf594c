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
        r"IndexError: .*out of bounds",
        _("Which axis is it? The first one counts samples, and a batch may hold a single one: `a[:, target]`."),
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
