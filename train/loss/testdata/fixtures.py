"""Writes fixtures.json: losses and gradients of TRL's own functions, called on stand-ins for its models.

Run as: python fixtures.py TRL TRL011 > fixtures.json
TRL is a folder with trl==1.16.0 and what it imports, TRL011 one with trl==0.11.4 (the last with PPO as functions), both by
pip install --target. torch and transformers as installed.
"""
import ast
import importlib.util
import json
import sys
from collections import defaultdict
from types import SimpleNamespace as Space

import numpy as np

sys.path.insert(0, sys.argv[1])
import torch
import trl
from trl import DPOTrainer, GRPOTrainer, KTOTrainer, RewardTrainer
from trl.experimental.cpo import CPOTrainer
from trl.experimental.gkd import GKDTrainer
from trl.experimental.orpo import ORPOTrainer

torch.manual_seed(7)
cases = []
model = Space(training=False)
accelerator = Space(device=torch.device("cpu"), gather=lambda x: x, gather_for_metrics=lambda x: x,
                    reduce=lambda x, reduction=None: x, num_processes=1)


def trainer(**more):
    return Space(accelerator=accelerator, model=model, aux_loss_enabled=False, _metrics={"eval": defaultdict(list)},
                 _total_train_tokens=0, _tp_size=1, **more)


def listed(x):
    return x.detach().double().tolist()


def forward(logps):
    """A model that gives the log-probabilities of already chosen tokens."""
    def call(**_):
        zero = torch.zeros_like(logps)
        return Space(log_probs=logps, entropy=zero, mean_logits=zero, is_top1=zero.bool(), logits=logps)
    return call


def rows(lengths, width):
    """Log-probabilities of tokens, 0 behind each row's length, and TRL's mask, which has one prompt token before."""
    mask = torch.zeros(len(lengths), width + 1, dtype=torch.long)
    for i, n in enumerate(lengths):
        mask[i, 1:n + 1] = 1
    logps = -torch.rand(len(lengths), width, dtype=torch.float32) * 3 * mask[:, 1:]
    return logps.requires_grad_(), mask


def pairs():
    kinds = [("sigmoid", "sigmoid"), ("robust", "robust"), ("hinge", "hinge"), ("ipo", "ipo"), ("sigmoid_norm", "sigmoid_norm"),
             ("apo_zero", "apo_zero"), ("apo_down", "apo_down")]
    for name, kind in kinds:
        for beta, anchor in [(.1, 0.), (.5, 0.), (.1, .7)]:
            logps, mask = rows([4, 6], 6)
            before = -torch.rand(2) * 12
            t = trainer(ld_alpha=None, precompute_ref_logps=True, f_divergence_type="reverse_kl", beta=beta, label_smoothing=.2,
                        use_weighting=False, loss_types=[kind] + (["sft"] if anchor else []), loss_weights=[1.] + ([anchor] if anchor else []))
            inputs = dict(input_ids=torch.ones_like(mask), attention_mask=torch.ones_like(mask), completion_mask=mask,
                          ref_chosen_logps=before[:1], ref_rejected_logps=before[1:])
            fake = forward(logps)
            loss = DPOTrainer._compute_loss(t, fake, inputs, False)
            loss.backward()
            sums = logps.sum(1)
            cases.append(dict(kind="pair", name=name, beta=beta, smoothing=.2, gamma=0, anchor=anchor, chosen=sums[0].item(), rejected=sums[1].item(),
                              before=listed(before), tokens=[4, 6], loss=loss.item(), slope=[logps.grad[0, 0].item(), logps.grad[1, 0].item()]))
    for name, kind, beta, gamma, smoothing in [("cdpo", "sigmoid", .3, 0, .15), ("ipo_sums", "ipo", .2, 0, 0), ("simpo", "simpo", 2., .5, 0),
                                               ("slic", "hinge", .1, 0, 0), ("orpo", "orpo", .1, 0, 0), ("orpo", "orpo", .6, 0, 0)]:
        sums = (-torch.rand(2) * 12 - 1).requires_grad_()
        tokens = torch.tensor([4., 6.])
        before = -torch.rand(2) * 12
        given = sums / tokens if name in ("simpo", "orpo") else sums if name == "slic" else sums - before
        t = trainer(alpha=0., loss_type=kind, beta=beta, simpo_gamma=gamma, label_smoothing=smoothing)
        if name == "orpo":  # as get_batch_loss_metrics: cross entropy of the chosen answer less beta times the ratio
            loss = (-given[0] - ORPOTrainer.odds_ratio_loss(t, given[:1], given[1:])[0]).mean()
        else:
            loss = CPOTrainer.cpo_loss(t, given[:1], given[1:])[0].mean()
        loss.backward()
        cases.append(dict(kind="pair", name=name, beta=beta, smoothing=smoothing, gamma=gamma, anchor=0, chosen=sums[0].item(), rejected=sums[1].item(),
                          before=listed(before), tokens=[4, 6], loss=loss.item(), slope=listed(sums.grad)))


