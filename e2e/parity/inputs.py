"""Writes the numbers that both sides compute with: the UNet's inputs, and a cotangent for its output.

    python inputs.py OUT.safetensors
"""

import sys

import torch
from safetensors.torch import save_file

BATCH = 2


def main():
    generator = torch.Generator().manual_seed(20)
    save_file(
        {
            "input.sample": torch.randn(BATCH, 3, 32, 32, generator=generator),
            "input.timestep": torch.tensor([20, 640], dtype=torch.int32),
            "input.encoder_hidden_states": torch.randn(BATCH, 12, 96, generator=generator),
            "cotangent.out_sample": torch.randn(BATCH, 3, 32, 32, generator=generator),
        },
        sys.argv[1],
    )


if __name__ == "__main__":
    main()
