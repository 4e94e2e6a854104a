"""Cases of operators over images and volumes, of norms, and of the activations that newer opsets added."""

import torch
import torch.nn.functional as F

from cases import case, const, f64, rand

# Inverse and hyperbolic functions.
for op, fn in {"Asin": torch.asin, "Acos": torch.acos, "Atanh": torch.atanh}.items():
    case(op, [rand(5, low=-0.9, high=0.9)], fn)
for op, fn in {"Atan": torch.atan, "Sinh": torch.sinh, "Cosh": torch.cosh, "Asinh": torch.asinh}.items():
    case(op, [rand(5)], fn)
case("Acosh", [rand(5, low=1.2, high=3)], torch.acosh)
case("ThresholdedRelu", [rand(6)], lambda x: F.threshold(x, 0.7, 0.0), alpha=0.7)
case("Shrink", [rand(6)], lambda x: F.softshrink(x, 0.6), "soft", lambd=0.6, bias=0.6)
case("Shrink", [rand(6)], lambda x: F.hardshrink(x, 0.5), "hard")
case("Swish", [rand(6)], F.silu)
case("Swish", [rand(6)], lambda x: x * torch.sigmoid(1.7 * x), "alpha", alpha=1.7)

# Blocks.
case("DepthToSpace", [rand(1, 8, 1, 2)], lambda x: F.pixel_shuffle(x, 2), "CRD", blocksize=2, mode="CRD")
case("DepthToSpace", [rand(1, 8, 1, 2)], lambda x: x.view(1, 2, 2, 2, 1, 2).permute(0, 3, 4, 1, 5, 2).reshape(1, 2, 2, 4), "DCR", blocksize=2)
case("SpaceToDepth", [rand(1, 2, 2, 4)], lambda x: x.view(1, 2, 1, 2, 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(1, 8, 1, 2), blocksize=2)
case("Col2Im", [rand(1, 8, 4), const([3, 3]), const([2, 2])], lambda x, s, b: F.fold(x, 3, 2), "overlap")
case("Col2Im", [rand(1, 9, 4), const([4, 3]), const([3, 3])], lambda x, s, b: F.fold(x, (4, 3), 3, padding=1, stride=2), "padded, strided", pads=[1, 1, 1, 1], strides=[2, 2])
case("Col2Im", [rand(1, 4, 6), const([5, 4]), const([2, 2])], lambda x, s, b: F.fold(x, (5, 4), 2, dilation=2), "dilated", dilations=[2, 2])

# Convolutions.
deconv = dict(kernel_shape=[2, 2, 2], strides=[2, 1, 2])
case("ConvTranspose", [rand(1, 2, 2, 2, 1), rand(2, 1, 2, 2, 2)], lambda x, w: F.conv_transpose3d(x, w, stride=(2, 1, 2)), "3-D", **deconv)
case("ConvTranspose", [rand(1, 2, 2, 2, 1), rand(2, 1, 2, 2, 2), rand(2)], lambda x, w, b: F.conv_transpose3d(x, w, b, (2, 1, 2), groups=2), "3-D groups", group=2, **deconv)
case(
    "ConvTranspose",
    [rand(1, 2, 3, 2), rand(2, 1, 3, 2)],
    lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1, output_padding=1, dilation=(1, 2), groups=2),
    "everything",
    kernel_shape=[3, 2], strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1], dilations=[1, 2], group=2,
)
case("ConvTranspose", [rand(1, 1, 2, 3), rand(1, 1, 3, 3)], lambda x, w: F.conv_transpose2d(x, w, stride=2)[..., :4, :6], "SAME_UPPER", strides=[2, 2], auto_pad="SAME_UPPER")
case("Conv", [rand(1, 1, 4, 5), rand(1, 1, 3, 3)], lambda x, w: F.conv2d(F.pad(x, (1, 1, 0, 1)), w, stride=2), "SAME_UPPER", strides=[2, 2], auto_pad="SAME_UPPER")
case("Conv", [rand(1, 2, 3, 4, 3), rand(2, 1, 2, 2, 2), rand(2)], lambda x, w, b: F.conv3d(x, w, b, (1, 2, 1), 1, (1, 1, 2), 2), "3-D everything", strides=[1, 2, 1], pads=[1] * 6, dilations=[1, 1, 2], group=2)
case("Conv", [rand(1, 2, 8), rand(2, 2, 3)], lambda x, w: F.conv1d(x, w, dilation=3), "1-D dilated", dilations=[3])

