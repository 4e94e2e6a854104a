"""Every kind of part that a tokenizer.json can have, with the ids that 🤗 tokenizers gives to texts of twenty languages and to odd ones.

python kinds.py   writes kinds.json beside itself (tokenizers 0.23, transformers 5.23, Python 3.11). Ids are kept as one hash for each text.
"""

import base64
import json
import struct
import sys
import unicodedata
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import CLIPTokenizer

HERE = Path(__file__).parent

TEXTS = [
    "The quick brown fox's den isn't here; we'll see 1234 ships!",
    "Die Größe der Straße ist schön, Übermut tut selten gut.",
    "La forêt d’été: garçon, où es-tu? «Çà et là»",
    "Tiếng Việt có dấu: Nguyễn Văn Ước đã đến Huế.",
    "İstanbul'da ılık IŞIK, ığdır İĞDIR",
    "Ελλάδα: ΟΔΥΣΣΕΥΣ ΟΔΟΣ, ὁδός ΣΟΦΟΣ.",
    "Привет, мир! Ёлка и ЪЫЬ №5",
    "مرحبا بالعالم، كيف الحال؟ ٣٤٥ مُحَمَّد",
    "שָׁלוֹם עולם, מה שלומך?",
    "नमस्ते दुनिया, क्या हाल है? १२३",
    "สวัสดีชาวโลก ยินดีต้อนรับ ๑๒๓",
    "你好，世界！机器学习模型２０２４年。",
    "こんにちは世界。テキストのﾃｽﾄー「日本語」",
    "안녕하세요 세계",
    "안녕 각가",
    "Łódź, żółć, ąęść; Příliš žluťoučký kůň",
    "Ça şi ţară, România; Àngel l·l",
    "Þetta er íslenska, Ðórður æøå Ångström",
    "বাংলা ভাষা ৪৫ தமிழ் மொழி తెలుగు",
    "ქართული ენა, Հայերեն լեզու, አማርኛ",
    "¿Qué tal, señor? ¡Adiós! ñandú",
    "😀 cat 👨‍👩‍👧‍👦 🇩🇪🏳️‍🌈 👍🏽",
    "cafe\u0301 a\u0302\u0323 e\u0301\u0301 \u0301x",
    "\u00a0nbsp\u00a0and\u2003em\u3000ideographic\u202fnarrow",
    "zero\u200bwidth\u200djoin\u200cnon soft\u00adhyphen \ufeffbom\u2060wj",
    "control\u0001\u0007\u001b\u007f\u0085\u009f nul\u0000end",
    "line\r\nbreak\r\n\r\nand\n\n\nmore\ttab\t\tend\u2028sep\u2029par\u000bvt\u000cff",
    "   leading and   inner   and trailing   ",
    "",
    " ",
    "\n",
    "a",
    "A.B,C!?--__~~ (x)[y]{z}<t> @#$%^&*+=|\\/`'\"",
    "x1y22z333 4444 55555 3.14 ½ ² Ⅷ ① 1st 2nd v2.0",
    "don't DON'T don'ſ I'LL we'Ve \u212aelvin ß ẞ ﬁ ﬃ ǅ",
    "foo_bar-baz fooBarBaz HTTPServer2 snake_case",
    "▁under ▁▁ score▁ Ġthe Ċ ##ing",
    "<s>inject</s> <mask> a<mask>b  <tool>  tool tools subtool",
    "aab aaab abab ababab aabb ABABAB",
    "𝕳𝖊𝖑𝖑𝖔 𠀀𠀁 \U0001F9D1\u200d\U0001F680 \U000E0067",
    "price $5 €10 £3 ¥7 $1$$2 100% ±1 ≠ → ∑",
    "http://a.b/c?d=e&f=g#h user@example.org",
    "constructor prototype __proto__ toString",
    "ａｂｃ ＡＢＣ １２３ ﾊﾝｶｸ ㎏ ㍿",
]

CORPUS = [t for t in TEXTS if t.strip()] * 3
ALPHABET = pre_tokenizers.ByteLevel.alphabet()
BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)

GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CL100K = r"(?i:'(?:[sdmt]|ll|ve|re))|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
O200K = "|".join(
    [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
REGEXES = {
    "GPT-4": GPT4,
    "cl100k": CL100K,
    "o200k": O200K,
    "CLIP": r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    "Bloom": r" ?[^(\s|[.,!?…。，、।۔،])]+",
    "DeepSeek": r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "ideographs": r"[一-龥぀-ゟ゠-ヿ]+",
    "scripts": r"\p{Han}+|\p{Hiragana}+|\p{Cyrillic}+|\p{Greek}",
    "words": r"\w+",
    "no words": r"\W+",
    "edges of words": r"\b",
    "digits": r"\d+",
    "spaces": r"\s",
    "no line breaks": r"[^\S\n]+",
    "hexadecimal": r"\h{2}",
    "begin": r"\A.",
    "end": r".\z",
    "ends": r".$",
    "lines": r"^.",
    "posix": r"[[:punct:]]+|[[:upper:]][[:lower:]]*",
    "look behind": r"(?<=\p{N})(?=\P{N})|(?<=\p{Ll})(?=\p{Lu})",
    "possessive": r"a*+b|a++",
    "atomic": r"(?>a|ab)b",
    "lazy": r"a+?b",
    "repeated": r"(?:ab){2,}",
    "intersection": r"[\p{L}&&[^aeiou]]+",
    "code points": r"\x{1F600}|\u00e9|\x41",
}


def bytes_model():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = BYTES
    t.train_from_iterator(
        # Halves of lines, so that merges reach over words but not over whole texts.
        [t[i : i + 9] for t in CORPUS for i in range(0, len(t), 5)],
        trainers.BpeTrainer(
            vocab_size=700, special_tokens=["<s>", "</s>"], initial_alphabet=ALPHABET, show_progress=False
        ),
    )
    return json.loads(t.to_str())["model"]


def model_of(tokenizer, trainer, pre=None):
    tokenizer.pre_tokenizer = pre or pre_tokenizers.WhitespaceSplit()
    # The first half only: the rest has unknown characters.
    tokenizer.train_from_iterator(CORPUS[:7] + ["aab aaab abab"], trainer)
    return json.loads(tokenizer.to_str())["model"]


def bpe(options=None, **trainer):
    t = Tokenizer(models.BPE(unk_token="<unk>"))
    made = model_of(
        t, trainers.BpeTrainer(vocab_size=260, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False, **trainer)
    )
    made.update({k: trainer[k] for k in ("continuing_subword_prefix", "end_of_word_suffix") if k in trainer})
    made.update(options or {})
    return made


def with_bytes(model):
    """Names of all bytes at the end of the vocabulary."""
    vocab = dict(model["vocab"]) if isinstance(model["vocab"], dict) else None
    names = [f"<0x{b:02X}>" for b in range(256)]
    if vocab is None:
        return {**model, "vocab": model["vocab"] + [[n, -20.0] for n in names], "byte_fallback": True}
    for n in names:
        vocab[n] = len(vocab)
    return {**model, "vocab": vocab, "byte_fallback": True}


def word_piece(**options):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made = model_of(
        t, trainers.WordPieceTrainer(vocab_size=260, special_tokens=["[UNK]", "<s>", "</s>"], show_progress=False)
    )
    return {**made, **options}


def unigram(**options):
    t = Tokenizer(models.Unigram())
    made = model_of(
        t,
        trainers.UnigramTrainer(
            vocab_size=220, special_tokens=["<unk>", "<s>", "</s>"], unk_token="<unk>", show_progress=False
        ),
        pre_tokenizers.Metaspace(),
    )
    made["vocab"] = [[p, round(s, 4)] for p, s in made["vocab"]]
    return {**made, **options}


def word_level():
    t = Tokenizer(models.WordLevel(unk_token="<unk>"))
    return model_of(
        t,
        trainers.WordLevelTrainer(vocab_size=260, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False),
        pre_tokenizers.Whitespace(),
    )


def charsmap(pairs):
    """SentencePiece's table of replacements: a double array (Darts-clone) of UTF-8 keys, and the texts."""
    texts, root = b"", {}
    for key, value in pairs:
        node = root
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[None] = len(texts)
        texts += value.encode() + b"\0"
    units, used, bases = {}, set(), set()

    def place(node, at, label):
        keys = [0 if k is None else k for k in node]
        base = next(b for b in range(1, 1 << 20) if b not in bases and all((b ^ k) not in used for k in keys))
        bases.add(base)
        used.update(base ^ k for k in keys)
        units[at] = (at ^ base) << 10 | (0x100 if None in node else 0) | label
        for k, child in node.items():
            if k is None:
                units[base] = child | 1 << 31
            else:
                place(child, base ^ k, k)

    used.add(0)
    place(root, 0, 0)
    # Whole blocks of 256: a lookup goes to any label of a node.
    size = (max(units) // 256 + 1) * 256
    array = b"".join(struct.pack("<I", units.get(i, 0)) for i in range(size))
    return base64.b64encode(struct.pack("<I", len(array)) + array + texts).decode()


CHARSMAP = charsmap(
    [
        ("ﬁ", "fi"),
        ("Ａ", "A"),
        ("①", "1"),
        ("½", "1⁄2"),
        ("\u00a0", " "),
        ("\t", " "),
        ("\r\n", "\n"),
        ("e\u0301", "é"),
        ("é", "<é>"),
        ("\u200b", ""),
        ("가", "가"),
        ("ﾊ", "ハ"),
    ]
)

PRE = {
    "Whitespace": pre_tokenizers.Whitespace(),
    "WhitespaceSplit": pre_tokenizers.WhitespaceSplit(),
    "BertPreTokenizer": pre_tokenizers.BertPreTokenizer(),
    "ByteLevel": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "ByteLevel, space first": pre_tokenizers.ByteLevel(add_prefix_space=True),
    "ByteLevel, no words, space first": pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False),
    "Metaspace, always": pre_tokenizers.Metaspace(),
    "Metaspace, first": pre_tokenizers.Metaspace(prepend_scheme="first"),
    "Metaspace, never": pre_tokenizers.Metaspace(prepend_scheme="never"),
    "Metaspace, whole": pre_tokenizers.Metaspace(prepend_scheme="always", split=False),
    "Metaspace, first, whole": pre_tokenizers.Metaspace(prepend_scheme="first", split=False),
    "Metaspace, old": {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True},
    "Metaspace, old, with str_rep": {"type": "Metaspace", "replacement": "▁", "str_rep": "▁", "add_prefix_space": True},
    "Metaspace, old, never": {
        "type": "Metaspace",
        "replacement": "▁",
        "add_prefix_space": False,
        "prepend_scheme": "never",
    },
    "Metaspace, another sign": pre_tokenizers.Metaspace(replacement="_"),
    "Digits": pre_tokenizers.Digits(),
    "Digits, each": pre_tokenizers.Digits(individual_digits=True),
    "CharDelimiterSplit": pre_tokenizers.CharDelimiterSplit("e"),
    "FixedLength": pre_tokenizers.FixedLength(3),
    "words, then first": pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="first")]
    ),
    "punctuation, then digits": pre_tokenizers.Sequence(
        [pre_tokenizers.Punctuation("isolated"), pre_tokenizers.Digits(individual_digits=True)]
    ),
    **{
        f"Punctuation, {b}": pre_tokenizers.Punctuation(b)
        for b in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")
    },
    **{
        f"Split, {p}, {b}{', inverted' if i else ''}": pre_tokenizers.Split(p if p == "a" else Regex(p), b, invert=i)
        for p in ("a", r"\p{P}|\s")
        for b in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")
        for i in (False, True)
    },
    **{f"Split, {n}": pre_tokenizers.Split(Regex(r), "isolated") for n, r in REGEXES.items()},
    **{
        f"Split, {n}, removed, inverted": pre_tokenizers.Split(Regex(r), "removed", invert=True)
        for n, r in REGEXES.items()
    },
}

