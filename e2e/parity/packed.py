"""Llamas of onnxruntime-genai's model builder, in few bits and in half precision: made, and judged once `npm run tune` has trained and merged them.

make FOLDER    a folder per kind of weights, with the model, data and job.toml
check FOLDER   FOLDER/NAME/run is what `npm run tune` wrote: native onnxruntime and onnxruntime-genai must write what the page wrote, and PEFT must
               give the merged model's logits on the same numbers
"""

import json
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import onnxruntime_genai
import torch
from peft import PeftModel
from real_files import verdict, word_tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

# The builder takes whatever has as many outputs as there are words for the last layer: no other width is 100.
WORDS, LENGTH, WRITTEN = 100, 16, 12
PROMPTS = [[3, 14, 15], [9, 26, 5, 35], [8, 9, 7]]

# What is on the input's side has a folder for PEFT.
INPUT = 'side = "input"\nblocks = { size = 8, fit = "nearest" }'
OUTPUT = 'rescale = true\nblocks = { dim = 4 }'
KINDS = {"int4": INPUT, "int8": OUTPUT, "fp16": INPUT}

JOB = """task = "language"
model = "model"
[data]
train = "train"
[options]
length = {length}
frame = "none"
new_tokens = {written}
[train]
steps = 3
batch = 4
learning_rate = 0.05
warmup = 0
[sample]
every = 3
prompts = {prompts}
[plan]
{plan}
"""


