"""OFT as sd-scripts' networks/oft_flux.py keeps and applies it, its formula written out in float64: a projection whose outputs are slices, each
with blocks of its own. Writes kohya-parts.safetensors (the adapter) and kohya-parts-expected.safetensors (weights before and after).

    python kohya_parts.py
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent
# By layer: widths of the slices, number of blocks in each, alpha. FLUX's linear1 has three slices of one width and one four times as wide.
LAYERS = {"linear1": ([4, 4, 4, 16], 2, 0.01), "qkv": ([12, 12, 12], 3, 0.5), "linear2": ([16], 4, 0.01)}


def main():
    generator = torch.Generator().manual_seed(1)
    adapter, expected = {}, {}
    for name, (widths, count, alpha) in LAYERS.items():
        stem = f"oft_unet_single_blocks_0_{name}"
        weight = torch.randn(sum(widths), 8, generator=generator)
        adapter[f"{stem}.alpha"] = torch.tensor(alpha)
        rows = []
        for i, (width, slice_) in enumerate(zip(widths, weight.double().split(widths))):
            blocks = torch.randn(count, width // count, width // count, generator=generator) * 0.1
            adapter[f"{stem}.oft_blocks.{i}"] = blocks
            q = blocks.double() - blocks.double().mT
            norm = q.norm()
            q = q * (norm.clamp(max=alpha * width) + 1e-8) / (norm + 1e-8)
            eye = torch.eye(width // count, dtype=torch.float64)
            r = (eye + q) @ torch.linalg.inv(eye - q)
            rows.append(torch.einsum("knm,knp->kmp", r, slice_.reshape(count, width // count, -1)).reshape(width, -1))
        expected[f"{name}.before"], expected[f"{name}.after"] = weight, torch.cat(rows).float()
    save_file(adapter, HERE / "kohya-parts.safetensors")
    save_file(expected, HERE / "kohya-parts-expected.safetensors")


if __name__ == "__main__":
    main()