NORMAL = {
    "NFC": normalizers.NFC(),
    "NFD": normalizers.NFD(),
    "NFKC": normalizers.NFKC(),
    "NFKD": normalizers.NFKD(),
    "Lowercase": normalizers.Lowercase(),
    "Strip": normalizers.Strip(),
    "Strip, left": normalizers.Strip(left=True, right=False),
    "Strip, right": normalizers.Strip(left=False, right=True),
    "StripAccents": normalizers.StripAccents(),
    "NFD, StripAccents, Lowercase": normalizers.Sequence(
        [normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()]
    ),
    "Replace": normalizers.Replace("a", "$&$1"),
    "Replace by regex": normalizers.Replace(Regex(r"\s+|\p{S}"), "$0"),
    "Replace, doubled spaces": normalizers.Replace(Regex(" {2,}"), "▁"),
    "Prepend": normalizers.Prepend("▁"),
    "Prepend, stripped": normalizers.Sequence([normalizers.Strip(), normalizers.Prepend("▁")]),
    "Nmt": normalizers.Nmt(),
    "BertNormalizer": normalizers.BertNormalizer(),
    "BertNormalizer, cased": normalizers.BertNormalizer(lowercase=False),
    "BertNormalizer, with accents": normalizers.BertNormalizer(strip_accents=False),
    "BertNormalizer, as it is": normalizers.BertNormalizer(
        clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False
    ),
    "Precompiled": {"type": "Precompiled", "precompiled_charsmap": CHARSMAP},
    "Sequence of none": normalizers.Sequence([]),
}

