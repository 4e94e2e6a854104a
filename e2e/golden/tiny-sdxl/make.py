"""Writes a tiny Stable Diffusion XL in optimum's layout, random weights, and what diffusers makes of it.

Two text encoders, the added conditions (pooled text, sizes and crops); VAE and first tokenizer are those of ../tiny-sd.
Run with diffusers, transformers, onnx and torch installed: python make.py
"""
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, PreTrainedTokenizerFast

HERE = Path(__file__).parent
LENGTH = 16
PROMPTS = ["a photo of a small cat", "pixel art of a robot", ""]
# Height and width of two pictures, trained at 16 × 16.
PICTURES = [(24, 40), (33, 20)]
SIDE = 16
SCALING = 0.13025

torch.manual_seed(0)


def text(width, projection, kind):
    config = CLIPTextConfig(
        vocab_size=340, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=3, num_attention_heads=2,
        max_position_embeddings=LENGTH, projection_dim=projection, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )
    config._attn_implementation = "eager"
    return kind(config).eval()


class Encoder(torch.nn.Module):
    """optimum's outputs."""

    def __init__(self, model, pooled):
        super().__init__()
        self.model, self.pooled = model, pooled

    def forward(self, input_ids):
        out = self.model(input_ids, output_hidden_states=True)
        own = (out.text_embeds, out.last_hidden_state) if self.pooled else (out.last_hidden_state, out.pooler_output)
        return (*own, *out.hidden_states)


class Unet(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, sample, timestep, encoder_hidden_states, text_embeds, time_ids):
        added = {"text_embeds": text_embeds, "time_ids": time_ids}
        return self.model(sample, timestep, encoder_hidden_states, added_cond_kwargs=added, return_dict=False)[0]


def export(module, inputs, folder, names, outputs, axes):
    (HERE / folder).mkdir(exist_ok=True)
    torch.onnx.export(
        module, inputs, str(HERE / folder / "model.onnx"), input_names=names, output_names=outputs,
        dynamic_axes=axes, opset_version=17, dynamo=False,
    )


def crop_of(height, width):
    """Top and left of the centred crop, as diffusers' train_text_to_image_sdxl.py counts them in the picture scaled to its shorter side."""
    short = min(height, width)
    scaled = [int(SIDE * side / short) for side in (height, width)]
    return [max(0, int(round((side - SIDE) / 2.0))) for side in scaled]


