"""Writes ../classes.bin: the class of every code point as Hugging Face's tokenizers sees it.

Runs of equal class from U+0000 to U+10FFFF: uvarint length, one byte class
(0 other, 1 \\p{L}, 2 \\p{N}, 3 \\s, 4 \\p{P}). Run with tokenizers from PyPI; tiktoken is asked for the same and must agree.
"""
import pathlib
import tiktoken, tokenizers
from tokenizers import Regex, pre_tokenizers

CHARS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def by_tokenizers(pattern):
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    return {c for piece, _ in split.pre_tokenize_str("".join(CHARS)) for c in piece}


def by_tiktoken(pattern):
    """A vocabulary of bytes and a pattern that sees only one class: what is encoded at all is of the class."""
    enc = tiktoken.Encoding("probe", pat_str=pattern, mergeable_ranks={bytes([b]): b for b in range(256)}, special_tokens={})
    return set(bytes(enc.encode_ordinary("".join(CHARS))).decode())


def main():
    classes = bytearray(0x110000)
    for number, pattern in ((1, r"\p{L}"), (2, r"\p{N}"), (3, r"\s"), (4, r"\p{P}")):
        a, b = by_tokenizers(pattern), by_tiktoken(pattern)
        print(pattern, len(a), "tokenizers only", len(a - b), "tiktoken only", len(b - a), [hex(ord(c)) for c in sorted(a ^ b)][:12])
        for c in a:
            assert classes[ord(c)] == 0
            classes[ord(c)] = number
    out, start = bytearray(), 0
    for i in range(1, 0x110001):
        if i == 0x110000 or classes[i] != classes[start]:
            n = i - start
            while n >= 0x80:
                out.append(n & 0x7F | 0x80)
                n >>= 7
            out += bytes([n, classes[start]])
            start = i
    pathlib.Path(__file__).parent.parent.joinpath("classes.bin").write_bytes(out)
    print(len(out), "bytes", "tokenizers", tokenizers.__version__, "tiktoken", tiktoken.__version__)


main()
