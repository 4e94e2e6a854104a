"""Writes cases.json: small models of opsets 7 to 10, with what onnxruntime gives and central differences of it.

For every operator whose form or meaning changed up to opset 11, in every form that it had. Needs onnx and onnxruntime.
"""

import base64
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

rng = np.random.default_rng(7)
cases = []
seen = set()


def floats(*shape):
    return rng.uniform(-1, 1, shape).astype(np.float32).round(3)


def apart(shapes):
    """Numbers in −0.95 … 0.95 of which no two, and none and zero, come near each other: differences must not step over a kink."""
    sizes = [int(np.prod(s)) for s in shapes]
    total = sum(sizes) + sum(sizes) % 2
    values = rng.permutation(np.linspace(-0.95, 0.95, total)).astype(np.float32).round(4)
    ends = np.cumsum(sizes)
    return [values[e - n : e].reshape(s) for e, n, s in zip(ends, sizes, shapes)]


def case(op, shapes, build=None, opsets=(7, 8, 9, 10), name="", out="y", domain_free=True, gradient=True, data=None, **attributes):
    """build(version) → (nodes, initializers); without it one node with the attributes. One case for each form in the range."""
    for opset in opsets:
        try:
            since = onnx.defs.get_schema(op, opset).since_version
        except onnx.defs.SchemaError:
            continue
        key = (op, name, since if len(opsets) == 4 else opset)
        if key in seen:
            continue
        seen.add(key)
        inputs = data or apart(shapes)
        names = [f"x{i}" for i in range(len(inputs))]
        nodes, initializers = build(opset) if build else ([h.make_node(op, names, ["y"], **attributes)], {})
        graph = h.make_graph(
            nodes,
            "g",
            # Before IR version 4 every initializer is an input, too.
            [h.make_tensor_value_info(n, h.np_dtype_to_tensor_dtype(x.dtype), x.shape) for n, x in zip(names, inputs)]
            + [h.make_tensor_value_info(k, h.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in initializers.items()],
            [h.make_tensor_value_info(out, T.UNDEFINED, None)],
            [nh.from_array(v, k) for k, v in initializers.items()],
        )
        model = h.make_model(graph, opset_imports=[h.make_opsetid("", opset)], ir_version=3)
        model.graph.output[0].ClearField("type")
        # onnxruntime wants the output's type: of the element alone.
        kind = onnx.shape_inference.infer_shapes(model).graph.output[0].type
        model.graph.output[0].type.CopyFrom(kind if kind.HasField("tensor_type") else onnx.helper.make_tensor_type_proto(T.FLOAT, None))
        session = ort.InferenceSession(model.SerializeToString())

        def run(xs):
            return session.run([out], dict(zip(names, xs)))[0]

        y = run(inputs)
        c = rng.uniform(-1, 1, y.shape).round(2)
        gradients = []
        for i, x in enumerate(inputs):
            if not gradient or x.dtype != np.float32:
                gradients.append(None)
                continue
            found = np.zeros(x.size)
            for k in range(x.size):
                def at(step):
                    moved = [v.copy() for v in inputs]
                    moved[i].reshape(-1)[k] += np.float32(step)
                    return float((run(moved).astype(np.float64) * c).sum())

                s = 0.004
                found[k] = (8 * (at(s) - at(-s)) - (at(2 * s) - at(-2 * s))) / (12 * s)
            gradients.append([float(f"{v:.5g}") for v in found])
        cases.append(
            {
                "name": f"{op} of opset {opset}" + (f", {name}" if name else ""),
                "op": op,
                "since": since,
                "model": base64.b64encode(model.SerializeToString()).decode(),
                "inputs": [{"type": str(x.dtype), "shape": x.shape, "values": [float(f"{v:.6g}") for v in x.reshape(-1)]} for x in inputs],
                "output": {"shape": y.shape, "values": [float(f"{v:.7g}") for v in np.asarray(y, np.float64).reshape(-1)]},
                **({"cotangent": c.reshape(-1).tolist(), "gradients": gradients} if gradient else {}),
            }
        )


def i64(*values):
    return np.array(values, np.int64)


def node(op, inputs, **attributes):
    return h.make_node(op, inputs, ["y"], **attributes)


one = [(2, 3, 4)]
picture = [(1, 2, 3, 4)]
for op in ("ArgMax", "ArgMin"):
    case(op, one, axis=1, gradient=False)
    case(op, one, name="defaults", gradient=False)
case("AveragePool", picture, kernel_shape=[2, 2], pads=[1, 0, 0, 1], strides=[2, 1])
case("AveragePool", picture, name="pads counted", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
case("AveragePool", picture, name="auto_pad", kernel_shape=[2, 2], auto_pad="SAME_UPPER")
case("AveragePool", picture, name="ceil_mode", opsets=(10,), kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)


def batch_norm(shape, **attributes):
    stats = {k: np.abs(floats(*shape)) + 0.5 for k in ("scale", "bias", "mean", "variance")}
    return lambda _: ([node("BatchNormalization", ["x0", *stats], **attributes)], stats)


case("BatchNormalization", picture, batch_norm((2,), epsilon=1e-3, momentum=0.8))
case("BatchNormalization", picture, batch_norm((2,), spatial=1), opsets=(7, 8), name="spatial = 1")
case("BatchNormalization", picture, batch_norm((2, 3, 4), spatial=0, epsilon=1e-2), opsets=(7, 8), name="spatial = 0")
case("BatchNormalization", [(3, 2)], batch_norm((2,), spatial=0), opsets=(7,), name="spatial = 0, rank 2")
case("Cast", [], data=[(floats(2, 3, 4) * 64).round() / 64], build= lambda _: ([h.make_node("Cast", ["x0"], ["h"], to=T.FLOAT16), node("Cast", ["h"], to=T.FLOAT)], {}), gradient=False)
case("Clip", one)
case("Clip", one, name="both bounds", min=-0.41, max=0.33)
case("Clip", one, name="upper bound", max=0.33)
case("Compress", one, lambda _: ([node("Compress", ["x0", "c"], axis=1)], {"c": np.array([True, False, True])}))
case("Concat", [(2, 2), (2, 3)], axis=1)
case("Constant", one, lambda _: ([h.make_node("Constant", [], ["k"], value=nh.from_array(floats(4), "k")), node("Mul", ["x0", "k"])], {}))
case("ConstantOfShape", one, lambda _: ([h.make_node("Shape", ["x0"], ["s"]), h.make_node("ConstantOfShape", ["s"], ["k"], value=nh.from_array(np.array([2.5], np.float32), "v")), node("Mul", ["x0", "k"])], {}))
case("Conv", picture, lambda _: ([node("Conv", ["x0", "w", "b"], pads=[1, 1, 1, 1], strides=[2, 1])], {"w": floats(3, 2, 3, 3), "b": floats(3)}))
case("ConvTranspose", picture, lambda _: ([node("ConvTranspose", ["x0", "w"], strides=[2, 2], output_padding=[1, 1])], {"w": floats(2, 3, 2, 2)}))
case("DepthToSpace", [(1, 8, 2, 2)], blocksize=2)
case("Dropout", one, ratio=0.3)
case("Dropout", one, lambda _: ([h.make_node("Dropout", ["x0"], ["d", "m"]), h.make_node("Cast", ["m"], ["f"], to=T.FLOAT), node("Mul", ["d", "f"])], {}), opsets=(10,), name="mask")
case("Equal", [], data=[np.arange(4, dtype=np.int32), np.array([0, 2, 2, 3], np.int32)], build=lambda _: ([h.make_node("Equal", ["x0", "x1"], ["e"]), node("Cast", ["e"], to=T.FLOAT)], {}), gradient=False)
case("Expand", [(2, 1, 4)], lambda _: ([node("Expand", ["x0", "s"])], {"s": i64(2, 3, 1)}))
case("Flatten", one, axis=2)
case("Flatten", one, name="axis 0", axis=0)
case("Gather", one, lambda _: ([node("Gather", ["x0", "i"], axis=1)], {"i": i64(2, 0, 0)}))
case("Gemm", [(3, 2), (4, 3)], lambda _: ([node("Gemm", ["x0", "x1", "c"], alpha=0.5, beta=2.0, transA=1, transB=1)], {"c": floats(4)}))
case("Gemm", [(2, 3), (3, 4)], lambda _: ([node("Gemm", ["x0", "x1", "c"])], {"c": floats(1)}), name="one number added")
for op in ("Greater", "Less"):
    case(op, [(2, 3), (3,)], lambda _, op=op: ([h.make_node(op, ["x0", "x1"], ["b"]), node("Cast", ["b"], to=T.FLOAT)], {}), gradient=False)
for op in ("Softmax", "LogSoftmax", "Hardmax"):
    case(op, one, gradient=op != "Hardmax")
    case(op, one, name="axis 2", gradient=op != "Hardmax", axis=2)
    case(op, one, name="axis 0", gradient=op != "Hardmax", axis=0)
case("LpPool", picture, kernel_shape=[2, 2], p=2, strides=[1, 2])
case("MatMul", [(2, 3, 4), (4, 2)])
for op in ("Max", "Min", "Sum", "Mean"):
    case(op, [(2, 3), (2, 3), (2, 3)])
    case(op, [(2, 3), (3,), (2, 1)], opsets=(8, 9), name="broadcast")
    case(op, [(2, 3)], name="one operand")
case("MaxPool", picture, kernel_shape=[2, 3], pads=[0, 1, 0, 1], strides=[2, 1])
case("MaxPool", picture, name="dilated, ceil_mode", opsets=(10,), kernel_shape=[2, 2], dilations=[2, 1], strides=[1, 2], ceil_mode=1)
case("Mod", [], data=[np.array([5, -5, 7], np.int32), np.array([3, 3, -4], np.int32)], gradient=False)
case("OneHot", [], data=[i64(1, 0, 3, 5)], build=lambda _: ([node("OneHot", ["x0", "d", "v"])], {"d": i64(4), "v": np.array([-1, 2], np.float32)}), gradient=False)
case("PRelu", one, lambda _: ([node("PRelu", ["x0", "s"])], {"s": floats(3, 1)}))
case("Pad", one, pads=[1, 0, 2, 0, 1, 0])
case("Pad", one, name="value", pads=[1, 0, 0, 0, 1, 0], value=1.5)
case("Pad", one, name="reflect", pads=[0, 1, 2, 0, 1, 1], mode="reflect")
case("Pad", one, name="edge, cropped", pads=[0, 1, 0, 1, -1, 0], mode="constant")
case("Pad", one, name="edge", pads=[0, 2, 1, 1, 0, 1], mode="edge")
for op in "ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare".split():
    case(op, one, axes=[1], keepdims=0)
    case(op, one, name="all axes")
case("ReduceLogSum", [], data=[np.abs(floats(2, 3, 4)) + 0.5], axes=[0, 2], keepdims=1)
scales = {"s": np.array([1, 1, 2, 2], np.float32)}
for mode in ("nearest", "linear"):
    case("Upsample", [(1, 2, 2, 3)], lambda v, mode=mode: ([node("Upsample", ["x0"], scales=[1.0, 1.0, 2.0, 2.0], mode=mode)], {}) if v < 9 else ([node("Upsample", ["x0", "s"], mode=mode)], scales), opsets=(7, 8, 9), name=mode)
    case("Upsample", [(1, 2, 2, 3)], lambda v, mode=mode: ([node("Upsample", ["x0", "s"], mode=mode)], {"s": np.array([1, 1, 2.5, 1.5], np.float32)}), opsets=(9,), name=f"{mode}, broken scales")
    case("Resize", picture, lambda v, mode=mode: ([node("Resize", ["x0", "s"], mode=mode)], {"s": np.array([1, 1, 2, 3], np.float32)}), name=mode)
    case("Resize", picture, lambda v, mode=mode: ([node("Resize", ["x0", "s"], mode=mode)], {"s": np.array([1, 1, 0.5, 1.5], np.float32)}), name=f"{mode}, smaller")
case("Upsample", [(1, 2, 2, 3)], lambda v: ([node("Upsample", ["x0"], scales=[1.0, 1.0, 3.0, 2.0])], {}), opsets=(7,), name="default mode")
case("Scatter", [(3, 3), (2, 3)], lambda _: ([node("Scatter", ["x0", "i", "x1"])], {"i": i64(1, 0, 2, 0, 2, 1).reshape(2, 3)}), opsets=(9, 10))
case("Scatter", [(1, 5), (1, 2)], lambda _: ([node("Scatter", ["x0", "i", "x1"], axis=1)], {"i": i64(1, 3).reshape(1, 2)}), name="axis 1", opsets=(9, 10))
case("Slice", one, lambda v: ([node("Slice", ["x0"], axes=[1, 2], starts=[1, -3], ends=[9, -1])], {}), opsets=(7, 9), name="attributes")
case("Slice", one, lambda v: ([node("Slice", ["x0"], starts=[0, 1], ends=[1, 2**31 - 1])], {}), opsets=(8,), name="no axes")
case("Slice", one, lambda v: ([node("Slice", ["x0", "a", "b", "c", "d"])], {"a": i64(-1), "b": i64(-9), "c": i64(2), "d": i64(-2)}), opsets=(10,), name="inputs")
case("Split", one, lambda _: ([h.make_node("Split", ["x0"], ["a", "b"], axis=2, split=[1, 3]), node("Mul", ["a", "b"])], {}))
case("Split", one, lambda _: ([h.make_node("Split", ["x0"], ["a", "b"]), node("Mul", ["a", "b"])], {}), name="equal parts")
case("Squeeze", [(1, 3, 1, 2)], axes=[0, 2])
case("Squeeze", [(1, 3, 1, 2)], name="all")
case("Unsqueeze", [(3, 2)], axes=[0, 3])
case("TopK", one, lambda v: ([h.make_node("TopK", ["x0"], ["y", "i"], k=2, axis=1)], {}), opsets=(7, 9), name="attribute")
case("TopK", one, lambda v: ([h.make_node("TopK", ["x0", "k"], ["y", "i"])], {"k": i64(3)}), opsets=(10,), name="input")
case("TopK", one, lambda v: ([h.make_node("TopK", ["x0"], ["v", "i"], k=2), node("Cast", ["i"], to=T.FLOAT)], {}), opsets=(8,), name="places", gradient=False)
case("MeanVarianceNormalization", picture, axes=[0, 2, 3])
case("InstanceNormalization", picture, lambda _: ([node("InstanceNormalization", ["x0", "s", "b"])], {"s": floats(2), "b": floats(2)}))
case("LRN", picture, size=3, alpha=0.1, beta=0.5)
case("Where", [(2, 3), (3,)], lambda _: ([node("Where", ["c", "x0", "x1"])], {"c": np.array([[True], [False]])}))


def branch(name, op):
    return h.make_graph([h.make_node(op, ["x0"], [name])], name, [], [h.make_tensor_value_info(name, T.FLOAT, None)])


case("If", one, lambda _: ([h.make_node("If", ["c"], ["y"], then_branch=branch("t", "Tanh"), else_branch=branch("e", "Neg"))], {"c": np.array(True)}))
for op in "Tan Sinh Atanh Erf Sign".split():
    case(op, [(2, 3)])

Path(__file__).with_name("cases.json").write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
print(len(cases))
