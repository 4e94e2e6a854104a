"""Writes pictures.json: small files of many kinds, and the pixels that Pillow 13 makes of them, turned by exif_transpose, over white. Run with Pillow and
numpy installed: python make_pictures.py"""
import base64
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

W, H = 12, 7
yy, xx = np.mgrid[0:H, 0:W]
# No symmetry: no turn and no mirror leaves it as it is.
RGB = np.stack([xx * 255 // (W - 1), yy * 255 // (H - 1), (xx * 37 + yy * 91) % 256], -1).astype(np.uint8)
BASE = Image.fromarray(RGB)
# Flat areas, which lossy formats keep.
QUARTERS = Image.fromarray(
    np.array([[[220, 20, 30], [20, 200, 40]], [[30, 40, 210], [230, 220, 30]]], np.uint8).repeat(8, 0).repeat(12, 1)
)
cases = []


def right_of(data):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode in ("LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        a = np.asarray(image).astype(np.float64)
        alpha = a[..., 3:] / 255
        return np.floor(a[..., :3] * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)
    return np.asarray(image.convert("RGB"))


def put(name, data, right=None, off=0):
    """off: how far a decoder may be away, of 255."""
    rgb = right_of(data) if right is None else np.asarray(right)
    b64 = lambda b: base64.b64encode(b).decode()
    cases.append(
        {"name": name, "file": b64(data), "width": rgb.shape[1], "height": rgb.shape[0], "off": off, "rgb": b64(rgb.tobytes())}
    )


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(depth, colour, rows, extra=b"", after=b""):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r for r in rows), 9))
    return b"\x89PNG\r\n\x1a\n" + head + extra + body + after + chunk(b"IEND", b"")


def other_profile():
    """sRGB with red and blue exchanged: who applies it is far off."""
    icc = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = {}
    for i in range(struct.unpack(">I", icc[128:132])[0]):
        at[bytes(icc[132 + 12 * i : 136 + 12 * i])] = 132 + 12 * i
    r, b = at[b"rXYZ"], at[b"bXYZ"]
    icc[r + 4 : r + 12], icc[b + 4 : b + 12] = icc[b + 4 : b + 12], icc[r + 4 : r + 12]
    return bytes(icc)


