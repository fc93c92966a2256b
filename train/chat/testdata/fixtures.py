"""Writes templates.json: what transformers' apply_chat_template makes of conversations.json with the templates of this package.

    go test ./train/chat -run TestTransformers -write FOLDER   # tokenizer.json and <template>.jinja
    python fixtures.py FOLDER > templates.json

The templates are run as this package exports them. ChatML's and Llama 3's are compared with the publishers' own text too.
"""
import json
import pathlib
import sys

from transformers import PreTrainedTokenizerFast

PUBLISHED = {
    "chatml": "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "llama-3": "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
}
# Tokens of Llama 3 for which a tokenizer of this program has spare ones.
SPARE = {"<|start_header_id|>": "<|spare_0|>", "<|end_header_id|>": "<|spare_1|>", "<|eot_id|>": "<|spare_2|>"}

folder = pathlib.Path(sys.argv[1])
here = pathlib.Path(__file__).parent
tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), bos_token="<|bos|>", eos_token="<|eos|>", pad_token="<|pad|>")
out = {}
for name in ["chatml", "llama-3", "alpaca", "zephyr", "plain"]:
    jinja = (folder / (name + ".jinja")).read_text()
    out[name] = []
    for c in json.loads((here / "conversations.json").read_text()):
        def run(template, **more):
            return tokenizer.apply_chat_template(c["messages"], tools=c.get("tools"), chat_template=template, **more)
        row = {"text": run(jinja, tokenize=False), "prompt": run(jinja, tokenize=False, add_generation_prompt=True)}
        ids = run(jinja, tokenize=True, add_generation_prompt=True)
        row["ids"] = ids if isinstance(ids, list) else ids["input_ids"]
        plain = all(isinstance(m.get("content"), str) and "tool_calls" not in m for m in c["messages"]) and not c.get("tools")
        if name in PUBLISHED and plain:
            for generate, key in ((False, "text"), (True, "prompt")):
                want = run(PUBLISHED[name], tokenize=False, add_generation_prompt=generate)
                for theirs, ours in SPARE.items():
                    want = want.replace(theirs, ours)
                assert row[key] == "<|bos|>" + want, (name, row[key], want)
        out[name].append(row)
json.dump(out, sys.stdout, ensure_ascii=False, indent=0)
print()
