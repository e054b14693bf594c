"""The coefficient in its two forms: what students write, and the fast and general one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrina.explain import PERFORMANCES, explainability_performance, inclusion_curves
from vitrina_solutions import whole_model as textbook


def drawn(seed, features, classes=3):
    """A noisy softmax classifier, samples of it, a ranking without ties and what hidden features are worth."""
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=(features, classes))

    def model(inputs):
        scores = np.exp(inputs @ weights)
        return scores / scores.sum(axis=1, keepdims=True)

    inputs = generator.normal(size=(40, features))
    labels = np.array([generator.choice(classes, p=row) for row in model(3 * inputs)])
    labels[:classes] = range(classes)
    return model, inputs, labels, generator.permutation(features) - 1.5, generator.normal(scale=0.5, size=features)


@given(st.integers(0, 10_000), st.integers(1, 7))
@settings(max_examples=40)
def test_both_forms_agree(seed, features):
    model, inputs, labels, relevance, reference = drawn(seed, features)
    if textbook.information_skill(labels, model(inputs)) <= 0:
        with pytest.raises(ValueError, match="no better than an answer without any"):
            inclusion_curves(model, inputs, labels, relevance, background=reference[np.newaxis])
        return
    curves = inclusion_curves(model, inputs, labels, relevance, background=reference[np.newaxis])
    by_hand = textbook.inclusion_curve(model, inputs, labels, np.argsort(-relevance), reference)
    np.testing.assert_allclose(curves.first, by_hand, atol=1e-12)
    np.testing.assert_allclose(curves.first_retained, textbook.retained(by_hand), atol=1e-9)
    found = explainability_performance(model, inputs, labels, relevance, background=reference[np.newaxis], orders=1)
    expected = textbook.explainability_performance(model, inputs, labels, relevance, reference)
    assert found.score == pytest.approx(expected, abs=1e-9)


def test_skill_agrees():
    model, inputs, labels, *_ = drawn(0, 4)
    assert PERFORMANCES["skill"](labels, model(inputs)) == pytest.approx(
        textbook.information_skill(labels, model(inputs))
    )