FLAGS = [
    dict(lstrip=a, rstrip=b, single_word=c, normalized=d)
    for a in (False, True)
    for b in (False, True)
    for c in (False, True)
    for d in (False, True)
]


def part(p):
    return p if isinstance(p, dict) or p is None else json.loads(p.__getstate__())


def file_of(model, normalizer=None, pre=None, post=None, decoder=None, added=()):
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": list(added),
        "normalizer": part(normalizer),
        "pre_tokenizer": part(pre),
        "post_processor": part(post),
        "decoder": part(decoder),
        "model": model,
    }


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": [part(p) for p in parts]}


def added(id, content, special=False, lstrip=False, rstrip=False, single_word=False, normalized=False):
    return dict(
        id=id,
        content=content,
        single_word=single_word,
        lstrip=lstrip,
        rstrip=rstrip,
        normalized=normalized,
        special=special,
    )


def template(special):
    return processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", special[0]), ("</s>", special[1])]
    )


def cases():
    base = bytes_model()
    size = len(base["vocab"])
    out = []

    def add(name, model, **rest):
        out.append((name, model, file_of(shared[model], **rest)))

    shared = {
        "bytes": base,
        "BPE": bpe(),
        "BPE, suffix": bpe(end_of_word_suffix="</w>"),
        "BPE, prefix": bpe(continuing_subword_prefix="##"),
        "WordPiece": word_piece(),
        "Unigram": unigram(),
        "WordLevel": word_level(),
    }
    variants = {
        "BPE, fused": {**shared["BPE"], "fuse_unk": True},
        "BPE, unknown left out": {**shared["BPE"], "unk_token": None},
        "BPE, whole words first": {**shared["BPE"], "ignore_merges": True},
        "BPE, bytes": with_bytes({**shared["BPE"], "fuse_unk": True}),
        "BPE, dropout of 0": {**shared["BPE"], "dropout": 0.0},
        "WordPiece, short words": {**shared["WordPiece"], "max_input_chars_per_word": 5},
        "Unigram, bytes": with_bytes(shared["Unigram"]),
    }
    for n, p in PRE.items():
        add(f"pre-tokenizer {n}", "bytes", pre=sequence(p, BYTES))
    for n, p in NORMAL.items():
        add(f"normalizer {n}", "bytes", normalizer=p, pre=BYTES)
    bytelevel = normalizers.ByteLevel()
    add("normalizer ByteLevel", "bytes", normalizer=bytelevel, pre=pre_tokenizers.Split(Regex("Ġ"), "isolated"))
    for i, flags in enumerate(FLAGS):
        tokens = [added(size, "tool", **flags), added(size + 1, "ab", **flags), added(size + 2, "<mask>", **flags)]
        add(
            f"added {', '.join(k for k, v in flags.items() if v) or 'plainly'}",
            "bytes",
            normalizer=normalizers.Lowercase(),
            pre=sequence(pre_tokenizers.Metaspace(prepend_scheme="first"), BYTES),
            added=tokens,
        )
    add(
        "added, one in another, spaces, and in the vocabulary",
        "bytes",
        pre=BYTES,
        added=[
            added(size, "aa"),
            added(size + 1, "aab"),
            added(size + 2, "  ", rstrip=True),
            added(base["vocab"]["<s>"], "<s>", special=True),
            added(base["vocab"]["e"], "e"),
        ],
    )
    add("added, normalized without a normalizer", "bytes", pre=BYTES, added=[added(size, "tool", normalized=True)])
    decoder_of = {
        "BPE": None,
        "BPE, suffix": decoders.BPEDecoder(suffix="</w>"),
        "BPE, prefix": decoders.WordPiece(prefix="##", cleanup=False),
        "WordPiece": decoders.WordPiece(prefix="##"),
        "Unigram": decoders.Metaspace(),
        "WordLevel": None,
        "BPE, bytes": decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        ),
        "Unigram, bytes": decoders.Sequence(
            [decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="always"), decoders.Fuse()]
        ),
    }
    for n, model in list(shared.items())[1:]:
        pre = pre_tokenizers.Metaspace() if n == "Unigram" else pre_tokenizers.Whitespace()
        add(f"model {n}", n, pre=pre, decoder=decoder_of.get(n))
        add(f"model {n}, uncut", n)
    changed = {}
    for n, model in variants.items():
        of = n.split(",")[0]
        # What differs from the shared model.
        changed[n] = (of, {k: v for k, v in model.items() if model[k] != shared[of].get(k) and k != "vocab"})
        pre = pre_tokenizers.Metaspace() if of == "Unigram" else pre_tokenizers.WhitespaceSplit()
        shared[n] = model
        add(f"model {n}", n, pre=pre, decoder=decoder_of.get(n))
    specials = (base["vocab"]["<s>"], base["vocab"]["</s>"])
    around = [(n, i) for n, i in zip(("<s>", "</s>"), specials)]
    posts = {
        "TemplateProcessing": template(specials),
        "BertProcessing": processors.BertProcessing(around[1], around[0]),
        "RobertaProcessing": processors.RobertaProcessing(around[1], around[0]),
        "ByteLevel": processors.ByteLevel(),
        "Sequence": processors.Sequence([processors.ByteLevel(trim_offsets=False), template(specials)]),
        "none": None,
    }
    for n, p in posts.items():
        add(f"post-processor {n}", "bytes", pre=BYTES, post=p, decoder=decoders.ByteLevel())
    return out, shared, changed


