"""Operators that ONNX Runtime's optimiser and its quantiser write, one to a model, with what they are in PyTorch.

Each case: name, nodes, stored tensors, input shape, the function of (x, weights, at) in float64, weights, places that round. `at(name, value)`
marks a place.
"""
import numpy as np
import torch
import torch.nn.functional as F
from onnx import TensorProto as T, helper as h

MS = "com.microsoft"
rng = np.random.RandomState(21)
f4 = lambda *s: rng.randn(*s).astype("f4")


def N(op, inputs, outputs, **a):
    return h.make_node(op, inputs, outputs, name=f"/{outputs[0]}/{op}_quant", domain=MS, **a)


def quantised(w, dtype="i1", axis=None, symmetric=True):
    """Stored numbers, scale, zero point, and what they stand for in float64."""
    low, high = {"i1": (-128, 127), "u1": (0, 255)}[dtype]
    over = tuple(i for i in range(w.ndim) if axis is None or i != axis % w.ndim)
    least, most = np.minimum(w.min(over, keepdims=True), 0), np.maximum(w.max(over, keepdims=True), 0)
    if symmetric:
        scale = np.maximum(-least, most) / 127
        zero = np.full_like(scale, 128 if dtype == "u1" else 0)
    else:
        scale = (most - least) / 255
        zero = np.round(low - least / scale)
    scale = scale.astype("f4")
    q = np.clip(np.round(w / scale) + zero, low, high)
    flat = (lambda a: a.reshape(-1)) if axis is not None else (lambda a: a.reshape(()))
    return q.astype(dtype), flat(scale), flat(zero).astype(dtype), (q - zero).astype("f8") * scale.astype("f8")


# What activations are rounded to: step, zero point, and the range that follows.
def unsigned(step, zero):
    return np.float32(step), np.uint8(zero), (step, -zero * step, (255 - zero) * step)


