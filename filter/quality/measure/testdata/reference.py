"""Writes reference.json: AUC, its interval, average precision, Brier score and calibration as scikit-learn and the definitions have them.

DeLong's variance is computed from its definition, over all pairs. Run: python reference.py > reference.json (numpy 2, scikit-learn 1.7).
"""
import json
import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, precision_score, recall_score, roc_auc_score


def delong(y, s):
    good, bad = s[y == 1], s[y == 0]
    psi = (good[:, None] > bad[None, :]) + .5 * (good[:, None] == bad[None, :])
    variance = psi.mean(1).var(ddof=1) / len(good) + psi.mean(0).var(ddof=1) / len(bad)
    half = 1.959963984540054 * np.sqrt(variance)
    return [max(0, psi.mean() - half), min(1, psi.mean() + half)]


random = np.random.default_rng(11)
cases = []
for n, shift, digits in [(200, .8, 6), (150, .2, 1), (60, 1.2, 2), (11, 0, 6)]:
    y = (random.random(n) < .4).astype(int)
    s = np.round(1 / (1 + np.exp(-(random.normal(0, 1, n) + shift * (2 * y - 1)))), digits).astype(np.float32).astype(np.float64)
    order = np.argsort(s, kind="stable")
    bins = [order[i * n // 10:(i + 1) * n // 10] for i in range(10)]
    cases.append({
        "scores": s.tolist(), "good": y.tolist(),
        "auc": roc_auc_score(y, s), "interval": delong(y, s), "average_precision": average_precision_score(y, s),
        "precision": precision_score(y, s >= .5, zero_division=0), "recall": recall_score(y, s >= .5), "f1": f1_score(y, s >= .5),
        "brier": brier_score_loss(y, s),
        "ece": float(sum(len(b) / n * abs(s[b].mean() - y[b].mean()) for b in bins)),
    })
said = random.integers(0, 4, 120)
true = np.where(random.random(120) < .6, said, random.integers(0, 4, 120))
classes = {"true": true.tolist(), "said": said.tolist(), "accuracy": float((said == true).mean()), "macro_f1": f1_score(true, said, average="macro"),
           "precision": precision_score(true, said, average=None).tolist(), "recall": recall_score(true, said, average=None).tolist()}
print(json.dumps({"binary": cases, "classes": classes}))