def main():
    one, two = text(16, 16, CLIPTextModel), text(24, 20, CLIPTextModelWithProjection)
    unet = UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, block_out_channels=(16, 32), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2), attention_head_dim=(2, 4), cross_attention_dim=40, norm_num_groups=8,
        use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=20 + 6 * 8,
    ).eval()
    # The added conditions are to count as much as the others.
    with torch.no_grad():
        unet.add_embedding.linear_1.weight.mul_(4)

    folder = HERE.parent / "tiny-sd" / "tokenizer"
    (HERE / "tokenizer_2").mkdir(exist_ok=True)
    shutil.copy(folder / "tokenizer.json", HERE / "tokenizer_2" / "tokenizer.json")
    config = {**json.loads((folder / "tokenizer_config.json").read_text()), "pad_token": "!"}
    (HERE / "tokenizer_2" / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
    common = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "model_max_length": LENGTH}
    file = str(folder / "tokenizer.json")
    tokenizers = [PreTrainedTokenizerFast(tokenizer_file=file, pad_token=pad, **common) for pad in ("<|endoftext|>", "!")]
    ids = [t(PROMPTS, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt").input_ids for t in tokenizers]

    for part, model, pooled in (("text_encoder", one, False), ("text_encoder_2", two, True)):
        outputs = (["text_embeds", "last_hidden_state"] if pooled else ["last_hidden_state", "pooler_output"])
        outputs += [f"hidden_states.{i}" for i in range(4)]
        export(Encoder(model, pooled), (ids[0],), part, ["input_ids"], outputs, {"input_ids": {0: "batch", 1: "sequence"}})
    sample = (torch.randn(2, 4, 8, 8), torch.tensor(5), torch.randn(2, LENGTH, 40), torch.randn(2, 20), torch.randn(2, 6))
    names = ["sample", "timestep", "encoder_hidden_states", "text_embeds", "time_ids"]
    axes = {"sample": {0: "batch", 2: "height", 3: "width"}, "encoder_hidden_states": {0: "batch", 1: "sequence"}}
    export(Unet(unet), sample, "unet", names, ["out_sample"], {**axes, "text_embeds": {0: "batch"}, "time_ids": {0: "batch"}})

    scheduler = EulerDiscreteScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1, timestep_spacing="leading",
    )
    vae = AutoencoderKL(block_out_channels=(8, 8), down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, norm_num_groups=8)
    pipe = StableDiffusionXLPipeline(vae, one, two, tokenizers[0], tokenizers[1], unet, scheduler, add_watermarker=False)
    pipe.set_progress_bar_config(disable=True)

    golden = {"input_ids": ids[0].int(), "input_ids_2": ids[1].int()}
    with torch.no_grad():
        hidden, negative, pooled, negative_pooled = pipe.encode_prompt(PROMPTS, device="cpu", do_classifier_free_guidance=True)
        noise = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
        drawn = pipe(
            PROMPTS[:2], num_inference_steps=5, guidance_scale=6.0, latents=noise, height=16, width=16, output_type="latent",
        ).images
    golden |= {"hidden": hidden, "negative_hidden": negative, "pooled": pooled, "negative_pooled": negative_pooled}
    golden |= {"noise": noise, "drawn": drawn}

    # A training step of ε-prediction with the sizes and crops of two pictures, and a dropped caption.
    time_ids = torch.tensor([[h, w, *crop_of(h, w), SIDE, SIDE] for h, w in PICTURES], dtype=torch.float32)
    latents = torch.randn(2, 4, 8, 8)
    target = torch.randn(2, 4, 8, 8)
    t = torch.tensor([321, 321])
    noisy = EulerDiscreteScheduler.from_config(scheduler.config)
    alpha = noisy.alphas_cumprod[321]
    shown = alpha.sqrt() * latents + (1 - alpha).sqrt() * target
    rows = [0, 2]
    prediction = unet(
        shown, t, hidden[rows], added_cond_kwargs={"text_embeds": pooled[rows], "time_ids": time_ids}, return_dict=False,
    )[0]
    loss = torch.nn.functional.mse_loss(prediction, target)
    trained = ["conv_in.weight", "add_embedding.linear_2.weight", "down_blocks.1.attentions.0.transformer_blocks.1.attn2.to_k.weight"]
    parameters = dict(unet.named_parameters())
    grads = torch.autograd.grad(loss, [parameters[n] for n in trained])
    golden |= {"train.time_ids": time_ids, "train.latents": latents, "train.noise": target, "train.loss": loss}
    golden |= {f"train.grad.{n}": g for n, g in zip(trained, grads)}
    save_file({k: v.detach().contiguous() for k, v in golden.items()}, HERE / "golden.safetensors")

    def write(path, value):
        (HERE / path).parent.mkdir(exist_ok=True)
        (HERE / path).write_text(json.dumps(value, indent=1) + "\n")

    write("unet/config.json", {
        "_class_name": "UNet2DConditionModel", "sample_size": 8, "in_channels": 4, "block_out_channels": [16, 32],
        "addition_embed_type": "text_time", "addition_time_embed_dim": 8,
    })
    write("scheduler/scheduler_config.json", {k: v for k, v in scheduler.config.items() if not k.startswith("_")} | {"_class_name": "EulerDiscreteScheduler"})
    write("model_index.json", {
        "_class_name": "ORTStableDiffusionXLPipeline", "force_zeros_for_empty_prompt": True,
        **{part: ["optimum.onnxruntime", "ORTModel"] for part in ("text_encoder", "text_encoder_2", "unet", "vae_encoder", "vae_decoder")},
    })
    write("golden.json", {"prompts": PROMPTS, "pictures": PICTURES, "steps": 5, "guidance": 6.0, "timestep": 321, "trained": trained})


main()
