"""Cases of operators that move, read, write or order elements, and of Einsum."""

import torch
import torch.nn.functional as F

from cases import case, const, f64, rand

# Reading by index.
case("Gather", [rand(4, 2), const([[0, 3], [-1, 0]])], lambda x, i: x[i.long()], "repeated and negative")
case("Gather", [rand(2, 4, 2), const([3, 1, 1])], lambda x, i: x[:, i.long()], "axis 1", axis=1)
case("GatherElements", [rand(3, 3), const([[0, 2, 0], [1, 1, 2]])], lambda x, i: x.gather(0, i.long()), "axis 0", axis=0)
case("GatherElements", [rand(2, 4), const([[0, 3, 3], [1, -1, 2]])], lambda x, i: x.gather(1, i.long() % 4), "axis 1", axis=1)
case("GatherND", [rand(3, 3, 2), const([[0, 1], [2, 2], [0, 1]])], lambda x, i: x[tuple(i.long().T)])
case("GatherND", [rand(2, 3, 2), const([[1], [0]])], lambda x, i: torch.stack([x[0, 1], x[1, 0]]), "batches", batch_dims=1)
case("Compress", [rand(2, 4), const([1, 0, 0, 1], "bool")], lambda x, c: x[:, c.bool()], axis=1)

# Writing by index, ties included.
torch_name = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}
at = [[0, 2, 0], [2, 2, 1]]
for how, name in torch_name.items():
    scatter = lambda x, i, u: x.scatter_reduce(0, i.long(), u, name)
    case("ScatterElements", [rand(3, 3), const(at), rand(2, 3)], scatter, how, axis=0, reduction=how)
    rows = lambda x, i, u: x.scatter_reduce(0, i.long().expand(-1, 2), u, name)
    case("ScatterND", [rand(4, 2), const([[3], [0], [3]]), rand(3, 2)], rows, how, reduction=how)
ones = torch.ones(3, 3, dtype=f64)
for how in ("max", "min"):
    tied = lambda x, i, u: x.scatter_reduce(0, i.long(), u, torch_name[how])
    case("ScatterElements", [ones, const(at), ones[:2]], tied, f"{how} of equals", axis=0, reduction=how)
    no_mean = [[1, 0, 2], [0, 1, 1]]
    case("ScatterElements", [rand(2, 3), const(no_mean), rand(2, 3)], lambda x, i, u: x.scatter_reduce(1, i.long(), u, torch_name[how]), f"{how} axis 1", axis=1, reduction=how)
zeros = torch.tensor([[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]], dtype=f64)
case("ScatterElements", [torch.cat([zeros, ones[:1]]), const(at), zeros], lambda x, i, u: x.scatter_reduce(0, i.long(), u, "prod"), "mul with zeros", axis=0, reduction="mul")
case("ScatterElements", [rand(3, 3), const([[0, 2, 1]]), rand(1, 3)], lambda x, i, u: x.scatter(0, i.long(), u), "none", axis=0)
case("ScatterND", [rand(3, 2), const([[2, 0], [0, 1]]), rand(2)], lambda x, i, u: x.index_put(tuple(i.long().T), u), "none")

# Order.
case("TopK", [rand(2, 5), const([2])], lambda x, k: x.topk(2, -1)[0], outputs=2)
case("TopK", [rand(4, 2), const([3])], lambda x, k: x.topk(3, 0, largest=False)[0], "smallest", outputs=2, axis=0, largest=0)
flip = lambda x, on: x.flip(1) if on else x
for exclusive in (0, 1):
    for reverse in (0, 1):
        total = lambda x, a: flip(flip(x, reverse).cumsum(1) - exclusive * flip(x, reverse), reverse)
        case("CumSum", [rand(2, 4), const(1)], total, f"exclusive {exclusive}, reverse {reverse}", exclusive=exclusive, reverse=reverse)
case("Trilu", [rand(2, 3, 3), const(1)], lambda x, k: x.triu(1), "above")
case("Trilu", [rand(3, 4), const(-1)], lambda x, k: x.tril(-1), "below", upper=0)

# Movement.
modes = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
for mode, name in modes.items():
    case("Pad", [rand(1, 1, 3, 4), const([0, 0, 1, 2, 0, 0, 2, 1])], lambda x, p: F.pad(x, (2, 1, 1, 2), name), mode, mode=mode)
case("Pad", [rand(3, 4), const([-1, 1, 0, -2]), const(0.5, "float32")], lambda x, p, v: F.pad(x, (1, -2, -1, 0), value=0.5), "negative and a value")
case("Slice", [rand(5, 4), const([-1, 0]), const([-6, 4]), const([0, 1]), const([-2, 3])], lambda x, *_: x.flip(0)[::2, ::3], "steps")
case("Tile", [rand(2, 1, 2), const([1, 3, 2])], lambda x, r: x.repeat(1, 3, 2))
case("Expand", [rand(2, 1), const([3, 1, 4])], lambda x, s: x.expand(3, 2, 4))
case("Concat", [rand(2, 1), rand(2, 3), rand(2, 2)], lambda *x: torch.cat(x, 1), axis=1)
case("Split", [rand(2, 5), const([2, 3])], lambda x, s: x[:, :2], outputs=2, axis=1)
case("Transpose", [rand(2, 3, 4)], lambda x: x.permute(2, 0, 1), perm=[2, 0, 1])
case("Reshape", [rand(2, 6), const([0, -1, 2])], lambda x, s: x.reshape(2, 3, 2))
case("Flatten", [rand(2, 3, 2)], lambda x: x.reshape(6, 2), axis=-1)
case("Squeeze", [rand(2, 1, 3, 1), const([-1])], lambda x, a: x.squeeze(-1))
case("Unsqueeze", [rand(2, 3), const([0, -1])], lambda x, a: x[None, :, :, None])

# Products over named indices.
for equation, shapes in {
    "ij,jk->ik": [(2, 3), (3, 4)],
    "bij,bkj->bik": [(2, 3, 2), (2, 4, 2)],
    "bhqd,bhkd->bhqk": [(1, 2, 3, 2), (1, 2, 4, 2)],
    "i,j->ij": [(3,), (4,)],
    "ij->ji": [(2, 3)],
    "ij->i": [(2, 3)],
    "ij->": [(2, 3)],
    "ii->i": [(3, 3)],
    "bii->b": [(2, 3, 3)],
    "iji,j->i": [(2, 3, 2), (3,)],
    "...ij,...jk->...ik": [(2, 1, 2, 3), (3, 3, 2)],
    "i...,i...->...": [(3, 2), (3, 2)],
    "ij,jk,kl->il": [(2, 3), (3, 2), (2, 4)],
    "abc,cd,bd->ad": [(2, 3, 2), (2, 3), (3, 3)],
    "ij,ij": [(2, 3), (2, 3)],
    "bn,bnd,bnk->bdk": [(2, 3), (2, 3, 2), (2, 3, 2)],
    "ij,kl->jl": [(2, 3), (2, 2)],
}.items():
    case("Einsum", [rand(*s) for s in shapes], lambda *x: torch.einsum(equation, *x), equation, equation=equation)
