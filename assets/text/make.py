"""Writes the files beside this one. Usage: python make.py bpe_simple_vocab_16e6.txt.gz"""

import gzip
import html.entities
import sys
from pathlib import Path

HERE = Path(__file__).parent
# What is left of the vocabulary after 2 x 256 bytes and the two marks around a text.
MERGES = 49408 - 512 - 2


def write(name: str, lines: list[str]) -> None:
    # Without a time, so that the same input gives the same file.
    (HERE / name).write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), 9, mtime=0))


def main() -> None:
    _, *merges = gzip.decompress(Path(sys.argv[1]).read_bytes()).decode().split("\n")
    write("clip-merges.txt.gz", merges[:MERGES])
    table = html.entities.html5
    names = sorted(name.removesuffix(";") for name in table if name.endswith(";"))
    write(
        "html-entities.txt.gz",
        [f"{name}{'?' if name in table else ''} {' '.join(f'{ord(char):x}' for char in table[name + ';'])}" for name in names],
    )


main()
