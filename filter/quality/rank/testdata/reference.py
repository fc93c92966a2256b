"""Writes reference.json: percentile ranks and buckets as numpy computes them, and Nemotron-CC's maximum over classifiers.

A score's bucket is numpy.digitize(score, cutoffs), with the cutoffs numpy.quantile(sample, k / buckets), so a score on a cutoff falls
into the upper bucket, and equal scores share one. Run: python reference.py > reference.json (numpy 2).
"""
import json
import numpy as np

random = np.random.default_rng(7)
n = 300
samples = {
    "smooth": random.beta(2, 5, n),
    "ties": np.round(random.beta(1, 1, n), 1),  # eleven values
    "top": np.minimum(1, random.exponential(.8, n)),  # over a quarter is exactly 1
    "few": np.array([.25, .5, .75]),
    "one": np.array([.5]),
}
samples = {k: v.astype(np.float32).astype(np.float64) for k, v in samples.items()}
out = {"samples": {}, "ensemble": None}
for name, sample in samples.items():
    cutoffs = np.quantile(sample, np.arange(1, 1000) / 1000)
    exact = cutoffs[cutoffs.astype(np.float32) == cutoffs]  # cutoffs that are scores themselves
    probes = np.unique(np.concatenate([sample, exact, [0, 1, .3, .123456]])).astype(np.float32)
    some = probes[:: max(1, len(probes) // 40)]
    out["samples"][name] = {
        "sample": [float(x) for x in sample],
        "cutoffs": {str(k): float(cutoffs[k - 1]) for k in (1, 50, 125, 333, 500, 666, 900, 950, 999)},
        "probes": [float(x) for x in some],
        "ranks": [int(x) for x in np.digitize(some.astype(np.float64), cutoffs)],
        "buckets20": [int(x) for x in np.digitize(some.astype(np.float64), cutoffs[49::50])],
        "buckets8": [int(x) for x in np.digitize(some.astype(np.float64), cutoffs[124::125])],
    }
names = ["smooth", "ties", "top"]
buckets = [np.digitize(samples[k], np.quantile(samples[k], np.arange(50, 1000, 50) / 1000)) for k in names]
out["ensemble"] = {"models": names, "buckets": [int(x) for x in np.max(buckets, axis=0)]}
print(json.dumps(out))