def fnv(text):
    h = 0x811C9DC5
    for unit in struct.unpack(f"<{len(text.encode('utf-16-le')) // 2}H", text.encode("utf-16-le")):
        h = ((h ^ unit) * 0x01000193) & 0xFFFFFFFF
    return f"{h:08x}"


def ids_in(values):
    return fnv(",".join(map(str, values)))


def clip():
    """CLIP's from vocab.json and merges.txt, with and without "!" for padding as in SDXL's second text encoder."""
    t = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    t.normalizer = normalizers.Lowercase()
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(REGEXES["CLIP"]), "removed", invert=True), BYTES]
    )
    trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=ALPHABET, show_progress=False)
    t.train_from_iterator(CORPUS[:8], trainer)
    made = json.loads(t.to_str())["model"]
    vocab = {"!": 0}
    for token in [*made["vocab"], *(c + "</w>" for c in ALPHABET), "<|startoftext|>", "<|endoftext|>"]:
        vocab.setdefault(token, len(vocab))
    out = []
    captions = [*TEXTS, "a fox!!", "!", "! !!", "fox !fox!", "x <|endoftext|> y", "<|startoftext|>fox<|ENDOFTEXT|>"]
    for pad in ("<|endoftext|>", "!"):
        hf = CLIPTokenizer(
            vocab=vocab, merges=[tuple(m) for m in made["merges"]], pad_token=pad, model_max_length=77
        )
        rows = [hf(c, padding="max_length", truncation=True, max_length=77)["input_ids"] for c in captions]
        out.append({"pad": pad, "ids": "".join(map(ids_in, rows))})
        if FULL is not None:
            FULL[f"clip {pad}"] = rows
    return {"vocab": vocab, "merges": made["merges"], "captions": captions, "cases": out}


