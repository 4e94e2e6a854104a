"""Loads an adapter of ours with the real LyCORIS, and compares outputs and gradients.

    python adapter_in_lycoris.py ADAPTER.safetensors UNET_DIR IN.safetensors OURS.safetensors

IN holds `input.<name>` and `cotangent.out_sample`; OURS what `npm run check -- … --gradients` made of them with the same adapter.
Prints `ok` or `FAIL` and what was checked, a line each; exit status 1 if anything failed.

The network is built by LyCORIS's wrapper: kohya's entry point of the same version stops on any UNet with a TimestepEmbedding unless
a preset was applied before.
"""

import logging
import sys

import torch
from diffusers import UNet2DConditionModel
from lycoris import LycorisNetwork, create_lycoris_from_weights
from lycoris.logging import logger
from safetensors.torch import load_file

PREFIXES = ("lora_unet", "lycoris")
# Two float32 programs that add in different orders; the outputs are of size 1 to 3.
OUTPUT_TOLERANCE = 2e-4
GRADIENT_TOLERANCE = 2e-3  # relative to the tensor's largest entry

failures = 0


def report(passed, text):
    global failures
    failures += not passed
    print("ok  " if passed else "FAIL", text, flush=True)


def forward(unet, data):
    names = ("sample", "timestep", "encoder_hidden_states")
    return unet(*(data[f"input.{name}"] for name in names)).sample


def compare_keys(network, tensors):
    held = network.state_dict()
    missing, unexpected = sorted(held.keys() - tensors.keys()), sorted(tensors.keys() - held.keys())
    # LyCORIS broadcasts some wrong shapes without a word: what it holds must be what the file says.
    changed = [k for k in held.keys() & tensors.keys() if not torch.equal(held[k].float(), tensors[k].float())]
    report(len(network.loras) > 0, f"LyCORIS made {len(network.loras)} layers of {len(tensors)} tensors")
    for title, keys in (("missing", missing), ("unexpected", unexpected), ("changed", changed)):
        report(not keys, f"no {title} key" if not keys else f"{len(keys)} keys {title}: {', '.join(keys[:3])} …")


def compare_gradients(network, tensors, ours):
    worst, where, compared = 0.0, "", 0
    for name, parameter in network.named_parameters():
        mine = ours.get(f"grad.adapter.{name}")
        if parameter.grad is None or name not in tensors or name.endswith(".alpha"):
            continue
        if mine is None or mine.shape != parameter.grad.shape:
            report(False, f"no gradient of ours for {name} with shape {tuple(parameter.grad.shape)}")
            continue
        compared += 1
        largest = parameter.grad.abs().max().item()
        difference = (mine - parameter.grad).abs().max().item()
        if largest == 0:  # 1×1 blocks cannot turn
            report(difference == 0, f"zero gradient of {name}") if difference else None
        elif difference / largest > worst:
            worst, where = difference / largest, name
    report(compared > 0 and worst <= GRADIENT_TOLERANCE, f"{compared} adapter gradients within {worst:.1e} (worst: {where})")


def main():
    adapter, folder, inputs, results = sys.argv[1:]
    logger.setLevel(logging.ERROR)
    unet = UNet2DConditionModel.from_pretrained(folder, low_cpu_mem_usage=False).eval().requires_grad_(False)
    tensors, data, ours = load_file(adapter), load_file(inputs), load_file(results)
    with torch.no_grad():
        untouched = forward(unet, data)
    prefix = next((p for p in PREFIXES if any(k.startswith(p + "_") for k in tensors)), PREFIXES[0])
    LycorisNetwork.apply_preset({"lora_prefix": prefix})
    network, _ = create_lycoris_from_weights(1.0, adapter, unet)
    network.apply_to()
    compare_keys(network, tensors)

    network.requires_grad_(True)
    out = forward(unet, data)
    (out * data["cotangent.out_sample"]).sum().backward()
    turned = (out - untouched).abs().max().item()
    report(turned > 10 * OUTPUT_TOLERANCE, f"the adapter moves the output by {turned:.3f}")
    difference = (out - ours["output.out_sample"]).abs().max().item()
    report(difference <= OUTPUT_TOLERANCE, f"outputs differ by {difference:.1e}")
    compare_gradients(network, tensors, ours)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