def llama():
    """Weights so large that what is written changes from word to word, and that two likeliest words hardly ever come near each other."""
    torch.manual_seed(4)
    config = LlamaConfig(
        vocab_size=WORDS, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, tie_word_embeddings=True, initializer_range=0.3,
        bos_token_id=0, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def build(source, target, precision):
    """The builder is a program. Activations stay float32 (accuracy_level 1), as they are where the model is trained."""
    words = ["-i", str(source), "-o", str(target), "-p", precision, "-e", "cpu", "-c", str(source / "cache")]
    sys.argv = ["builder", *words, "--extra_options", "accuracy_level=1"]
    runpy.run_module("onnxruntime_genai.models.builder", run_name="__main__")


def make(folder):
    shutil.rmtree(folder, ignore_errors=True)
    source = folder / "source"
    source.mkdir(parents=True)
    llama().save_pretrained(source)
    word_tokenizer(source, WORDS, around=False)
    rng = np.random.default_rng(1)
    rows = [json.dumps({"text": " ".join(f"w{w}" for w in rng.integers(1, WORDS, LENGTH))}) for _ in range(24)]
    prompts = json.dumps([" ".join(f"w{w}" for w in prompt) for prompt in PROMPTS])
    for name, plan in KINDS.items():
        (folder / name / "train").mkdir(parents=True)
        (folder / name / "train/data.jsonl").write_text("\n".join(rows) + "\n")
        job = JOB.format(length=LENGTH, written=WRITTEN, prompts=prompts, plan=plan)
        (folder / name / "job.toml").write_text(job)
        build(source, folder / name / "model", name)


def logits(session, ids):
    """Of all positions, without a cache."""
    feeds = {"input_ids": np.array([ids]), "attention_mask": np.ones((1, len(ids)), np.int64)}
    for i in session.get_inputs():
        if i.name == "position_ids":
            feeds[i.name] = np.arange(len(ids))[None]
        elif i.name not in feeds:
            feeds[i.name] = np.zeros([1, i.shape[1], 0, 16], np.float16 if "float16" in i.type else np.float32)
    return session.run(["logits"], feeds)[0][0].astype(np.float32)


def natively(model, prompt):
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    ids = list(prompt)
    for _ in range(WRITTEN):
        ids.append(int(logits(session, ids)[-1].argmax()))
    return ids[len(prompt) :]


def by_genai(folder, prompt):
    """By its own loop, which feeds the cache."""
    model = onnxruntime_genai.Model(str(folder))
    params = onnxruntime_genai.GeneratorParams(model)
    params.set_search_options(do_sample=False, max_length=len(prompt) + WRITTEN)
    generator = onnxruntime_genai.Generator(model, params)
    generator.append_tokens(np.array(prompt, np.int32))
    words = []
    while not generator.is_done() and len(words) < WRITTEN:
        generator.generate_next_token()
        words.append(int(generator.get_next_tokens()[0]))
    return words


def replaced(model, merged, folder):
    """The model's folder with the merged file in the place of the model's own, as a user would put it there."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(model, folder, ignore=shutil.ignore_patterns("*.onnx*"))
    shutil.copy(merged, folder / "model.onnx")
    return folder


def dequantised(model):
    """Weights of a 4-bit model as transformers has them, by module."""
    graph = onnx.load(str(model)).graph
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    weights = {}
    for node in graph.node:
        if node.op_type != "MatMulNBits":
            continue
        packed, scales = (stored[name] for name in node.input[1:3])
        nibbles = np.stack([packed & 15, packed >> 4], -1).reshape(*packed.shape[:2], -1)
        zeros = stored[node.input[3]] if len(node.input) > 3 and node.input[3] else None
        assert zeros is None, "the builder quantises symmetrically"
        whole = (nibbles.astype(np.float32) - 8) * scales.reshape(*packed.shape[:2], 1)
        name = node.name.removesuffix("/MatMul_Q4").strip("/").replace("/", ".").replace(".attn.", ".self_attn.")
        weights[name] = torch.tensor(whole.reshape(len(packed), -1))
    return weights


def in_peft(case, packed):
    """The same base in PyTorch under PEFT's folder."""
    model = llama()
    if packed:
        weights = dequantised(case / "model/model.onnx")
        for name in [n for n in weights if n.endswith("qkv_proj")]:
            rows = weights.pop(name).split([64, 32, 32])
            weights |= {name.replace("qkv_proj", f"{each}_proj"): w for each, w in zip("qkv", rows, strict=True)}
        for name, weight in weights.items():
            model.get_submodule(name).weight.data.copy_(weight)
    return PeftModel.from_pretrained(model, str(case / "run/peft")).eval()


def words_of(text):
    return [int(word.removeprefix("w")) for word in text.split()]


def check(folder):
    fine = True
    for name, plan in KINDS.items():
        case = folder / name
        merged = case / "run/merged.onnx"
        first, *_, last = json.loads((case / "run/samples.json").read_text())
        ours = [words_of(text) for text in last["texts"]]
        changed = [words_of(text) for text in first["texts"]] != ours
        fine &= verdict(f"{name}: three steps change what is written", changed, " ".join(map(str, ours[0])))
        native = [natively(merged, prompt) for prompt in PROMPTS]
        fine &= verdict(f"{name}: native onnxruntime writes what the page writes", native == ours, f"{native[0]}")
        whole = replaced(case / "model", merged, case / "genai")
        generated = [by_genai(whole, prompt) for prompt in PROMPTS]
        fine &= verdict(f"{name}: so does onnxruntime-genai", generated == ours, f"{generated[0]}")
        size = merged.stat().st_size / sum(f.stat().st_size for f in (case / "model").glob("model.onnx*"))
        fine &= verdict(f"{name}: the merged file stays as small", size < 1.6, f"{size:.2f} of the model's")
        if plan is not INPUT:
            continue
        ids = [*PROMPTS[0], *ours[0]]
        got = logits(onnxruntime.InferenceSession(str(merged), providers=["CPUExecutionProvider"]), ids)
        with torch.no_grad():
            want = in_peft(case, name == "int4")(torch.tensor([ids])).logits[0].numpy()
        error = np.abs(got - want).max() / np.abs(want).max()
        # Half precision has 11 bits, and there is no dequantised base to begin with.
        bound = 2e-4 if name == "int4" else 2e-2
        fine &= verdict(f"{name}: PEFT's folder gives the merged model's logits", error < bound, f"{error:.1e}")
    return fine


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        sys.exit(0 if check(Path(sys.argv[2])) else 1)
