"""Makes model.onnx: a layer followed by Mod of floats, for which WebGPU has no kernel.

Usage: python e2e/golden/placement/make.py   (onnx, numpy)
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

weight = np.sin(np.arange(64, dtype=np.float32)).reshape(8, 8)
graph = helper.make_graph(
    [
        helper.make_node("MatMul", ["x", "layer.weight"], ["h"], name="layer/MatMul"),
        helper.make_node("Mod", ["h", "two"], ["y"], name="wrap/Mod", fmod=1),
    ],
    "wrapped",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 8])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 8])],
    [numpy_helper.from_array(weight, "layer.weight"), numpy_helper.from_array(np.array(2, np.float32), "two")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.save(model, Path(__file__).with_name("model.onnx"))
