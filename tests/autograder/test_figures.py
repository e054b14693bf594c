"""A figure that is drawn once is the picture that IPython would have shown."""

import io
from base64 import b64decode

import matplotlib as mpl
import numpy as np
import pytest
from IPython.core import pylabtools
from matplotlib.figure import Figure
from PIL import Image

from vitrina.plots import show_attributions
from vitrina_autograder.inside.figures import draw_figures_once, drawn_once

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def backend():
    with mpl.rc_context():
        mpl.use("agg")
        yield


def curves():
    figure = Figure(figsize=(5, 2))
    for axes in figure.subplots(1, 2, sharey=True):
        axes.plot(RNG.random(9), label="a curve")
        axes.set(title="title", xlabel="a label that lies below the figure")
        axes.legend()
    return figure


def picture():
    figure = Figure(facecolor="0.9")
    axes = figure.subplots()
    figure.colorbar(axes.imshow(RNG.random((6, 8))), ax=axes)
    axes.text(-0.1, 1.1, "$x^2$ above", transform=axes.transAxes)
    return figure


def sheet():
    images = RNG.random((3, 28, 28))
    return show_attributions(images, {"a method": images - 0.5}, titles=[1, 2, 3])


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=float)


def differences(one, other):
    """Mean difference of two pictures, as far as a shift by a pixel does not explain it."""
    assert np.abs(np.subtract(one.shape, other.shape)).max() <= 2
    height, width = np.minimum(one.shape[:2], other.shape[:2]) - 2
    core = one[1 : height - 1, 1 : width - 1]
    shifts = [(down, right) for down in range(3) for right in range(3)]
    return min(np.abs(core - other[d : d + height - 2, r : r + width - 2]).mean() for d, r in shifts)


@pytest.mark.parametrize("make", [curves, picture, sheet])
def test_the_same_is_seen(make):
    figure = make()
    canvas = figure.canvas
    once = drawn_once(figure)
    assert figure.canvas is canvas
    assert once
    twice = pixels(pylabtools.print_figure(figure))
    assert differences(pixels(once), twice) < 4
    assert differences(pixels(once), np.roll(twice, 30, axis=1)) > 5


def test_what_takes_two_drawings_is_drawn_twice(monkeypatch):
    far, constrained, empty = Figure(), Figure(layout="constrained"), Figure()
    far.subplots().text(2, 0.5, "far away")
    constrained.subplots()
    assert [drawn_once(figure) for figure in (far, constrained, empty)] == [None] * 3
    expected = pylabtools.print_figure(far)
    monkeypatch.setattr(pylabtools, "print_figure", pylabtools.print_figure)
    draw_figures_once()
    assert pylabtools.print_figure(far) == expected
    assert pylabtools.print_figure(empty) is None


def test_ipython_gets_what_it_asked_for(monkeypatch):
    figure = curves()
    monkeypatch.setattr(pylabtools, "print_figure", pylabtools.print_figure)
    draw_figures_once()
    png = pylabtools.print_figure(figure)
    assert png == drawn_once(figure)
    assert b64decode(pylabtools.print_figure(figure, base64=True)) == png
    assert "<svg" in pylabtools.print_figure(figure, fmt="svg")
    assert pixels(pylabtools.print_figure(figure, bbox_inches=None)).shape == (200, 500, 3)


def test_an_error_in_drawing_is_said(monkeypatch):
    figure = curves()
    figure.axes[0].set_title("$\\frac{$")
    monkeypatch.setattr(pylabtools, "print_figure", pylabtools.print_figure)
    draw_figures_once()
    with pytest.raises(ValueError, match="frac"):
        pylabtools.print_figure(figure)
