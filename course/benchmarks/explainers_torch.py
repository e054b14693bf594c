"""Times captum and zennit on the network of `explainers_ours.py`: GROUP THREADS ROUNDS BATCH to JSON.

Run by the Python that has torch, captum and zennit (`make peers`).
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from timing import Row, measure

sys.path.append(str(Path(__file__).parents[2] / "tests" / "vitrina" / "explain"))
STEPS = 16


def network() -> Any:
    """Make the same layers."""
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 64), nn.ReLU(), nn.Linear(64, 10)),
    ).eval()


def units(model: Any, inputs: Any) -> list[Row]:
    """Measure torch's own unit: what a method adds to it is comparable, and so are CPU seconds."""

    def both() -> object:
        values = inputs.clone().requires_grad_()
        return torch.autograd.grad(model(values)[:, 0].sum(), values)

    def forward() -> object:
        with torch.no_grad():
            return model(inputs)

    return [Row("U, torch", both, peer=True, unit="U, torch"), Row("f, torch", forward, peer=True, unit="U, torch")]


def captum_row(name: str, model: Any, inputs: Any, **options: Any) -> Row:
    """Time a method of captum."""
    import captum.attr as captum  # pyright: ignore[reportMissingImports]

    method = getattr(captum, name)(model)
    return Row(f"captum {name}", lambda: method.attribute(inputs, target=0, **options), peer=True, unit="U, torch")


def zennit_row(name: str, composite: Any, model: Any, inputs: Any) -> Row:
    """Time a composite of zennit, from the logit itself."""

    def call() -> object:
        values = inputs.clone().requires_grad_()
        with composite.context(model) as changed:
            logits = changed(values)
            seed = torch.zeros_like(logits)
            seed[:, 0] = logits[:, 0].detach()
            return torch.autograd.grad(logits, values, seed)

    return Row(f"zennit, {name}", call, peer=True, unit="U, torch")


def zennit_rows(model: Any, inputs: Any) -> list[Row]:
    """Time the rules of the table, each on every layer with weights."""
    from torch_peer import stand_in_for_torchvision  # pyright: ignore[reportMissingImports]

    stand_in_for_torchvision()
    from zennit import rules, types  # pyright: ignore[reportMissingImports]
    from zennit.composites import EpsilonGammaBox, LayerMapComposite  # pyright: ignore[reportMissingImports]

    def everywhere(rule: Any) -> Any:
        fixed = [(types.Activation, rules.Pass()), (types.AvgPool, rules.Norm())]
        return LayerMapComposite([*fixed, (types.Linear, rule)])

    chosen = {
        "epsilon": everywhere(rules.Epsilon(1e-6)),
        "z+": everywhere(rules.ZPlus()),
        "gamma": everywhere(rules.Gamma(0.25)),
        "alpha 2 beta 1": everywhere(rules.AlphaBeta(2, 1)),
        "composite epsilon-gamma-box": EpsilonGammaBox(low=0.0, high=1.0),
    }
    return [zennit_row(name, composite, model, inputs) for name, composite in chosen.items()]


def main() -> None:
    """Measure one group."""
    group, threads, rounds, batch = sys.argv[1], *map(int, sys.argv[2:])
    warnings.simplefilter("ignore")
    torch.set_num_threads(threads)
    model, inputs = network(), torch.rand(batch, 1, 28, 28)
    rows = units(model, inputs)
    if group == "gradients":
        rows.append(captum_row("InputXGradient", model, inputs))
        rows.append(captum_row("IntegratedGradients", model, inputs, n_steps=STEPS, internal_batch_size=batch))
    if group == "deeplift":
        rows.append(captum_row("DeepLift", model, inputs))
    if group == "lrp":
        rows += zennit_rows(model, inputs)
    print(json.dumps(measure(rows, rounds, group)))


if __name__ == "__main__":
    main()
