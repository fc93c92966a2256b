"""The tokenizer of train/bpe beside tiktoken and Hugging Face's tokenizers, on the same texts in one run.

    python3 bench/peers/tokenizer.py --data DATA [--tokenizer tokenizer.json] [--train TEXT] [--vocab 8192] [--repeats 5]

Encoding: megabytes of text for one second of processor time, one thread; the two programs take turns, and the median of each
and of their ratio is printed. The vocabulary is GPT-2's (DATA/formats/gpt2), or that of --tokenizer (byte-level, splitter
gpt-2). English is War and Peace, Chinese the classics of DATA/text, 3 MiB each; then one MiB of "M" and one of Han without a
place to cut. Training, with --train: seconds of processor time and of the clock on a text file, read in lines.
"""

import argparse
import gzip
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import tempfile
import time

import tiktoken
import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

ROOT = pathlib.Path(__file__).resolve().parents[2]
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"


def byte_of():
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in plain]
    return {chr(b): b for b in plain} | {chr(256 + n): b for n, b in enumerate(rest)}


def encoding(data, path):
    """A tiktoken.Encoding of a tokenizer.json, or of GPT-2's files."""
    special = {"<|endoftext|>"}
    if path:
        j = json.load(open(path))
        assert j["pre_tokenizer"]["type"] == "ByteLevel", "splitter is not gpt-2"
        vocab, special = j["model"]["vocab"], {a["content"] for a in j["added_tokens"]}
    else:
        vocab = json.load(open(data / "formats/gpt2/encoder.json"))
    table = byte_of()
    ranks = {bytes(table[c] for c in word): i for word, i in vocab.items() if word not in special}
    return tiktoken.Encoding("bench", pat_str=GPT2, mergeable_ranks=ranks, special_tokens={})


def texts(data):
    size = 3 << 20
    en = (data / "text/en/war-and-peace.txt").read_bytes()
    zh = "".join(json.loads(line)["text"] + "\n" for line in gzip.open(data / "text/zh/classics.jsonl.gz", "rt")).encode()
    han, x = [], 1
    while 3 * len(han) < 1 << 20:
        x = (x * 1664525 + 1013904223) % 2**32
        han.append(chr(0x4E00 + (x >> 18) % 5000))
    long = {"M": "M" * (1 << 20), "Han": "".join(han)}
    return {k: (v * (size // len(v) + 1))[:size].decode(errors="ignore") for k, v in {"en": en, "zh": zh}.items()} | long


def go(binary, bench, times, env):
    out = subprocess.run([binary, "-test.run", "xxx", "-test.bench", bench, "-test.benchtime", times], env=os.environ | env, capture_output=True, text=True, check=True, cwd=ROOT / "train/bpe").stdout
    return {m[1].rsplit("/")[-1].split("-")[0]: float(m[2]) for m in re.finditer(r"^Benchmark(\S+).*?([\d.]+) MB/cpu-s", out, re.M)}, out


def cpu():
    r = resource.getrusage(resource.RUSAGE_SELF)
    return r.ru_utime + r.ru_stime


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", type=pathlib.Path, required=True)
    p.add_argument("--tokenizer")
    p.add_argument("--train", type=pathlib.Path)
    p.add_argument("--vocab", type=int, default=8192)
    p.add_argument("--repeats", type=int, default=5)
    p.add_argument("--skip-encode", action="store_true")
    a = p.parse_args()
    binary = os.path.join(tempfile.mkdtemp(), "bpe.test")
    subprocess.run(["go", "test", "-c", "-o", binary, "./train/bpe"], check=True, cwd=ROOT)
    env = {"WINNOW_DATA": str(a.data.resolve())} | ({"WINNOW_BENCH_TOKENIZER": os.path.abspath(a.tokenizer)} if a.tokenizer else {})
    print("tiktoken", tiktoken.__version__, "tokenizers", tokenizers.__version__)
    if not a.skip_encode:
        enc, rows = encoding(a.data, a.tokenizer), []
        for _ in range(a.repeats):
            ours, _ = go(binary, "^BenchmarkEncode(Unbroken)?$", "3x", env)
            theirs = {}
            for name, text in texts(a.data).items():
                begin = time.process_time()
                enc.encode_ordinary(text)
                theirs[name] = len(text.encode()) / 1e6 / (time.process_time() - begin)
            rows.append((ours, theirs))
        for name in rows[0][1]:
            o, t = [r[0][name] for r in rows], [r[1][name] for r in rows]
            ratio = statistics.median(x / y for x, y in zip(o, t))
            print(f"encode {name:4} winnow {statistics.median(o):7.2f} MB/cpu-s   tiktoken {statistics.median(t):7.2f}   ratio {ratio:.2f}")
    if a.train:
        _, out = go(binary, "^BenchmarkTrain$/gpt-2/", "1x", env | {"WINNOW_BENCH_TEXT": str(a.train.resolve()), "WINNOW_BENCH_VOCAB": str(a.vocab)})
        m = re.search(r"(\d+) ns/op.*?([\d.]+) cpu-s", out)
        print(f"train  winnow {float(m[2]):.1f} cpu-s, {int(m[1]) / 1e9:.1f} s", flush=True)
        t = Tokenizer(models.BPE())
        t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(vocab_size=a.vocab - 21, min_frequency=2, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
        lines, begin, clock = a.train.read_text().splitlines(True), cpu(), time.monotonic()
        t.train_from_iterator(lines, trainer)
        print(f"train  tokenizers {cpu() - begin:.1f} cpu-s, {time.monotonic() - clock:.1f} s")


main()
