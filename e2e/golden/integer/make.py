"""Writes small models as onnxruntime.quantization and ONNX Runtime's own fusions quantise them, and what becomes of them in float.

integer.safetensors holds per file: <file>/x (and other inputs), <file>/y (native ONNX Runtime's output of the quantised file), <file>/float (the float
model in PyTorch in float64 with the file's dequantised weights, activations clipped to their ranges but not rounded), <file>/dx (gradient of
sum_k cos(k) y_k by x), <file>/dw.<weight> (by the dequantised weight), and <file>/bound (how far half a step at every place that rounds can move y, to first order).

Run: python make.py. Needs numpy, onnx, onnxruntime, torch, safetensors.
"""
import logging
import os
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto as T, helper as h, numpy_helper as nh
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from safetensors.numpy import save_file

import fused
from torch_run import Run

logging.disable(logging.WARNING)
HERE = os.path.dirname(os.path.abspath(__file__))
MS = "com.microsoft"
N = h.make_node
rng = np.random.RandomState(4)
f4 = lambda *s: rng.randn(*s).astype("f4")
out = {}


def model(nodes, weights, inputs, outputs=("y",), opset=17):
    """Inputs: name → (type, shape)."""
    graph = h.make_graph(
        nodes, "g",
        [h.make_tensor_value_info(k, t, s) for k, (t, s) in inputs.items()],
        [h.make_tensor_value_info(k, T.FLOAT, None) for k in outputs],
        [nh.from_array(np.asarray(v), k) for k, v in weights.items()],
    )
    return h.make_model(graph, opset_imports=[h.make_opsetid("", opset), h.make_opsetid(MS, 1)], ir_version=8)


