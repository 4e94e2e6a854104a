"""Makes selections.json: what LyCORIS's presets and PEFT's configurations select on the tiny UNet (../oft/unet) and on a CLIP text encoder.

Run with LyCORIS 4.1.3 and PEFT 0.21.2: python make.py
"""

import json
import logging
import os
import tempfile
import warnings

import torch

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

from diffusers import UNet2DConditionModel  # noqa: E402
from lycoris import kohya  # noqa: E402
from lycoris.wrapper import LycorisNetwork, create_lycoris  # noqa: E402
from peft import OFTConfig, inject_adapter_in_model  # noqa: E402
from transformers import CLIPTextConfig, CLIPTextModel  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
UNET = os.path.join(HERE, "..", "oft", "unet")
DEFAULTS = {
    name: getattr(kohya.LycorisNetworkKohya, name)
    for name in dir(kohya.LycorisNetworkKohya)
    if name.isupper()
}
WRAPPER_DEFAULTS = {name: getattr(LycorisNetwork, name) for name in dir(LycorisNetwork) if name.isupper()}


def models():
    config = UNet2DConditionModel.load_config(UNET)
    unet = UNet2DConditionModel.from_config(config)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=32,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=8,
        )
    )
    return unet, text


def blocks(network):
    """Module path -> kind of adapter and shape of its blocks; names are mapped back by the caller."""
    return {
        lora.lora_name: [lora.name, *lora.oft_blocks.shape] if hasattr(lora, "oft_blocks") else [lora.name]
        for lora in network.loras
    }


def paths(prefix, model):
    return {f"{prefix}_{name}".replace(".", "_"): name for name, _ in model.named_modules()}


def with_kohya(preset, dim, **args):
    for name, value in DEFAULTS.items():
        setattr(kohya.LycorisNetworkKohya, name, value)
    unet, text = models()
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "preset.toml")
        with open(file, "w") as f:
            f.write(preset)
        network = kohya.create_network(
            1.0, dim, 1, None, text, unet, algo="diag-oft", preset=file, **args
        )
    names = {**paths("lora_unet", unet), **paths("lora_te", text)}
    found = blocks(network)
    return {
        "unet": {names[k]: v for k, v in found.items() if k.startswith("lora_unet")},
        "text_encoder": {names[k]: v for k, v in found.items() if k.startswith("lora_te")},
    }


def with_wrapper(preset, dim, **args):
    for name, value in WRAPPER_DEFAULTS.items():
        setattr(LycorisNetwork, name, value)
    unet, _ = models()
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "preset.toml")
        with open(file, "w") as f:
            f.write(preset)
        network = create_lycoris(unet, 1.0, linear_dim=dim, algo="diag-oft", preset=file, **args)
    prefix = LycorisNetwork.LORA_PREFIX
    names = {name.replace(".", "_"): name for name, _ in unet.named_modules()}
    # The wrapper joins prefix and path by "_" or by "_" and "."; only the path counts here.
    return {"unet": {names[k.removeprefix(prefix).lstrip("_")]: v for k, v in blocks(network).items()}}


KOHYA = [
    (
        "overrides by class, the innermost wins",
        """
enable_conv = true
unet_target_module = ["Transformer2DModel", "ResnetBlock2D"]
unet_target_name = []
text_encoder_target_module = ["CLIPAttention", "CLIPMLP"]
text_encoder_target_name = []
[module_algo_map.Attention]
dim = 2
[module_algo_map.Transformer2DModel]
dim = 16
[module_algo_map.CLIPMLP]
dim = 2
algo = "boft"
""",
        {},
    ),
    (
        "overrides by name, the first that matches",
        """
enable_conv = false
unet_target_module = []
unet_target_name = [".*attn1", ".*attn2.to_k", ".*resnets.*conv1"]
text_encoder_target_module = []
text_encoder_target_name = []
[name_algo_map.".*attn1.to_q"]
dim = 2
[name_algo_map.".*attn1"]
dim = 16
[name_algo_map.".*mid_block.*conv1"]
dim = 4
""",
        {},
    ),
    (
        "fnmatch and exclusions",
        """
enable_conv = true
use_fnmatch = true
unet_target_module = ["Transformer2DModel", "ResnetBlock2D"]
unet_target_name = ["conv_*", "time_embedding.linear_[!2]"]
text_encoder_target_module = []
text_encoder_target_name = []
exclude_name = ["*.to_v", "down_blocks.?.attentions.0", "up_blocks.1.resnets", "*attn1"]
""",
        {},
    ),
    (
        "exclusions by expression",
        """
enable_conv = true
unet_target_module = ["Transformer2DModel", "ResnetBlock2D", "Downsample2D", "Upsample2D"]
unet_target_name = ["conv_in", "conv_out"]
text_encoder_target_module = ["CLIPAttention"]
text_encoder_target_name = []
exclude_name = ["up_blocks", ".*attn2", "encoder.layers.0"]
""",
        {},
    ),
    (
        "another dim for convolutions",
        """
enable_conv = true
unet_target_module = ["ResnetBlock2D", "Transformer2DModel"]
unet_target_name = []
text_encoder_target_module = []
text_encoder_target_name = []
""",
        {"conv_dim": "2"},
    ),
    (
        "no convolutions, but for a class that brings its dim",
        """
enable_conv = false
unet_target_module = ["ResnetBlock2D", "Downsample2D", "Transformer2DModel"]
unet_target_name = []
text_encoder_target_module = []
text_encoder_target_name = []
[module_algo_map.Downsample2D]
dim = 4
[module_algo_map.FeedForward]
algo = "lokr"
dim = 4
""",
        {},
    ),
    (
        "layers as classes",
        """
enable_conv = true
unet_target_module = ["Linear"]
unet_target_name = []
text_encoder_target_module = ["CLIPEncoderLayer"]
text_encoder_target_name = []
[module_algo_map.Linear]
dim = 2
""",
        {},
    ),
]

