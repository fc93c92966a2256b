"""Makes the checkpoints beside this file: random weights in the shapes of SmolLM2 and Qwen2, saved by transformers itself,
and the logits that transformers computes from them.

    python fixtures.py          # needs numpy, torch, transformers, tokenizers

Each folder is what save_pretrained writes, and logits.json: {"ids": [[...]], "logits": [[[...]]]}, float32.
Initial biases and norm weights of transformers are constants, so every tensor is drawn anew: a loader that drops one is
then found out. The deviation 0.25 makes logits of order one that depend on position and on every layer.
"""
import json
import pathlib
import shutil

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

HERE = pathlib.Path(__file__).parent
TEXTS = ["The river ran under the bridge and the birds sang.", "河水从桥下流过，鸟儿在歌唱。", "In 1987 there were 42 boats on the water."] * 3
SPECIAL = ["<|bos|>", "<|eos|>", "<|pad|>", "<|im_start|>", "<|im_end|>"]


def tokenizer():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=275, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    t.add_special_tokens(SPECIAL)
    return PreTrainedTokenizerFast(tokenizer_object=t, bos_token="<|bos|>", eos_token="<|eos|>", pad_token="<|pad|>", model_max_length=64)


def make(name, config, kind, tok, dtype=torch.float32, shard="1GB"):
    torch.manual_seed(sum(name.encode()))
    model = kind(config).eval()
    with torch.no_grad():
        for n, p in model.named_parameters():
            p.normal_(1.0 if "norm" in n else 0.0, 0.25)
    model.to(dtype)
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, max_shard_size=shard)
    tok.save_pretrained(folder)
    # Read again: a model that was narrower for a moment has rounded its rotary frequencies too.
    model = kind.from_pretrained(folder, dtype=torch.float32).eval()
    ids = [tok(t).input_ids[:20] for t in TEXTS[:3]]
    logits = []
    with torch.no_grad():
        for row in ids:
            logits.append([[float(f"{x:.7g}") for x in at] for at in model(torch.tensor([row])).logits[0].tolist()])
    # every 4th position and every 3rd id keep the file small
    thin = [[at[::3] for at in row[::4]] for row in logits]
    (folder / "logits.json").write_text(json.dumps({"ids": ids, "every": [4, 3], "logits": thin}, separators=(",", ":")))


def main():
    print("transformers", transformers.__version__, "torch", torch.__version__)
    tok = tokenizer()
    vocab, common = 280, dict(max_position_embeddings=64, bos_token_id=275, eos_token_id=276, pad_token_id=277)
    assert len(tok) == vocab
    tok_config = dict(vocab_size=vocab, hidden_size=24, intermediate_size=48, num_hidden_layers=2, **common)
    rope = lambda theta: {"rope_type": "default", "rope_theta": theta}
    make("smollm2", LlamaConfig(num_attention_heads=3, num_key_value_heads=1, rms_norm_eps=1e-5, rope_parameters=rope(100000.0), tie_word_embeddings=True, **tok_config), LlamaForCausalLM, tok)
    make("qwen2", Qwen2Config(num_attention_heads=4, num_key_value_heads=2, rms_norm_eps=1e-6, rope_parameters=rope(1000000.0), tie_word_embeddings=True, **tok_config), Qwen2ForCausalLM, tok)
    make("headdim", LlamaConfig(num_attention_heads=3, num_key_value_heads=3, head_dim=16, rms_norm_eps=1e-6, rope_parameters=rope(500000.0), tie_word_embeddings=False, **tok_config), LlamaForCausalLM, tok, torch.float16)
    make("bf16", LlamaConfig(num_attention_heads=3, num_key_value_heads=1, rms_norm_eps=1e-5, rope_parameters=rope(10000.0), tie_word_embeddings=True, **tok_config), LlamaForCausalLM, tok, torch.bfloat16)
    make("sharded", Qwen2Config(num_attention_heads=4, num_key_value_heads=1, rms_norm_eps=1e-6, rope_parameters=rope(10000.0), tie_word_embeddings=False, **tok_config), Qwen2ForCausalLM, tok, torch.bfloat16, shard="20KB")


main()
