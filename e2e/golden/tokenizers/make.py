"""Tokenizers of every usual kind, trained on the spot, with transformers' ids of tricky texts and its masks of chats.

python make.py   writes tokenizers.json and chats.json beside itself (tokenizers 0.23, transformers 5.23)
"""

import json
import re
from pathlib import Path

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

HERE = Path(__file__).parent

CORPUS = [
    "The small cat found a map of the old town, and the cat's friend found a lamp.",
    "I'm sure we'll see 1234 ships in 2024; they don't sail at 3.14 knots, do they?",
    "Café crème, naïve façade, Ångström, über, señor, Łódź, Ελλάδα, Москва.",
    "def f(x):\n    return x ** 2  # the square\n\tprint(f(10))\n",
    "机器学习 模型 日本語のテキスト 한국어 문장",
    "user assistant system hello hi yes no be kind short answer question",
    "a robot and a dragon sat on a hill. The hill was green and the sky was blue.",
] * 4

TEXTS = [
    "",
    " ",
    "  ",
    "a",
    " a",
    "a ",
    "the cat",
    " the cat",
    "the  cat",
    "the   old    town ",
    "The Cat's HAT",
    "I'm we'll don't they're 'tis",
    "tab\there",
    "line\nbreak\n\nand\r\nmore",
    "\n",
    "\t\t",
    "trailing newline\n",
    "1234567890 3.14 1,000 2024",
    "x**2+y_3!=z; (a)[b]{c}<d>",
    "...!!??--__",
    "café crème naïve",
    "cafe\u0301 cre\u0300me",
    "Ångström ÅNGSTRÖM",
    "Ελλάδα ΜΟΣΧΑ Москва",
    "机器学习",
    "日本語 の テキスト",
    "한국어",
    "mixed 日本 text と cat",
    "😀",
    "cat 😀😀 hat",
    "👩‍👩‍👧‍👦 family",
    "🇩🇪🏳️‍🌈",
    "\u00a0nbsp\u00a0here",
    "zero\u200bwidth\u200djoin",
    "ﬁ ligature ½ ①",
    "ａｂｃ fullwidth",
    "soft\u00adhyphen",
    "ܐܒܓ עברית العربية",
    "हिन्दी ไทย",
    "𝕳𝖊𝖑𝖑𝖔",
    "<s>the cat</s>",
    "a<s> b </s> c",
    "<|im_start|>user\nhi<|im_end|>\n",
    "▁the▁cat",
    "Ġthe Ċ",
    "[CLS] the [SEP] [UNK] ##s",
    "\u2028line\u2029para",
    "İstanbul ıI ß ẞ",
    "a\u0000b",
    "end with emoji 🐈",
]

GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPECIAL = ["<s>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>"]


def specials(names):
    return [AddedToken(n, special=True, normalized=False) for n in names]


def byte_bpe(pattern=None, normalizer=None):
    t = Tokenizer(models.BPE())
    if normalizer:
        t.normalizer = normalizer
    t.pre_tokenizer = (
        pre_tokenizers.ByteLevel(add_prefix_space=False)
        if pattern is None
        else pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(pattern), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    )
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    t.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=420,
            special_tokens=specials(SPECIAL),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return t


def started(t):
    """As Llama's: <s> before every text."""
    t.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", t.token_to_id("<s>"))]
    )
    return t


def wordpiece(lowercase):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece(prefix="##")
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t.train_from_iterator(
        CORPUS, trainers.WordPieceTrainer(vocab_size=300, special_tokens=specials(names), show_progress=False)
    )
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(n, t.token_to_id(n)) for n in ("[CLS]", "[SEP]")],
    )
    return t


def unigram():
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    t.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    t.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    t.train_from_iterator(
        CORPUS,
        trainers.UnigramTrainer(
            vocab_size=260, special_tokens=specials(SPECIAL), unk_token="<unk>", show_progress=False
        ),
    )
    t.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", t.token_to_id("</s>"))]
    )
    return t


def byte_names():
    return [f"<0x{b:02X}>" for b in range(256)]


