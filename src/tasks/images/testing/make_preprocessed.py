"""Writes preprocessed.json: what image processors of 🤗 transformers 5 (their Pillow backend) make of a pattern by their own files, and what Pillow and numpy
make of it by single options. Run with transformers, Pillow and numpy installed: python make_preprocessed.py"""
import json
from pathlib import Path

import numpy as np
from PIL import Image
from transformers import CLIPImageProcessor, ConvNextImageProcessor, MobileViTImageProcessor, ViTImageProcessor

from make_resampled import HEIGHT, WIDTH, pattern

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
PROCESSORS = {
    "ViT, 10 × 6": ViTImageProcessor(size={"height": 6, "width": 10}),
    "ViT, bicubic, not normalised": ViTImageProcessor(size={"height": 8, "width": 8}, resample=3, do_normalize=False),
    "ViT, bytes": ViTImageProcessor(size={"height": 6, "width": 10}, do_rescale=False, do_normalize=False),
    "ViT, mean and deviation of bytes": ViTImageProcessor(size={"height": 6, "width": 6}, do_rescale=False, image_mean=[123.675, 116.28, 103.53], image_std=[58.395, 57.12, 57.375]),
    "ViT, another factor": ViTImageProcessor(size={"height": 6, "width": 6}, rescale_factor=1 / 127.5, image_mean=[1, 1, 1], image_std=[1, 1, 1]),
    "CLIP": CLIPImageProcessor(size={"shortest_edge": 8}, crop_size={"height": 8, "width": 8}),
    "ResNet's margin": CLIPImageProcessor(size={"shortest_edge": 11}, crop_size={"height": 8, "width": 8}, resample=2, image_mean=MEAN, image_std=STD),
    "CLIP, a crop of another shape": CLIPImageProcessor(size={"height": 9, "width": 12}, crop_size={"height": 6, "width": 10}),
    "ConvNeXt": ConvNextImageProcessor(size={"shortest_edge": 8}, crop_pct=0.875),
    "MobileViT, blue first": MobileViTImageProcessor(size={"shortest_edge": 9}, crop_size={"height": 8, "width": 8}),
}


def numbers(array):
    return [round(float(v), 5) for v in np.asarray(array).ravel()]


def with_options(image):
    """[name, options, channels, order, values]"""
    crop = lambda w, h: image.resize((w, h), Image.BICUBIC, box=box_of(w, h))

    def box_of(w, h):
        scale = min(WIDTH / w, HEIGHT / h)
        left, top = (WIDTH - w * scale) / 2, (HEIGHT - h * scale) / 2
        return (left, top, left + w * scale, top + h * scale)

    f = lambda im: np.asarray(im).astype(np.float64)
    chw = lambda a: np.moveaxis(a, -1, 0)
    wide = {"width": 12, "height": 3}
    yield "none", {**wide, "normalise": "none"}, 3, "NCHW", chw(f(crop(12, 3)) / 255)
    yield "0 to 255", {**wide, "normalise": "none", "range": "0-255"}, 3, "NCHW", chw(f(crop(12, 3)))
    yield "0 to 255 alone", {**wide, "range": "0-255"}, 3, "NCHW", chw(f(crop(12, 3)))
    yield "blue first", {**wide, "normalise": "none", "colours": "bgr"}, 3, "NCHW", chw(f(crop(12, 3))[..., ::-1] / 255)
    caffe = [103.939, 116.779, 123.68]
    yield "Caffe", {**wide, "colours": "bgr", "range": "0-255", "mean": caffe}, 3, "NCHW", chw(f(crop(12, 3))[..., ::-1] - caffe)
    yield "Caffe, range left out", {**wide, "colours": "bgr", "mean": caffe}, 3, "NCHW", chw(f(crop(12, 3))[..., ::-1] - caffe)
    own = [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]
    yield "own mean and deviation", {**wide, "mean": own[0], "std": own[1]}, 3, "NCHW", chw((f(crop(12, 3)) / 255 - own[0]) / own[1])
    yield "one mean for all", {**wide, "mean": [0.5], "std": [0.5]}, 3, "NCHW", chw(f(crop(12, 3)) / 127.5 - 1)
    yield "deviation alone", {**wide, "std": [0.5]}, 3, "NCHW", chw(f(crop(12, 3)) / 127.5)
    yield "ImageNet, blue first", {**wide, "normalise": "imagenet", "colours": "bgr"}, 3, "NCHW", chw(((f(crop(12, 3)) / 255 - MEAN) / STD)[..., ::-1])
    yield "half", {**wide, "normalise": "half"}, 3, "NCHW", chw(f(crop(12, 3)) / 127.5 - 1)
    yield "channels last", {**wide, "normalise": "none", "colours": "bgr"}, 3, "NHWC", f(crop(12, 3))[..., ::-1] / 255
    yield "grey", {**wide, "normalise": "none"}, 1, "NCHW", f(crop(12, 3)) @ [0.299, 0.587, 0.114] / 255
    yield "stretched", {**wide, "normalise": "none", "fit": "stretch"}, 3, "NCHW", chw(f(image.resize((12, 3), Image.BICUBIC)) / 255)
    yield "tall, stretched", {"width": 4, "height": 9, "normalise": "none", "fit": "stretch"}, 3, "NCHW", chw(f(image.resize((4, 9), Image.BICUBIC)) / 255)
    inner = image.resize((4, 3), Image.BICUBIC)
    padded = Image.new("RGB", (12, 3))
    padded.paste(inner, (4, 0))
    yield "padded", {**wide, "normalise": "none", "fit": "pad"}, 3, "NCHW", chw(f(padded) / 255)
    yield "side alone", {"side": 6, "normalise": "none"}, 3, "NCHW", chw(f(crop(6, 6)) / 255)


def main():
    image = Image.fromarray(pattern())
    files = []
    for name, processor in PROCESSORS.items():
        config = {k: v for k, v in processor.to_dict().items() if isinstance(v, (int, float, list, tuple, dict, bool, str))}
        values = processor(image, return_tensors="np")["pixel_values"][0]
        files.append({"name": name, "config": json.loads(json.dumps(config)), "shape": list(values.shape), "values": numbers(values)})
    options = [
        {"name": n, "options": o, "channels": c, "order": order, "values": numbers(v)} for n, o, c, order, v in with_options(image)
    ]
    Path(__file__).with_name("preprocessed.json").write_text(json.dumps({"files": files, "options": options}) + "\n")


if __name__ == "__main__":
    main()
