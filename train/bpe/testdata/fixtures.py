"""Writes fixtures.json: what tokenizers and tiktoken from PyPI do, for the tests of this package.

    python fixtures.py DATA [QWEN]

DATA is the data folder of the tests (formats/gpt2, formats/hf, formats/tiktoken, formats/gguf, minbpe_taylorswift.txt).
QWEN, where given, is qwen.tiktoken out of the package dashscope: the ranks of tokens that occur in formats/gguf's texts go to
qwen2.tiktoken. The trainer with the rule greatest-bytes is written out here, naively, since no package has it.
"""
import base64, collections, hashlib, json, pathlib, sys
import tiktoken, tokenizers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
DATA = pathlib.Path(sys.argv[1])
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
PATTERNS = {
    "gpt-2": [GPT2],
    "deepseek-coder": [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", r"\p{N}"],
    "qwen2": [LLAMA.replace("{1,3}", "")],
    "llama-bpe": [LLAMA],
    "smollm": [r"\p{N}", GPT2],
}
ATOMS = ["a", "B", "z", "é", "e\u0301", "ſ", "İ", "ß", "我", "汉字", "ア", "한", "々", "〇", "\u0661", "Ⅷ", "½", "7", "3", "42", " ", " ", "  ", "\t", "\n", "\n", "\r", "\r\n",
         "\u00a0", "\u3000", "\u2028", "\u0085", "\u200b", "'", "'s", "'LL", "'ſ", "'Re", "'d", "’s", "!", "。", "，", "—", "→", "$", "+=", "😁", "\0", "\u200d", "\ufe0f", "กำ", "\U00020000",
         "\U0001f999", "_", "\ufffd", "\u180e", "ʰ", "\ufeff", "\ue000", "ђ", "\u0d4d", "x1y"]


class Random:
    """The generator that the Go tests have too."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n

    def text(self):
        return "".join(ATOMS[self.below(len(ATOMS))] for _ in range(1 + self.below(24)))


def pre_tokenizer(name):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(p), "isolated") for p in PATTERNS[name]])


def hf(name, **model):
    t = Tokenizer(models.BPE(**model))
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizer(name), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = tokenizers.decoders.ByteLevel()
    return t


def lengths(pre, text):
    return [len(piece.encode()) for piece, _ in pre.pre_tokenize_str(text)]


def splits():
    """For each splitter a hash of the lengths of pre-tokens of 500 random texts, 20 times."""
    out = {}
    for name in PATTERNS:
        pre, rows = pre_tokenizer(name), []
        for block in range(20):
            r, h = Random(block), hashlib.sha256()
            for _ in range(500):
                h.update((" ".join(map(str, lengths(pre, r.text()))) + "\n").encode())
            rows.append(h.hexdigest()[:16])
        out[name] = rows
    return out


def train_text():
    """A text of invented words in Latin and Han letters, frequent ones more often, written to train.txt."""
    r = Random(77)
    latin = ["".join("etaoinshrdlucm"[r.below(14)] for _ in range(1 + r.below(8))) for _ in range(300)]
    han = ["".join(chr(0x4E00 + r.below(400)) for _ in range(1 + r.below(3))) for _ in range(200)]
    lines = []
    for _ in range(200):
        words = [(latin if r.below(3) else han)[r.below(1 + r.below(200))] for _ in range(4 + r.below(14))]
        lines.append(" ".join(words) + ["", ".", "，" + han[r.below(200)] + "。", " 1" + str(r.below(2000)), "!'s"][r.below(5)])
    text = "\n".join(lines) + "\n"
    HERE.joinpath("train.txt").write_text(text)
    return text


def train_hf(name, vocab, text):
    t = hf(name)
    t.train_from_iterator([text], trainers.BpeTrainer(vocab_size=vocab, min_frequency=2, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return json.loads(t.to_str())["model"]["merges"]


def train_greatest(name, merges, text):
    """Counts everything anew for each merge; ties go to the pair of greatest bytes."""
    words = collections.Counter(tuple(bytes([b]) for b in piece.encode()) for piece, _ in pre_tokenizer(name).pre_tokenize_str(text))
    out = []
    for _ in range(merges):
        counts = collections.Counter()
        for word, n in words.items():
            for pair in zip(word, word[1:]):
                counts[pair] += n
        (a, b), n = max(counts.items(), key=lambda x: (x[1], x[0]))
        if n < 2:
            break
        out.append([a.hex(), b.hex()])
        new = collections.Counter()
        for word, n in words.items():
            row, i = [], 0
            while i < len(word):
                if word[i:i + 2] == (a, b):
                    row.append(a + b)
                    i += 2
                else:
                    row.append(word[i])
                    i += 1
            new[tuple(row)] += n
        words = new
    return out


def merges_hash(merges):
    return hashlib.sha256("".join(f"{a} {b}\n" for a, b in merges).encode()).hexdigest()


def ranks_of(path):
    return {base64.b64decode(a): int(b) for a, b in (line.split() for line in open(path))}


def gpt2_ranks(encoder):
    chars = sorted(pre_tokenizers.ByteLevel.alphabet())
    plain = [b for b in range(256) if chr(b) in set(chars)]
    table = {chr(b): b for b in plain} | {chr(256 + n): b for n, b in enumerate(b for b in range(256) if b not in plain)}
    return {bytes(table[c] for c in word): i for word, i in encoder.items() if word != "<|endoftext|>"}


def main():
    texts = [Random(1000 + i).text() for i in range(60)] + [
        "", " ", "Hello, world! It's 12345 o'clock; we'll see.", "我想在apple工作1314151天～", "def f(x):\n        return x  # indent\n\n\n",
        "a" * 300, "汉" * 50, "e\u0301 and é, \u212b and Å", "ｆｕｌｌ　ｗｉｄｔｈ", "<|endoftext|><|bos|>|||IP_ADDRESS|||", "x <|endoftext|>  y   |||EMAIL_ADDRESS||| \n<|padding|>"]
    out = {"tokenizers": tokenizers.__version__, "tiktoken": tiktoken.__version__, "atoms": ATOMS, "texts": texts, "splits": splits()}

    encoder = json.load(open(DATA / "formats/gpt2/encoder.json"))
    merges = [tuple(line.split()) for line in open(DATA / "formats/gpt2/vocab.bpe").read().split("\n")[1:] if line]
    byte_level = hf("gpt-2", vocab=encoder, merges=merges)
    ranks = gpt2_ranks(encoder)
    tik = tiktoken.Encoding("gpt2", pat_str=GPT2, mergeable_ranks=ranks, special_tokens={})
    out["gpt2"] = [byte_level.encode(t).ids for t in texts]
    assert out["gpt2"] == [tik.encode_ordinary(t) for t in texts]

    neo = Tokenizer.from_file(str(DATA / "formats/hf/gpt-neo-test-tokenizer.json"))
    out["gpt-neo"] = [neo.encode(t, add_special_tokens=False).ids for t in texts]
    neox = tiktoken.Encoding("neox", pat_str=GPT2, mergeable_ranks=ranks_of(DATA / "formats/tiktoken/gpt-neox-20b.tiktoken"), special_tokens={})
    out["neox"] = [neox.encode_ordinary(t) for t in texts]

    text = train_text()
    swift = open(DATA / "formats/minbpe_taylorswift.txt").read()
    out["train"], out["swift"], out["ids"] = {}, {}, {}
    for name in PATTERNS:
        merges = train_hf(name, 600, text)
        out["train"][name] = merges_hash(merges)
        out["swift"][name] = merges_hash(train_hf(name, 1500, swift))
    out["greatest"] = train_greatest("gpt-2", 300, text)

    if len(sys.argv) > 2:
        seen = open(DATA / "formats/gguf/ggml-vocab-qwen2.gguf.inp", "rb").read()
        kept = [(t, r) for t, r in ranks_of(sys.argv[2]).items() if len(t) == 1 or t in seen]
        HERE.joinpath("qwen2.tiktoken").write_text("".join(f"{base64.b64encode(t).decode()} {r}\n" for t, r in kept))

    made = HERE / "written.json"
    if made.exists():  # a tokenizer.json that the tests wrote: what tokenizers makes of it
        t = Tokenizer.from_file(str(made))
        out["written"] = [t.encode(x, add_special_tokens=False).ids for x in texts]
        out["written bos"] = t.encode("hello").ids
        out["written sha256"] = hashlib.sha256(made.read_bytes()).hexdigest()
        assert all(t.decode(i, skip_special_tokens=False) == x for i, x in zip(out["written"], texts) if "<|" not in x), "decode"
    pre = HERE / "pre.json"
    if pre.exists():  # the pre_tokenizer of each splitter as the tests wrote it: bytes are cut as the patterns cut text
        for name, step in json.load(open(pre)).items():
            t = hf(name, vocab={}, merges=[])
            t = Tokenizer.from_str(json.dumps(json.loads(t.to_str()) | {"pre_tokenizer": step}))
            for seed in range(500):
                text = Random(seed).text()
                assert [len(x) for x, _ in t.pre_tokenizer.pre_tokenize_str(text)] == lengths(pre_tokenizer(name), text), (name, text)
    HERE.joinpath("fixtures.json").write_text(json.dumps(out, ensure_ascii=True, separators=(",", ":")).replace("],", "],\n") + "\n")


main()
