"""LIME, local interpretable model-agnostic explanations, of tables, texts and images."""

from vitrina.explain.lime.explanation import ImageExplanation, LimeExplanation, TabularExplanation, TextExplanation
from vitrina.explain.lime.fit import kernel_weights
from vitrina.explain.lime.image import lime_image
from vitrina.explain.lime.stability import SeedStability, seed_stability
from vitrina.explain.lime.tabular import lime_tabular
from vitrina.explain.lime.text import lime_text

__all__ = [
    "ImageExplanation",
    "LimeExplanation",
    "SeedStability",
    "TabularExplanation",
    "TextExplanation",
    "kernel_weights",
    "lime_image",
    "lime_tabular",
    "lime_text",
    "seed_stability",
]
