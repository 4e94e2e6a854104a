"""Asks the real tools what they make of Rotune's files, and compares what Rotune made of theirs.

    python verify.py FOLDER

FOLDER is what make.py and run.ts filled. Prints `ok` or `FAIL` and what was checked, a line each; exit status 1 if anything failed.
"""

import json
import sys
from pathlib import Path
from typing import Callable

import onnxruntime
import torch
from nets import Net, make, numbers
from readers import A1111, COMFYUI, KOHYA, LYCORIS, Reader, one_trainer
from safetensors.torch import load_file
from tools import load_lycoris, load_peft

# Relative to the largest entry. Float32 programs that add in different orders.
OUTPUT = 1e-5
WEIGHT = 1e-5
GRADIENT = 3e-5
# Weights rounded to 11 bits.
HALF = 1e-2
# An adapter that does nothing would agree with anything.
MOVED = 0.02

failures = 0


def report(passed: bool, text: str) -> None:
    global failures
    failures += not passed
    print("ok  " if passed else "FAIL", text, flush=True)


def apart(a: torch.Tensor, b: torch.Tensor) -> float:
    if a.shape != b.shape:
        return float("inf")
    return ((a.double() - b.double()).abs().max() / b.double().abs().max()).item()


def close(name: str, a: torch.Tensor, b: torch.Tensor, tolerance: float = OUTPUT) -> None:
    difference = apart(a, b)
    report(difference <= tolerance, f"{name}: {difference:.1e} apart")


def keys(name: str, differences: list[str], count: int) -> None:
    report(not differences and count > 0, f"{name}: {count} layers, " + (", ".join(differences) or "no key missing or unexpected"))


@torch.no_grad()
def lycoris(name: str, net_name: str, file: Path, want: torch.Tensor, half: torch.Tensor) -> None:
    net = make(net_name)
    network, differences = load_lycoris(net, file)
    keys(name, differences, len(network.loras))
    close(f"{name}, output", net.run(), want)
    if any(key.endswith(".rescale") for key in network.state_dict()):
        return  # LyCORIS 4.1.3 raises for rescaled adapters at another multiplier than 1
    net = make(net_name)
    load_lycoris(net, file, 0.5)
    close(f"{name}, output at 0.5", net.run(), half)


@torch.no_grad()
def peft(name: str, net_name: str, folder: Path, want: torch.Tensor) -> None:
    net = make(net_name)
    model, differences = load_peft(net, folder)
    keys(name, differences, sum(key.endswith("oft_R.weight") for key in load_file(folder / "adapter_model.safetensors")))
    bases = [m.base_layer for m in model.modules() if hasattr(m, "oft_R")]
    if not any(isinstance(base, torch.nn.Conv2d) and base.kernel_size != (1, 1) for base in bases):
        close(f"{name}, output", net.run(model), want)
    # PEFT's own forward pass scrambles convolutions wider than 1×1; what it merges is right.
    close(f"{name}, output merged by PEFT", net.run(model.merge_and_unload()), want)


def held(name: str, norms: list[tuple[torch.Tensor, float]]) -> None:
    """That a constraint is at work in some layers: without, they would go beyond it."""
    beyond = sum(bool((norm > limit).any()) for norm, limit in norms)
    report(beyond > 0, f"{name}: the constraint holds {beyond} of {len(norms)} layers")


def lycoris_norms(tensors: dict[str, torch.Tensor]) -> list[tuple[torch.Tensor, float]]:
    """‖Q‖ of each layer, and alpha times its outputs."""
    blocks = {k.removesuffix(".oft_blocks"): v for k, v in tensors.items() if k.endswith(".oft_blocks")}
    return [((b - b.mT).norm(), float(tensors[f"{k}.alpha"]) * b.shape[-3] * b.shape[-1]) for k, b in blocks.items()]


def peft_norms(tensors: dict[str, torch.Tensor], eps: float) -> list[tuple[torch.Tensor, float]]:
    """‖Q‖ of each block, and eps/√n."""
    return [(2**0.5 * v.norm(dim=1), eps / len(v) ** 0.5) for v in tensors.values()]


def onnx(name: str, net: Net, file: Path, want: torch.Tensor, tolerance: float) -> None:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    out = session.run([net.output], {key: value.numpy() for key, value in net.inputs.items()})[0]
    close(name, torch.from_numpy(out), want, tolerance)


