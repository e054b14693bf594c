"""Vitrina: the student kit of *Interpretabilidad del Deep Learning*."""

import os

# TensorFlow's operations write notices to stderr, which nbgrader's Validate button would take for a failure.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from vitrina.cells import quiet, when_written
from vitrina.check import check, explain_missing_names
from vitrina.judging import Verdict

explain_missing_names()

__all__ = ["Verdict", "check", "quiet", "when_written"]
