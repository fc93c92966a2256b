"""Holds adapters and reward models to PEFT and transformers.

    python adapters.py          # writes the fixtures beside this file; needs numpy, torch, transformers, peft
    python adapters.py compare  # a Go test writes folders, PEFT and transformers load them and compute the same; needs Go too

The fixtures: peft-*, what PEFT saves of adapters on the models smollm2 and qwen2 (B drawn at random: PEFT starts it at 0, which no
reader could get wrong), and reward-*, what transformers saves of a classifier with one label. Each has outputs.json:
{"ids": [[...]], "logits": [[[...]]]} (every 4th position, every 3rd id) or {"ids": [[...]], "rewards": [...]}.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import warnings

import torch

warnings.filterwarnings("ignore")
os.environ.update(TRANSFORMERS_VERBOSITY="error", HF_HUB_OFFLINE="1", TQDM_DISABLE="1")
import peft  # noqa: E402
import transformers  # noqa: E402

HERE = pathlib.Path(__file__).parent
IDS = [list(range(5, 25)), [270, 3, 3, 199, 42, 7, 120, 88], [1]]
ADAPTERS = {
    "peft-all": ("smollm2", dict(r=4, lora_alpha=6, target_modules="all-linear")),
    "peft-some": ("qwen2", dict(r=3, lora_alpha=16, target_modules=["q_proj", "v_proj", "up_proj"], use_rslora=True)),
}
REWARDS = {"reward-llama": "smollm2", "reward-qwen2": "qwen2"}


def thin(model):
    with torch.no_grad():
        return [[[float(f"{x:.7g}") for x in at[::3]] for at in model(torch.tensor([row])).logits[0].tolist()[::4]] for row in IDS]


def rewards(model):
    with torch.no_grad():
        return [float(f"{model(torch.tensor([row])).logits[0, 0].item():.7g}") for row in IDS]


def fixtures():
    for name, (base, config) in ADAPTERS.items():
        torch.manual_seed(sum(name.encode()))
        model = transformers.AutoModelForCausalLM.from_pretrained(HERE / base, dtype=torch.float32).eval()
        model = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", **config)).eval()
        with torch.no_grad():
            for n, p in model.named_parameters():
                if "lora_B" in n:
                    p.normal_(0, 0.25)
        shutil.rmtree(HERE / name, ignore_errors=True)
        model.save_pretrained(HERE / name)
        (HERE / name / "README.md").unlink(missing_ok=True)
        path = HERE / name / "adapter_config.json"
        saved = json.loads(path.read_text())
        saved["base_model_name_or_path"] = f"../{base}"
        saved["target_modules"] = sorted(saved["target_modules"])  # PEFT keeps a set, in any order
        path.write_text(json.dumps(saved, indent=2) + "\n")
        (HERE / name / "outputs.json").write_text(json.dumps({"ids": IDS, "logits": thin(model)}, separators=(",", ":")))
    for name, base in REWARDS.items():
        torch.manual_seed(sum(name.encode()))
        model = transformers.AutoModelForSequenceClassification.from_pretrained(HERE / base, num_labels=1, dtype=torch.float32).eval()
        with torch.no_grad():
            model.score.weight.normal_(0, 0.25)
        shutil.rmtree(HERE / name, ignore_errors=True)
        model.save_pretrained(HERE / name)
        (HERE / name / "outputs.json").write_text(json.dumps({"ids": IDS, "rewards": rewards(model)}, separators=(",", ":")))
    print("peft", peft.__version__, "transformers", transformers.__version__, "torch", torch.__version__)


def compare():
    failed = False

    def say(what, got, want, limit=1e-4):
        nonlocal failed
        worst = max(abs(a - b) for a, b in zip(got, want, strict=True))
        failed |= not worst <= limit
        print(f"{'ok  ' if worst <= limit else 'FAIL'} {what}: {worst:.2e} (limit {limit:.0e}) over {len(want)} numbers")

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subprocess.run(["go", "test", "-count=1", "-run", "TestAdaptersForComparison", "."], cwd=HERE.parent, check=True, env={**os.environ, "CHECKPOINT_COMPARE": str(folder)})
        for path in sorted(folder.glob("*.json")):
            want = json.loads(path.read_text())
            row = torch.tensor([want["ids"]])
            with torch.no_grad():
                if "reward" in path.stem:
                    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder / path.stem, dtype=torch.float32).eval()
                    say(f"transformers {type(model).__name__} {path.stem}", model(row).logits[0].tolist(), want["outputs"])
                    continue
                base = transformers.AutoModelForCausalLM.from_pretrained(folder / want["base"], dtype=torch.float32).eval()
                plain = base(row).logits.flatten().tolist()
                model = peft.PeftModel.from_pretrained(base, folder / path.stem).eval()
                got = model(row).logits.flatten().tolist()
                say(f"peft {path.stem}, rank {model.peft_config['default'].r}", got, want["outputs"])
                moved = max(abs(a - b) for a, b in zip(got, plain))
                failed |= moved < 0.01
                print(f"     adapters move a logit by {moved:.3f}")
    sys.exit(failed)


if __name__ == "__main__":
    compare() if sys.argv[1:] == ["compare"] else fixtures()
