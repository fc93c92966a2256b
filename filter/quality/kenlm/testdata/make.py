"""Makes the models and scores of this folder with KenLM's own programs: python make.py FOLDER, where FOLDER holds lmplz,
build_binary and query as built from KenLM's source (the PyPI package kenlm 0.3.0 carries it). The text is drawn from the lists
below with a fixed seed."""

import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = sys.argv[1]

SUBJECTS = ["the river", "an old bridge", "the market", "a teacher", "the harvest", "河流", "老 桥", "市场", "老师", "▁Ein ▁Fluss"]
VERBS = ["crosses", "feeds", "explains", "carries", "流 过", "养 活", "讲解", "▁trägt"]
OBJECTS = ["the valley", "a small town", "every pupil", "the evening train", "山谷", "小 镇", "每 个 学生", "▁das ▁Tal", "naïve 😀"]
ENDS = [".", "again .", "slowly , and then the river", "。", "， 慢慢 地 。", "!"]


def sentence(r):
    return " ".join([r.choice(SUBJECTS), r.choice(VERBS), r.choice(OBJECTS), r.choice(ENDS)])


def run(*args, stdin=None):
    return subprocess.run(args, input=stdin, check=True, capture_output=True).stdout


def path(name):
    return os.path.join(HERE, name)


def estimate(name, order, text, *more):
    arpa = run(os.path.join(TOOLS, "lmplz"), "-o", str(order), "--discount_fallback", "-S", "64M", "-T", "/tmp/", *more, stdin=text)
    with open(path(name), "wb") as f:
        f.write(arpa)


def build(out, arpa, *args, kind="probing"):
    run(os.path.join(TOOLS, "build_binary"), *args, kind, path(arpa), path(out))


def main():
    r = random.Random(7)
    text = "\n".join(sentence(r) for _ in range(30)).encode() + b"\n"
    estimate("five.arpa", 5, text)
    estimate("three.arpa", 3, text, "--prune", "0", "1", "1")
    build("five.bin", "five.arpa")
    build("five.wide.bin", "five.arpa", "-p", "2.75", "-v")
    build("five.tight.bin", "five.arpa", "-p", "1.02")
    build("three.bin", "three.arpa", "-v")
    for kind, args in {"trie": [], "quantised": ["-q", "6", "-b", "5"], "arrays": ["-a", "4"]}.items():
        build(f"three.{kind}.bin", "three.arpa", "-v", *args, kind="trie")
    # A model without <unk>, whose probability is given when the binary is made.
    with open(path("three.arpa"), encoding="utf-8") as f:
        lines = f.read().split("\n")
    first = next(i for i, l in enumerate(lines) if l.startswith("ngram 1="))
    lines[first] = "ngram 1=%d" % (int(lines[first].split("=")[1]) - 1)
    closed = "\n".join(l for l in lines if "<unk>" not in l)
    with open(path("closed.arpa"), "w", encoding="utf-8") as f:
        f.write(closed)
    build("closed.bin", "closed.arpa", "-v", "-u", "-7.5")

    tests = [sentence(r) for _ in range(12)]
    tests += ["", "the", "nobody knows the river", "the river the river the river", "老 桥 流 过 未知 小 镇 。", "</s> the <s> market", "<unk> the river", "  two   spaces\tand\ttabs "]
    with open(path("input.txt"), "w", encoding="utf-8") as f:
        f.write("\n".join(tests) + "\n")
    for model in ["five.bin", "three.bin", "closed.bin"]:
        out = run(os.path.join(TOOLS, "query"), "-v", "word", "-v", "sentence", path(model), stdin=open(path("input.txt"), "rb").read())
        with open(path(model.removesuffix(".bin") + ".scores.txt"), "wb") as f:
            f.write(out)
    os.remove(path("closed.arpa"))


main()
