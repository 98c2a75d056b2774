"""Writes fixtures/owl-tokens.json: tokens of texts as the fast tokenizer of OWLv2 has them.

    pip install transformers && pip install --no-deps rf-clip && python record-owl-tokens.py

The vocabulary is CLIP's, as rf-clip carries it; padding and length are those of transformers' conversion of OWLv2.
"""

import gzip
import importlib.metadata
import json
import sys
import tempfile
from pathlib import Path

import transformers

CONTEXT = 16
TEXTS = [
    "", " ", "a", "cat", "A Cat", "a photo of a cat", "  a   dog\t and\na line ", "hello!", "hello!!!", "!", "a ! b", "wow!no", "it's they're I've I'm we'll he'd can't", "IT'S",
    "traffic light", "fire hydrant", "T-shirt", "snake_case", "100% 3.5 km", "3 of 12", "naïve café", "nai\u0308ve", "ΣΑΣ ΟΔΟΣ.", "İstanbul", "Привет, мир", "你好世界", "猫", "ｆｕｌｌ", "😂😂",
    "fish &amp; chips", "“curly” ‘quotes’", "ﬁne", "<|startoftext|>", "a <|endoftext|> b", "remote control, the black one", "nbsp\u00a0thin\u2009",
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen", "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen",
    "supercalifragilisticexpialidocious", "é" * 10, "ſong 'ſ", "ⓐ ½ Ⅷ", "a'b''c", "zero\u200bwidth", "\u1e9e ß", "K \u212a",
]


def tokenizer() -> transformers.CLIPTokenizerFast:
    package = Path(str(importlib.metadata.distribution("rf-clip").locate_file("clip")))
    merges = gzip.decompress((package / "bpe_simple_vocab_16e6.txt.gz").read_bytes()).decode().split("\n")[1 : 49152 - 256 - 2 + 1]
    sys.path.insert(0, str(package))
    import simple_tokenizer

    vocabulary = simple_tokenizer.SimpleTokenizer().encoder
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        (files / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
        (files / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
        return transformers.CLIPTokenizerFast(str(files / "vocab.json"), str(files / "merges.txt"), pad_token="!", model_max_length=CONTEXT)


def main() -> None:
    tokenize = tokenizer()
    cases = []
    for text in TEXTS:
        ids = tokenize([text], padding="max_length")["input_ids"][0]
        cases.append({"text": text, "ids": ids if len(ids) <= CONTEXT else None})
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("transformers", "tokenizers", "rf-clip"))
    made = f"record-owl-tokens.py with Python {sys.version.split()[0]}, {versions}"
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path = Path(__file__).parent / "fixtures" / "owl-tokens.json"
    path.write_text(f'{{"made": {json.dumps(made)}, "context": {CONTEXT}, "cases": [\n{lines}\n]}}\n')


main()
