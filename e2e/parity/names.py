"""Names of layers: what Rotune writes for exports with wrappers, and for text encoders of transformers 5, must be found by the real LyCORIS and
PEFT, every key of it; and what LyCORIS trained, under SDXL's original names, must be found by Rotune.

    python names.py make FOLDER     models to export and an adapter to read
    python names.py check FOLDER    what became of the files that names.ts wrote
"""

import json
import sys
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from nets import Net, export, make, numbers, prepared, tokens
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from tools import differences, make_lycoris, quiet, randomise, use_prefix
from lycoris import create_lycoris_from_weights
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden/names"))
from make import original  # noqa: E402 (a folder of the goldens)


class Wrapped(nn.Module):
    """As people write it to get rid of the dict that diffusers returns."""

    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, *inputs):
        return self.unet(*inputs)


def wrapped() -> tuple[Net, nn.Module]:
    net = make("unet")
    return Net(Wrapped(net.module), net.inputs, net.output), net.module


def clip() -> Net:
    torch.manual_seed(5)
    config = CLIPTextConfig(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, vocab_size=40,
                            max_position_embeddings=8, bos_token_id=0, eos_token_id=1, attn_implementation="eager")

    def forward(self, input_ids):
        return self.original_forward(input_ids=input_ids).last_hidden_state

    return prepared(CLIPTextModel(config), forward, {"input_ids": tokens(3, 40, 2, 8)}, "last_hidden_state")


class Four(nn.Module):
    """The names of transformers 4, which sd-scripts and its adapters keep."""

    def __init__(self, model):
        super().__init__()
        self.text_model = model


def sdxl() -> Net:
    torch.manual_seed(6)
    module = UNet2DConditionModel(sample_size=8, block_out_channels=(16, 32), norm_num_groups=8, attention_head_dim=2, cross_attention_dim=16,
                                  layers_per_block=2, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
                                  up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), transformer_layers_per_block=(1, 2),
                                  use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=4,
                                  projection_class_embeddings_input_dim=32)

    def forward(self, sample, timestep, encoder_hidden_states, text_embeds, time_ids):
        more = {"text_embeds": text_embeds, "time_ids": time_ids}
        return self.original_forward(sample, timestep, encoder_hidden_states, added_cond_kwargs=more, return_dict=False)[0]

    inputs = {"sample": numbers(1, 1, 4, 8, 8), "timestep": torch.tensor([20]), "encoder_hidden_states": numbers(2, 1, 6, 16),
              "text_embeds": numbers(3, 1, 8), "time_ids": torch.ones(1, 6)}
    return prepared(module, forward, inputs, "out_sample")


def write(folder: Path) -> None:
    for name, net in (("wrapped/unet", wrapped()[0]), ("clip/text_encoder", clip()), ("sdxl/unet", sdxl())):
        export(net, folder / name / "model.onnx")
    net = sdxl()
    names = {f"lora_unet_{own.replace('.', '_')}": f"lora_unet_{other.replace('.', '_')}" for own, other in original(net.module).items()}
    network = make_lycoris(net, {"linear_dim": 4, "algo": "diag-oft"}, "lora_unet")
    randomise([(k, p) for k, p in network.named_parameters() if not k.endswith(".alpha")], 11, 0.05)
    tensors = {names[k.partition(".")[0]] + "." + k.partition(".")[2]: v.contiguous() for k, v in network.state_dict().items()}
    save_file(tensors, folder / "sdxl/adapter.safetensors")
    with torch.no_grad():
        out = net.run()
    given = {f"input.{k}": v for k, v in net.inputs.items()} | {f"cotangent.{net.output}": torch.ones_like(out)}
    save_file(given, folder / "sdxl/in.safetensors")
    save_file({"output": out.contiguous()}, folder / "sdxl/expected.safetensors")


def report(passed: bool, text: str) -> bool:
    print("ok  " if passed else "FAIL", text)
    return passed


def by_lycoris(name: str, module: nn.Module, prefix: str, file: Path) -> bool:
    tensors = load_file(file)
    use_prefix(prefix)
    network, _ = create_lycoris_from_weights(1.0, str(file), module)
    network.apply_to()
    wanted = len({key.partition(".")[0] for key in tensors})
    wrong = differences(network.state_dict(), tensors)
    return report(len(network.loras) == wanted and not wrong, f"{name}: LyCORIS finds {len(network.loras)} of {wanted} layers {wrong or ''}")


def by_peft(name: str, module: nn.Module, folder: Path) -> bool:
    with quiet():
        model = PeftModel.from_pretrained(module, str(folder)).eval()
    tensors = load_file(folder / "adapter_model.safetensors")
    wrong = differences(get_peft_model_state_dict(model, save_embedding_layers=False), tensors)
    return report(not wrong, f"{name}: PEFT finds {len(tensors)} layers {wrong or ''}")


def check(folder: Path) -> bool:
    badge = json.loads((folder / "badge.json").read_text("utf-8"))
    found = [
        by_lycoris("wrapped UNet", wrapped()[1], "lycoris", folder / "wrapped/lycoris/adapter.safetensors"),
        by_peft("wrapped UNet", wrapped()[1], folder / "wrapped/peft"),
        by_lycoris("text encoder of transformers 5", Four(clip().module), "lora_te", folder / "clip/lycoris/adapter.safetensors"),
        by_peft("text encoder of transformers 5", clip().module, folder / "clip/peft"),
    ]
    for kind, said in badge.items():
        file = next((folder / kind).glob("*.safetensors"))
        stems = {k.rpartition(".oft_R")[0] if ".oft_R" in k else k.partition(".")[0] for k in load_file(file)}
        found.append(report(said == len(stems), f"{kind}: the badge says {said}, the file has {len(stems)} layers"))
    ours = load_file(folder / "sdxl/ours.safetensors")["output.out_sample"]
    want = load_file(folder / "sdxl/expected.safetensors")["output"]
    apart = ((ours - want).abs().max() / want.abs().max()).item()
    moved = ((sdxl().run() - want).abs().max() / want.abs().max()).item()
    found.append(report(apart < 1e-4 < moved, f"SDXL's original names: output {apart:.1e} apart, moved by {moved:.2f}"))
    return all(found)


if __name__ == "__main__":
    torch.set_num_threads(2)
    if sys.argv[1] == "make":
        write(Path(sys.argv[2]))
    else:
        sys.exit(0 if check(Path(sys.argv[2])) else 1)
