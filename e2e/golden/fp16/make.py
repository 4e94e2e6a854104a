"""Zoo models in half precision, as ONNX Runtime's converter writes them. Run from the repository's root; needs onnx and onnxruntime."""

import pathlib

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16

here = pathlib.Path(__file__).parent
zoo = here.parent / "zoo"
for name, keep in (("bert-cls-dyn18", False), ("resnet18-ts17", True), ("sd-unet-ts17", False)):
    model = onnx.load(zoo / name / "model.onnx")
    half = convert_float_to_float16(model, keep_io_types=keep, disable_shape_infer=False)
    onnx.save(half, here / f"{name}.onnx")
    print(name, len(half.graph.node), (here / f"{name}.onnx").stat().st_size)
