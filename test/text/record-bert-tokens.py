"""Writes fixtures/bert-vocab.txt and fixtures/bert-tokens.json.gz: a small vocabulary, and tokens of some thousand texts as BertTokenizerFast
of transformers has them (the tokenizer that GroundingDinoProcessor loads). The vocabulary is trained on the words below, and has the marks
of BERT's own at their places, because Grounding DINO's network knows these numbers.

    pip install transformers && python record-bert-tokens.py
"""

import gzip
import importlib.metadata
import json
import random
import sys
from pathlib import Path

from tokenizers import BertWordPieceTokenizer
from transformers import BertTokenizer, BertTokenizerFast

FIXTURES = Path(__file__).parent / "fixtures"
MARKS = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]", 1012: ".", 1029: "?"}
WORDS = """
a an the of on in with and or not left right red green blue yellow black white small large old young person man woman child people dog cat
bird horse sheep cow elephant bear zebra giraffe bicycle car motorcycle airplane bus train truck boat traffic light fire hydrant stop sign
parking meter bench backpack umbrella handbag tie suitcase frisbee skis snowboard sports ball kite baseball bat glove skateboard surfboard
tennis racket bottle wine glass cup fork knife spoon bowl banana apple sandwich orange broccoli carrot hot pizza donut cake chair couch potted
plant bed dining table toilet television laptop mouse remote control keyboard cell phone microwave oven toaster sink refrigerator book clock
vase scissors teddy hair drier toothbrush window door wheel helmet running walking standing sitting holding wearing striped wooden metal
something anything photograph photographer unhappiness international recognisable don't it's we're O'Neill 3.5 100% 2024 12 km/h #1 A&B
naïve café Ångström Zürich Łódź façade jalapeño São Paulo Straße İstanbul Привет мир кошка собака красный ΣΑΣ οδός γάτα 猫 犬 你好 世界 東京
カタカナ ひらがな 한국어 고양이 שלום עולם قطة كلب مرحبا हिन्दी कुत्ता ไทย แมว ﬁne ½ Ⅷ ⓐ 😂 👍🏽 👨‍👩‍👧 ™ © € £ ¥ → ∑ “curly” ‘quotes’ … – — ¿qué? ¡hola!
""".split()
JOINTS = [" ", " ", " ", " ", "  ", "", "-", ", ", ". ", "\t", "\n", "/", "'", "!", "? ", " . ", "_", "(", ") ", "\u00a0", "\u3000", "\u200b", "\u0301", "\u0000",
          "\ufffd", "\ufeff", "\u0007", "\r\n", "\u2028", "\ue000", "\u00ad", "[SEP]", " [MASK] ", "[sep]", "[", "]", "##", "##s ", "\u0085", "\u061c"]
# Blocks whose characters' classes have not changed since Unicode 8, which the fast tokenizer's tables are of.
BLOCKS = [(0x20, 0x7F), (0xA0, 0x24F), (0x300, 0x36F), (0x391, 0x3CE), (0x400, 0x45F), (0x5D0, 0x5EA), (0x621, 0x652), (0x905, 0x94D),
          (0xE01, 0xE3A), (0x1E00, 0x1EFF), (0x2000, 0x206F), (0x2100, 0x218A), (0x2190, 0x23F0), (0x3000, 0x30FF), (0x3400, 0x3420), (0x4E00, 0x4F00),
          (0xAC00, 0xAC80), (0xF900, 0xF940), (0xFB00, 0xFB06), (0xFF01, 0xFFEE), (0x1D400, 0x1D454), (0x1F600, 0x1F640), (0x20000, 0x20020),
          (0x2A700, 0x2A710), (0x2B740, 0x2B750), (0x2F800, 0x2F810), (0xE0100, 0xE0110), (0xF0000, 0xF0004)]


def train():
    tokenizer = BertWordPieceTokenizer(lowercase=True)
    tokenizer.train_from_iterator([" ".join(WORDS)] * 4, vocab_size=1300, min_frequency=1, special_tokens=[], show_progress=False)
    learned = sorted((token for token in tokenizer.get_vocab() if token not in MARKS.values()), key=lambda one: (len(one), one))
    tokens = dict(MARKS)
    place = 1
    for token in learned:
        while place in tokens or 1 <= place <= 99:
            place += 1
        tokens[place] = token
    lines = [tokens.get(place, f"[unused{place}]") for place in range(max(tokens) + 1)]
    (FIXTURES / "bert-vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def texts():
    pick = random.Random(20)
    found = ["", " ", ".", "a cat. remote control.", "A CAT.", "x" * 100, "x" * 101, "é" * 100, "e\u0301" * 101, "cat" * 40, "[CLS] a [SEP]", "[PAD]", "a[UNK]b",
             "\ud7ff", "İ", "ΟΔΟΣ", "K\u212a", "ẞ", "Å \u212b", "\u1e9b\u0323"]
    while len(found) < 3000:
        parts = []
        for _ in range(pick.randrange(1, 7)):
            if pick.random() < 0.25:
                first, last = pick.choice(BLOCKS)
                parts.append("".join(chr(pick.randrange(first, last + 1)) for _ in range(pick.randrange(1, 4))))
            else:
                word = pick.choice(WORDS)
                parts.append(pick.choice([word, word, word.upper(), word.capitalize(), word[: pick.randrange(len(word)) + 1], word + pick.choice(WORDS)]))
            parts.append(pick.choice(JOINTS))
        found.append("".join(parts[: None if pick.random() < 0.5 else -1]))
    return found


def main():
    if not (FIXTURES / "bert-vocab.txt").exists():
        train()
    vocabulary = str(FIXTURES / "bert-vocab.txt")
    fast, slow = BertTokenizerFast(vocabulary), BertTokenizer(vocabulary)
    cases = [{"text": text, "ids": fast(text)["input_ids"]} for text in texts()]
    same = sum(slow(case["text"])["input_ids"] == case["ids"] for case in cases)
    print(f"{len(cases)} texts, of which BertTokenizer (Python) has the same tokens for {same}")
    made = f"record-bert-tokens.py with Python {sys.version.split()[0]}, " + ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("transformers", "tokenizers"))
    data = json.dumps({"made": made, "cases": cases}, separators=(",", ":")).encode()
    (FIXTURES / "bert-tokens.json.gz").write_bytes(gzip.compress(data, compresslevel=9, mtime=0))


main()