def layers_of(file: Path, names: dict[str, str]) -> tuple[dict[str, dict[str, torch.Tensor]], list[str]]:
    """Tensors by layer path, and the stems that no layer has. `names`: path by its flat name."""
    found: dict[str, dict[str, torch.Tensor]] = {}
    lost = []
    for key, value in load_file(file).items():
        stem, _, parameter = key.partition(".")
        path = next((names[stem.removeprefix(p)] for p in ("lora_unet_", "lycoris_") if stem.removeprefix(p) in names), None)
        if path is None:
            lost.append(stem)
        else:
            found.setdefault(path, {})[parameter] = value
    return found, lost


def weights_of(net: Net) -> dict[str, torch.Tensor]:
    return {name: m.weight for name, m in net.module.named_modules() if isinstance(m, (torch.nn.Linear, torch.nn.Conv2d))}


@torch.no_grad()
def diff(name: str, net_name: str, file: Path, want: torch.Tensor) -> dict[str, torch.Tensor]:
    """The merged weights by layer path, as the other readers must find them."""
    net = make(net_name)
    weights = weights_of(net)
    found, lost = layers_of(file, {path.replace(".", "_"): path for path in weights})
    for path, tensors in found.items():
        weights[path] += tensors["diff"]
    keys(name, [f"{len(lost)} unexpected ({lost[0]})"] if lost else [], len(found))
    close(f"{name}, output", net.run(), want)
    return {path: weights[path] for path in found}


def read_alike(name: str, reader: Reader, net: Net, file: Path, merged: dict[str, torch.Tensor]) -> None:
    weights = weights_of(net)
    found, lost = layers_of(file, {path.replace(".", "_"): path for path in weights})
    unknown = [key for key in load_file(file) if not reader.finds(key)] + lost
    read = {path: t for path, t in found.items() if t["oft_blocks"].dim() in reader.axes}
    worst = max((apart(reader.merge(weights[path], t), merged[path]) for path, t in read.items()), default=float("inf"))
    passed = not unknown and len(found) == len(merged) and worst <= WEIGHT
    detail = f", {len(unknown)} keys unknown to it ({unknown[0]})" if unknown else ""
    report(passed, f"{name}: {reader.name} reads {len(read)} of {len(merged)} layers, weights {worst:.1e} apart{detail}")


def one_trainer_alike(name: str, net: Net, file: Path, merged: dict[str, torch.Tensor]) -> None:
    weights = weights_of(net)
    found, lost = layers_of(file, {path.replace(".", "_"): path for path in weights})
    worst = max(apart(one_trainer(weights[path], t), merged[path]) for path, t in found.items())
    report(not lost and len(found) == len(merged) and worst <= WEIGHT, f"{name}: {len(found)} layers, weights {worst:.1e} apart")


def reread(name: str, net: Net, file: Path, ours: dict[str, torch.Tensor], merge: Callable, want: torch.Tensor) -> None:
    """Rotune's own file, opened by Rotune: the trained output again, and gradients by the file's keys as the reader's rule has them."""
    close(f"{name}, output", ours[f"output.{net.output}"], want)
    weights = weights_of(net)
    found, _ = layers_of(file, {path.replace(".", "_"): path for path in weights})
    leaves = {path: {k: v.requires_grad_(k != "alpha") for k, v in tensors.items()} for path, tensors in found.items()}
    merged = {f"{path}.weight": merge(weights[path], tensors).float() for path, tensors in leaves.items()}
    out = torch.func.functional_call(net.module, merged, tuple(net.inputs.values()))
    (out * numbers(7, *out.shape)).sum().backward()
    wanted = {(path, k): v.grad for path, tensors in leaves.items() for k, v in tensors.items() if v.grad is not None}
    names = {path.replace(".", "_"): path for path in weights}
    got = {}
    for key, value in ours.items():
        if key.startswith("grad.adapter."):
            stem, _, parameter = key.removeprefix("grad.adapter.").partition(".")
            path = next(names[stem.removeprefix(p)] for p in ("lora_unet_", "lycoris_") if stem.removeprefix(p) in names)
            got[path, parameter] = value
    compare_gradients(name, got, wanted)


def compare_gradients(name: str, found: dict, wanted: dict) -> None:
    report(wanted.keys() == found.keys(), f"{name}: gradients of {len(found)} keys, {len(wanted)} wanted")
    # Blocks of one number have no gradient at all.
    worst = max(
        apart(found[k], wanted[k]) if wanted[k].any() else float(found[k].abs().max()) for k in wanted.keys() & found.keys()
    )
    report(worst <= GRADIENT, f"{name}, adapter gradients: {worst:.1e} apart")


