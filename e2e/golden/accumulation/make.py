"""Writes the models, the data and expected.json of accumulation.test.ts: loss and gradient norm of one update over everything, by torch and LyCORIS,
however it would be cut into micro-batches. Run with torch, lycoris-lora, onnx, tokenizers and Pillow installed: python make.py"""
import json
import logging
import os
from pathlib import Path

import numpy as np
import torch
from lycoris import LycorisNetwork, create_lycoris
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from torch.nn.functional import cross_entropy

logging.disable(logging.CRITICAL)
HERE = Path(__file__).parent
TEXTS = [
    "red fox",
    "the red fox jumps over the lazy dog and then sleeps in the green grass near the old river bank",
    "hi",
    "a cat sat on the mat while the rain fell on the roof of the small house",
]


def export(model, args, path, names, axes):
    path.parent.mkdir(exist_ok=True)
    torch.onnx.export(model, args, path, input_names=names[:-1], output_names=names[-1:], dynamo=False, opset_version=17,
                      dynamic_axes={name: dict(enumerate(axes)) for name in names})


def adapted(model, module):
    LycorisNetwork.apply_preset({"target_module": [module], "target_name": []})
    net = create_lycoris(model, 1.0, linear_dim=4, linear_alpha=1, algo="diag-oft")
    net.apply_to()
    return net


def update(net, loss):
    net.zero_grad()
    loss.backward()
    norm = torch.sqrt(sum((x.oft_blocks.grad**2).sum() for x in net.loras if x.oft_blocks.grad is not None))
    return {"loss": loss.item(), "gradNorm": norm.item()}


class Attention(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(d, d) for _ in range(4))

    def forward(self, x, mask):
        B, T, D = x.shape
        heads = lambda y: y.view(B, T, self.h, D // self.h).transpose(1, 2)
        a = heads(self.q_proj(x)) @ heads(self.k_proj(x)).transpose(-1, -2) / (D // self.h) ** 0.5 + mask
        return self.o_proj((torch.softmax(a, -1) @ heads(self.v_proj(x))).transpose(1, 2).reshape(B, T, D))


class Layer(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.self_attn = Attention(d, h)
        self.up_proj, self.down_proj = nn.Linear(d, 2 * d), nn.Linear(2 * d, d)
        self.ln1, self.ln2 = nn.LayerNorm(d), nn.LayerNorm(d)

    def forward(self, x, mask):
        x = x + self.self_attn(self.ln1(x), mask)
        return x + self.down_proj(torch.relu(self.up_proj(self.ln2(x))))


class LanguageModel(nn.Module):
    def __init__(self, vocab, d=32, h=4, n=2, length=64):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.pos = nn.Embedding(vocab, d), nn.Embedding(length, d)
        self.layers = nn.ModuleList(Layer(d, h) for _ in range(n))
        self.norm, self.lm_head = nn.LayerNorm(d), nn.Linear(d, vocab, bias=False)
        for p in self.parameters():
            if p.dim() > 1:
                p.data = torch.randn_like(p) * (0.3 if p.shape[0] == vocab else 0.25)

    def forward(self, input_ids, attention_mask):
        T = input_ids.shape[1]
        causal = torch.tril(torch.ones(T, T, dtype=torch.bool))
        mask = torch.where(causal[None, None] & (attention_mask[:, None, None, :] > 0), 0.0, -1e9)
        x = self.embed(input_ids) + self.pos(torch.arange(T))[None]
        for layer in self.layers:
            x = layer(x, mask)
        return self.lm_head(self.norm(x))


def language():
    folder = HERE / "language"
    folder.mkdir(exist_ok=True)
    tok = Tokenizer(models.BPE(unk_token=None))
    tok.pre_tokenizer, tok.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    special = ["<pad>", "<s>", "</s>", "<|user|>", "<|assistant|>", "<|end|>"]
    tok.train_from_iterator(
        TEXTS * 5, trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tok.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "model_max_length": 64}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    model = LanguageModel(tok.get_vocab_size()).eval()
    ones = torch.ones(2, 8, dtype=torch.long)
    export(model, (ones, ones), folder / "model.onnx", ["input_ids", "attention_mask", "logits"], ["batch", "sequence"])
    end, pad = tok.token_to_id("</s>"), tok.token_to_id("<pad>")
    rows = [[*tok.encode(t).ids, end] for t in TEXTS]
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), pad)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, -100)
    for i, row in enumerate(rows):
        ids[i, : len(row)], mask[i, : len(row)] = torch.tensor(row), 1
        labels[i, : len(row) - 1] = torch.tensor(row[1:])
    net = adapted(model, "Linear")
    return {"texts": TEXTS, **update(net, cross_entropy(model(ids, mask).transpose(1, 2), labels))}


def tokens():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 8))
    for p in model.parameters():
        p.data *= 3
    export(model, (torch.randn(4, 5, 6),), HERE / "tokens" / "tokens.onnx", ["x", "logits"], ["b"])
    r = np.random.RandomState(0)
    x, y = r.randn(4, 5, 6).astype("f4"), r.randint(0, 8, (4, 5))
    y[0, 1:] = -100
    y[1, :] = [1, 2, 3, 4, 5]
    y[2, 2:] = -100
    y[3, 4:] = -100
    net = adapted(model, "Linear")
    return {
        "x": x.ravel().tolist(),
        "labels": y.ravel().tolist(),
        **update(net, cross_entropy(model(torch.tensor(x)).transpose(1, 2), torch.tensor(y))),
    }


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc1, self.fc = nn.Conv2d(3, 16, 3, padding=1), nn.Linear(16, 32), nn.Linear(32, 3)

    def forward(self, x):
        return self.fc(torch.relu(self.fc1(torch.relu(self.conv(x)).mean((2, 3)))))


def classes():
    folder = HERE / "classes"
    torch.manual_seed(0)
    model = Classifier().eval()
    for p in model.parameters():
        p.data *= 3
    export(model, (torch.rand(1, 3, 8, 8),), folder / "model.onnx", ["pixel_values", "logits"], ["batch"])
    names, counts = ["ape", "bee", "cat"], [5, 2, 1]
    (folder / "labels.txt").write_text("\n".join(names) + "\n")
    r = np.random.RandomState(0)
    pictures, labels = [], []
    for c, (name, n) in enumerate(zip(names, counts)):
        for i in range(n):
            pictures.append((r.rand(8, 8, 3) * 255).astype("u1"))
            labels.append(c)
            path = folder / "data" / name / f"{i}.png"
            os.makedirs(path.parent, exist_ok=True)
            Image.fromarray(pictures[-1]).save(path)
    x, y = torch.tensor(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255, torch.tensor(labels)
    balanced = torch.tensor([len(y) / (3 * n) for n in counts])
    net = adapted(model, "Classifier")
    return [
        {"smoothing": s, "weights": kind, **update(net, cross_entropy(model(x), y, weight=w, label_smoothing=s))}
        for s in (0.0, 0.1)
        for kind, w in (("none", None), ("balanced", balanced))
    ]


if __name__ == "__main__":
    expected = {"language": language(), "tokens": tokens(), "classes": classes()}
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
