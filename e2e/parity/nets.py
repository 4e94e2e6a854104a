"""The tiny networks of the parity checks: made here with random weights from fixed seeds, and exported with torch.onnx.

Each is as small as it can be and still has every kind of layer that an adapter meets in the real thing.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from types import MethodType

import torch
from diffusers import UNet2DConditionModel
from torch import nn
from transformers import (
    BertConfig,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    ViTConfig,
    ViTForImageClassification,
)


@dataclass(frozen=True)
class Net:
    """A module whose forward takes `inputs` by position and returns one tensor named `output`."""

    module: nn.Module
    inputs: dict[str, torch.Tensor]
    output: str

    def run(self, module: nn.Module | None = None) -> torch.Tensor:
        return (module or self.module)(*self.inputs.values())


def prepared(module: nn.Module, forward, inputs: dict[str, torch.Tensor], output: str) -> Net:
    """Binds a forward of tensors only. The module itself is exported, so that names in the file are its own module paths."""
    module.original_forward = module.forward
    module.forward = MethodType(forward, module)
    return Net(module.eval().requires_grad_(False), inputs, output)


def numbers(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def tokens(seed: int, vocabulary: int, *shape: int) -> torch.Tensor:
    return torch.randint(0, vocabulary, shape, generator=torch.Generator().manual_seed(seed))


def unet() -> Net:
    module = UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(16, 32),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        norm_num_groups=8,
        cross_attention_dim=16,
        attention_head_dim=2,
    )

    def forward(self, sample, timestep, encoder_hidden_states):
        return self.original_forward(sample, timestep, encoder_hidden_states, return_dict=False)[0]

    inputs = {
        "sample": numbers(1, 2, 4, 8, 8),
        "timestep": torch.tensor([20, 640]),
        "encoder_hidden_states": numbers(2, 2, 6, 16),
    }
    return prepared(module, forward, inputs, "out_sample")


def llama() -> Net:
    config = LlamaConfig(
        vocab_size=96,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=32,
        initializer_range=0.15,
        attn_implementation="eager",
    )

    def forward(self, input_ids, attention_mask):
        return self.original_forward(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).logits

    mask = torch.ones(2, 8, dtype=torch.int64)
    mask[1, 6:] = 0
    return prepared(LlamaForCausalLM(config), forward, {"input_ids": tokens(3, 96, 2, 8), "attention_mask": mask}, "logits")


def bert() -> Net:
    config = BertConfig(
        vocab_size=80,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=32,
        initializer_range=0.15,
        attn_implementation="eager",
    )

    def forward(self, input_ids, attention_mask):
        return self.original_forward(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    mask = torch.ones(2, 10, dtype=torch.int64)
    mask[0, 7:] = 0
    inputs = {"input_ids": tokens(4, 80, 2, 10), "attention_mask": mask}
    return prepared(BertModel(config, add_pooling_layer=False), forward, inputs, "last_hidden_state")


def vit() -> Net:
    config = ViTConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        image_size=16,
        patch_size=4,
        num_labels=8,
        initializer_range=0.15,
        attn_implementation="eager",
    )

    def forward(self, pixel_values):
        return self.original_forward(pixel_values=pixel_values).logits

    return prepared(ViTForImageClassification(config), forward, {"pixel_values": numbers(5, 3, 3, 16, 16)}, "logits")


MAKERS = {"unet": unet, "llama": llama, "bert": bert, "vit": vit}


def make(name: str) -> Net:
    """The same network at every call."""
    torch.manual_seed(sum(map(ord, name)))
    return MAKERS[name]()


def export(net: Net, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.module,
            tuple(net.inputs.values()),
            path,
            input_names=list(net.inputs),
            output_names=[net.output],
            dynamic_axes={name: {0: "batch"} for name in (*net.inputs, net.output)},
            opset_version=17,
            dynamo=False,
        )
