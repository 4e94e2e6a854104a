"""Writes contrib.json: attention and com.microsoft operators with inputs, and native ONNX Runtime's outputs.

Run: python make_contrib.py (onnxruntime with its contrib operators, onnx, numpy). Inputs have three decimals, outputs seven significant digits.
"""

import json
import math
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto as T
from onnx import helper
from onnx.reference import ReferenceEvaluator

rng = np.random.default_rng(11)
MS = "com.microsoft"
cases = []
refused = []


def rand(*shape, low=-2.0, high=2.0):
    return np.asarray((rng.random(shape) * (high - low) + low).round(3), dtype=np.float32)


def ints(values, dtype=np.int64):
    return np.asarray(values, dtype=dtype)


class Const:
    """An input that is an initializer: weights that must be known, axes."""

    def __init__(self, array, packed=None, shape=None):
        self.array, self.packed, self.shape = array, packed, shape


names = {
    np.dtype(np.float32): "float32",
    np.dtype(np.int64): "int64",
    np.dtype(np.int32): "int32",
    np.dtype(np.uint8): "uint8",
    np.dtype(np.int8): "int8",
    np.dtype(np.bool_): "bool",
}
packed_types = {"int4": T.INT4, "uint4": T.UINT4}


def number(x):
    if not math.isfinite(x):
        return str(x)
    return float(f"{x:.7g}")


def entry(a, **more):
    values = a.reshape(-1).tolist()
    if a.dtype.kind == "f":
        values = [number(x) for x in values]
    elif a.dtype.kind == "b":
        values = [int(x) for x in values]
    return {"type": names[a.dtype], "shape": list(a.shape), "values": values, **more}


def attribute(value):
    kinds = {int: "int", float: "float", str: "string"}
    if isinstance(value, (list, tuple)):
        return {"kind": kinds[type(value[0])] + "s", "value": list(value)}
    return {"kind": kinds[type(value)], "value": value}


def run(op, inputs, domain, opset, outputs, attributes):
    graph_inputs, initializers, feeds, args = [], [], {}, []
    for i, v in enumerate(inputs):
        if v is None:
            args.append("")
            continue
        name = f"x{i}"
        args.append(name)
        if isinstance(v, Const):
            kind = packed_types[v.packed] if v.packed else helper.np_dtype_to_tensor_dtype(v.array.dtype)
            shape = v.shape if v.packed else list(v.array.shape)
            initializers.append(helper.make_tensor(name, kind, shape, v.array.tobytes(), raw=True))
        else:
            feeds[name] = v
            graph_inputs.append(
                helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(v.dtype), list(v.shape))
            )
    outs = [f"y{i}" if wanted else "" for i, wanted in enumerate(outputs)]
    node = helper.make_node(op, args, outs, domain=domain, **attributes)
    values = [helper.ValueInfoProto(name=o) for o in outs if o]
    graph = helper.make_graph([node], "case", graph_inputs, values, initializers)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(MS, 1)], ir_version=10
    )
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    results = iter(session.run(None, feeds))
    return [next(results) if o else None for o in outs]


