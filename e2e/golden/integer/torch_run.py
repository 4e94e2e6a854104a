"""Runs a float ONNX model in PyTorch, in float64, with what a quantised file of it stores in place of its weights.

Every place where that file rounds an activation is one: its step, its range, and a perturbation by which the output is differentiated. So the
maker has the forward without rounding, its gradients, and how far half a step at every place can move the output.
"""
import numpy as np
import torch
import torch.nn.functional as F
from onnx import helper as h, numpy_helper as nh


def attrs(node):
    return {a.name: h.get_attribute_value(a) for a in node.attribute}


class Run:
    def __init__(self, model, weights, places):
        """`places`: by value name (step, low, high), or 'dynamic'; `weights`: by initializer's name, float64 tensors."""
        self.model, self.weights, self.places = model, weights, places
        self.moved = {}

    def at(self, name, value):
        place = self.places.get(name)
        if place is None:
            return value
        if isinstance(place, str):
            low, high = value.detach().min().clamp(max=0), value.detach().max().clamp(min=0)
            step = float((high - low) / 255)
        else:
            step, low, high = place
            value = value.clamp(low, high)
        e = torch.zeros_like(value, requires_grad=True)
        self.moved[name] = (step, e)
        return value + e

    def __call__(self, feeds):
        graph = self.model.graph
        ints = {i.name: nh.to_array(i) for i in graph.initializer}
        v = {**self.weights, **{k: self.at(k, x) for k, x in feeds.items()}}
        for node in graph.node:
            a, x = attrs(node), [v[i] if i in v else ints[i] for i in node.input]
            v[node.output[0]] = self.at(node.output[0], compute(node.op_type, x, a))
        return v[graph.output[0].name]

    def bound(self, y):
        """How far y moves at most, to first order, where each place is off by half a step."""
        flat = y.reshape(-1)
        steps = list(self.moved.values())
        if not steps:
            return np.zeros(tuple(y.shape))
        total = np.zeros(flat.shape[0])
        for i in range(flat.shape[0]):
            grads = torch.autograd.grad(flat[i], [e for _, e in steps], retain_graph=True, allow_unused=True)
            total[i] = sum(s / 2 * float(g.abs().sum()) for (s, _), g in zip(steps, grads) if g is not None)
        return total.reshape(y.shape)


def compute(op, x, a):
    if op == "Conv":
        return F.conv2d(F.pad(x[0], same(a)), x[1], x[2] if len(x) > 2 else None, stride=a.get("strides", 1), groups=a.get("group", 1))
    if op == "Gemm":
        w = x[1].T if a.get("transB") else x[1]
        return x[0] @ w + (x[2] if len(x) > 2 else 0)
    if op == "AveragePool":
        return F.avg_pool2d(x[0], a["kernel_shape"], a["strides"])
    if op == "MaxPool":
        return F.max_pool2d(x[0], a["kernel_shape"], a["strides"])
    if op == "GlobalAveragePool":
        return x[0].mean((2, 3), keepdim=True)
    if op == "Gather":
        return x[0][torch.as_tensor(x[1]).long()]
    if op == "Transpose":
        return x[0].permute(a["perm"])
    if op == "Reshape":
        return x[0].reshape([int(n) for n in x[1]])
    if op == "Concat":
        return torch.cat(x, a["axis"])
    if op == "Softmax":
        return F.softmax(x[0], a.get("axis", -1))
    if op == "LeakyRelu":
        return F.leaky_relu(x[0], a["alpha"])
    if op == "Flatten":
        return x[0].flatten(1)
    return {
        "MatMul": torch.matmul, "Add": torch.add, "Mul": torch.mul, "Relu": torch.relu, "Sigmoid": torch.sigmoid,
    }[op](*x)


def same(a):
    top, left, bottom, right = a.get("pads", [0] * 4)
    return [left, right, top, bottom]
