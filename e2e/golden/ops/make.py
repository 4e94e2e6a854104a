"""Writes cases.json: operators with attributes, inputs and cotangents, and PyTorch's outputs and gradients (float64).

Run: python make.py (torch >= 2.5). Inputs have three decimals, results seven significant digits.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

from cases import case, cases, const, f64, rand

# Elementwise, one input.
unary = {
    "Neg": torch.neg,
    "Abs": torch.abs,
    "Exp": torch.exp,
    "Erf": torch.erf,
    "Sin": torch.sin,
    "Cos": torch.cos,
    "Tanh": torch.tanh,
    "Sigmoid": torch.sigmoid,
    "Relu": torch.relu,
    "Selu": F.selu,
    "Softplus": F.softplus,
    "Softsign": F.softsign,
    "Mish": F.mish,
    "Gelu": F.gelu,
    "Floor": torch.floor,
    "Ceil": torch.ceil,
    "Round": torch.round,
    "Sign": torch.sign,
}
for op, fn in unary.items():
    case(op, [rand(2, 5, low=-3, high=3)], fn)
for op, fn in {"Sqrt": torch.sqrt, "Reciprocal": torch.reciprocal, "Log": torch.log, "Tan": torch.tan}.items():
    case(op, [rand(2, 3, low=0.3, high=1.3)], fn)
case("Abs", [torch.tensor([-1.0, 0.0, 2.0], dtype=f64)], torch.abs, "at zero")
case("Relu", [torch.tensor([-1.0, 0.0, 2.0], dtype=f64)], torch.relu, "at zero")
case("Gelu", [rand(2, 4)], lambda x: F.gelu(x, approximate="tanh"), "tanh", approximate="tanh")
case("LeakyRelu", [rand(6)], F.leaky_relu)
case("LeakyRelu", [rand(6)], lambda x: F.leaky_relu(x, 0.3), "slope", alpha=0.3)
case("PRelu", [rand(2, 3, 2), rand(3, 1)], lambda x, s: torch.where(x > 0, x, s * x))
case("Elu", [rand(6)], F.elu)
case("Elu", [rand(6)], lambda x: F.elu(x, 0.6), "alpha", alpha=0.6)
case("Celu", [rand(6)], lambda x: F.celu(x, 1.7), "alpha", alpha=1.7)
case("Celu", [rand(6)], F.celu)
case("HardSigmoid", [rand(8, low=-4, high=4)], F.hardsigmoid, alpha=1 / 6, beta=0.5)
case("HardSwish", [rand(10, low=-4, high=4)], F.hardswish)
case("QuickGelu", [rand(6)], lambda x: x * torch.sigmoid(1.702 * x), domain="com.microsoft", alpha=1.702)
case("FastGelu", [rand(2, 3), rand(3)], lambda x, b: F.gelu(x + b, approximate="tanh"), domain="com.microsoft")
case("Clip", [rand(8), const(-0.5, "float32"), const(1.0, "float32")], lambda x, a, b: x.clamp(a.item(), b.item()))
case("Clip", [rand(8), None, const(0.2, "float32")], lambda x, a, b: x.clamp(max=b.item()), "max only")
case("Clip", [torch.tensor([-1.0, 0.0, 6.0, 7.0, 3.0], dtype=f64), const(0, "float32"), const(6, "float32")], lambda x, a, b: x.clamp(0, 6), "relu6 at its bounds")

# Elementwise, two and more, broadcast on both sides.
pairs = [((2, 3), (3,)), ((2, 1), (1, 3)), ((2, 3), ()), ((), (2, 3)), ((3, 1, 2), (2, 2)), ((1,), (1, 1))]
binary = {"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div}
for op, fn in binary.items():
    for a, b in pairs:
        case(op, [rand(*a), rand(*b, low=0.5, high=2)], fn, f"{list(a)} {list(b)}")
for a, b in pairs[:3]:
    case("Max", [rand(*a), rand(*b)], torch.maximum, f"{list(a)} {list(b)}")
    case("Min", [rand(*a), rand(*b)], torch.minimum, f"{list(a)} {list(b)}")
    case("Pow", [rand(*a, low=0.3), rand(*b)], torch.pow, f"{list(a)} {list(b)}")
    case("Mod", [rand(*a), rand(*b, low=0.5, high=0.9)], lambda x, m: x - torch.trunc(x.detach() / m.detach()) * m, f"{list(a)} {list(b)}", fmod=1)
tied = torch.tensor([1.0, 2.0, 3.0], dtype=f64)
case("Max", [tied, tied.flip(0)], torch.maximum, "tie")
case("Min", [tied, tied.flip(0)], torch.minimum, "tie")
case("Max", [rand(4), rand(4), rand(4)], lambda a, b, c: torch.stack([a, b, c]).amax(0), "three")
for e in (0.0, 0.5, 1.0, 2.0, 3.0, -1.5, 4.0):
    case("Pow", [rand(5, low=0.2), const(e, "float32")], lambda x, p: x ** p.item(), f"constant {e}")
for e in (2.0, 3.0, 4.0):
    case("Pow", [rand(5), const(e, "float32")], lambda x, p: x ** p.item(), f"of negative numbers {e}")
case("Pow", [rand(2, 2, low=0.2), const([2, 3], "int64")], torch.pow, "integer exponents")
case("Pow", [torch.tensor([0.0, 0.0, 2.0], dtype=f64), torch.tensor([0.0, 2.0, 0.0], dtype=f64)], torch.pow, "at zero")
case("Sum", [rand(2, 3), rand(3), rand(2, 1)], lambda *v: sum(v))
case("Mean", [rand(2, 3), rand(3), rand(2, 1)], lambda *v: sum(v) / 3)
mask = [[1, 0, 1], [0, 0, 1]]
case("Where", [const(mask, "bool"), rand(2, 3), rand(3)], lambda c, a, b: torch.where(c.bool(), a, b))
case("Where", [const(mask, "bool"), rand(()), rand(2, 1)], lambda c, a, b: torch.where(c.bool(), a, b), "broadcast")
case("Where", [const(mask, "bool"), rand(2, 3), const(-math.inf, "float32")], lambda c, a, b: torch.where(c.bool(), a, b), "minus infinity")

# Reductions.
reductions = {
    "ReduceSum": lambda x, d, k: x.sum(d, k),
    "ReduceMean": lambda x, d, k: x.mean(d, k),
    "ReduceMax": lambda x, d, k: x.amax(d, k),
    "ReduceMin": lambda x, d, k: x.amin(d, k),
    "ReduceProd": lambda x, d, k: product(x, d, k),
    "ReduceL1": lambda x, d, k: x.abs().sum(d, k),
    "ReduceL2": lambda x, d, k: torch.linalg.vector_norm(x, 2, d, k),
    "ReduceSumSquare": lambda x, d, k: (x * x).sum(d, k),
    "ReduceLogSum": lambda x, d, k: x.sum(d, k).log(),
    "ReduceLogSumExp": lambda x, d, k: torch.logsumexp(x, d, k),
}


def product(x, dims, keep):
    for d in sorted((d % x.ndim for d in dims), reverse=True):
        x = x.prod(d, keep)
    return x


for op, fn in reductions.items():
    low = 0.2 if op == "ReduceLogSum" else -2.0
    for axes, keep in (([0], 1), ([-1], 0), ([0, 2], 0), ([1, -1], 1)):
        case(op, [rand(2, 3, 2, low=low), const(axes)], lambda x, a: fn(x, axes, bool(keep)), f"{axes} keepdims {keep}", keepdims=keep)
    case(op, [rand(2, 3, low=low)], lambda x: fn(x, [0, 1], False), "all", keepdims=0)
ties = torch.tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]], dtype=f64)
case("ReduceMax", [ties, const([1])], lambda x, a: x.amax(1), "ties", keepdims=0)
case("ReduceMin", [ties, const([1])], lambda x, a: x.amin(1), "ties", keepdims=0)
zeros = torch.tensor([[1.0, 0.0, 3.0], [0.0, 2.0, 0.0], [1.0, 2.0, 3.0]], dtype=f64)
case("ReduceProd", [zeros, const([1])], lambda x, a: x.prod(1), "zeros", keepdims=0)
case("ReduceL2", [zeros * torch.tensor([[0.0], [1.0], [1.0]], dtype=f64), const([1])], lambda x, a: torch.linalg.vector_norm(x, 2, 1), "of zeros", keepdims=0)

# Normalisation.
for axis in (-1, 0, 1):
    case("Softmax", [rand(2, 3, 3)], lambda x: x.softmax(axis), f"axis {axis}", axis=axis)
    case("LogSoftmax", [rand(2, 3, 3)], lambda x: x.log_softmax(axis), f"axis {axis}", axis=axis)
masked = torch.tensor([[1.0, -math.inf, 0.5], [0.0, 2.0, -math.inf]], dtype=f64)
case("Softmax", [masked], lambda x: x.softmax(-1), "masked", axis=-1)
case("LayerNormalization", [rand(3, 5), rand(5), rand(5)], lambda x, s, b: F.layer_norm(x, [5], s, b), axis=-1)
case("LayerNormalization", [rand(2, 3, 4), rand(3, 4), rand(3, 4)], lambda x, s, b: F.layer_norm(x, [3, 4], s, b, 0.01), "two axes", axis=1, epsilon=0.01)
case("LayerNormalization", [rand(3, 5), rand(5)], lambda x, s: F.layer_norm(x, [5], s), "no bias", axis=-1)
case("RMSNormalization", [rand(3, 5), rand(5)], lambda x, s: F.rms_norm(x, [5], s, 1e-5), axis=-1)
case("SimplifiedLayerNormalization", [rand(3, 5), rand(5)], lambda x, s: F.rms_norm(x, [5], s, 1e-5), axis=-1, epsilon=1e-5, stash_type=1)
instance = lambda x, s, b: F.instance_norm(x, weight=s, bias=b)
case("InstanceNormalization", [rand(2, 3, 4), rand(3), rand(3)], instance)
case("InstanceNormalization", [rand(2, 2, 3, 2), rand(2), rand(2)], instance, "2-D")
plain = [const([1, 1, 1], "float32"), const([0, 0, 0], "float32")]
case("InstanceNormalization", [rand(2, 3, 4), *plain], lambda x, s, b: F.instance_norm(x), "plain")
case("InstanceNormalization", [rand(1, 3, 4), plain[0], rand(3)], instance, "bias only")
group = lambda x, s, b: F.group_norm(x, 2, s, b, 1e-3)
case("GroupNormalization", [rand(2, 4, 3), rand(4), rand(4)], group, num_groups=2, epsilon=1e-3)
case("GroupNormalization", [rand(1, 4, 2, 2), rand(4), rand(4)], group, "2-D", num_groups=2, epsilon=1e-3)


def batch_norm(x, s, b, m, v):
    view = [1, -1] + [1] * (x.ndim - 2)
    m, v, s, b = (t.view(view) for t in (m, v, s, b))
    return (x - m) / torch.sqrt(v + 1e-5) * s + b


statistics = lambda c: [rand(c), rand(c), rand(c), rand(c, low=0.5)]
case("BatchNormalization", [rand(2, 3, 2, 2), *statistics(3)], batch_norm)
case("BatchNormalization", [rand(4, 3), *statistics(3)], batch_norm, "rank 2")

# Products.
for a, b in (((2, 3), (3, 4)), ((2, 2, 3), (3, 2)), ((2, 1, 2, 3), (3, 3, 2)), ((3,), (3,)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,))):
    case("MatMul", [rand(*a), rand(*b)], torch.matmul, f"{list(a)} {list(b)}")


def gemm(ta, tb, alpha, beta):
    return lambda a, b, c=None: alpha * ((a.T if ta else a) @ (b.T if tb else b)) + (0 if c is None else beta * c)


case("Gemm", [rand(2, 3), rand(3, 4), rand(4)], gemm(0, 0, 1, 1))
case("Gemm", [rand(2, 3), rand(4, 3), rand(4)], gemm(0, 1, 1, 1), "transB", transB=1)
case("Gemm", [rand(3, 2), rand(4, 3), rand(2, 1)], gemm(1, 1, 0.5, 2.0), "all", transA=1, transB=1, alpha=0.5, beta=2.0)
case("Gemm", [rand(3, 2), rand(3, 4), rand(())], gemm(1, 0, 1, 1), "scalar bias", transA=1)
case("Gemm", [rand(2, 3), rand(3, 2)], gemm(0, 0, 1.5, 1), "no bias", alpha=1.5)


def conv(x_shape, w_shape, name, bias=False, stride=1, pads=None, dilation=1, group=1):
    nd = len(x_shape) - 2
    pads = pads or [0] * (2 * nd)
    torch_pads = [p for i in reversed(range(nd)) for p in (pads[i], pads[nd + i])]
    fn = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[nd]
    run = lambda x, w, b=None: fn(F.pad(x, torch_pads), w, b, stride, 0, dilation, group)
    inputs = [rand(*x_shape), rand(*w_shape)] + ([rand(w_shape[0])] if bias else [])
    case("Conv", inputs, run, name, kernel_shape=list(w_shape[2:]), strides=[stride] * nd, pads=pads, dilations=[dilation] * nd, group=group)


conv((1, 2, 4, 4), (3, 2, 3, 3), "3x3", bias=True, pads=[1, 1, 1, 1])
conv((2, 3, 2, 2), (2, 3, 1, 1), "1x1", bias=True)
conv((1, 2, 5, 5), (2, 2, 3, 3), "stride 2", stride=2, pads=[1, 1, 1, 1])
conv((1, 2, 6, 6), (2, 2, 3, 3), "stride 2, remainder", stride=2, pads=[1, 1, 1, 1])
conv((1, 2, 4, 4), (2, 2, 2, 2), "asymmetric pads", pads=[0, 1, 1, 0])
conv((1, 1, 5, 5), (2, 1, 2, 2), "dilation", dilation=2, pads=[1, 1, 1, 1])
conv((1, 4, 3, 3), (4, 2, 2, 2), "groups", group=2)
conv((1, 3, 4, 4), (3, 1, 3, 3), "depthwise", group=3, pads=[1, 1, 1, 1])
conv((2, 2, 6), (3, 2, 3), "1-D", stride=2, pads=[1, 1], bias=True)
conv((1, 1, 3, 3, 3), (2, 1, 2, 2, 2), "3-D")


def conv_transpose(x_shape, w_shape, name, bias=False, stride=1, pad=0, output_padding=0, dilation=1, group=1):
    nd = len(x_shape) - 2
    fn = {1: F.conv_transpose1d, 2: F.conv_transpose2d}[nd]
    run = lambda x, w, b=None: fn(x, w, b, stride, pad, output_padding, group, dilation)
    inputs = [rand(*x_shape), rand(*w_shape)] + ([rand(w_shape[1] * group)] if bias else [])
    case("ConvTranspose", inputs, run, name, kernel_shape=list(w_shape[2:]), strides=[stride] * nd, pads=[pad] * 2 * nd, output_padding=[output_padding] * nd, dilations=[dilation] * nd, group=group)


conv_transpose((1, 2, 3, 3), (2, 3, 2, 2), "2x2", bias=True)
conv_transpose((1, 2, 3, 3), (2, 2, 3, 3), "stride 2", stride=2, pad=1, output_padding=1)
conv_transpose((1, 4, 2, 2), (4, 2, 2, 2), "groups", group=2, stride=2, bias=True)
conv_transpose((1, 2, 3), (2, 2, 2), "1-D dilation", dilation=2)

# Pools and resizing.
case("MaxPool", [rand(1, 2, 4, 4)], lambda x: F.max_pool2d(x, 2), kernel_shape=[2, 2], strides=[2, 2])
case("MaxPool", [rand(1, 1, 5, 5)], lambda x: F.max_pool2d(x, 3, 2, 1), "overlap", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
case("MaxPool", [rand(1, 1, 5, 5)], lambda x: F.max_pool2d(x, 2, 2, ceil_mode=True), "ceil", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
case("AveragePool", [rand(1, 2, 4, 4)], lambda x: F.avg_pool2d(x, 2), kernel_shape=[2, 2], strides=[2, 2])
for include in (0, 1):
    case("AveragePool", [rand(1, 1, 5, 5)], lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=bool(include)), f"padded, counted {include}", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=include)
case("AveragePool", [rand(1, 2, 6)], lambda x: F.avg_pool1d(x, 3, 1), "1-D", kernel_shape=[3])
case("GlobalAveragePool", [rand(2, 2, 3, 2)], lambda x: x.mean((2, 3), True))
case("GlobalMaxPool", [rand(2, 2, 3, 2)], lambda x: x.amax((2, 3), True))


def resize(x_shape, scales, fn, name, **attributes):
    case("Resize", [rand(*x_shape), None, const(scales, "float32")], lambda x, roi, s: fn(x), name, **attributes)


floor = dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
resize((1, 2, 2, 3), [1, 1, 2, 2], lambda x: F.interpolate(x, scale_factor=2), "nearest", **floor)
resize((1, 1, 4, 4), [1, 1, 0.5, 0.5], lambda x: F.interpolate(x, scale_factor=0.5), "nearest down", **floor)
resize((1, 1, 3, 2), [1, 1, 2, 2], lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), "bilinear", mode="linear", coordinate_transformation_mode="half_pixel")
resize((1, 1, 4, 4), [1, 1, 0.5, 0.5], lambda x: F.interpolate(x, scale_factor=0.5, mode="bilinear"), "bilinear down", mode="linear", coordinate_transformation_mode="half_pixel")
resize((1, 1, 3, 2), [1, 1, 2, 2], lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True), "align corners", mode="linear", coordinate_transformation_mode="align_corners")
resize((1, 1, 3, 3), [1, 1, 2, 2], lambda x: F.interpolate(x, scale_factor=2, mode="bicubic"), "bicubic", mode="cubic", coordinate_transformation_mode="half_pixel", cubic_coeff_a=-0.75)

# Further families, each in a file of its own; their cases follow those above.
import indexing  # noqa: E402, F401
import spatial  # noqa: E402, F401
import sound  # noqa: E402, F401

path = pathlib.Path(__file__).with_name("cases.json")
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
path.write_text(f'{{"torch":"{torch.__version__}","cases":[\n{lines}\n]}}\n')
print(len(cases), "cases,", path.stat().st_size, "bytes")