def reference(op, inputs, opset, outputs, attributes):
    """ONNX's own reference, for what ONNX Runtime's CPU kernel refuses."""
    args = [f"x{i}" if v is not None else "" for i, v in enumerate(inputs)]
    outs = [f"y{i}" if wanted else "" for i, wanted in enumerate(outputs)]
    feeds = {f"x{i}": v for i, v in enumerate(inputs) if v is not None}
    graph = helper.make_graph(
        [helper.make_node(op, args, outs, **attributes)],
        "case",
        [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in feeds.items()],
        [helper.make_tensor_value_info(o, T.FLOAT, None) for o in outs if o],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    results = iter(ReferenceEvaluator(model).run(None, feeds))
    return [next(results).astype(np.float32) if o else None for o in outs]


def case(op, inputs, name="", domain=MS, opset=21, outputs=(True,), only=None, tolerance=None, via=None, step=None, **attributes):
    """
    only: how many rows of each sequence are compared, where the runtime leaves the rest undefined.
    via: (inputs, attributes) that mean the same and that the CPU kernel takes; 'reference': ONNX's reference computes. A list: the results.
    """
    try:
        if via == "reference":
            results = reference(op, inputs, opset, outputs, attributes)
        elif via == "sum":
            results = [sum(inputs[1:], inputs[0])]
        elif isinstance(via, list):
            results = via
        else:
            results = run(op, via[0] if via else inputs, domain, opset, outputs, via[1] if via else attributes)
    except Exception as error:  # a case that the runtime refuses is of no use; see what the summary says
        refused.append((f"{op} {name}", str(error).splitlines()[0][:200]))
        return
    written = []
    for v in inputs:
        if v is None:
            written.append(None)
        elif isinstance(v, Const):
            more = {"type": v.packed, "shape": list(v.shape)} if v.packed else {}
            written.append({**entry(v.array, constant=True), **more})
        else:
            written.append(entry(v))
    made = {
        "name": f"{domain or 'ai.onnx'} {op} {name}".strip(),
        "op": op,
        "domain": domain,
        "opset": opset,
        "attributes": {k: attribute(v) for k, v in attributes.items()},
        "inputs": written,
        "outputs": [None if r is None else entry(r) for r in results],
    }
    if only:
        made["rows"] = only
    if tolerance:
        made["tolerance"] = tolerance
    if step:
        made["step"] = step
    cases.append(made)


# Attention of the standard domain.
def standard(name, q, k, v, *rest, opset=23, outputs=(True,), via=None, **attributes):
    case("Attention", [q, k, v, *rest], name, "", opset, outputs, via=via, **attributes)


B, N, S, P, H = 2, 4, 3, 5, 4
q4, k4, v4 = rand(B, N, S, H), rand(B, N, P, H), rand(B, N, P, 6)
standard("4-D", q4, k4, v4)
standard("4-D causal, fewer queries than keys", q4, k4, v4, is_causal=1)
standard("4-D causal, scaled", rand(B, N, P, H), k4, v4, is_causal=1, scale=0.3)
standard("softcap", q4, k4, v4, softcap=1.5)
q3, k3, v3 = rand(B, S, N * H), rand(B, P, 2 * H), rand(B, P, 2 * 3)
standard("3-D grouped", q3, k3, v3, q_num_heads=4, kv_num_heads=2)
standard("3-D one key head", q3, rand(B, P, H), rand(B, P, 3), q_num_heads=4, kv_num_heads=1)
standard("3-D grouped causal", rand(B, P, N * H), k3, v3, q_num_heads=4, kv_num_heads=2, is_causal=1)


def mask(*shape):
    m = rng.random(shape) < 0.6
    m[..., 0] = True
    return m


for shape in [(S, P), (N, S, P), (1, S, P), (B, 1, S, P), (B, N, S, P)]:
    standard(f"boolean mask {list(shape)}", q4, k4, v4, mask(*shape))
    standard(f"float mask {list(shape)}", q4, k4, v4, rand(*shape))
hidden = mask(B, 1, S, P)
hidden[0, 0, 1] = False
standard("boolean mask that hides a row", q4, k4, v4, hidden)
standard("float mask that hides a row", q4, k4, v4, np.where(hidden, 0, -np.inf).astype(np.float32))
standard("boolean mask and causal", q4, k4, v4, mask(B, 1, S, P), is_causal=1)
standard("float mask and causal", q4, k4, v4, rand(S, P), is_causal=1)
standard("softcap and mask", q4, k4, v4, mask(S, P), softcap=2.0)
standard("short mask", q4, k4, v4, mask(S, P - 2), opset=24, via="reference")
standard("past", q4, rand(B, N, S, H), rand(B, N, S, 6), None, rand(B, N, 2, H), rand(B, N, 2, 6), outputs=(1, 1, 1))
standard(
    "past and causal", q4, rand(B, N, S, H), rand(B, N, S, 6), None, rand(B, N, 2, H), rand(B, N, 2, 6), is_causal=1,
    via="reference",
)
standard("window", q4, k4, v4, opset=25, via="reference", left_window_size=1, right_window_size=1)
standard("window to the left and causal", rand(B, N, P, H), k4, v4, opset=25, via="reference", left_window_size=2, is_causal=1)
standard("window that leaves queries alone", rand(1, 1, 4, 2), rand(1, 1, 2, 2), rand(1, 1, 2, 2), opset=25, via="reference", left_window_size=1)
standard("past in 3-D", q3, rand(B, S, 2 * H), rand(B, S, 6), None, rand(B, 2, 2, H), rand(B, 2, 2, 3),
         q_num_heads=4, kv_num_heads=2, outputs=(1, 1, 1))
for mode in range(4):
    standard(f"scores, mode {mode}", q4, k4, v4, mask(S, P), softcap=1.2, outputs=(1, 0, 0, 1), qk_matmul_output_mode=mode)
standard("key lengths", q4, k4, v4, None, None, None, ints([3, 5]), opset=24)
standard("key lengths and causal", q4, k4, v4, None, None, None, ints([3, 5]), opset=24, is_causal=1)
standard("softmax precision", q4, k4, v4, softmax_precision=1)

# Rotary embedding.
cos, sin = np.cos(rand(8, 2)).round(3), np.sin(rand(8, 2)).round(3)
cos3, sin3 = rand(B, S, 2), rand(B, S, 2)
ids = ints([[0, 3, 7], [2, 1, 4]])
for interleaved in (0, 1):
    say = "interleaved" if interleaved else "halves"
    case("RotaryEmbedding", [rand(B, N, S, 4), cos, sin, ids], f"4-D {say}", "", 23, interleaved=interleaved)
    case("RotaryEmbedding", [rand(B, S, N * 4), cos, sin, ids], f"3-D {say}", "", 23, interleaved=interleaved, num_heads=N)
    case("RotaryEmbedding", [rand(B, N, S, 4), cos3, sin3], f"tables per token {say}", "", 23, interleaved=interleaved)
    case("RotaryEmbedding", [rand(B, N, S, 10), cos, sin, ids], f"partial {say}", "", 23, interleaved=interleaved,
         rotary_embedding_dim=4)
    case("RotaryEmbedding", [rand(B, S, N * 10), cos, sin, ids], f"partial 3-D {say}", "", 23, interleaved=interleaved,
         rotary_embedding_dim=4, num_heads=N)
    case("RotaryEmbedding", [rand(B, S, N * 4), ids, cos, sin], f"3-D {say}", interleaved=interleaved)
    case("RotaryEmbedding", [rand(B, N, S, 4), ints([2]), cos, sin], f"4-D from 2 {say}", interleaved=interleaved)
    case("RotaryEmbedding", [rand(B, S, N * 6), ids, cos, sin], f"partial {say}", interleaved=interleaved,
         rotary_embedding_dim=4, num_heads=N)

# MultiHeadAttention.
def multi(name, *inputs, outputs=(True,), via=None, **attributes):
    case("MultiHeadAttention", list(inputs), name, outputs=outputs, via=via, num_heads=N, **attributes)


D, Dv = N * 4, N * 2
q, k, v = rand(B, S, D), rand(B, P, D), rand(B, P, Dv)
multi("plain", q, k, v)
multi("bias", q, k, v, rand(2 * D + Dv))
multi("scale", q, k, v, scale=0.2)
packed = rand(B, P, N, 3, 4)
parts = [packed[:, :, :, i].reshape(B, P, D) for i in range(3)]
multi("packed query, key and value", packed, via=(parts, {"num_heads": N}))
multi("packed key and value", q, packed[:, :, :, 1:], via=([q, *parts[1:]], {"num_heads": N}))
multi("keys of another sequence", q, rand(B, N, P, 4), rand(B, N, P, 4))
multi("lengths", q, k, v, None, ints([3, 5], np.int32))
padding = ints([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]], np.int32)
multi("padding", q, k, v, None, padding)
multi("padding and another filter", q, k, v, None, padding, mask_filter_value=-2.0)
multi("padding per query", q, k, v, None, (rng.random((B, S, P)) < 0.7).astype(np.int32))
multi("attention bias", q, k, v, None, None, rand(B, N, S, P))
multi("attention bias for all", q, k, v, None, None, rand(1, 1, S, P))
multi("causal", rand(B, P, D), k, v, unidirectional=1)
multi("causal and padding", rand(B, P, D), k, v, None, padding, unidirectional=1)
multi("past", q, rand(B, S, D), rand(B, S, D), None, None, None, rand(B, N, 2, 4), rand(B, N, 2, 4), outputs=(1, 1, 1))
multi("past and causal", q, rand(B, S, D), rand(B, S, D), None, None, None, rand(B, N, 2, 4), rand(B, N, 2, 4),
      outputs=(1, 1, 1), unidirectional=1)

