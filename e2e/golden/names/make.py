"""Names of the layers of diffusion models and text encoders, as diffusers and transformers build them, and Stable Diffusion's original names of
the UNets by diffusers' own converter. Writes names.json beside it.

    python make.py
"""

import itertools
import json
import re
from pathlib import Path

import torch
from diffusers import FluxTransformer2DModel, SD3Transformer2DModel, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, T5Config, T5EncoderModel

HERE = Path(__file__).parent


def layers(model):
    return [name for name, module in model.named_modules() if isinstance(module, (nn.Linear, nn.Conv2d))]


def unet(widths, **more):
    return UNet2DConditionModel(sample_size=8, block_out_channels=widths, norm_num_groups=4, cross_attention_dim=8, **more)


def original(model):
    """Original name by diffusers' name: all names that there could be go through the converter, each with a number of its own."""
    residual = ["in_layers.2", "emb_layers.1", "out_layers.3", "skip_connection"]
    inner = [n.split("attentions.0.")[1] for n in layers(model) if ".attentions.0." in n]
    insides = [f"0.{r}" for r in residual] + ["0.op"] + [f"1.{i}" for i in sorted(set(inner))] + ["1.conv", "2.conv"]
    names = ["time_embed.0", "time_embed.2", "label_emb.0.0", "label_emb.0.2", "input_blocks.0.0", "out.2"]
    names += [f"middle_block.{k}.{r}" for k in (0, 2) for r in residual] + [f"middle_block.1.{i}" for i in sorted(set(inner))]
    tree = layers(model)
    per_level = model.config.layers_per_block + 1
    count = per_level * len(model.config.block_out_channels)
    found = {}
    # The converter reads the place of samplers from what is there: only what this UNet has may be offered.
    levels = len(model.config.block_out_channels)
    for n, inside in itertools.product(range(1, count), insides):
        down, has_op = n % per_level == 0, inside == "0.op"
        if down == has_op and "conv" not in inside.split(".")[-1:]:
            names.append(f"input_blocks.{n}.{inside}")
    for n, inside in itertools.product(range(count), insides):
        level, last = n // per_level, n % per_level == per_level - 1
        attention = any(name.startswith(f"up_blocks.{level}.attentions") for name in tree)
        if inside == "0.op" or (inside.startswith("1.") and inside != "1.conv" and not attention):
            continue
        if inside in ("1.conv", "2.conv") and not (last and level < levels - 1 and inside == ("2.conv" if attention else "1.conv")):
            continue
        names.append(f"output_blocks.{n}.{inside}")
    numbers = {float(i): name for i, name in enumerate(names)}
    checkpoint = {f"model.diffusion_model.{name}.weight": torch.tensor([number]) for number, name in numbers.items()}
    checkpoint |= {f"model.diffusion_model.{name}.bias": torch.tensor([-1.0]) for name in names}
    config = {"layers_per_block": model.config.layers_per_block, "class_embed_type": None, "addition_embed_type": model.config.addition_embed_type}
    for key, value in convert_ldm_unet_checkpoint(checkpoint, config).items():
        name = re.sub(r"\.weight$", "", key)
        if key.endswith(".weight") and name in tree:
            found[name] = numbers[value.item()]
    missing = set(tree) - found.keys()
    assert not missing, sorted(missing)
    return found


def main():
    clip = CLIPTextConfig(hidden_size=8, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, vocab_size=20,
                          max_position_embeddings=8, projection_dim=8, bos_token_id=0, eos_token_id=1)
    t5 = T5Config(d_model=8, d_kv=4, d_ff=16, num_layers=2, num_heads=2, vocab_size=20, feed_forward_proj="gated-gelu")
    sd15 = unet((8, 8, 8, 8), attention_head_dim=2)
    sdxl = unet((8, 8, 8), attention_head_dim=(2, 2, 2), transformer_layers_per_block=(1, 2, 3), use_linear_projection=True,
                down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
                up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
                addition_embed_type="text_time", addition_time_embed_dim=4, projection_class_embeddings_input_dim=32)
    flux = FluxTransformer2DModel(num_layers=1, num_single_layers=1, attention_head_dim=8, num_attention_heads=2, joint_attention_dim=8,
                                  pooled_projection_dim=8, in_channels=4, axes_dims_rope=(2, 2, 4), guidance_embeds=True)
    sd3 = SD3Transformer2DModel(sample_size=8, patch_size=2, in_channels=4, num_layers=2, attention_head_dim=4, num_attention_heads=2,
                                joint_attention_dim=8, caption_projection_dim=8, pooled_projection_dim=8, out_channels=4,
                                pos_embed_max_size=8, dual_attention_layers=(0,), qk_norm="rms_norm")
    trees = {
        "clip_l": layers(CLIPTextModel(clip)),
        "clip_g": layers(CLIPTextModelWithProjection(clip)),
        "t5": layers(T5EncoderModel(t5)),
        "flux": layers(flux),
        "sd3": layers(sd3),
    }
    unets = {"sd15": original(sd15), "sdxl": original(sdxl)}
    text = json.dumps({"trees": trees, "unets": unets}, separators=(",", ":"))
    (HERE / "names.json").write_text(text + "\n")
    print(len(text), {k: len(v) for k, v in (trees | unets).items()})


if __name__ == "__main__":
    main()