def cases():
    w, s, z, W = quantised(f4(6, 8), "i1", axis=1)
    b = f4(8)
    yield ("ms-dynamic-matmul", [N("DynamicQuantizeMatMul", ["x", "w.weight", "s", "z", "b"], ["y"])],
           {"w.weight": w, "s": s, "z": z, "b": b}, (3, 6),
           lambda x, v, at: at("x", x) @ v["w.weight"] + torch.tensor(b), {"w.weight": W}, {"x": "dynamic"})

    w2, s2, z2, W2 = quantised(f4(6, 8), "u1", symmetric=False)
    yield ("ms-matmul-to-float",
           [h.make_node("DynamicQuantizeLinear", ["x"], ["xq", "xs", "xz"], name="/x/Dynamic"),
            N("MatMulIntegerToFloat", ["xq", "w.weight", "xs", "s", "xz", "z"], ["y"])],
           {"w.weight": w2, "s": s2, "z": z2}, (3, 6),
           lambda x, v, at: at("x", x) @ v["w.weight"], {"w.weight": W2}, {"x": "dynamic"})

    def quantise(name, step, zero):
        return h.make_node("QuantizeLinear", [name, f"{name}.s", f"{name}.z"], [f"{name}.q"], name=f"/{name}/Quantize"), {f"{name}.s": np.float32(step), f"{name}.z": np.uint8(zero)}

    xq, xs = quantise("x", 0.02, 120)
    X = unsigned(0.02, 120)[2]
    out = {"y.s": np.float32(0.05), "y.z": np.uint8(130)}
    Y = unsigned(0.05, 130)[2]
    back = h.make_node("DequantizeLinear", ["yq", "y.s", "y.z"], ["y"], name="/y/Dequantize")
    ready = ["x.q", "x.s", "x.z"]

    heads, hidden = 2, 4
    wa, sa, za, WA = quantised(f4(hidden, 3 * hidden) / 2, "i1", axis=1)
    ba = f4(3 * hidden)

    def attention(x, v, at):
        q, k, u = ((at("x", x) @ v["qkv.weight"] + torch.tensor(ba)).reshape(*x.shape[:2], 3, heads, hidden // heads).permute(2, 0, 3, 1, 4))
        p = torch.softmax(q @ k.transpose(-1, -2) / (hidden // heads) ** 0.5, -1)
        return (p @ u).transpose(1, 2).reshape(x.shape)

    yield ("ms-attention", [xq, N("QAttention", ["x.q", "qkv.weight", "b", "x.s", "sa", "", "x.z", "za"], ["y"], num_heads=heads)],
           {"qkv.weight": wa, "b": ba, "sa": sa, "za": za, **xs}, (2, 3, hidden), attention, {"qkv.weight": WA}, {"x": X})

    wg, sg, zg, WG = quantised(f4(5, 6), "i1")
    cg = (f4(5) / (0.02 * sg)).round().astype("i4")
    # ONNX Runtime takes alpha into the product's scale; the bias is in its steps.
    CG = torch.tensor(cg.astype("f8") * 0.02 * float(sg))
    gemm = lambda x, v, at: 0.5 * (at("x", x) @ v["g.weight"].T + CG)
    stored = {"g.weight": wg, "sg": sg, "zg": zg, "c": cg, **xs}
    yield ("ms-gemm-float", [xq, N("QGemm", [*ready, "g.weight", "sg", "zg", "c"], ["y"], transB=1, alpha=0.5)], stored, (3, 6), gemm, {"g.weight": WG}, {"x": X})
    yield ("ms-gemm", [xq, N("QGemm", [*ready, "g.weight", "sg", "zg", "c", "y.s", "y.z"], ["yq"], transB=1, alpha=0.5), back],
           {**stored, **out}, (3, 6), lambda x, v, at: at("y", gemm(x, v, at)), {"g.weight": WG}, {"x": X, "y": Y})

    wc, sc, zc, WC = quantised(f4(4, 3, 3, 3) / 4, "i1", axis=0)
    last = lambda f: lambda x: f(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    conv = lambda x, v, at: at("y", last(lambda t: F.conv2d(t, v["c.weight"], padding=1))(at("x", x)))
    yield ("ms-conv-last", [xq, N("QLinearConv", [*ready, "c.weight", "sc", "zc", "y.s", "y.z"], ["yq"], channels_last=1, pads=[1] * 4), back],
           {"c.weight": wc, "sc": sc, "zc": zc, **xs, **out}, (1, 5, 4, 3), conv, {"c.weight": WC}, {"x": X, "y": Y})

    both = {**xs, **out}
    pools = {"kernel_shape": [2, 2], "strides": [2, 2]}
    yield ("ms-average-pool-last", [xq, N("QLinearAveragePool", [*ready, "y.s", "y.z"], ["yq"], channels_last=1, **pools), back], both, (1, 4, 4, 3),
           lambda x, v, at: at("y", last(lambda t: F.avg_pool2d(t, 2))(at("x", x))), {}, {"x": X, "y": Y})
    yield ("ms-global-pool-last", [xq, N("QLinearGlobalAveragePool", [*ready, "y.s", "y.z"], ["yq"], channels_last=1), back], both, (2, 3, 3, 4),
           lambda x, v, at: at("y", at("x", x).mean((1, 2), keepdim=True)), {}, {"x": X, "y": Y})
    yield ("ms-max-pool-last", [xq, N("NhwcMaxPool", ["x.q"], ["yq"], **pools), h.make_node("DequantizeLinear", ["yq", "x.s", "x.z"], ["y"], name="/y/Dequantize")], xs, (1, 4, 4, 3),
           lambda x, v, at: last(lambda t: F.max_pool2d(t, 2))(at("x", x)), {}, {"x": X})
    probabilities = {"y.s": np.float32(1 / 256), "y.z": np.uint8(0)}
    yield ("ms-softmax-old", [xq, N("QLinearSoftmax", [*ready, "y.s", "y.z"], ["yq"], axis=1, opset=11), back], {**xs, **probabilities}, (2, 3, 4),
           lambda x, v, at: at("y", torch.softmax(at("x", x).flatten(1), -1).reshape(x.shape)), {}, {"x": X, "y": unsigned(1 / 256, 0)[2]})

    c, k = rng.rand(2, 4) > 0.5, f4(2, 4)
    kq = np.clip(np.round(k / np.float32(0.03)) + 100, 0, 255).astype("u1")
    K = torch.tensor((kq.astype("f8") - 100) * float(np.float32(0.03)))
    yield ("ms-where", [xq, N("QLinearWhere", ["c", *ready, "k", "k.s", "k.z", "y.s", "y.z"], ["yq"]), back],
           {"c": c, "k": kq, "k.s": np.float32(0.03), "k.z": np.uint8(100), **both}, (2, 4),
           lambda x, v, at: at("y", torch.where(torch.tensor(c), at("x", x), K)), {}, {"x": X, "y": Y})

    tables = {name: quantised(f4(*shape), "u1", symmetric=False) for name, shape in {"word": (7, 4), "position": (5, 4), "segment": (2, 4), "gamma": (4,), "beta": (4,)}.items()}
    order = list(tables)
    q = {f"{n}.{part}": t[i] for n, t in tables.items() for i, part in enumerate(["q", "s", "z"])}
    segment = np.array([[0, 1, 1], [0, 0, 1]], "i4")

    def embed(x, v, at):
        t = {n: torch.tensor(a[3]) for n, a in tables.items()}
        sum = t["word"][x.long()] + t["position"][:3] + t["segment"][torch.tensor(segment).long()]
        return F.layer_norm(sum, (4,), t["gamma"], t["beta"], 1e-5)

    yield ("ms-embedding", [N("QEmbedLayerNormalization", ["x", "segment", *(f"{n}.q" for n in order), "", *(f"{n}.s" for n in order), *(f"{n}.z" for n in order)], ["y", "lengths"], epsilon=1e-5)],
           {"segment": segment, **q}, np.array([[1, 4, 6], [0, 2, 2]], "i4"), embed, {}, {})