# Pools.
case("MaxPool", [rand(1, 1, 5, 6)], lambda x: F.max_pool2d(x, 2, 2, 0, 2), "dilated", kernel_shape=[2, 2], strides=[2, 2], dilations=[2, 2])
case("MaxPool", [rand(1, 1, 3, 4, 3)], lambda x: F.max_pool3d(x, 2, 1), "3-D", kernel_shape=[2, 2, 2])
case("MaxPool", [rand(1, 2, 6)], lambda x: F.max_pool1d(x, 3, 2, 1), "1-D", kernel_shape=[3], strides=[2], pads=[1, 1])
case("MaxPool", [torch.zeros(1, 1, 3, 3, dtype=f64)], lambda x: F.max_pool2d(x, 2, 1), "ties", kernel_shape=[2, 2])
for include in (0, 1):
    ceil = lambda x: F.avg_pool2d(x, 3, 2, 1, True, bool(include))
    case("AveragePool", [rand(1, 1, 4, 6)], ceil, f"ceil, counted {include}", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1, count_include_pad=include)
case("AveragePool", [rand(1, 1, 3, 4, 3)], lambda x: F.avg_pool3d(x, 2, 1), "3-D", kernel_shape=[2, 2, 2])
case("LpPool", [rand(1, 1, 4, 5, low=0.1)], lambda x: F.lp_pool2d(x, 2, 2, 1), kernel_shape=[2, 2])
case("LpPool", [rand(1, 1, 4, 5, low=0.1)], lambda x: F.lp_pool2d(x, 3, 2, 2), "p = 3", kernel_shape=[2, 2], strides=[2, 2], p=3)
case("GlobalLpPool", [rand(1, 2, 2, 3)], lambda x: torch.linalg.vector_norm(x, 2, (2, 3), True))

# Resizing.
interpolate = lambda **how: lambda x, *rest: F.interpolate(x, **how)


def resize(x_shape, size, name, how, **attributes):
    sizes = const(list(x_shape[:2]) + size)
    case("Resize", [rand(*x_shape), None, None, sizes], interpolate(size=size, **how), name, **attributes)


half = dict(coordinate_transformation_mode="half_pixel")
corners = dict(coordinate_transformation_mode="align_corners")
resize((1, 1, 4, 4), [3, 6], "linear to sizes", dict(mode="bilinear"), mode="linear", **half)
resize((1, 1, 5), [8], "1-D", dict(mode="linear"), mode="linear", **half)
resize((1, 1, 2, 3, 2), [3, 4, 3], "3-D", dict(mode="trilinear"), mode="linear", **half)
resize((1, 1, 5, 4), [3, 3], "bicubic down", dict(mode="bicubic"), mode="cubic", **half)
resize((1, 1, 3, 3), [5, 6], "bicubic aligned", dict(mode="bicubic", align_corners=True), mode="cubic", **corners)
resize((1, 1, 5, 7), [3, 3], "nearest exact", dict(mode="nearest-exact"), mode="nearest", nearest_mode="round_prefer_ceil", **half)
resize((1, 1, 6, 7), [3, 4], "bilinear, antialiased", dict(mode="bilinear", antialias=True), mode="linear", antialias=1, exclude_outside=1, **half)
# With antialiasing torch takes a = -1/2, PIL's.
resize((1, 1, 6, 7), [3, 4], "bicubic, antialiased", dict(mode="bicubic", antialias=True), mode="cubic", antialias=1, cubic_coeff_a=-0.5, exclude_outside=1, **half)

# Sampling at computed positions.
for mode, torch_mode in (("linear", "bilinear"), ("nearest", "nearest"), ("cubic", "bicubic")):
    for padding in ("zeros", "border", "reflection"):
        for aligned in (0, 1):
            sample = lambda x, g: F.grid_sample(x, g, torch_mode, padding, bool(aligned))
            case("GridSample", [rand(1, 2, 3, 3), rand(1, 2, 2, 2, low=-1.6, high=1.6)], sample, f"{mode} {padding} {aligned}", mode=mode, padding_mode=padding, align_corners=aligned)
case("GridSample", [rand(1, 1, 2, 3, 3), rand(1, 1, 2, 2, 3, low=-1.3, high=1.3)], lambda x, g: F.grid_sample(x, g, align_corners=False), "volume")
for aligned in (0, 1):
    case("AffineGrid", [rand(1, 2, 3), const([1, 1, 2, 3])], lambda t, s: F.affine_grid(t, [1, 1, 2, 3], bool(aligned)), f"{aligned}", align_corners=aligned)

# Norms.
case("LRN", [rand(1, 5, 2, 2)], lambda x: F.local_response_norm(x, 3, 0.4, 0.7, 1.5), size=3, alpha=0.4, beta=0.7, bias=1.5)
case("MeanVarianceNormalization", [rand(2, 2, 2, 2)], lambda x: (x - x.mean((0, 2, 3), True)) / (x.std((0, 2, 3), correction=0, keepdim=True) + 1e-9))
for p in (1, 2):
    case("LpNormalization", [rand(2, 3)], lambda x: F.normalize(x, p, 0), f"p = {p}", axis=0, p=p)
case("Hardmax", [rand(2, 4)], lambda x: F.one_hot(x.argmax(-1), 4) + 0 * x)