def trained(folder: Path, case: dict) -> None:
    net = make(case["net"])
    outputs = load_file(folder / "outputs.safetensors")
    want, half = outputs[f"output.{net.output}"], outputs[f"half.{net.output}"]
    name, adapter = case["name"], "adapter.safetensors"
    moved = apart(net.run(), want)
    report(moved > MOVED, f"{name}: the adapter moves the output by {moved:.2f}")
    constrained = any(line.startswith("constraint") for line in case["plan"])
    merged: dict[str, torch.Tensor] = {}
    if "diff" in case["formats"]:
        merged = diff(f"{name}, .diff", case["net"], folder / "diff" / adapter, want)
    if "lycoris" in case["formats"]:
        file = folder / "lycoris" / adapter
        lycoris(f"{name}, LyCORIS", case["net"], file, want, half)
        tensors = load_file(file)
        if constrained:
            held(f"{name}, LyCORIS", lycoris_norms(tensors))
        if merged:
            read_alike(f"{name}, LyCORIS's file", A1111, net, file, merged)
        clamped = all(float(v) > 0 for k, v in tensors.items() if k.endswith(".alpha"))
        if merged and clamped and all(v.dim() == 3 and k[: -len("oft_blocks")] + "rescale" not in tensors
                                      for k, v in tensors.items() if k.endswith("oft_blocks")):
            read_alike(f"{name}, LyCORIS's file", KOHYA, net, file, merged)
    if "comfyui" in case["formats"]:
        file = folder / "comfyui" / adapter
        for reader in (COMFYUI, A1111):
            read_alike(f"{name}, ComfyUI's file", reader, net, file, merged)
        if not any(k.endswith(".rescale") for k in load_file(file)):  # re-encoded ones LyCORIS would repeat in every stage
            read_alike(f"{name}, ComfyUI's file", LYCORIS, net, file, merged)
    if "peft" in case["formats"]:
        peft(f"{name}, PEFT", case["net"], folder / "peft", want)
        if constrained:
            config = json.loads((folder / "peft/adapter_config.json").read_text("utf-8"))
            held(f"{name}, PEFT", peft_norms(load_file(folder / "peft/adapter_model.safetensors"), config["eps"]))
    if "oft_r" in case["formats"]:
        one_trainer_alike(f"{name}, oft_R", net, folder / "oft_r" / adapter, merged)
    merges = {"lycoris": LYCORIS.merge, "comfyui": COMFYUI.merge, "oft_r": one_trainer, "diff": lambda weight, tensors: weight + tensors["diff"]}
    for kind in case.get("reread", []):
        ours = load_file(folder / f"{kind}.safetensors")
        reread(f"{name}, {kind} opened again", net, folder / kind / adapter, ours, merges[kind], want)
    if "onnx" in case["formats"]:
        onnx(f"{name}, merged ONNX", net, folder / "onnx/model.onnx", want, OUTPUT)
        onnx(f"{name}, merged ONNX in float16", net, folder / "onnx-half/model.onnx", want, HALF)


def read(folder: Path, case: dict) -> None:
    net, name = make(case["net"]), f"{case['tool']}'s {case['name']}"
    expected, ours = load_file(folder / "expected.safetensors"), load_file(folder / "ours-1.safetensors")
    moved = apart(net.run(), expected["output"])
    report(moved > MOVED, f"{name}: the adapter moves the output by {moved:.2f}")
    close(f"{name}, output", ours[f"output.{net.output}"], expected["output"])
    if "half" in expected:
        close(f"{name}, output at 0.5", load_file(folder / "ours-0.5.safetensors")[f"output.{net.output}"], expected["half"])
    if case["options"].get("constraint"):
        held(name, lycoris_norms(load_file(folder / "adapter.safetensors")))
    if case["options"].get("coft"):
        held(name, peft_norms(load_file(folder / "adapter_model.safetensors"), case["options"]["eps"]))
    wanted = {k.removeprefix("grad."): v for k, v in expected.items() if k.startswith("grad.")}
    found = {k.removeprefix("grad.adapter."): v for k, v in ours.items() if k.startswith("grad.adapter.")}
    compare_gradients(name, found, wanted)


def main():
    folder = Path(sys.argv[1])
    torch.set_num_threads(2)
    cases = json.loads(Path(__file__).with_name("cases.json").read_text("utf-8"))
    for i, case in enumerate(cases["train"]):
        trained(folder / "train" / str(i), case)
    for i, case in enumerate(cases["read"]):
        read(folder / "read" / str(i), case)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
