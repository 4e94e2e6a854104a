"""Makes the example of text classification: a tiny BERT that tells what letters are about, and letters sorted by what their writers want, which it was never asked.

Usage: python e2e/examples/letters.py   (torch, transformers, tokenizers, onnx; the same files on each run of the same versions)
"""

import csv
import json
import random
import shutil
from pathlib import Path

import onnx
import torch
from told import TOPICS, letter
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification

ROOT = Path(__file__).resolve().parents[2] / "public"
MODEL = ROOT / "models" / "topics"
DATA = ROOT / "data" / "letters"
EXPECTED = ROOT.parent / "src" / "tasks" / "text" / "testing" / "framed.json"

MOODS = {
    "complaint": [
        "i am not happy with {x}", "{x} was broken again", "nobody answered when i wrote about {x}",
        "{x} is far too expensive , i want my money back", "this is the third time that {x} is late", "{x} was a disappointment",
    ],
    "question": [
        "could you tell me more about {x} ?", "when can i see {x} ?", "how much is {x} ?",
        "is {x} there on sunday , too ?", "where do i find {x} ?", "do you know who looks after {x} ?",
    ],
    "thanks": [
        "thank you very much for {x}", "{x} was wonderful , we will come again", "we all loved {x}",
        "many thanks , {x} made my day", "i am so glad about {x}", "what a joy {x} was , well done",
    ],
}


def draw(r: random.Random) -> tuple[str, str, str]:
    mood, topic = r.choice(list(MOODS)), r.choice(list(TOPICS))
    return letter(r, r.choice(MOODS[mood]), topic), mood, topic


def write_data(r: random.Random) -> None:
    shutil.rmtree(DATA, ignore_errors=True)
    seen: set[str] = set()
    for part, count in (("train", 300), ("heldout", 60)):
        rows = []
        while len(rows) < count:
            text, mood, _ = draw(r)
            if text not in seen:
                rows.append((text, mood))
                seen.add(text)
        folder = DATA / part
        folder.mkdir(parents=True)
        with (folder / "letters.csv").open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([("text", "label"), *rows])


def write_expected(tokenizer: Tokenizer) -> None:
    """What tests hold the cutting of long texts to: src/tasks/text/testing/framed.json."""
    one, two = "when can i see the old piano ?", "thank you very much , dear friends"
    cases = []
    for text, pair in ((one, None), (one, two), (two, one), ("hello", one), (one, "yes"), ("", None)):
        for longest in (3, 4, 7, 8, 11, 64):
            tokenizer.enable_truncation(longest)
            made = tokenizer.encode(text) if pair is None else tokenizer.encode(text, pair)
            cases.append({"text": text, "pair": pair, "longest": longest, "ids": made.ids, "types": made.type_ids})
    tokenizer.no_truncation()
    EXPECTED.parent.mkdir(parents=True, exist_ok=True)
    EXPECTED.write_text(json.dumps(cases) + "\n")


def main() -> None:
    torch.manual_seed(0)
    torch.use_deterministic_algorithms(True)
    r = random.Random(0)
    corpus = [draw(r) for _ in range(4000)]
    words = sorted({word for text, _, _ in corpus for word in text.split()})
    letters = sorted({c for word in words for c in word})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{c}" for c in letters), *(w for w in words if len(w) > 1)]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_padding(pad_id=0)
    coded = tokenizer.encode_batch([text for text, _, _ in corpus])
    ids = torch.tensor([e.ids for e in coded])
    mask = torch.tensor([e.attention_mask for e in coded])
    labels = torch.tensor([list(TOPICS).index(topic) for _, _, topic in corpus])

    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
        max_position_embeddings=64, hidden_dropout_prob=0, attention_probs_dropout_prob=0, num_labels=len(TOPICS),
        id2label=dict(enumerate(TOPICS)), label2id={name: i for i, name in enumerate(TOPICS)}, pad_token_id=0,
        attn_implementation="eager",
    )
    net = BertForSequenceClassification(config)
    # It learns to tell which words a letter has, too: a model that sorts by topics alone forgets all other words.
    tell = torch.nn.Linear(config.hidden_size, config.vocab_size)
    present = torch.zeros(len(ids), config.vocab_size).scatter_(1, ids, 1.0)
    optimiser = torch.optim.AdamW([*net.parameters(), *tell.parameters()], 1e-3)
    for epoch in range(8):
        for rows in torch.randperm(len(ids)).split(32):
            pooled = net.bert(input_ids=ids[rows], attention_mask=mask[rows]).pooler_output
            told = torch.nn.functional.binary_cross_entropy_with_logits(tell(pooled), present[rows])
            loss = len(vocabulary) * told + torch.nn.functional.cross_entropy(net.classifier(pooled), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        print(f"epoch {epoch}: {loss.item():.4f}, of which words {told.item():.4f}")

    class Scores(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, input_ids, attention_mask, token_type_ids):
            return self.net(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).logits

    shutil.rmtree(MODEL, ignore_errors=True)
    MODEL.mkdir(parents=True)
    example = torch.zeros(2, 8, dtype=torch.long)
    axes = {0: "batch", 1: "sequence"}
    names = ["input_ids", "attention_mask", "token_type_ids"]
    torch.onnx.export(
        Scores().eval(), (example, torch.ones_like(example), example), str(MODEL / "model.onnx"), dynamo=False, opset_version=17,
        input_names=names, output_names=["logits"], dynamic_axes={**dict.fromkeys(names, axes), "logits": {0: "batch"}},
    )
    model = onnx.load(MODEL / "model.onnx")
    del model.graph.metadata_props[:]
    for node in model.graph.node:
        node.ClearField("doc_string")
        del node.metadata_props[:]
    onnx.save(model, MODEL / "model.onnx")
    tokenizer.no_padding()
    tokenizer.save(str(MODEL / "tokenizer.json"))
    write_expected(tokenizer)
    shared = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "model_max_length": 64}
    (MODEL / "tokenizer_config.json").write_text(json.dumps(shared) + "\n")
    (MODEL / "config.json").write_text(json.dumps({"model_type": "bert", "id2label": config.id2label}) + "\n")
    write_data(random.Random(1))


if __name__ == "__main__":
    main()
