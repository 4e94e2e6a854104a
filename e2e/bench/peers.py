"""The training step of `npm run bench -- peers` in Python, on one thread: LyCORIS and PEFT on PyTorch, and Rotune's own graphs on native ONNX Runtime.

    python peers.py FOLDER ROUNDS

FOLDER holds problem.json ({"name", "size"}), forward.onnx, step.onnx and feeds.safetensors, as peers.ts writes them. Prints one line of
JSON: a list of {"peer", "loss", "norm", "times"}; times are milliseconds of processor time by round, all peers in turn.
"""

import copy
import json
import logging
import sys
import time
from pathlib import Path

import onnxruntime
import torch
from lycoris import LycorisNetwork, create_lycoris
from lycoris.logging import logger
from peft import OFTConfig, get_peft_model
from safetensors.torch import load_file

logger.setLevel(logging.ERROR)
BETAS, EPS, RATE = (0.9, 0.99), 1e-8, 5e-3


def network(tensors, conv):
    """The frozen layers with ReLU between them."""
    parts = []
    for i in range(sum(name.startswith("weight.") for name in tensors)):
        weight = tensors[f"weight.{i}"]
        layer = (
            torch.nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
            if conv
            else torch.nn.Linear(weight.shape[1], weight.shape[0])
        )
        layer.load_state_dict({"weight": weight, "bias": tensors[f"bias.{i}"]})
        parts += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*parts[:-1]).requires_grad_(False)


class Trained:
    """A model, its trained numbers, and AdamW with clipping, as one step."""

    def __init__(self, model, parameters, x, target):
        self.model, self.parameters, self.x, self.target = model, list(parameters), x, target
        self.optimiser = torch.optim.AdamW(self.parameters, RATE, BETAS, EPS, weight_decay=0)

    def gradient(self):
        self.optimiser.zero_grad()
        loss = torch.nn.functional.mse_loss(self.model(self.x), self.target)
        loss.backward()
        return loss, torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)

    def run(self):
        self.gradient()
        self.optimiser.step()

    def outcome(self):
        loss, norm = self.gradient()
        return float(loss), float(norm)


def lycoris(model, tensors, size, x, target, bypass):
    """LyCORIS's Diag-OFT on every layer, its blocks as wide as ours and with our numbers. By itself it cuts 256 into 32 blocks of 8."""
    LycorisNetwork.apply_preset(
        {"lora_prefix": "lycoris", "enable_conv": True, "target_module": ["Linear", "Conv2d"], "unet_target_module": []}
    )
    adapter = create_lycoris(
        model, 1.0, linear_dim=size, linear_alpha=1, conv_dim=size, conv_alpha=1, algo="diag-oft", bypass_mode=bypass
    )
    adapter.apply_to()
    blocks = tensors["theta"].view(-1, size, size)
    first = 0
    for each in adapter.loras:
        each.block_size, each.block_num = size, each.dim // size
        each.oft_blocks = torch.nn.Parameter(blocks[first : first + each.block_num].clone())
        first += each.block_num
    assert first == len(blocks), first
    return Trained(model, (p for n, p in adapter.named_parameters() if n.endswith("oft_blocks")), x, target)


def peft(model, size, x, target):
    """PEFT's OFT on every layer whose inputs the blocks divide: input side, its own Cayley–Neumann series."""
    names = [
        name
        for name, part in model.named_modules()
        if isinstance(part, (torch.nn.Linear, torch.nn.Conv2d)) and fan(part) % size == 0
    ]
    config = OFTConfig(oft_block_size=size, target_modules=names, bias="none")
    model = get_peft_model(model, config)
    return Trained(model, (p for p in model.parameters() if p.requires_grad), x, target)


def fan(layer):
    return layer.weight[0].numel()


class Session:
    """One of Rotune's graphs on native ONNX Runtime."""

    def __init__(self, path, feeds):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.feeds = {each.name: feeds[each.name].numpy() for each in self.session.get_inputs()}

    def run(self):
        return self.session.run(None, self.feeds)

    def outcome(self):
        names = [each.name for each in self.session.get_outputs()]
        results = dict(zip(names, self.run()))
        return (float(results["loss"]), float(results["grad_norm"][0])) if "loss" in results else (None, None)


class Plain:
    """The frozen forward pass on PyTorch."""

    def __init__(self, model, x):
        self.model, self.x = model, x

    def run(self):
        with torch.no_grad():
            self.model(self.x)

    def outcome(self):
        return None, None


def main():
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    problem = json.loads((folder / "problem.json").read_text("utf-8"))
    tensors = load_file(folder / "feeds.safetensors")
    size, x, target = problem["size"], tensors["x"], tensors["target"]
    frozen = network(tensors, x.ndim == 4)
    peers = {
        "native ONNX Runtime, forward": Session(folder / "forward.onnx", tensors),
        "native ONNX Runtime, Rotune’s step": Session(folder / "step.onnx", tensors),
        "PyTorch, forward": Plain(frozen, x),
        "LyCORIS on PyTorch, step": lycoris(copy.deepcopy(frozen), tensors, size, x, target, False),
        "LyCORIS on PyTorch, bypass mode, step": lycoris(copy.deepcopy(frozen), tensors, size, x, target, True),
        "PEFT on PyTorch, step (input side, series)": peft(copy.deepcopy(frozen), size, x, target),
    }
    outcomes = {name: peer.outcome() for name, peer in peers.items()}
    times = {name: [] for name in peers}
    for i in range(-2, rounds):
        for name, peer in peers.items():
            start = time.process_time()
            peer.run()
            if i >= 0:
                times[name].append(1000 * (time.process_time() - start))
    rows = [
        {"peer": name, "loss": outcomes[name][0], "norm": outcomes[name][1], "times": times[name]} for name in peers
    ]
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
