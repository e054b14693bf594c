"""A cell that needs what is not written yet says what it waits for, and the notebook goes on."""

import signal

import matplotlib.pyplot as plt
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


def test_a_loop_without_end_is_stopped_and_gives_its_memory_back(capsys):
    before = signal.getsignal(signal.SIGINT)
    with when_written(seconds=0.3):
        kept = []
        while True:
            kept.append(len(kept))
            if len(kept) > 1000:
                kept.clear()
    assert "stopped after 0.3 seconds: does a loop never end?" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is before


def test_within_its_seconds_a_cell_does_as_without(capsys):
    with when_written(seconds=60):
        print("done")
    with when_written(seconds=60):
        my_function(1)
    with pytest.raises(KeyboardInterrupt), when_written(seconds=60):
        raise KeyboardInterrupt
    said = capsys.readouterr().out
    assert said.startswith("done\n")
    assert "waits for `my_function`" in said


def as_cell(source):
    """Run code as a notebook cell does: outside all functions."""
    exec(compile(source, "cell", "exec"), {"when_written": when_written})


def test_a_cell_that_needs_a_result_of_a_waiting_cell_waits_too(capsys):
    as_cell("with when_written():\n    later = earlier + 1")
    assert capsys.readouterr().out == "○ Not yet: this cell needs `earlier` of a cell above, which waits too.\n"


def test_a_wrong_name_in_a_function_is_its_mistake(capsys):
    as_cell("def f():\n    return nowhere\n\nwith when_written():\n    f()")
    assert "✗ This cell stopped with NameError: name 'nowhere'" in capsys.readouterr().out


def test_no_half_drawn_figure_is_shown(capsys):
    with when_written():
        plt.subplots()
        my_function(3)
    assert plt.get_fignums() == []
    assert "my_function" in capsys.readouterr().out
