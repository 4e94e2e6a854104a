"""Makes what tests hold Rotune to: src/tasks/arrays/testing/numpy.json, src/tasks/generic/testing/losses.json, src/tasks/images/testing/pillow.json.

Usage: python e2e/examples/fixtures.py   (torch, numpy, pillow)
"""

import base64
import io
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

TASKS = Path(__file__).resolve().parents[2] / "src" / "tasks"
F = torch.nn.functional


def npy(array: np.ndarray, **options: bool) -> str:
    file = io.BytesIO()
    np.save(file, array, **options)
    return base64.b64encode(file.getvalue()).decode()


def arrays() -> dict[str, object]:
    r = np.arange(6).reshape(2, 3)
    made = {
        "f4": r.astype("<f4") / 4, "f8": r.astype("<f8") / 4, "f2": r.astype("<f2") / 4, "big f4": r.astype(">f4") / 4,
        "fortran f4": np.asfortranarray(r.astype("<f4") / 4), "i8": r.astype("<i8") - 3, "big i2": r.astype(">i2") - 3,
        "u1": r.astype("u1"), "b1": r % 2 == 0, "scalar": np.asarray(np.float32(2.5)), "one axis": np.arange(3, dtype="<i4"),
        "fortran 3d": np.asfortranarray(np.arange(24, dtype="<i4").reshape(2, 3, 4)),
    }
    out: dict[str, object] = {
        name: {"npy": npy(a), "shape": list(a.shape), "values": [float(x) for x in a.astype("f8").ravel(order="C")]}
        for name, a in made.items()
    }
    for name, save in (("npz", np.savez), ("npz compressed", np.savez_compressed)):
        file = io.BytesIO()
        save(file, x=r.astype("f4"), y=np.array([1, 2]))
        out[name] = base64.b64encode(file.getvalue()).decode()
    out["objects"] = npy(np.array([{"a": 1}], dtype=object), allow_pickle=True)
    out["complex"] = npy(np.array([1j]))
    return out


def losses() -> list[dict[str, object]]:
    torch.manual_seed(0)
    out: list[dict[str, object]] = []

    def case(name, p, t, loss_of, **more):
        p = p.clone().requires_grad_()
        loss = loss_of(p, t)
        loss.backward()
        out.append({
            "name": name, "prediction": p.detach().flatten().tolist(), "shape": list(p.shape), "target": t.flatten().tolist(),
            "targetShape": list(t.shape), "type": "int32" if t.dtype == torch.int64 else "float32", "loss": loss.item(),
            "grad": p.grad.flatten().tolist(), **more,
        })

    p, t = torch.randn(3, 2, 4), torch.randn(3, 2, 4)
    case("mse", p, t, F.mse_loss)
    case("l1", p, t, F.l1_loss)
    case("huber", p, t, lambda a, b: F.huber_loss(a, b, delta=0.7), delta=0.7)
    case("bce", p * 20, (t > 0).float(), F.binary_cross_entropy_with_logits)
    case("cosine", p, t, lambda a, b: (1 - F.cosine_similarity(a, b, dim=-1)).mean())
    case("cross_entropy", torch.randn(3, 4) * 5, torch.tensor([2, 0, 3]), F.cross_entropy)
    ignoring = torch.tensor([[2, 0, -100], [1, -100, -100]])
    case("cross_entropy", torch.randn(2, 3, 5), ignoring, lambda a, b: F.cross_entropy(a.transpose(1, 2), b))
    labels = torch.randint(0, 4, (2, 3, 2))
    case("cross_entropy", torch.randn(2, 4, 3, 2), labels, F.cross_entropy)
    shares = torch.softmax(torch.randn(3, 4), -1)
    case("cross_entropy", torch.randn(3, 4), shares, F.cross_entropy)
    return out


def pictures() -> dict[str, str]:
    image = Image.fromarray((np.arange(7 * 5 * 3) % 256).astype("u1").reshape(5, 7, 3))
    exif = {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}
    kinds = [("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("WEBP", {}), ("WEBP", {"lossless": True}), ("WEBP", exif)]
    out: dict[str, str] = {}
    for kind, options in [*kinds, ("GIF", {}), ("BMP", {}), ("AVIF", {})]:
        file = io.BytesIO()
        image.save(file, kind, **options)
        out[" ".join([kind.lower(), *list(options)[:1]])] = base64.b64encode(file.getvalue()).decode()
    return out


if __name__ == "__main__":
    (TASKS / "images" / "testing" / "pillow.json").write_text(json.dumps(pictures()) + "\n")
    (TASKS / "arrays" / "testing" / "numpy.json").write_text(json.dumps(arrays()) + "\n")
    (TASKS / "generic" / "testing" / "losses.json").write_text(json.dumps(losses()) + "\n")