def judged():
    for beta, good, bad in [(.1, 1., 1.), (.5, 1.2, .8)]:
        for shift in (0., 9.):
            logps, mask = rows([3, 5, 2, 4, 5], 5)
            before = -torch.rand(5) * 7
            mismatched, mismatched_before = -torch.rand(5) * 7, -torch.rand(5) * 7 - shift
            labels = torch.tensor([True, False, True, True, False])
            t = trainer(precompute_ref_logps=True, calculate_KL=True, loss_type="kto", beta=beta, desirable_weight=good, undesirable_weight=bad,
                        _compute_kl_logps=lambda *_: mismatched)
            batch = dict(input_ids=torch.ones_like(mask), attention_mask=torch.ones_like(mask), completion_mask=mask, label=labels, ref_logps=before,
                         ref_KL_logps=mismatched_before)
            loss = KTOTrainer._compute_loss(t, forward(logps), batch, False)
            loss.backward()
            cases.append(dict(kind="kto", beta=beta, good=good, bad=bad, policy=listed(logps.sum(1)), before=listed(before), labels=labels.tolist(),
                              mismatched=listed(mismatched - mismatched_before), loss=loss.item(), slope=listed(logps.grad[:, 0])))


def rewards():
    for margin, centring in [(False, None), (True, None), (True, .01)]:
        scores = torch.randn(6, 1, requires_grad=True)
        inputs = dict(attention_mask=torch.ones(6, 4))
        margins = torch.rand(3)
        if margin:
            inputs["margin"] = margins
        t = trainer(args=Space(center_rewards_coefficient=centring))
        loss = RewardTrainer.compute_loss(t, lambda **_: Space(logits=scores), inputs)
        loss.backward()
        cases.append(dict(kind="reward", chosen=listed(scores[:3, 0]), rejected=listed(scores[3:, 0]), margins=listed(margins) if margin else [0., 0., 0.],
                          centring=centring or 0., loss=loss.item(), slope=listed(scores.grad[:, 0])))


def policy():
    lengths = [3, 5, 2, 4]
    for level, kind, beta, low, high in [("token", "grpo", 0., .2, .2), ("token", "dapo", .1, .2, .28), ("token", "dr_grpo", .04, .2, .2),
                                         ("sequence", "grpo", 0., .1, .1)]:
        logps, mask = rows(lengths, 5)
        mask = mask[:, 1:]
        old = (logps + .3 * torch.randn(4, 5)).detach() * mask
        reference = (logps + .5 * torch.randn(4, 5)).detach() * mask
        advantages = torch.tensor([1.2, -.7, -1.1, .6])
        t = trainer(_get_per_token_logps_and_entropies=lambda *_, **__: (logps, torch.zeros_like(logps), None), top_entropy_quantile=1.,
                    off_policy_mask_threshold=None, importance_sampling_level=level, beta=beta, epsilon_low=low, epsilon_high=high, loss_type=kind,
                    args=Space(delta=None, use_bias_correction_kl=False), use_vllm=False, max_completion_length=8, _entropy_bonus_enabled=False)
        inputs = dict(prompt_ids=torch.ones(4, 1), prompt_mask=torch.ones(4, 1), completion_ids=torch.ones(4, 5), completion_mask=mask,
                      advantages=advantages, old_per_token_logps=old, ref_per_token_logps=reference, num_items_in_batch=mask.sum())
        loss = GRPOTrainer._compute_loss(t, None, inputs)
        loss.backward()
        cases.append(dict(kind="policy", sequence=level == "sequence", aggregation=kind, beta=beta, low=low, high=high, longest=8, lengths=lengths,
                          policy=listed(logps), old=listed(old), reference=listed(reference), advantages=listed(advantages),
                          loss=loss.item(), slopes=listed(logps.grad)))