def sentencepiece_bpe(new):
    """As Llama 2's and Mistral's: pieces with ▁, what is unknown as bytes. new: the ▁ is put by the pre-tokenizer, before the first word only."""
    t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    if new:
        t.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False)
    else:
        t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    # Words, not whole lines, are what merges are learned from.
    words = [w for line in CORPUS for w in re.findall(r" ?[^ ]+", line)]
    t.train_from_iterator(
        words,
        trainers.BpeTrainer(
            vocab_size=560, special_tokens=specials(SPECIAL) + byte_names(), show_progress=False
        ),
    )
    file = json.loads(t.to_str())
    # Bytes belong to the model's own words.
    file["added_tokens"] = [a for a in file["added_tokens"] if not a["content"].startswith("<0x")]
    return started(Tokenizer.from_str(json.dumps(file)))


def word_level():
    t = Tokenizer(models.WordLevel(unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    t.train_from_iterator(
        CORPUS, trainers.WordLevelTrainer(vocab_size=90, special_tokens=specials(SPECIAL), show_progress=False)
    )
    return t


KINDS = {
    "GPT-2's byte-level BPE": (byte_bpe(), {"eos_token": "</s>"}),
    "Llama 3's byte-level BPE": (started(byte_bpe(GPT4)), {"bos_token": "<s>", "eos_token": "</s>"}),
    "Qwen2's byte-level BPE": (
        byte_bpe(GPT4.replace(r"\p{N}{1,3}", r"\p{N}"), normalizers.NFC()),
        {"eos_token": "<|im_end|>", "pad_token": "</s>"},
    ),
    "BERT's uncased WordPiece": (
        wordpiece(True),
        {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"},
    ),
    "BERT's cased WordPiece": (
        wordpiece(False),
        {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"},
    ),
    "T5's Unigram": (unigram(), {"eos_token": "</s>", "unk_token": "<unk>"}),
    "Llama 2's BPE with bytes": (
        sentencepiece_bpe(False),
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
    ),
    "Mistral's BPE with bytes": (
        sentencepiece_bpe(True),
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
    ),
    "words": (word_level(), {"eos_token": "</s>", "unk_token": "<unk>"}),
}


def fast(tokenizer, config):
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **config)


def tokenizer_cases():
    cases = []
    for name, (tokenizer, config) in KINDS.items():
        t = fast(tokenizer, config)
        texts = []
        for text in TEXTS:
            plain = t(text, add_special_tokens=False)["input_ids"]
            texts.append(
                {
                    "text": text,
                    "ids": plain,
                    "special": t(text, add_special_tokens=True)["input_ids"],
                    "decoded": t.decode(plain, skip_special_tokens=True),
                }
            )
        file = json.loads(tokenizer.to_str())
        cases.append({"name": name, "file": file, "config": config, "texts": texts})
    return cases


# Templates in the manner of well-known models, with the answers marked. Without the marks they are what most files have.
TEMPLATES = {
    "ChatML": (
        "Qwen2's byte-level BPE",
        "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nbe kind<|im_end|>\n{% endif %}"
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
        "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}"
        "{% else %}{{ m['content'] + '<|im_end|>' }}{% endif %}{{ '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    ),
    "Llama 3": (
        "Llama 3's byte-level BPE",
        "{{- bos_token }}\n{%- for m in messages %}\n"
        "    {{- '<|im_start|>' + m.role + '<|im_start|>\n\n' }}\n"
        "    {%- if m.role == 'assistant' %}\n"
        "        {%- generation %}{{- m.content | trim + '</s>' }}{%- endgeneration %}\n"
        "    {%- else %}\n        {{- m.content | trim + '</s>' }}\n    {%- endif %}\n"
        "{%- endfor %}\n"
        "{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant<|im_start|>\n\n' }}\n{%- endif %}\n",
    ),
    "Gemma": (
        "Mistral's BPE with bytes",
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
        "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
        "{% set role = 'model' if m['role'] == 'assistant' else m['role'] %}"
        "{{ '<|im_start|>' + role + '\n' }}"
        "{% if role == 'model' %}{% generation %}{{ m['content'] | trim + '<|im_end|>' }}{% endgeneration %}"
        "{% else %}{{ m['content'] | trim + '<|im_end|>' }}{% endif %}{{ '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>model\n' }}{% endif %}",
    ),
    "Mistral": (
        "Llama 2's BPE with bytes",
        "{{ bos_token }}{% for m in messages %}"
        "{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}"
        "{% elif m['role'] == 'assistant' %}{% generation %}{{ ' ' + m['content'] + eos_token }}{% endgeneration %}"
        "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}",
    ),
    # The system message stands before the last question: what was rendered before it came is no beginning of the whole.
    "Mistral, newer": (
        "Mistral's BPE with bytes",
        "{%- if messages[0]['role'] == 'system' %}{%- set system = messages[0]['content'] %}{%- set loop_messages = messages[1:] %}"
        "{%- else %}{%- set loop_messages = messages %}{%- endif %}{{- bos_token }}"
        "{%- for m in loop_messages %}{%- if m['role'] == 'user' %}"
        "{%- if loop.last and system is defined %}{{- '[INST] ' + system + '\n\n' + m['content'] + '[/INST]' }}"
        "{%- else %}{{- '[INST] ' + m['content'] + '[/INST]' }}{%- endif %}"
        "{%- else %}{%- generation %}{{- ' ' + m['content'] + eos_token }}{%- endgeneration %}{%- endif %}{%- endfor %}",
    ),
    # What was thought is kept in the last answer only.
    "Qwen3": (
        "Qwen2's byte-level BPE",
        "{%- for m in messages %}{{- '<|im_start|>' + m.role + '\n' }}"
        "{%- if m.role == 'assistant' %}{%- generation %}"
        "{%- if loop.last %}{{- '<think>\n\n</think>\n\n' + m.content }}{%- else %}{{- m.content }}{%- endif %}"
        "{{- '<|im_end|>' }}{%- endgeneration %}{%- else %}{{- m.content + '<|im_end|>' }}{%- endif %}{{- '\n' }}{%- endfor %}"
        "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}",
    ),
}

SYSTEM = {"role": "system", "content": "short answers"}


def say(role, content):
    return {"role": role, "content": content}


CHATS = [
    [say("user", "hi"), say("assistant", "hello")],
    [say("user", "the cat?"), say("assistant", "Found a map."), say("user", "no"), say("assistant", "yes")],
    # The second answer is a piece of the first, and of a question.
    [say("user", "yes or no, yes?"), say("assistant", "yes"), say("user", "yes"), say("assistant", "ye")],
    [say("user", "Ångström 😀"), say("assistant", "日本語 😀\n\n  two  spaces"), say("user", "ok")],
    [SYSTEM, say("user", "a robot"), say("assistant", "and a dragon"), say("user", "x"), say("assistant", "y z")],
]


def chat_cases():
    cases = []
    for name, (kind, template) in TEMPLATES.items():
        tokenizer, config = KINDS[kind]
        t = fast(tokenizer, config)
        t.chat_template = template
        unmarked = re.sub(r"{%-? (end)?generation -?%}", "", template)
        chats = []
        for messages in CHATS:
            try:
                out = t.apply_chat_template(
                    messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
                )
            except Exception as error:  # what the template says of a chat that it does not take
                chats.append({"messages": messages, "refused": str(error)})
                continue
            assert t.apply_chat_template(messages, chat_template=unmarked)["input_ids"] == out["input_ids"]
            chats.append({"messages": messages, "ids": out["input_ids"], "mask": out["assistant_masks"]})
        cases.append({"name": name, "tokenizer": kind, "template": template, "unmarked": unmarked, "chats": chats})
    return cases


def write(name, data):
    # A line a case is readable in a diff, and small.
    lines = ",\n".join(json.dumps(case, ensure_ascii=True, separators=(",", ":")) for case in data)
    (HERE / name).write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    write("tokenizers.json", tokenizer_cases())
    write("chats.json", chat_cases())
