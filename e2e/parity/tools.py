"""The real LyCORIS and the real PEFT on one of our networks: loading a file, making one, and what became of every key."""

import logging
import warnings
from contextlib import contextmanager
from pathlib import Path

import torch
from lycoris import LycorisNetwork, create_lycoris, create_lycoris_from_weights
from lycoris.logging import logger
from nets import Net
from peft import OFTConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file

logger.setLevel(logging.ERROR)
PREFIXES = ("lora_unet", "lycoris")


@contextmanager
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def use_prefix(prefix: str) -> None:
    """LyCORIS keeps presets in the class: what one adapter set, the next one would have."""
    LycorisNetwork.apply_preset({"lora_prefix": prefix})


def differences(held: dict[str, torch.Tensor], given: dict[str, torch.Tensor]) -> list[str]:
    """What a tool holds against what a file says. LyCORIS broadcasts some wrong shapes without a word, so values count too."""
    changed = [k for k in held.keys() & given.keys() if not torch.equal(held[k].float().cpu(), given[k].float())]
    named = {"missing": held.keys() - given.keys(), "unexpected": given.keys() - held.keys(), "changed": set(changed)}
    return [f"{len(keys)} {title} ({sorted(keys)[0]})" for title, keys in named.items() if keys]


def load_lycoris(net: Net, path: Path, multiplier: float = 1.0) -> tuple[LycorisNetwork, list[str]]:
    """Applies the file to the network, by LyCORIS's wrapper: kohya's entry point stops on any UNet unless a preset was applied."""
    tensors = load_file(path)
    use_prefix(next((p for p in PREFIXES if any(k.startswith(f"{p}_") for k in tensors)), PREFIXES[0]))
    network, _ = create_lycoris_from_weights(multiplier, str(path), net.module)
    network.apply_to()
    return network, differences(network.state_dict(), tensors)


def make_lycoris(net: Net, options: dict, prefix: str = "lycoris") -> LycorisNetwork:
    use_prefix(prefix)
    network = create_lycoris(net.module, 1.0, linear_alpha=1, **options)
    network.apply_to()
    return network


def load_peft(net: Net, folder: Path) -> tuple[PeftModel, list[str]]:
    with quiet():
        model = PeftModel.from_pretrained(net.module, str(folder)).eval()
    # By itself PEFT would also count the base weights of an adapted lm_head, which it saves next to adapters.
    held = get_peft_model_state_dict(model, save_embedding_layers=False)
    return model, differences(held, load_file(folder / "adapter_model.safetensors"))


def make_peft(net: Net, options: dict) -> PeftModel:
    with quiet():
        return get_peft_model(net.module, OFTConfig(**options)).eval()


def randomise(parameters: list[tuple[str, torch.nn.Parameter]], seed: int, size: float) -> None:
    """Numbers as after some training: rotations that are neither nothing nor everything, scales near 1."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sorted(parameters, key=lambda item: item[0]):
        noise = torch.randn(parameter.shape, generator=generator)
        with torch.no_grad():
            parameter.copy_(1 + 0.2 * noise if name.endswith("rescale") else size * noise)