def distil():
    for beta in (0., .1, .5, 1.):
        student, teacher = torch.randn(1, 6, requires_grad=True), 2 * torch.randn(1, 6)
        loss = GKDTrainer.generalized_jsd_loss(student, teacher, beta=beta)
        loss.backward()
        cases.append(dict(kind="divergence", beta=beta, student=listed(student[0]), teacher=listed(teacher[0]), loss=loss.item(), slope=listed(student.grad[0])))


def functions(file, names, **scope):
    """Functions and classes of a file by name, without the imports of the package."""
    tree = ast.parse(open(file).read())
    found = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name in names]
    for n in found:
        n.decorator_list = []
    scope.update(torch=torch, np=np, F=torch.nn.functional)
    exec("from __future__ import annotations\nfrom typing import *\nfrom collections.abc import Mapping\n" +
         "\n\n".join(ast.unparse(n) for n in found), scope)
    return Space(**{n: scope[n] for n in names})


def ppo(folder):
    core = functions(folder + "/trl/core.py", ["masked_mean", "masked_var", "masked_whiten", "clip_by_value", "entropy_from_logits", "flatten_dict"])
    ppo = functions(folder + "/trl/trainer/ppo_trainer.py", ["compute_advantages", "loss", "compute_rewards", "_kl_penalty"], **vars(core))
    adaptive = functions(folder + "/trl/trainer/utils.py", ["AdaptiveKLController"]).AdaptiveKLController
    control = adaptive(.15, 6., 1e4)
    control.update(3.5, 64)
    cases.append(dict(kind="adaptive", kappa=.15, kl=3.5, target=6., n=64, horizon=1e4, loss=float(control.value)))
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]])
    for penalty, estimator in [("kl", "k1"), ("mse", "k2")]:
        config = Space(kl_penalty=penalty, whiten_rewards=False, gamma=.97, lam=.9, cliprange=.2, cliprange_value=.2, vf_coef=.1, ratio_threshold=1e9)
        t = Space(config=config, kl_ctl=control)
        t._kl_penalty = lambda a, b, t=t: ppo._kl_penalty(t, a, b)
        logps, reference, values, scores = -torch.rand(3, 4), -torch.rand(3, 4), torch.randn(3, 4), torch.randn(3)
        rewards, _, _ = ppo.compute_rewards(t, scores, logps, reference, mask)
        _, advantages, returns = ppo.compute_advantages(t, values, rewards, mask.float())
        new = (logps + .3 * torch.randn(3, 4)).requires_grad_()
        predicted = (values + .3 * torch.randn(3, 4)).requires_grad_()
        loss_policy, loss_value, _ = ppo.loss(t, logps, values, torch.randn(3, 4, 5), predicted, new, mask, advantages, returns)
        (loss_policy + loss_value).backward()
        cases.append(dict(kind="ppo", estimator=estimator, kappa=float(control.value), gamma=.97, lambda_=.9, clip=.2, policy=listed(logps), reference=listed(reference),
                          values=listed(values), scores=listed(scores), rewards=listed(rewards), advantages=listed(advantages), returns=listed(returns),
                          new=listed(new), predicted=listed(predicted), losses=[loss_policy.item(), loss_value.item()],
                          slopes=listed(new.grad), slopesValue=listed(predicted.grad), coefficient=.1))


for part in (pairs, judged, rewards, policy, distil):
    part()
ppo(sys.argv[2])
json.dump({"trl": trl.__version__, "ppo": "0.11.4", "torch": torch.__version__.split("+")[0], "cases": cases},
          sys.stdout, default=float)