# Attention with its projection.
def projected(name, *inputs, outputs=(True,), **attributes):
    case("Attention", list(inputs), name, outputs=outputs, num_heads=2, **attributes)


x, w, b = rand(B, P, 6), rand(6, 24), rand(24)
projected("plain", x, w, b)
projected("no bias", x, w, None)
projected("sizes", x, rand(6, 20), rand(20), qkv_hidden_sizes=[8, 8, 4])
projected("lengths", x, w, b, ints([3, 5], np.int32))
projected("ends and starts", x, w, b, ints([4, 5, 1, 2], np.int32))
projected("padding", x, w, b, padding)
projected("padding per query", x, w, b, (rng.random((B, P, P)) < 0.7).astype(np.int32))
projected("causal", x, w, b, unidirectional=1)
projected("causal and padding", x, w, b, padding, unidirectional=1, mask_filter_value=-50.0)
projected("attention bias", x, w, b, None, None, rand(B, 2, P, P))
projected("past", x, w, b, None, rand(2, B, 2, 3, 4), outputs=(1, 1), unidirectional=1)
projected("scale", x, w, b, scale=0.7)

# GroupQueryAttention, first prompt.
def grouped(name, q, k, v, *rest, lengths=None, heads=2, keys=1, outputs=(True,), via=None, only=None, **attributes):
    rows = q.shape[1]
    ends = ints(lengths or [rows - 1] * B, np.int32)
    more = [None, None, ends, ints(rows, np.int32)]
    attributes = {"num_heads": heads, "kv_num_heads": keys, **attributes}
    if via:
        via = ([*via[0], *more, *rest[:2]], {k: v for k, v in attributes.items() if k != "qk_norm_epsilon"})
    case("GroupQueryAttention", [q, k, v, *more, *rest], name, outputs=outputs, via=via, only=only, **attributes)


