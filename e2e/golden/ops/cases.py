"""What make.py and its parts share: writing one operator with its inputs, and PyTorch's output and gradients."""

import math

import torch

torch.manual_seed(7)
cases = []
f64 = torch.float64


def rand(*shape, low=-2.0, high=2.0):
    size = shape[0] if shape and isinstance(shape[0], tuple) else shape
    return (torch.rand(size, dtype=f64) * (high - low) + low).round(decimals=3)


def const(values, dtype="int64"):
    """An input that gets no gradient and is known when the graph is built."""
    return {"const": torch.as_tensor(values, dtype=f64), "type": dtype}


def attribute(value):
    if isinstance(value, bool):
        raise TypeError("write 0 or 1")
    kinds = {int: "int", float: "float", str: "string"}
    if isinstance(value, (list, tuple)):
        return {"kind": kinds[type(value[0])] + "s", "value": list(value)}
    return {"kind": kinds[type(value)], "value": value}


def numbers(t):
    return [x if math.isfinite(x) else str(x) for x in (float(f"{x:.7g}") for x in t.detach().flatten().tolist())]


def entry(t, dtype="float32", **more):
    return {"type": dtype, "shape": list(t.shape), "values": numbers(t), **more}


def case(op, inputs, fn, name="", domain="", outputs=1, **attributes):
    """fn takes the inputs as tensors (None where absent) and returns the first of the node's outputs."""
    tensors = []
    for v in inputs:
        if v is None:
            tensors.append(None)
        elif isinstance(v, dict):
            tensors.append(v["const"])
        else:
            tensors.append(v.clone().requires_grad_(True))
    y = fn(*tensors)
    dy = rand(tuple(y.shape), low=-1, high=1)
    y.backward(dy)
    written = []
    for v, t in zip(inputs, tensors):
        if v is None:
            written.append(None)
        elif isinstance(v, dict):
            written.append(entry(t, v["type"], constant=True))
        else:
            grad = t.grad if t.grad is not None else torch.zeros_like(t)
            written.append(entry(t, gradient=numbers(grad)))
    cases.append(
        {
            "name": f"{op} {name}".strip(),
            "op": op,
            "domain": domain,
            **({"outputs": outputs} if outputs > 1 else {}),
            "attributes": {k: attribute(v) for k, v in attributes.items()},
            "inputs": written,
            "output": entry(y),
            "cotangent": numbers(dy),
        }
    )
