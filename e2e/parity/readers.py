"""How programs that are not at hand here read adapter files: ComfyUI, A1111, kohya's sd-scripts, OneTrainer.

Each is a few rules over one layer's tensors and weight, in float64. C(Q) = (I + Q)(I − Q)⁻¹ and Q = B − Bᵀ throughout.
"""

from dataclasses import dataclass
from typing import Callable

import torch

Tensors = dict[str, torch.Tensor]


def cayley(q: torch.Tensor) -> torch.Tensor:
    eye = torch.eye(q.shape[-1], dtype=q.dtype)
    return torch.linalg.solve(eye - q, eye + q, left=False)


def by_blocks(blocks: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Each b×b block times its own b rows."""
    n, b, _ = blocks.shape
    return torch.bmm(blocks, rows.reshape(n, b, -1)).reshape(rows.shape)


def stage_order(rows: int, stage: int, b: int) -> torch.Tensor:
    """Which row stands where for a BOFT stage: row j of a group of 2·2ˢ·b/2 next to the one half a group on."""
    half = 2**stage * b // 2
    return torch.cat([torch.tensor([start + j, start + half + j]) for start in range(0, rows, 2 * half) for j in range(half)])


def turn(weight: torch.Tensor, rotations: torch.Tensor) -> torch.Tensor:
    """CᵀW for three axes (Diag-OFT); stage after stage C·W for four (BOFT)."""
    matrix = weight.flatten(1)
    if rotations.dim() == 3:
        return by_blocks(rotations.mT, matrix).reshape(weight.shape)
    for stage, blocks in enumerate(rotations):
        order = stage_order(len(matrix), stage, blocks.shape[-1])
        turned = torch.empty_like(matrix)
        turned[order] = by_blocks(blocks, matrix[order])
        matrix = turned
    return matrix.reshape(weight.shape)


@dataclass(frozen=True)
class Reader:
    """A program that reads `oft_blocks`."""

    name: str
    finds: Callable[[str], bool]  # whether it knows a layer by this key
    limit: Callable[[float, int], float]  # of ‖Q‖ over the layer, from alpha and the number of outputs
    zero_is_off: bool
    rescales: Callable[[int], bool]  # by the number of axes of the blocks
    axes: tuple[int, ...] = (3, 4)

    def merge(self, weight: torch.Tensor, tensors: Tensors) -> torch.Tensor:
        """The weight at strength 1."""
        weight = weight.double()
        blocks, alpha = tensors["oft_blocks"].double(), float(tensors["alpha"])
        q = blocks - blocks.mT
        limit, norm = self.limit(alpha, len(weight)), q.norm()
        if limit > 0 or not self.zero_is_off:
            q = q * ((min(norm, limit) + 1e-8) / (norm + 1e-8))
        merged = turn(weight, cayley(q))
        if "rescale" in tensors and self.rescales(blocks.dim()):
            merged = merged * tensors["rescale"].double().reshape(-1, *[1] * (weight.dim() - 1))
        return merged


def starts(*prefixes: str) -> Callable[[str], bool]:
    return lambda key: key.startswith(prefixes)


COMFYUI = Reader(
    "ComfyUI", starts("lora_unet_", "lycoris_", "lora_te", "diffusion_model."), lambda alpha, _: alpha, True, lambda axes: axes == 4
)
A1111 = Reader("A1111", starts("lora_unet_", "lycoris_", "lora_te"), lambda alpha, out: alpha * out, True, lambda _: True)
LYCORIS = Reader("LyCORIS", starts("lora_unet_", "lycoris_", "lora_te"), lambda alpha, out: alpha * out, True, lambda _: True)
# The rule of sd-scripts for weights alone: it also wants the prefix oft_unet_ and Stable Diffusion's own layer names.
KOHYA = Reader("kohya", lambda _: True, lambda alpha, out: alpha * out, False, lambda _: False, axes=(3,))


def one_trainer(weight: torch.Tensor, tensors: Tensors) -> torch.Tensor:
    """`oft_R.weight` as OneTrainer and sd-scripts' oft_v2 take it: a series of five terms, W·Rᵀ for linear layers, W·R for convolutions."""
    numbers = tensors["oft_R.weight"].double()
    b = round((1 + (1 + 8 * numbers.shape[1]) ** 0.5) / 2)
    q = torch.zeros(len(numbers), b, b, dtype=torch.float64)
    rows, columns = torch.triu_indices(b, b, 1)
    q[:, rows, columns] = numbers
    q = q - q.mT
    r = torch.eye(b, dtype=torch.float64) + 2 * q + 2 * q @ q + 2 * q @ q @ q + q @ q @ q @ q
    matrix = weight.double().flatten(1)
    n = matrix.shape[1] // b
    blocks = r.expand(n, b, b) if len(r) == 1 else r
    turned = torch.einsum("onb,nbc->onc" if weight.dim() == 4 else "onb,ncb->onc", matrix.reshape(-1, n, b), blocks)
    return turned.reshape(weight.shape)
