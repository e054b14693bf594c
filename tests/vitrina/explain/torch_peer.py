"""Runs a method of captum or zennit on a network that came as arrays; not a test, and not run by our Python.

    python torch_peer.py request.npz answer.npz

The libraries live in an environment of their own, which VITRINA_PEERS names (its python). The request holds the
network's layers and the call as JSON in `spec`, and the arrays that they name; see the fixture `torch_peer`. Inputs and
attributions are channels last, everything is computed in double precision.
"""

import json
import sys
import types

import numpy as np
import torch


class To(torch.nn.Module):
    """Move the axis of channels: torch has it first."""

    def __init__(self, last):
        super().__init__()
        self.order = (0, 2, 3, 1) if last else (0, 3, 1, 2)

    def forward(self, x):
        return x.permute(self.order) if x.ndim == 4 else x


class Same(torch.nn.Module):
    """Keeps captum's hooks on ReLU and on max pooling apart, which it confuses where one follows the other."""

    def forward(self, x):
        return x * 1.0


def tensor(array):
    return torch.nn.Parameter(torch.from_numpy(np.asarray(array, np.float64)))


def conv(layer, arrays):
    kernel = arrays[layer["kernel"]].transpose(3, 2, 0, 1)
    padding = "same" if layer["padding"] == "same" else 0
    made = torch.nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel.shape[2:], layer["strides"], padding)
    made.weight, made.bias = tensor(kernel), tensor(arrays[layer["bias"]])
    return [made]


def dense(layer, arrays):
    kernel = arrays[layer["kernel"]].T
    made = torch.nn.Linear(*kernel.shape[::-1])
    made.weight, made.bias = tensor(kernel), tensor(arrays[layer["bias"]])
    return [made]


def batch_norm(layer, arrays):
    gamma, beta, mean, variance = (arrays[name] for name in layer["weights"])
    made = torch.nn.BatchNorm2d(len(gamma), eps=layer["epsilon"]).double()
    made.weight, made.bias = tensor(gamma), tensor(beta)
    made.running_mean, made.running_var = torch.from_numpy(mean), torch.from_numpy(variance)
    return [made]


MAKERS = {
    "Conv2D": conv,
    "Dense": dense,
    "BatchNormalization": batch_norm,
    "relu": lambda *_: [torch.nn.ReLU(), Same()],
    "tanh": lambda *_: [torch.nn.Tanh()],
    "sigmoid": lambda *_: [torch.nn.Sigmoid()],
    "softplus": lambda *_: [torch.nn.Softplus()],
    "MaxPooling2D": lambda layer, _: [torch.nn.MaxPool2d(layer["pool_size"], layer["strides"])],
    "AveragePooling2D": lambda layer, _: [torch.nn.AvgPool2d(layer["pool_size"], layer["strides"])],
    "Flatten": lambda *_: [To(last=True), torch.nn.Flatten()],
}


def captum_method(name, model, inputs, targets, options, arrays):
    import captum.attr

    options = {key: torch.from_numpy(arrays[key]) if value == "array" else value for key, value in options.items()}
    return getattr(captum.attr, name)(model).attribute(inputs, target=targets, **options)


def zennit_method(name, model, inputs, targets, options, _arrays):
    """Run a composite by name, with BatchNorm folded, from the logit itself."""
    stand_in_for_torchvision()
    import zennit.composites
    from zennit.canonizers import SequentialMergeBatchNorm

    composite = getattr(zennit.composites, name)(canonizers=[SequentialMergeBatchNorm()], **options)
    inputs = inputs.clone().requires_grad_()
    with composite.context(model) as changed:
        logits = changed(inputs)
        seed = torch.zeros_like(logits).scatter_(1, targets[:, None], logits.detach().gather(1, targets[:, None]))
        (relevance,) = torch.autograd.grad(logits, inputs, seed)
    return relevance


def stand_in_for_torchvision():
    """Give zennit the names that it looks for to know networks which are not used here."""
    top, models, resnet, ops = (
        types.ModuleType(f"torchvision{end}") for end in ("", ".models", ".models.resnet", ".ops")
    )
    for name in ("BasicBlock", "Bottleneck"):
        setattr(resnet, name, type(name, (), {}))
    ops.FrozenBatchNorm2d = type("FrozenBatchNorm2d", (), {})
    top.models, models.resnet, top.ops = models, resnet, ops
    sys.modules |= {module.__name__: module for module in (top, models, resnet, ops)}


METHODS = {"captum": captum_method, "zennit": zennit_method}


def main(request, answer):
    with np.load(request) as file:
        arrays = dict(file)
    spec = json.loads(str(arrays["spec"]))
    parts = [part for layer in spec["layers"] for part in MAKERS[layer["kind"]](layer, arrays)]
    model = torch.nn.Sequential(To(last=False), *parts).double().eval()
    library, name = spec["method"].split(".")
    inputs, targets = torch.from_numpy(arrays["inputs"]), torch.from_numpy(arrays["targets"])
    attributions = METHODS[library](name, model, inputs, targets, spec["options"], arrays)
    np.savez(answer, attributions=attributions.detach().numpy(), logits=model(inputs).detach().numpy())


if __name__ == "__main__":
    main(*sys.argv[1:])
