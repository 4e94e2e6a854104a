"""Writes models whose weight reaches its multiplication by a detour, and what LyCORIS's Diag-OFT makes of them.

detours.safetensors holds per case: <case>/x, <case>/blocks (LyCORIS's oft_blocks), <case>/y (the model's output) and <case>/turned (its output with
the effective weight turned by lycoris.functional.diag_oft). Needs numpy, onnx, onnxruntime, torch, safetensors and lycoris-lora.
"""
import os

import numpy as np
import onnx
import onnxruntime as ort
import torch
from lycoris.functional.diag_oft import diff_weight
from onnx import TensorProto, helper as h, numpy_helper as nh
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
r = np.random.RandomState(1)
f4 = lambda *s: r.randn(*s).astype("f4")
W = f4(6, 8)  # in x out
X = f4(4, 6)
N = h.make_node
mm = N("MatMul", ["x", "w"], ["y"], name="/fc/MatMul")
scale = (np.abs(W).max(0) / 127).astype("f4")
q = np.round(W / scale).astype("i1")
u = (q.astype("i4") + 128).astype("u1")
norm = (r.rand(1, 8) + 0.5).astype("f4")
unit = W / np.sqrt((W * W).sum(0, keepdims=True))
packed = np.hstack([W, W * 2, W * 3])
ms = [h.make_opsetid("com.microsoft", 1)]