def main():
    rows = [r.tobytes() for r in RGB]
    for o in range(1, 9):
        exif = Image.Exif()
        exif[0x112] = o
        put(f"png exif {o}", encoded(BASE, "PNG", exif=exif))
        put(f"webp exif {o}", encoded(BASE, "WEBP", lossless=True, exif=exif))
        put(f"tiff {o}", encoded(BASE, "TIFF", tiffinfo={274: o}))
        put(f"jpeg exif {o}", encoded(QUARTERS, "JPEG", quality=95, subsampling=0, exif=exif), off=2)
        put(f"avif irot {o}", encoded(QUARTERS, "AVIF", quality=100, subsampling="4:4:4", exif=exif), off=3)
    exif = Image.Exif()
    exif[0x112] = 6
    put("png exif behind its pixels", png(8, 2, rows, after=chunk(b"eXIf", exif.tobytes()[6:])))
    big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\0"
    put("png exif of 32 bits", png(8, 2, rows, extra=chunk(b"eXIf", big)))
    digits = exif.tobytes().hex()
    text = f"\nexif\n{len(digits) // 2:8d}\n" + "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72)) + "\n"
    raw = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text.encode()))
    put("png with ImageMagick's exif", png(8, 2, rows, extra=raw))
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'
    put("webp xmp 8", encoded(BASE, "WEBP", lossless=True, xmp=xmp))
    put("jpeg xmp 8", encoded(QUARTERS, "JPEG", quality=95, subsampling=0, xmp=xmp), off=2)
    exif[0x112] = 3
    put("webp exif 3 before xmp 8", encoded(BASE, "WEBP", lossless=True, exif=exif, xmp=xmp))

    # What browsers apply and Pillow does not.
    put("png gamma 1", png(8, 2, rows, extra=chunk(b"gAMA", struct.pack(">I", 100000))))
    icc = other_profile()
    put("png profile", encoded(BASE, "PNG", icc_profile=icc))
    put("webp profile", encoded(BASE, "WEBP", lossless=True, icc_profile=icc))
    put("jpeg profile", encoded(QUARTERS, "JPEG", quality=95, subsampling=0, icc_profile=icc), off=2)
    put("avif profile", encoded(QUARTERS, "AVIF", quality=100, subsampling="4:4:4", icc_profile=icc), off=3)
    put("jpeg cmyk", encoded(QUARTERS.convert("CMYK"), "JPEG", quality=95), off=3)
    put("jpeg grey", encoded(QUARTERS.convert("L"), "JPEG", quality=95), off=2)

    # 16 bits, rounded.
    round8 = lambda v: np.floor(v.astype(np.float64) / 257 + 0.5).astype(np.uint8)
    grey = ((xx * 5101 + yy * 7919) % 65536).astype(">u2")
    three = lambda g: np.repeat(g[..., None], 3, -1)
    put("png grey 16", png(16, 0, [r.tobytes() for r in grey]), three(round8(grey)))
    dark = (xx * 1200 // (W - 1)).astype(">u2")
    put("png grey 16 dark", png(16, 0, [r.tobytes() for r in dark]), three(round8(dark)))
    deep = np.stack([grey, (grey * 3).astype(np.uint16), (grey * 7).astype(np.uint16)], -1).astype(">u2")
    put("png colour 16", png(16, 2, [r.tobytes() for r in deep]), round8(deep))
    half = np.concatenate([deep, np.full((H, W, 1), 32896, ">u2")], -1).astype(">u2")
    over = np.floor((deep.astype(np.float64) / 65535 * (32896 / 65535) + (1 - 32896 / 65535)) * 255 + 0.5).astype(np.uint8)
    put("png colour and alpha 16", png(16, 6, [r.tobytes() for r in half]), over, off=1)
    put("png grey 16, exif 6", png(16, 0, [r.tobytes() for r in grey], extra=chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0")), three(np.rot90(round8(grey), -1)))
    put("tiff grey 16", encoded(Image.fromarray(grey.astype(np.uint16)), "TIFF"), three(round8(grey)))
    put("tiff grey 16 lzw", encoded(Image.fromarray(grey.astype(np.uint16)), "TIFF", compression="tiff_lzw"), three(round8(grey)))

    # TIFF's compressions and colours.
    for kind in ("tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits"):
        put(f"tiff {kind}", encoded(BASE, "TIFF", compression=kind))
    put("tiff lzw with predictor", encoded(BASE, "TIFF", compression="tiff_lzw", tiffinfo={317: 2}))
    put("tiff jpeg", encoded(QUARTERS, "TIFF", compression="jpeg"), off=6)
    put("tiff grey", encoded(BASE.convert("L"), "TIFF"))
    put("tiff bilevel", encoded(BASE.convert("1"), "TIFF"))
    put("tiff palette", encoded(BASE.quantize(16), "TIFF"))
    put("tiff cmyk", encoded(BASE.convert("CMYK"), "TIFF", compression="tiff_lzw"))
    alpha = Image.fromarray((xx * 23).astype(np.uint8))
    put("tiff alpha", encoded(Image.merge("RGBA", [*BASE.split(), alpha]), "TIFF"), off=1)
    put("tiff grey alpha", encoded(Image.merge("LA", [BASE.convert("L"), alpha]), "TIFF"), off=1)
    for name, image, options in (
        ("tiff zstd", BASE, {"compression": "zstd"}),
        ("tiff floats", Image.fromarray((xx / W).astype(np.float32)), {}),
        ("tiff group 4", BASE.convert("1"), {"compression": "group4"}),
        ("bigtiff", BASE, {"big_tiff": True}),
        ("jpeg2000", BASE, {}),
        ("ico", BASE, {}),
        ("ppm", BASE, {}),
        ("tga", BASE, {}),
    ):
        kind = {"jpeg2000": "JPEG2000", "ico": "ICO", "ppm": "PPM", "tga": "TGA"}.get(name, "TIFF")
        cases.append({"name": f"refused: {name}", "file": base64.b64encode(encoded(image, kind, **options)).decode()})
    Path(__file__).with_name("pictures.json").write_text(json.dumps(cases, indent=0) + "\n")


if __name__ == "__main__":
    main()
