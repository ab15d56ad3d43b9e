#!/bin/sh
# MAPIE refuses the smallest number of units for which a conformal interval exists at a level.
#
# Expected: with n scores the interval of split conformal, of CV+ and of the jackknife+ is made of the ceil((1 - alpha)(n + 1))-th
#   smallest values (Lei et al. 2018, section 2.2; Barber, Candes, Ramdas and Tibshirani 2021, section 1.2), which exist from
#   n = 1 / alpha - 1 on: with 9 units at 90 %. MAPIE says so itself: of 8 units, asked with allow_infinite_bounds=True,
#   SplitConformalRegressor answers "Increase the calibration set size to at least 9".
# Seen (MAPIE 1.6.0): SplitConformalRegressor and CrossConformalRegressor(method="plus") raise ValueError for 9 units at 90 %. With
#   allow_infinite_bounds=True the same objects give the finite interval. From 10 units on they give it in any case.
# Exits with 0 while this is so.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" --quiet install mapie==1.6.0 scikit-learn==1.9.1 numpy==2.4.6
cd "$place"
"$place/venv/bin/python" - <<'PYTHON'
import sys

import mapie
import numpy as np
from mapie.regression import CrossConformalRegressor, SplitConformalRegressor
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import KFold

print("MAPIE", mapie.__version__)
refused = set()
for n in (9, 10):
    x, y = np.arange(n, dtype=float)[:, None], np.arange(n, dtype=float)
    split = SplitConformalRegressor(DummyRegressor().fit(x, y), confidence_level=0.9, prefit=True).conformalize(x, y)
    cross = CrossConformalRegressor(DummyRegressor(), confidence_level=0.9, method="plus", cv=KFold(3)).fit_conformalize(x, y)
    for name, made in (("split", split), ("CV+", cross)):
        finite = made.predict_interval(x[:1], allow_infinite_bounds=True)[1].ravel()
        try:
            said = str(made.predict_interval(x[:1])[1].ravel())
        except ValueError as error:
            said = f"ValueError: {' '.join(str(error).split())}"
            if np.isfinite(finite).all():
                refused.add((n, name))
        print(f"{n:2} units, {name:5}: {said}; with allow_infinite_bounds {finite}")
sys.exit(refused != {(9, "split"), (9, "CV+")})
PYTHON