# name: (nodes, initializers, effective weight [in, out])
cases = {
    "reshape": ([N("Reshape", ["W", "s"], ["w"]), mm], {"W": W.reshape(2, 3, 8), "s": np.array([6, 8])}, W),
    "mul-tensor": ([N("Mul", ["W", "s"], ["w"]), mm], {"W": W, "s": np.array(0.5, "f4")}, W * 0.5),
    "mul-channel": ([N("Mul", ["s", "W"], ["w"]), mm], {"W": W, "s": norm}, W * norm),
    "div": ([N("Div", ["W", "s"], ["w"]), mm], {"W": W, "s": norm}, W / norm),
    "weight-norm": (
        [N("ReduceL2", ["fc.weight_v"], ["n"], axes=[0], keepdims=1), N("Div", ["fc.weight_v", "n"], ["vn"]), N("Mul", ["vn", "fc.weight_g"], ["w"]), mm],
        {"fc.weight_v": W, "fc.weight_g": norm},
        unit * norm,
    ),
    "concat": ([N("Concat", ["A", "B"], ["w"], axis=1), mm], {"A": W[:, :4].copy(), "B": W[:, 4:].copy()}, W),
    "slice": ([N("Slice", ["P", "a", "b", "ax"], ["w"]), mm], {"P": packed, "a": np.array([8]), "b": np.array([16]), "ax": np.array([1])}, W * 2),
    "split": ([N("Split", ["P", "sizes"], ["w0", "w", "w2"], axis=1), mm], {"P": packed, "sizes": np.array([8, 8, 8])}, W * 2),
    "gather": ([N("Gather", ["P", "i"], ["w"], axis=0), mm], {"P": np.stack([W, W * 2]), "i": np.array(1)}, W * 2),
    "three-axes": ([N("Unsqueeze", ["x", "z"], ["x3"]), N("MatMul", ["x3", "W"], ["y3"], name="/fc/MatMul"), N("Squeeze", ["y3", "z"], ["y"])], {"W": W[None], "z": np.array([0])}, W),
    "more-axes-than-x": ([N("MatMul", ["x", "W"], ["y3"], name="/fc/MatMul"), N("Squeeze", ["y3", "z"], ["y"])], {"W": W[None], "z": np.array([0])}, W),
    "left": ([N("Transpose", ["x"], ["xt"], perm=[1, 0]), N("MatMul", ["W", "xt"], ["yt"], name="/fc/MatMul"), N("Transpose", ["yt"], ["y"], perm=[1, 0])], {"W": np.ascontiguousarray(W.T)}, W),
    "left-gemm": ([N("Transpose", ["x"], ["xt"], perm=[1, 0]), N("Gemm", ["W", "xt"], ["yt"], transA=1, name="/fc/Gemm"), N("Transpose", ["yt"], ["y"], perm=[1, 0])], {"W": W}, W),
    "int8-cast-mul": ([N("Cast", ["fc.weight_int8"], ["f"], to=1), N("Mul", ["f", "s"], ["w"]), mm], {"fc.weight_int8": q, "s": scale[None]}, q * scale),
    "uint8-cast-sub-mul": ([N("Cast", ["W"], ["f"], to=1), N("Sub", ["f", "z"], ["c"]), N("Mul", ["c", "s"], ["w"]), mm], {"W": u, "z": np.array(128, "f4"), "s": scale[None]}, q * scale),
    "int8-sub-in-int32": (
        [N("Cast", ["W"], ["i"], to=6), N("Sub", ["i", "z"], ["c"]), N("Cast", ["c"], ["f"], to=1), N("Mul", ["f", "s"], ["w"]), mm],
        {"W": u, "z": np.array(128, "i4"), "s": scale[None]},
        q * scale,
    ),
    "int8-transpose-reshape": (
        [N("Cast", ["W"], ["f"], to=1), N("Mul", ["f", "s"], ["m"]), N("Reshape", ["m", "r"], ["v"]), N("Transpose", ["v"], ["w"], perm=[1, 0]), mm],
        {"W": np.ascontiguousarray(q.T).reshape(8, 2, 3), "s": scale[:, None, None], "r": np.array([8, 6])},
        q * scale,
    ),
    "sliced-and-scaled": (
        [N("Slice", ["P", "a", "b", "ax"], ["p"]), N("Transpose", ["p"], ["t"], perm=[1, 0]), N("Mul", ["t", "s"], ["m"]), N("Transpose", ["m"], ["w"], perm=[1, 0]), mm],
        {"P": packed, "a": np.array([16]), "b": np.array([24]), "ax": np.array([1]), "s": norm.T.copy()},
        W * 3 * norm,
    ),
    "conv-weight-norm": (
        [N("Unsqueeze", ["x", "z"], ["x4"]), N("ReduceL2", ["V"], ["n"], axes=[1, 2, 3], keepdims=1), N("Div", ["V", "n"], ["vn"]), N("Mul", ["vn", "g"], ["w"]),
         N("Conv", ["x4", "w"], ["y4"], name="/fc/Conv"), N("Squeeze", ["y4", "z"], ["y"])],
        {"V": np.ascontiguousarray(W.T)[:, :, None, None], "g": norm.reshape(8, 1, 1, 1), "z": np.array([2, 3])},
        unit * norm,
    ),
    "unnamed-fused-gemm": ([N("FusedGemm", ["x", "W"], ["y"], domain="com.microsoft", activation="Tanh")], {"W": W}, "tanh"),
    "unnamed-fused-matmul": ([N("FusedMatMul", ["x", "W"], ["y"], domain="com.microsoft", alpha=1.0)], {"W": W}, W),
}
B = (torch.randn(2, 4, 4, generator=torch.Generator().manual_seed(0)) * 0.2).float()
out = {}
for name, (nodes, inits, effective) in cases.items():
    outputs = [h.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = h.make_graph(nodes, "g", [h.make_tensor_value_info("x", TensorProto.FLOAT, [4, 6])], outputs, [nh.from_array(np.asarray(v), k) for k, v in inits.items()])
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17), *ms])
    model.ir_version = 8
    onnx.save(model, f"{HERE}/{name}.onnx")
    y = ort.InferenceSession(model.SerializeToString()).run(None, {"x": X})[0]
    E = torch.tensor(np.ascontiguousarray((W if isinstance(effective, str) else effective).T).astype("f4"))
    turned = X @ (E + diff_weight(E, B, None, constraint=0)).numpy().T
    if isinstance(effective, str):
        turned = np.tanh(turned)
    else:
        assert np.abs(y - X @ E.numpy().T).max() < 1e-5, name
    out |= {f"{name}/x": X, f"{name}/y": y.reshape(4, 8), f"{name}/turned": turned.astype("f4"), f"{name}/blocks": B.numpy()}
save_file(out, f"{HERE}/detours.safetensors")
