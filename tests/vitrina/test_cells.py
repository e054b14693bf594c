"""A cell that needs what is not written yet says what it waits for, and the notebook goes on."""

import pytest

from vitrina import when_written


def my_function(x):
    raise NotImplementedError


def test_the_function_that_is_missing_is_named(capsys):
    with when_written():
        sum(map(my_function, [1]))
    assert capsys.readouterr().out == "○ Not yet: this cell waits for `my_function`, which you have still to write.\n"


def test_an_error_is_said_in_a_sentence(capsys):
    with when_written():
        raise ValueError("no such thing")
    assert capsys.readouterr().out.startswith("✗ This cell stopped with ValueError: no such thing\n")


def test_a_student_can_still_interrupt_it():
    with pytest.raises(KeyboardInterrupt), when_written():
        raise KeyboardInterrupt