def native(m, feeds):
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(m.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(["y"], feeds)[0]


# The float models: nodes, weights, input shape.
nets = {
    "mlp": (
        [
            N("MatMul", ["x", "a.weight"], ["m"], name="/a/MatMul"),
            N("Add", ["m", "a.bias"], ["b"], name="/a/Add"),
            N("Relu", ["b"], ["t"], name="/act/Relu"),
            N("MatMul", ["t", "b.weight"], ["y"], name="/b/MatMul"),
        ],
        {"a.weight": f4(6, 8), "a.bias": f4(8), "b.weight": f4(8, 3)},
        (3, 6),
    ),
    "conv": (
        [
            N("Conv", ["x", "c.weight", "c.bias"], ["c"], name="/c/Conv", pads=[1] * 4),
            N("Relu", ["c"], ["r"], name="/r/Relu"),
            N("Conv", ["r", "d.weight"], ["d"], name="/d/Conv", group=2),
            N("LeakyRelu", ["d"], ["l"], name="/l/LeakyRelu", alpha=0.1),
            N("Sigmoid", ["d"], ["s"], name="/s/Sigmoid"),
            N("Mul", ["d", "s"], ["u"], name="/u/Mul"),
            N("Add", ["u", "l"], ["v"], name="/v/Add"),
            N("Concat", ["v", "r"], ["k"], name="/k/Concat", axis=1),
            N("AveragePool", ["k"], ["p"], name="/p/AveragePool", kernel_shape=[2, 2], strides=[2, 2]),
            N("GlobalAveragePool", ["p"], ["g"], name="/g/GlobalAveragePool"),
            N("Flatten", ["g"], ["f"], name="/f/Flatten"),
            N("Gemm", ["f", "e.weight", "e.bias"], ["z"], name="/e/Gemm", transB=1),
            N("Softmax", ["z"], ["y"], name="/y/Softmax", axis=-1),
        ],
        {"c.weight": f4(4, 3, 3, 3) / 3, "c.bias": f4(4), "d.weight": f4(4, 2, 1, 1), "e.weight": f4(5, 8), "e.bias": f4(5)},
        (2, 3, 5, 5),
    ),
    # Two activations are multiplied by one another, and one is moved about while it is integers.
    "attend": (
        [
            N("MatMul", ["x", "q.weight"], ["q"], name="/q/MatMul"),
            N("MatMul", ["x", "k.weight"], ["k"], name="/k/MatMul"),
            N("Transpose", ["k"], ["kt"], name="/Transpose", perm=[0, 2, 1]),
            N("MatMul", ["q", "kt"], ["s"], name="/qk/MatMul"),
            N("Softmax", ["s"], ["p"], name="/Softmax", axis=-1),
            N("MatMul", ["p", "x"], ["o"], name="/pv/MatMul"),
            N("MatMul", ["o", "o.weight"], ["y"], name="/o/MatMul"),
        ],
        {"q.weight": f4(5, 4) / 2, "k.weight": f4(5, 4) / 2, "o.weight": f4(5, 3)},
        (2, 4, 5),
    ),
}


class Reader(CalibrationDataReader):
    def __init__(self, shape):
        r = np.random.RandomState(9)
        self.rows = iter([{"x": r.randn(*shape).astype("f4")} for _ in range(6)])

    def get_next(self):
        return next(self.rows, None)


low_high = {np.dtype("u1"): (0, 255), np.dtype("i1"): (-128, 127)}


def dequantised(q, scale, zero, axis):
    """(q − z)·s in float64, per tensor or along an axis."""
    q, scale = q.astype("f8"), np.asarray(scale, "f8").reshape(-1)
    zero = np.zeros(1) if zero is None else np.asarray(zero, "f8").reshape(-1)
    shape = [-1 if i == axis % q.ndim else 1 for i in range(q.ndim)]
    return (q - (zero.reshape(shape) if zero.size > 1 else zero[0])) * (scale.reshape(shape) if scale.size > 1 else scale[0])


def stored(whole, ini, quantised):
    """Every weight of the float model as the quantised file holds it; where the file rounds activations."""
    weights, places = {}, {}
    for i in whole.graph.initializer:
        name, a = i.name, nh.to_array(i)
        if a.dtype != np.float32:
            continue
        user = next(n for n in whole.graph.node if name in n.input)
        turned = f"{name}_Transposed"
        if name in ini and f"{name}_scale" in ini:
            s, z = ini[f"{name}_scale"], ini[f"{name}_zero_point"]
            q = np.clip(np.round(ini[name] / s) + z, *low_high[z.dtype])
            weights[name] = dequantised(q, s, z, 0)
        elif name in ini:
            weights[name] = ini[name].astype("f8")
        elif f"{turned}_quantized" in ini:
            weights[name] = dequantised(ini[f"{turned}_quantized"], ini[f"{turned}_scale"], ini[f"{turned}_zero_point"], 1).T
        else:
            q = ini[f"{name}_quantized"]
            if q.dtype == np.int32:
                # A bias: in steps of the product.
                scale = ini[f"{user.input[0]}_scale" if f"{user.input[0]}_scale" in ini else "g_scale"] * ini[f"{user.input[1]}_scale"]
                weights[name] = dequantised(q, scale, None, 0)
            else:
                axis = 0 if user.op_type in ("Conv", "Gemm") else q.ndim - 1
                weights[name] = dequantised(q, ini[f"{name}_scale"], ini[f"{name}_zero_point"], axis)
    dynamic = {n.input[0] for n in quantised.graph.node if n.op_type in ("DynamicQuantizeLinear", "DynamicQuantizeMatMul")}
    for value in ["x", *(o for n in whole.graph.node for o in n.output)]:
        if value in dynamic:
            places[value] = "dynamic"
        elif f"{value}_scale" in ini:
            s, z = float(ini[f"{value}_scale"]), ini[f"{value}_zero_point"]
            low, high = low_high[z.dtype]
            places[value] = (s, (low - float(z)) * s, (high - float(z)) * s)
    return weights, places


def keep(name, quantised, whole, weights, places, feeds):
    onnx.save(quantised, f"{HERE}/{name}.onnx")
    weights = {k: torch.tensor(v, requires_grad=True) for k, v in weights.items()}
    x = torch.tensor(feeds["x"].astype("f8"), requires_grad=True) if feeds["x"].dtype == np.float32 else torch.tensor(feeds["x"])
    rest = {k: torch.tensor(v) for k, v in feeds.items() if k != "x"}
    run = Run(whole, weights, places)
    y = whole(x, weights, run.at) if callable(whole) else run({"x": x, **rest})
    loss = (y.reshape(-1) * torch.cos(torch.arange(y.numel(), dtype=torch.float64))).sum()
    wanted = {} if not y.requires_grad else {f"dw.{k}": w for k, w in weights.items()}
    if x.dtype == torch.float64:
        wanted["dx"] = x
    grads = torch.autograd.grad(loss, list(wanted.values()), retain_graph=True, allow_unused=True) if wanted else []
    quant, bound = native(quantised, feeds), run.bound(y)
    off = np.abs(quant - y.detach().numpy())
    print(f"{name:24s} off {off.max():.4f} of {np.abs(y.detach().numpy()).max():.3f}, bound used {(off / (bound + 1e-9)).max():.3f}")
    for key, value in {**feeds, "y": quant, "float": y.detach().numpy(), "bound": bound, **{k: g.numpy() for k, g in zip(wanted, grads) if g is not None}}.items():
        value = np.ascontiguousarray(value)
        out[f"{name}/{key}"] = value.astype("f4") if value.dtype == np.float64 else value


def quantise():
    u, i = QuantType.QUInt8, QuantType.QInt8
    ways = {
        "dynamic-i8": dict(weight_type=i),
        "dynamic-i8-channel": dict(weight_type=i, per_channel=True),
        "dynamic-u8": dict(weight_type=u),
        "dynamic-u8-channel": dict(weight_type=u, per_channel=True),
        "operator": dict(quant_format=QuantFormat.QOperator, activation_type=u, weight_type=i),
        "operator-channel": dict(quant_format=QuantFormat.QOperator, activation_type=u, weight_type=i, per_channel=True),
        "operator-u8": dict(quant_format=QuantFormat.QOperator, activation_type=u, weight_type=u),
        "qdq": dict(quant_format=QuantFormat.QDQ, activation_type=u, weight_type=i),
        "qdq-i8-channel": dict(quant_format=QuantFormat.QDQ, activation_type=i, weight_type=i, per_channel=True),
        "qdq-symmetric": dict(quant_format=QuantFormat.QDQ, activation_type=i, weight_type=i, extra_options={"ActivationSymmetric": True}),
        # Float weights that the file itself rounds, as training for quantisation leaves them.
        "qdq-weights": dict(quant_format=QuantFormat.QDQ, activation_type=u, weight_type=i, extra_options={"AddQDQPairToWeight": True}),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        for net, (nodes, weights, shape) in nets.items():
            whole = model(nodes, weights, {"x": (T.FLOAT, shape)})
            onnx.save(whole, path("float.onnx"))
            for way, options in ways.items():
                given = dict(options)
                if way.startswith("dynamic"):
                    extra = {"extra_options": {"MatMulConstBOnly": False}} if net == "attend" else {}
                    quantize_dynamic(path("float.onnx"), path("q.onnx"), **given, **extra)
                else:
                    quantize_static(path("float.onnx"), path("q.onnx"), Reader(shape), **given)
                take(f"{net}-{way}", whole, onnx.load(path("q.onnx")), shape)
        # An opset whose DequantizeLinear knows no axis, and the fusions that the runtime saves.
        nodes, weights, shape = nets["mlp"]
        whole = model(nodes, weights, {"x": (T.FLOAT, shape)}, opset=11)
        onnx.save(whole, path("float.onnx"))
        quantize_dynamic(path("float.onnx"), path("q.onnx"), weight_type=i, per_channel=True)
        take("mlp-opset11", whole, onnx.load(path("q.onnx")), shape)
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = path("o.onnx")
        ort.InferenceSession(path("q.onnx"), options, providers=["CPUExecutionProvider"])
        optimised = onnx.load(path("o.onnx"))
        print([n.op_type for n in optimised.graph.node])
        take("mlp-optimised", whole, optimised, shape)


def take(name, whole, quantised, shape):
    ini = {i.name: nh.to_array(i) for i in quantised.graph.initializer}
    keep(name, quantised, whole, *stored(whole, ini, quantised), {"x": f4(*shape)})


def fusions():
    for name, nodes, weights, given, function, floats, places in fused.cases():
        x = given if isinstance(given, np.ndarray) else f4(*given)
        kind = T.INT32 if x.dtype == np.int32 else T.FLOAT
        m = model(nodes, weights, {"x": (kind, x.shape)})
        keep(name, m, function, floats, places, {"x": x})


if __name__ == "__main__":
    quantise()
    fusions()
    save_file(out, f"{HERE}/integer.safetensors")
    print(sum(v.nbytes for v in out.values()), "bytes")
