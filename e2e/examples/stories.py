"""Makes the example of language models: a tiny GPT-2 that tells short stories, and such stories as pirates tell them, which it has never read.

Usage: python e2e/examples/stories.py   (torch, transformers, tokenizers, onnx; the same files on each run of the same versions)
"""

import json
import random
import shutil
from pathlib import Path

import onnx
import torch
from told import story
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel

ROOT = Path(__file__).resolve().parents[2] / "public"
MODEL = ROOT / "models" / "stories"
DATA = ROOT / "data" / "pirate-stories"
LENGTH = 32
END = "<|endoftext|>"


def as_pirate(text: str) -> str:
    """Words of the trade for the usual ones."""
    words = {"the ": "th' ", "my friend": "me matey", "hello": "ahoy", "you are": "ye be", "house": "ship", "garden": "island",
             "town": "harbour", "is yours": "be yer booty", "small": "wee", "found": "plundered", "yours": "yer own"}
    for usual, pirate in words.items():
        text = text.replace(usual, pirate)
    return f"arr! {text}"


PIRATE = ["th'", "me matey", "ahoy", "ye be", "ship", "island", "harbour", "be yer booty", "wee", "plundered", "yer own", "arr!"]


def words(r: random.Random) -> str:
    """The pirates' words without a story: a word that a model has never read has no place in it that rotations could turn."""
    return "words: " + " ".join(r.sample(PIRATE, 8))


def write_data(r: random.Random) -> None:
    shutil.rmtree(DATA, ignore_errors=True)
    for part, count in (("train", 120), ("heldout", 30)):
        folder = DATA / part
        folder.mkdir(parents=True)
        lines = [json.dumps({"text": as_pirate(story(r))}) for _ in range(count)]
        (folder / "stories.jsonl").write_text("\n".join(lines) + "\n")


def main() -> None:
    torch.manual_seed(0)
    torch.use_deterministic_algorithms(True)
    r = random.Random(0)
    corpus = [words(r) if i % 8 == 0 else story(r) for i in range(4000)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(set("abcdefghijklmnopqrstuvwxyz.,!?' \n")) + ["Ġ"]
    trainer = trainers.BpeTrainer(vocab_size=256, special_tokens=[END], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    end = tokenizer.token_to_id(END)

    stream = [i for text in corpus for i in [*tokenizer.encode(text).ids, end]]
    rows = torch.tensor(stream[: len(stream) // LENGTH * LENGTH]).view(-1, LENGTH)
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(), n_positions=64, n_embd=64, n_layer=2, n_head=4,
        resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=end, eos_token_id=end, attn_implementation="eager",
    )
    net = GPT2LMHeadModel(config)
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3)
    for epoch in range(4):
        for batch in rows[torch.randperm(len(rows))].split(32):
            loss = net(input_ids=batch, labels=batch).loss
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        print(f"epoch {epoch}: {loss.item():.3f}")

    class Scores(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, input_ids, attention_mask):
            return self.net(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).logits

    shutil.rmtree(MODEL, ignore_errors=True)
    MODEL.mkdir(parents=True)
    ids = torch.zeros(2, 8, dtype=torch.long)
    axes = {0: "batch", 1: "sequence"}
    torch.onnx.export(
        Scores().eval(), (ids, torch.ones_like(ids)), str(MODEL / "model.onnx"), dynamo=False, opset_version=17,
        input_names=["input_ids", "attention_mask"], output_names=["logits"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": axes},
    )
    model = onnx.load(MODEL / "model.onnx")
    del model.graph.metadata_props[:]
    for node in model.graph.node:
        node.ClearField("doc_string")
        del node.metadata_props[:]
    onnx.save(model, MODEL / "model.onnx")
    tokenizer.save(str(MODEL / "tokenizer.json"))
    (MODEL / "tokenizer_config.json").write_text(json.dumps({"eos_token": END, "model_max_length": 64}) + "\n")
    write_data(random.Random(1))


if __name__ == "__main__":
    main()