def characters():
    """What becomes of every character that Unicode 14 has, by the parts that tell characters apart: a hash for each block of 4,096."""
    known = [i for i in range(1, 0x20000) if unicodedata.category(chr(i)) not in ("Cn", "Cs")]
    ranges = []
    for i in known:
        if ranges and ranges[-1][1] == i - 1:
            ranges[-1][1] = i
        else:
            ranges.append([i, i])
    cut = lambda p: lambda c: "|".join(x for x, _ in p.pre_tokenize_str(f"a{c}b"))
    kinds = {
        "normalizer": {
            "bare": normalizers.BertNormalizer(strip_accents=True, lowercase=True),
            "clean": normalizers.BertNormalizer(strip_accents=False, lowercase=False),
            **{n: NORMAL[n] for n in ("Lowercase", "StripAccents", "Nmt", "Strip", "NFC", "NFD", "NFKC", "NFKD")},
        },
        "pre_tokenizer": {
            "punctuation": PRE["Punctuation, isolated"],
            **{n: PRE[n] for n in ("Whitespace", "WhitespaceSplit", "Digits, each", "ByteLevel")},
        },
    }
    parts = []
    for what, of in kinds.items():
        for name, p in of.items():
            do = (lambda c, p=p: p.normalize_str(f"e{c}")) if what == "normalizer" else cut(p)
            hashes = ""
            for block in range(0, 0x20000, 4096):
                hashes += fnv("\n".join(do(chr(i)) for i in known if block <= i < block + 4096))
            parts.append({"name": name, what: part(p), "hashes": hashes})
    return {"known": ranges, "parts": parts}


FULL = {} if len(sys.argv) > 1 else None

if __name__ == "__main__":
    made, shared, changed = cases()
    rows = []
    for name, model, file in made:
        t = Tokenizer.from_str(json.dumps(file))
        coded = [t.encode(text) for text in TEXTS]
        pairs = [t.encode(a, b) for a, b in zip(TEXTS[:6], TEXTS[6:12])]
        row = {"name": name, "model": model, **{k: file[k] for k in file if file[k] and k not in ("version", "model")}}
        row["ids"] = "".join(ids_in(e.ids) for e in coded)
        row["pairs"] = "".join(ids_in([*e.ids, *e.type_ids]) for e in pairs)
        row["texts"] = "".join(fnv(t.decode(e.ids)) for e in coded)
        if FULL is not None:
            FULL[name] = [e.ids for e in coded]
            FULL[name + " texts"] = [t.decode(e.ids) for e in coded]
        rows.append(row)
    models_out = {n: changed[n][1] | {"of": changed[n][0]} if n in changed else m for n, m in shared.items()}
    dump = lambda x: json.dumps(x, ensure_ascii=True, separators=(",", ":"))
    parts = {
        "texts": dump(TEXTS),
        "models": "{\n" + ",\n".join(f"{dump(n)}:{dump(m)}" for n, m in models_out.items()) + "\n}",
        "cases": "[\n" + ",\n".join(map(dump, rows)) + "\n]",
        "clip": dump(clip()),
        "characters": dump(characters()),
    }
    (HERE / "kinds.json").write_text("{\n" + ",\n".join(f'"{k}":{x}' for k, x in parts.items()) + "\n}\n")
    if FULL is not None:
        Path(sys.argv[1]).write_text(json.dumps(FULL))