h, P = 16, 4
gq, gk, gv = rand(B, P, 2 * h), rand(B, P, h), rand(B, P, h)
grouped("plain", gq, gk, gv, outputs=(1, 1, 1))
grouped("4 heads on 2", rand(B, P, 32), rand(B, P, 16), rand(B, P, 16), heads=4, keys=2)
grouped("as many key heads", gq, rand(B, P, 2 * h), rand(B, P, 2 * h), keys=2)
grouped("packed", rand(B, P, 4 * h), None, None)
table = rand(6, h // 2)
gcos, gsin = np.cos(table).round(3), np.sin(table).round(3)
for interleaved in (0, 1):
    grouped(f"rotary {interleaved}", gq, gk, gv, gcos, gsin, do_rotary=1, rotary_interleaved=interleaved, outputs=(1, 1, 1))
grouped("rotary, packed", rand(B, P, 4 * h), None, None, gcos, gsin, do_rotary=1)
wide = [rand(1, 2, n) for n in (64, 32, 32)]
grouped("rotary over a part", *wide, gcos, gsin, do_rotary=1, lengths=[1])
grouped("window", gq, gk, gv, local_window_size=2)
grouped("window of one", gq, gk, gv, local_window_size=1)
grouped("softcap", gq, gk, gv, softcap=1.5)
grouped("scale", gq, gk, gv, scale=0.1)
grouped("smooth softmax", gq, gk, gv, smooth_softmax=1)
grouped("sinks", gq, gk, gv, None, None, None, None, rand(2))
grouped("attention bias", gq, gk, gv, None, None, None, rand(1, 2, P, P))
grouped("not causal", gq, gk, gv, causal=0)
q_scale, k_scale = rand(h), rand(h)


def normal(x, scale):
    heads = x.reshape(B, P, -1, h)
    return (heads / np.sqrt((heads**2).mean(-1, keepdims=True) + 1e-3) * scale).reshape(x.shape).astype(np.float32)


grouped("norms", gq, gk, gv, gcos, gsin, None, None, None, None, None, q_scale, k_scale, do_rotary=1, qk_norm_epsilon=1e-3,
        via=([normal(gq, q_scale), normal(gk, k_scale), gv],))
grouped("right padding", gq, gk, gv, gcos, gsin, lengths=[1, 3], do_rotary=1, only=[2, 4])
grouped("probabilities", gq, gk, gv, outputs=(1, 1, 1, 1), qk_output=2)

# Normalisations with a residual.
x, skip, gamma, beta, bias = rand(B, 3, 6), rand(B, 3, 6), rand(6), rand(6), rand(6)
for op, rest in (("SkipLayerNormalization", [gamma, beta]), ("SkipSimplifiedLayerNormalization", [gamma])):
    case(op, [x, skip, *rest], "plain")
    case(op, [x, skip, *rest, bias], "bias and sum", outputs=(1, 0, 0, 1), epsilon=1e-3)
    case(op, [x, rand(3, 6), *rest], "skip for all")
    case(op, [x * np.float32(1e-3), skip * np.float32(1e-3), *rest], "default epsilon", step=1e-6)
case("SkipLayerNormalization", [x, skip, gamma], "no beta")
case("SimplifiedLayerNormalization", [x, gamma], "", "", 17, axis=-1, epsilon=1e-3, stash_type=1)
case("SimplifiedLayerNormalization", [x, gamma], "", MS, via=run("SimplifiedLayerNormalization", [x, gamma], "", 17, (1,), {"axis": -1, "epsilon": 1e-3}), epsilon=1e-3)
case("RMSNormalization", [x, gamma], "", "", 23, epsilon=1e-3)
case("RMSNormalization", [x, rand(3, 6)], "two axes", "", 23, axis=1)

tokens, segments = ints([[1, 4, 0], [2, 2, 3]], np.int32), ints([[0, 0, 1], [0, 1, 1]], np.int32)
word, place, kind = rand(5, 6), rand(4, 6), rand(2, 6)
seen = ints([[1, 1, 0], [1, 1, 1]], np.int32)
embed = [word, place, kind, gamma, beta]
case("EmbedLayerNormalization", [tokens, segments, *embed], "plain", outputs=(1, 0), epsilon=1e-3)
case("EmbedLayerNormalization", [tokens, segments, *embed, seen], "mask and sum", outputs=(1, 1, 1))
case("EmbedLayerNormalization", [tokens, None, word, place, None, gamma, beta], "no segments", outputs=(1, 1))
case("EmbedLayerNormalization", [tokens, segments, *embed, None, ints([[2, 0, 1], [1, 3, 0]], np.int32)], "positions", outputs=(1, 0))


def group_norm(x, gamma, beta, groups, epsilon, last, silu):
    first = np.moveaxis(x, -1, 1) if last else x
    cut = first.reshape(x.shape[0], groups, -1).astype(np.float64)
    cut = (cut - cut.mean(-1, keepdims=True)) / np.sqrt(cut.var(-1, keepdims=True) + epsilon)
    y = cut.reshape(first.shape) * gamma[:, None, None] + beta[:, None, None]
    y = y / (1 + np.exp(-y)) if silu else y
    return (np.moveaxis(y, 1, -1) if last else y).astype(np.float32)


image, more = rand(B, 2, 3, 6), rand(B, 6)
for silu in (0, 1):
    case("GroupNorm", [image, gamma, beta], f"activation {silu}", groups=3, activation=silu,
         via=[group_norm(image, gamma, beta, 3, 1e-5, True, silu)])
channels = rand(B, 6, 2, 3)
case("GroupNorm", [channels, gamma, beta], "channels first", groups=2, activation=0, channels_last=0, epsilon=0.1,
     via=[group_norm(channels, gamma, beta, 2, 0.1, False, 0)])
total = image + more[:, None, None, :] + bias
case("SkipGroupNorm", [image, gamma, beta, more, bias], "skip per image", groups=3, activation=1, outputs=(1, 1),
     via=[group_norm(total, gamma, beta, 3, 1e-5, True, 1), total])

# Activations and fused products.
case("BiasGelu", [x, bias])
case("FastGelu", [x])
case("FastGelu", [x, bias], "bias")
case("Gelu", [x])
case("QuickGelu", [x], alpha=1.3)
wide, wide_bias = rand(B, 2, 8), rand(8)
erf = np.vectorize(math.erf)
whole = (wide + wide_bias).astype(np.float64)
left, right = whole[..., :4], whole[..., 4:]
case("BiasSplitGelu", [wide, wide_bias], via=[(left * right * 0.5 * (1 + erf(right / math.sqrt(2)))).astype(np.float32)])
case("BiasAdd", [wide, wide_bias, rand(B, 2, 8)], via="sum")
shapes = {(0, 0): (3, 4), (1, 0): (4, 3)}
for ta in (0, 1):
    for tb in (0, 1):
        a_shape, b_shape = ((4, 3) if ta else (3, 4)), ((5, 4) if tb else (4, 5))
        case("FusedMatMul", [rand(2, *a_shape), rand(2, *b_shape)], f"{ta}{tb}", transA=ta, transB=tb, alpha=0.5)
        a, b = rand(2, 3, *a_shape), rand(2, 3, *b_shape)
        case("FusedMatMul", [a.transpose(2, 0, 1, 3).copy(), b.transpose(2, 0, 1, 3).copy()], f"batches moved {ta}{tb}",
             transA=ta, transB=tb, transBatchA=1, transBatchB=1)
case("FusedMatMul", [rand(2, 3, 4), rand(4, 5)], "matrix")
case("TransposeMatMul", [rand(4, 3), rand(4, 5)], transA=1)
# The biases keep every sum far from the activations' kinks, for the sake of finite differences.
x4, w4 = rand(B, 3, 5, 4), rand(4, 3, 3, 3, low=-0.05, high=0.05)
case("FusedConv", [x4, w4, np.float32([3, -3, 4, -4])], "Relu", activation="Relu", pads=[1, 1, 1, 1])
case("FusedConv", [x4, w4, np.float32([6, -6, 6, -6]), rand(B, 4, 3, 2)], "sum", activation="Relu")
for name, parameters, shift in (
    ("Tanh", None, [0, 1, 2, 3]),
    ("Sigmoid", None, [0, 1, 2, 3]),
    ("LeakyRelu", [0.3], [3, -3, 4, -4]),
    ("Clip", [-1.5, 3.5], [1, -5, 8, 0.5]),
    ("HardSigmoid", [0.1, 0.4], [-9, 9, 0, 1]),
):
    more = {"activation_params": parameters} if parameters else {}
    case("FusedConv", [x4, w4, np.float32(shift)], name, activation=name, strides=[2, 1], **more)
for name, more in (("Relu", {}), ("LeakyRelu", {"activation_alpha": 0.2}), ("Tanh", {})):
    # Far out, Tanh has no gradient but rounding.
    shift = np.float32([4, -4, 5, -5, 6]) * np.float32(0.1 if name == "Tanh" else 1)
    case("FusedGemm", [rand(3, 4), rand(5, 4, low=-0.2, high=0.2), shift], name, activation=name, transB=1, alpha=0.5, beta=2.0, **more)

# Quantised weights.
def packed_weight(rows, blocks, size, bits):
    return Const(rng.integers(0, 256, (rows, blocks, size * bits // 8), dtype=np.uint8))


for K, size, bits in ((32, 16, 4), (48, 16, 4), (40, 16, 4), (64, 32, 4), (32, 16, 8), (48, 16, 8)):
    blocks, rows = -(-K // size), 5
    w = packed_weight(rows, blocks, size, bits)
    a, scales = rand(2, 3, K), rand(rows, blocks, low=0.01, high=0.2)
    zeros = Const(rng.integers(0, 256, (rows, -(-blocks * bits // 8)), dtype=np.uint8))
    more = {"K": K, "N": rows, "block_size": size, "bits": bits}
    case("MatMulNBits", [a, w, scales], f"{K} in {size}s of {bits} bits", **more)
    case("MatMulNBits", [a, w, scales, zeros], f"{K} in {size}s of {bits} bits, zero points", **more)
    case("MatMulNBits", [a, w, scales.reshape(-1), None, None, rand(rows)], f"{K} in {size}s of {bits} bits, bias", **more)
    case("MatMulNBits", [a, w, scales, rand(rows, blocks, low=5, high=9)], f"{K} in {size}s of {bits} bits, float zero points", **more) if bits == 4 else None


def nibbles(values):
    flat = np.asarray(values).reshape(-1)
    flat = np.append(flat, 0) if len(flat) % 2 else flat
    return (flat[0::2] & 15 | (flat[1::2] & 15) << 4).astype(np.uint8)


def small(kind, shape):
    low, high = {"int4": (-8, 8), "uint4": (0, 16), "int8": (-128, 128), "uint8": (0, 256)}[kind]
    values = rng.integers(low, high, shape)
    return Const(nibbles(values), kind, list(shape)) if "4" in kind else Const(values.astype(kind))


for kind in ("int8", "uint8", "int4", "uint4"):
    x = small(kind, (4, 6))
    case("DequantizeLinear", [x, rand()], f"{kind} whole", "")
    case("DequantizeLinear", [x, rand(), small(kind, ())], f"{kind} whole, zero point", "")
    case("DequantizeLinear", [x, rand(4), small(kind, (4,))], f"{kind} rows", "", axis=0)
    case("DequantizeLinear", [x, rand(6)], f"{kind} columns", "", axis=-1)
    case("DequantizeLinear", [x, rand(2, 6), small(kind, (2, 6))], f"{kind} blocks of rows", "", axis=0, block_size=2)
    case("DequantizeLinear", [x, rand(4, 2)], f"{kind} blocks of columns", "", axis=1, block_size=3)
    case("DequantizeLinear", [x, rand(4, 2)], f"{kind} blocks of unequal size", "", axis=1, block_size=4)
case("DequantizeLinear", [small("int8", (4, 6)), rand(), small("int8", ())], "", MS)
case("DequantizeLinear", [small("int8", (4, 6)), rand()], "to another type", "", 23, output_dtype=1)


def table(kind, rows, columns, size, bits):
    values = rng.integers(0, 2**bits, (rows, columns)) - (8 if kind == "int4" else 0)
    data = Const(nibbles(values), kind, [rows, columns]) if kind != "uint8" else Const(
        (values if bits == 8 else values[:, 0::2] | values[:, 1::2] << 4).astype(np.uint8))
    zeros = rng.integers(0, 2**bits, (rows, columns // size)) - (8 if kind == "int4" else 0)
    packed = Const(nibbles(zeros), kind, list(zeros.shape)) if kind != "uint8" else Const(
        (zeros if bits == 8 else zeros[:, 0::2] | zeros[:, 1::2] << 4).astype(np.uint8))
    return data, packed


for kind, bits in (("int4", 4), ("uint4", 4), ("uint8", 4), ("uint8", 8)):
    data, zeros = table(kind, 6, 64, 16, bits)
    scales = rand(6, 4, low=0.01, high=0.3)
    more = {"block_size": 16, "gather_axis": 0, "quantize_axis": 1} | ({"bits": bits} if kind == "uint8" else {})
    case("GatherBlockQuantized", [data, ints([[5, 0, 2], [1, 1, 4]]), Const(scales)], f"{kind} of {bits} bits", **more)
    case("GatherBlockQuantized", [data, ints([3, 1]), Const(scales), zeros], f"{kind} of {bits} bits, zero points", **more)

here = pathlib.Path(__file__).parent
(here / "contrib.json").write_text(
    json.dumps({"onnxruntime": ort.__version__, "onnx": onnx.__version__, "cases": cases}, separators=(",", ":")).replace(
        '{"name"', '\n{"name"'
    )
    + "\n"
)
print(f"{len(cases)} cases")
for name, why in refused:
    print("refused by ONNX Runtime:", name, "|", why)