WRAPPER = [
    ("everything by default", "enable_conv = true\n", {}),
    ("without convolutions", "enable_conv = false\n", {}),
    (
        "maps are targets too",
        """
enable_conv = true
target_module = ["Attention"]
target_name = [".*proj_in"]
[module_algo_map.FeedForward]
dim = 2
[name_algo_map."conv_in"]
dim = 4
""",
        {},
    ),
    (
        "exclusions",
        """
target_module = ["Linear", "Conv2d"]
target_name = []
use_fnmatch = true
exclude_name = ["*attn?.to_[qk]", "mid_block*"]
""",
        {},
    ),
]

PEFT = [
    ("ends of names", {"target_modules": ["to_q", "attn2.to_k", "conv_in"], "oft_block_size": 8}),
    ("one expression", {"target_modules": r".*attn1\.(to_q|to_k)|time_embedding\.linear_\d", "oft_block_size": 8}),
    ("all linear", {"target_modules": "all-linear", "oft_block_size": 16}),
    (
        "exclusions by list",
        {"target_modules": ["to_q", "to_k"], "exclude_modules": ["attn1.to_k"], "r": 4, "oft_block_size": 0},
    ),
    (
        "exclusions by expression",
        {"target_modules": ["to_q"], "exclude_modules": r"down_blocks.*", "oft_block_size": 8},
    ),
    (
        "the first index after two segments",
        {"target_modules": ["to_q", "conv1"], "layers_to_transform": [1], "oft_block_size": 8},
    ),
    (
        "the index after a named list",
        {
            "target_modules": ["to_q", "conv1"],
            "layers_to_transform": 0,
            "layers_pattern": ["resnets", "transformer_blocks"],
            "oft_block_size": 8,
        },
    ),
    ("shared, snapped", {"target_modules": ["to_q", "to_k"], "oft_block_size": 7, "block_share": True}),
]


def with_peft(options):
    unet, _ = models()
    if options["target_modules"] == "all-linear":
        # PEFT resolves this word for transformers' models only; on a UNet it means the same list.
        options = {**options, "target_modules": linear_names(unet)}
    inject_adapter_in_model(OFTConfig(**options), unet)
    return {
        "unet": {
            name.removesuffix(".oft_R"): [module["default"].weight.shape[0], module["default"].block_size]
            for name, module in unet.named_modules()
            if name.endswith(".oft_R")
        }
    }


def linear_names(model):
    return [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]


# Written by src/formats/plans/exportPlan.test.ts: a preset as Rotune exports it.
with open(os.path.join(HERE, "exported.toml")) as f:
    exported = f.read()

out = {
    "kohya": [
        {"name": n, "preset": t.strip() + "\n", "dim": 8, "args": a, "selected": with_kohya(t, 8, **a)}
        for n, t, a in KOHYA
    ],
    "wrapper": [
        {"name": n, "preset": t.strip() + "\n", "dim": 8, "args": a, "selected": with_wrapper(t, 8, **a)}
        for n, t, a in WRAPPER
    ],
    "peft": [{"name": n, "config": {"peft_type": "OFT", **o}, "selected": with_peft(o)} for n, o in PEFT],
    "exported": {"preset": exported, "selected": with_kohya(exported, 4)},
}
with open(os.path.join(HERE, "selections.json"), "w") as f:
    json.dump(out, f, indent=1)
    f.write("\n")
for tool, cases in out.items():
    for c in cases if isinstance(cases, list) else [{"name": "as Rotune writes it", **cases}]:
        print(tool, c["name"], {part: len(v) for part, v in c["selected"].items()})
