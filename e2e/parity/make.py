"""Makes what both sides work on: networks as ONNX, batches to train on, and adapters of LyCORIS and PEFT with their results.

    python make.py FOLDER

FOLDER/<net>/[unet/]model.onnx, batches.safetensors (`input.<name>.<i>`, `target.<i>`), in.safetensors (`input.<name>`,
`cotangent.<output>`); FOLDER/read/<case>/: the tool's own file or folder, and expected.safetensors (`output`, `half`, and a gradient per
key of the file).
"""

import json
import sys
from pathlib import Path

import torch
from nets import MAKERS, Net, export, make, numbers
from safetensors.torch import save_file
from tools import make_lycoris, make_peft, randomise

BATCHES = 2


def model_path(folder: Path, name: str) -> Path:
    """The UNet lies as in a diffusers pipeline, in a folder of its own name."""
    return folder / name / ("unet/model.onnx" if name == "unet" else "model.onnx")


def write_net(folder: Path, name: str) -> None:
    net = make(name)
    export(net, model_path(folder, name))
    with torch.no_grad():
        plain = net.run()
    batches = {}
    for i in range(BATCHES):
        batches |= {f"input.{key}.{i}": other(value, i) for key, value in net.inputs.items()}
        batches[f"target.{i}"] = other(plain, i) + 0.5 * numbers(100 + i, *plain.shape)
    save_file(batches, folder / name / "batches.safetensors")
    given = {f"input.{key}": value for key, value in net.inputs.items()}
    save_file(given | {f"cotangent.{net.output}": numbers(7, *plain.shape)}, folder / name / "in.safetensors")


def other(value: torch.Tensor, i: int) -> torch.Tensor:
    """Batch 0 is the network's own inputs; later ones are like it, with the samples turned around."""
    return value if i == 0 else value.flip(0).contiguous()


def answers(net: Net, model, named) -> dict[str, torch.Tensor]:
    """Output, and gradients of Σ output·cotangent by the file's keys."""
    out = net.run(model)
    (out * numbers(7, *out.shape)).sum().backward()
    return {"output": out.detach().contiguous()} | {
        f"grad.{key}": parameter.grad.contiguous() for key, parameter in named if parameter.grad is not None
    }


def write_lycoris(net: Net, options: dict, out: Path) -> dict[str, torch.Tensor]:
    network = make_lycoris(net, options)
    trained = [(k, p) for k, p in network.named_parameters() if not k.endswith(".alpha")]
    randomise(trained, 11, 0.05)
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, out / "adapter.safetensors")
    expected = answers(net, None, trained)
    # LyCORIS 4.1.3 raises for rescaled adapters at another multiplier than 1.
    if not options.get("rescaled"):
        for lora in network.loras:
            lora.multiplier = 0.5
        with torch.no_grad():
            expected["half"] = net.run().contiguous()
    return expected


def write_peft(net: Net, options: dict, out: Path) -> dict[str, torch.Tensor]:
    model = make_peft(net, options)
    trained = [(k.replace(".default", ""), p) for k, p in model.named_parameters() if p.requires_grad]
    randomise(trained, 12, 0.1)
    # Saved before PEFT projects the numbers in place, which a forward pass does.
    model.save_pretrained(out)
    return answers(net, model, trained)


def main():
    folder = Path(sys.argv[1])
    torch.set_num_threads(2)
    for name in MAKERS:
        write_net(folder, name)
    cases = json.loads(Path(__file__).with_name("cases.json").read_text("utf-8"))
    for i, case in enumerate(cases["read"]):
        out = folder / "read" / str(i)
        out.mkdir(parents=True, exist_ok=True)
        write = write_lycoris if case["tool"] == "lycoris" else write_peft
        save_file(write(make(case["net"]), case["options"], out), out / "expected.safetensors")


if __name__ == "__main__":
    main()
