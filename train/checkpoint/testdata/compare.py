"""Holds what this package writes to other programs. Not part of the default tests.

    python compare.py           # needs Go, numpy, torch, transformers, gguf; llama_cpp and ollama where they are

A Go test writes random models in every format, with the logits that this program computes from each file. Then:

- transformers loads each folder and, where accelerate is installed, each GGUF file, and computes the same logits; its tokenizer gives the same ids;
- gguf (PyPI) reads each file; its own quantisation of the folder's weights gives the same bytes as are stored;
- llama_cpp loads each file and computes the same logits; its tokenizer gives the same ids;
- ollama imports one file and generates.

Prints the largest difference of each; ends with 1 where one is too large.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy as np

warnings.filterwarnings("ignore")
os.environ.update(TRANSFORMERS_VERBOSITY="error", HF_HUB_OFFLINE="1", TQDM_DISABLE="1")
HERE = pathlib.Path(__file__).parent
failed = False


def say(what, value, limit):
    global failed
    ok = value <= limit
    failed |= not ok
    print(f"{'ok  ' if ok else 'FAIL'} {what}: {value:.2e} (limit {limit:.0e})")


def distance(a, b):
    return float(np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64)).max())


def with_transformers(folder, name, want):
    import torch
    import transformers

    for stored, limit in ((name, 1e-4), (f"{name}.f16", 1e-4), (f"{name}.bf16", 1e-4)):
        model = transformers.AutoModelForCausalLM.from_pretrained(folder / stored, dtype=torch.float32).eval()
        with torch.no_grad():
            got = model(torch.tensor([want["ids"]])).logits[0].numpy()
        say(f"transformers {type(model).__name__} {stored}", distance(got, want["logits"][stored]), limit)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / name)
    for text, ids in zip(want["texts"], want["tokens"]):
        got = tokenizer(text, add_special_tokens=False).input_ids
        if got != ids or tokenizer.decode(ids) != text:
            say(f"transformers tokenizer {name}: {got} for {text!r}, want {ids}", 1, 0)
    begins = tokenizer(want["texts"][0]).input_ids[0] == tokenizer.bos_token_id
    say(f"transformers tokenizer {name}: {len(tokenizer)} ids, template {tokenizer.chat_template is not None}, bos first {begins}", 0 if begins and tokenizer.chat_template else 1, 0)
    for kind in ("f32", "f16", "q8_0"):
        file = f"{name}.{kind}.gguf"
        try:
            model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32).eval()
        except Exception as e:  # what transformers cannot import says nothing of the file
            print(f"skip transformers from {file}: {type(e).__name__}: {str(e)[:200]}")
            continue
        with torch.no_grad():
            got = model(torch.tensor([want["ids"]])).logits[0].numpy()
        say(f"transformers from {file}", distance(got, want["logits"][file]), 1e-4)


def hf_name(name):
    fixed = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight", "output.weight": "lm_head.weight"}
    if name in fixed:
        return fixed[name]
    parts = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
             "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
    _, layer, part, kind = name.split(".")
    return f"model.layers.{layer}.{parts[part]}.{kind}"


def with_gguf(folder, name):
    import gguf
    from safetensors.numpy import load_file

    weights = load_file(folder / name / "model.safetensors")
    for kind in ("f32", "f16", "q8_0"):
        file = f"{name}.{kind}.gguf"
        reader = gguf.GGUFReader(folder / file)
        fields = {k: v.contents() for k, v in reader.fields.items()}
        arch = fields["general.architecture"]
        heads, kv = fields[f"{arch}.attention.head_count"], fields[f"{arch}.attention.head_count_kv"]
        if len(reader.tensors) != len(weights):
            say(f"gguf {file}: {len(reader.tensors)} tensors", 1, 0)
        worst, differ = 0.0, 0
        for t in reader.tensors:
            w = weights[hf_name(t.name)]
            n = {"attn_q": heads, "attn_k": kv}.get(t.name.split(".")[2] if t.name.startswith("blk") else "", 0)
            if arch == "llama" and n:
                w = w.reshape(n, 2, w.shape[0] // n // 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape)
            stored = gguf.quants.dequantize(t.data, t.tensor_type).reshape(w.shape)
            worst = max(worst, distance(stored, w))
            differ += int((gguf.quants.quantize(w, t.tensor_type).tobytes() != t.data.tobytes()))
        say(f"gguf {file}: tensors whose bytes differ from its own quantisation", differ, 0)
        say(f"gguf {file}: dequantised against the folder", worst, {"f32": 0, "f16": 1e-3, "q8_0": 1e-2}[kind])


def with_llama_cpp(folder, name, want):
    import llama_cpp

    for kind in ("f32", "f16", "q8_0"):
        file = f"{name}.{kind}.gguf"
        model = llama_cpp.Llama(str(folder / file), n_ctx=len(want["ids"]), logits_all=True, verbose=False, n_threads=1, n_threads_batch=1, type_k=0, type_v=0, flash_attn=False)
        model.eval(want["ids"])
        # f16 and q8_0 products round activations too, so a difference is left that is not the file's.
        say(f"llama.cpp {file}", distance(model.scores[: len(want["ids"])], want["logits"][file]), {"f32": 1e-4, "f16": 5e-2, "q8_0": 2.5e-1}[kind])
        for text, ids in zip(want["texts"], want["tokens"]):
            got = model.tokenize(text.encode(), add_bos=False, special=False)
            if got != ids or model.detokenize(ids).decode() != text:
                say(f"llama.cpp tokenizer {file}: {got} for {text!r}, want {ids}", 1, 0)
        begins = model.tokenize(b"x", add_bos=True)[0] == model.token_bos()
        say(f"llama.cpp tokenizer {file}: same ids, bos first {begins}", 0 if begins else 1, 0)


def with_ollama(folder):
    for name in ("llama", "qwen2"):
        modelfile = folder / "Modelfile"
        modelfile.write_text(f"FROM {folder / f'{name}.f16.gguf'}\nPARAMETER num_predict 8\nPARAMETER num_ctx 64\n")
        subprocess.run(["ollama", "create", f"winnow-{name}", "-f", str(modelfile)], check=True)
        out = subprocess.run(["ollama", "run", f"winnow-{name}", "The river"], check=True, capture_output=True, text=True, timeout=300).stdout
        say(f"ollama {name} generated {out[:60]!r}", 0, 0)


def main():
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        subprocess.run(["go", "test", "-count=1", "-run", "TestForComparison", ".."], cwd=HERE, env={**os.environ, "CHECKPOINT_COMPARE": str(folder)}, check=True)
        models = sorted(folder.glob("*.json"))
        if not models:
            sys.exit("nothing was written")
        for file in models:
            want = json.loads(file.read_text())
            with_transformers(folder, file.stem, want)
            with_gguf(folder, file.stem)
            try:
                import llama_cpp  # noqa: F401
            except ImportError:
                print("skip llama.cpp: llama_cpp is not installed")
            else:
                with_llama_cpp(folder, file.stem, want)
        if shutil.which("ollama"):
            with_ollama(folder)
        else:
            print("skip ollama: it is not installed")
    finally:
        shutil.rmtree(folder)
    sys.exit(1 if failed else 0)


main()
