"""Cases of spectra, and of what rearranges steps of time. Imported by make.py."""

import torch

from cases import case, const, f64, rand


def parts(x):
    """[..., 1] real or [..., 2] complex numbers as PyTorch's own."""
    return x[..., 0] if x.shape[-1] == 1 else torch.view_as_complex(x.contiguous())


def dft(name, shape, length=None, axis=-2, inverse=0, onesided=0):
    def run(x, n, a):
        z, along = parts(x), axis + 1 if axis < 0 else axis
        transform = torch.fft.ifft if inverse else torch.fft.rfft if onesided else torch.fft.fft
        return torch.view_as_real(transform(z, n=length, dim=along))

    attributes = {k: 1 for k, v in {"inverse": inverse, "onesided": onesided}.items() if v}
    case("DFT", [rand(*shape), None if length is None else const(length), const(axis)], run, name, **attributes)


dft("real", (2, 5, 1))
dft("complex", (2, 4, 2))
dft("real, one side", (2, 6, 1), onesided=1)
dft("inverse", (1, 5, 2), inverse=1)
dft("cut", (1, 7, 1), length=4)
dft("filled up", (1, 3, 2), length=6)
dft("another axis", (4, 3, 1), axis=0)


def stft(name, shape, step, window=None, length=None, onesided=1):
    size = window.shape[0] if window is not None else length

    def run(x, s, w, n):
        z = parts(x)
        frames = z.unfold(1, size, step)
        frames = frames if w is None else frames * w
        y = torch.fft.rfft(frames) if onesided else torch.fft.fft(frames)
        return torch.view_as_real(y)

    inputs = [rand(*shape), const(step), window, None if length is None else const(length)]
    case("STFT", inputs, run, name, onesided=onesided)


stft("windowed", (2, 11, 1), 3, rand(5))
stft("both sides", (1, 8, 1), 2, rand(4), onesided=0)
stft("no window", (1, 9, 1), 4, length=5)
stft("complex", (1, 7, 2), 2, rand(4), onesided=0)

for exclusive in (0, 1):
    for reverse in (0, 1):

        def products(x, axis):
            y = x.flip(1) if reverse else x
            if exclusive:
                y = torch.cat([torch.ones_like(y[:, :1]), y[:, :-1]], 1)
            y = y.cumprod(1)
            return y.flip(1) if reverse else y

        name = f"exclusive {exclusive}, reverse {reverse}"
        case("CumProd", [rand(2, 5, 2), const(1)], products, name, exclusive=exclusive, reverse=reverse)
case("CumProd", [torch.tensor([0.5, 0.0, -2.0, 0.0, 3.0, 1.5], dtype=f64), const(0)], lambda x, a: x.cumprod(0), "with zeros")

case("CenterCropPad", [rand(5, 2, 6), const([2, 5, 6])], lambda x, s: torch.nn.functional.pad(x[1:3], (0, 0, 1, 2)))
case("CenterCropPad", [rand(5, 4), const([3])], lambda x, s: x[:, 0:3], "one axis", axes=[-1])


def reverse(time):
    def run(x, lengths):
        rows = x if time == 1 else x.transpose(0, 1)
        y = torch.stack([torch.cat([r[: int(n)].flip(0), r[int(n) :]]) for r, n in zip(rows, lengths)])
        return y if time == 1 else y.transpose(0, 1)

    return run


case("ReverseSequence", [rand(4, 3, 2), const([4, 1, 3])], reverse(0), "time first", time_axis=0, batch_axis=1)
case("ReverseSequence", [rand(3, 4), const([2, 4, 0])], reverse(1), "batch first", time_axis=1, batch_axis=0)

# No operator of ONNX, but tf2onnx writes it.
case("Erfc", [rand(2, 4)], torch.erfc)
