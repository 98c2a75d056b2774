"""Writes fixtures/clip-tokens.json: tokens of texts as rf-clip has them, which is what inference-models uses.

    pip install ftfy regex && pip install --no-deps rf-clip && python record-clip-tokens.py

clip/clip.py needs torch; the tokenizer beside it does not, and is loaded without it.
"""

import importlib.metadata
import importlib.util
import json
import random
import sys
from pathlib import Path

CONTEXT = 77
spec = importlib.util.spec_from_file_location(
    "simple_tokenizer", Path(str(importlib.metadata.distribution("rf-clip").locate_file("clip"))) / "simple_tokenizer.py"
)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
tokenizer = module.SimpleTokenizer()

TEXTS = [
    "", " ", "a", "a photo of a cat", "A Photo OF A CAT.", "  two   spaces\tand a tab\nand a line  ",
    "it's, they're, I've, I'm, we'll, he'd, can't, rock'n'roll", "IT'S", "2024-11-28 at 3.5 km/h, 1000000 times",
    "hello!!!", "hello !", "!", "...", "#hashtag @user http://example.com/a?b=c&d=e", "snake_case and CamelCase and kebab-case",
    "supercalifragilisticexpialidocious antidisestablishmentarianism", "x" * 60, "ab" * 40, "aaaaaaa bbbbbbb",
    "<|startoftext|> inside <|endoftext|>", "<|STARTOFTEXT|>", "<|startoftext|", "</w>", "a</w>b",
    "Füße, naïve café, São Tomé, Ångström", "Fu\u0308\u00dfe caf\u0065\u0301", "İstanbul I ı", "ΣΑΣ ΟΔΟΣ. ς", "Straße STRASSE ẞ",
    "Привет, мир! Как дела?", "你好世界,这是一只猫", "こんにちは 世界 カタカナ", "ﾊﾝｶｸ ｶﾀｶﾅ Ｆｕｌｌ　ｗｉｄｔｈ １２３", "안녕하세요 세계", "مرحبا بالعالم", "नमस्ते दुनिया", "שלום עולם",
    "😂😂😂", "👩‍👩‍👧‍👦 family", "🏴󠁧󠁢󠁷󠁬󠁳󠁿 Wales", "❤️ ❤", "a👍🏽b", "½ ² Ⅷ ①  ٣ 三", "ⓐⓑ ͅ x",
    "“curly” ‘quotes’ don’t «guillemets»", "ﬁne ﬂoor eﬃcient ﬅ ﬆ ĳs Ǆ ǉ ŉ", "em—dash en–dash … • ™ © ®", "ſong 'ſ it'ſ <|ſtartoftext|>",
    "zero\u200bwidth\u200djoiner\ufeffbom\u00adsoft", "bell\u0007 null\u0000 vt\u000b del\u007f", "\u001b[31mred\u001b[0m text", "nbsp\u00a0ideographic\u3000thin\u2009",
    "next\u0085line \u0093quoted\u0094 \u2028sep\u2029", "crlf\r\nline\rline", "\u001c fs \u001f us",
    "fish &amp; chips", "&lt;b&gt;bold&lt;/b&gt;", "fish &amp;amp; chips", "&amp;amp;amp;amp; deep", "<b>fish &amp; chips</b> &ldquo;x&rdquo;", "a < b &amp; c",
    "AT&T this&not that &notin; &notit; &copy 2024 &copyright", "&#65;&#x42;&#x1F600; &#128; &#0; &#xD800; &#1; &#65 &#x41g", "P&EACUTE;REZ &NTILDE; &LT; &nbsp;x &NBSP;y",
    "&ldquo;quoted&rdquo; &rsquo;s &hellip;", "&bogus; &; & &# &#; &#x; &#xZZ;", "&CounterClockwiseContourIntegral; &NotEqualTilde;", "line one &amp;\n<i>line two &amp;</i>\nline three &amp;",
    "&fflig; &filig; &Tab;x&NewLine;y", "&AMP; &AMP &Amp; &EUML; &THORN; &thorn; &szlig; &SZLIG;", "\ud83d lone", "a" * 16 + "!" * 16,
    "a cat " * 38, "a cat " * 37 + "a", "a cat " * 37 + "a b c", "word " * 80, "é" * 80, "𝒥ohn ℋancock ﷽ ㎏ ㍿",
    "Ünïcödé ça và, 北京市 2008年", "tab\there", "math: ∑∫√∞ ≠ ≤ αβγ", "C++ / C# & F#", "o'clock O'Brien ''quoted''", "100%, $5.00, €10, £3",
]


def random_texts(count: int) -> list[str]:
    generator = random.Random(77)
    alphabets = [
        "abcdefghijklmnopqrstuvwxyz    ", "ABCdef 0123456789 .,!?'\"-", "äöüßéèçñ áíóú ", "абвгд ежзиклмн ", "猫犬鳥魚 日本語", "'stvrelmd ' ", "&;#<>amplt gx01 ",
        "😀🎉❤👍 ab", "\t\n  \u00a0a b",
    ]
    return ["".join(generator.choices(generator.choice(alphabets), k=generator.randint(1, 50))) for _ in range(count)]


def encode(text: str) -> list[int] | None:
    ids = [49406, *tokenizer.encode(text), 49407]
    return ids if len(ids) <= CONTEXT else None


def main() -> None:
    versions = {name: importlib.metadata.version(name) for name in ("rf-clip", "ftfy", "regex")}
    cases = [{"text": text, "ids": encode(text)} for text in dict.fromkeys([*TEXTS, *random_texts(120)])]
    made = f"record-clip-tokens.py with Python {sys.version.split()[0]}, " + ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path = Path(__file__).parent / "fixtures" / "clip-tokens.json"
    path.write_text(f'{{"made": {json.dumps(made)}, "context": {CONTEXT}, "cases": [\n{lines}\n]}}\n')


main()
