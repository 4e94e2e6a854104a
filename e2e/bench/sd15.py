"""Makes an ONNX file of the size and shape of Stable Diffusion 1.5's UNet, with random weights as external data.

    python sd15.py FOLDER

About 860 million parameters, 3.4 GB on disk; for `npm run bench -- scale FOLDER/model.onnx`. Nothing is downloaded: the configuration
is written out below.
"""

import sys
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel

CONFIG = {
    "sample_size": 64,
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": (320, 640, 1280, 1280),
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    "layers_per_block": 2,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    unet = UNet2DConditionModel(**CONFIG).eval().requires_grad_(False)
    print(sum(p.numel() for p in unet.parameters()) / 1e6, "million parameters")
    inputs = (torch.zeros(1, 4, 64, 64), torch.ones(1), torch.zeros(1, 77, 768))
    names = ["sample", "timestep", "encoder_hidden_states"]
    dynamic = {"sample": {0: "batch"}, "timestep": {0: "batch"}, "encoder_hidden_states": {0: "batch"}}
    with torch.no_grad():
        torch.onnx.export(
            unet, inputs, str(folder / "model.onnx"), input_names=names, output_names=["out_sample"],
            dynamic_axes=dynamic, opset_version=17, dynamo=False,
        )


if __name__ == "__main__":
    main()
