"""Writes reference.json: calibrations as scikit-learn fits them. Run: python reference.py > reference.json (numpy 2, scikit-learn 1.7, scipy)."""
import json
import numpy as np
from scipy.optimize import minimize
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

random = np.random.default_rng(5)
y = (random.random(120) < .3).astype(int)
z = np.round(random.normal(0, 1.5, 120) + 1.4 * y - 2, 2)
platt = _SigmoidCalibration().fit(z, y)
isotonic = IsotonicRegression(out_of_bounds="clip").fit(z, y)
probes = np.round(np.linspace(-7, 4, 45), 3)

# Temperature scaling with biases: the same targets as Platt's, each class's miss dealt to the others.
k = 4
c = random.integers(0, k, 200)
logits = np.round(random.normal(0, 1, (200, k)) + 1.5 * np.eye(k)[c] + np.array([.5, 0, -.5, 0]), 2)
miss = 1 / (np.bincount(c, minlength=k) + 2)
target = np.where(np.eye(k)[c] == 1, 1 - miss[c][:, None], miss[c][:, None] / (k - 1))


def loss(v):
    x = v[0] * logits + np.concatenate([[0], v[1:]])
    x = x - x.max(1, keepdims=True)
    return -(target * (x - np.log(np.exp(x).sum(1, keepdims=True)))).sum()


many = minimize(loss, [1, 0, 0, 0], method="BFGS", options={"gtol": 1e-7}).x
print(json.dumps({
    "outputs": z.tolist(), "class": y.tolist(), "platt": [-platt.a_, -platt.b_], "probes": probes.tolist(),
    "isotonic": isotonic.predict(probes).tolist(), "logits": logits.tolist(), "classes": c.tolist(), "many": many.tolist(),
}))
