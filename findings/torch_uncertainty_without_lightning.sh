#!/bin/sh
# torch-uncertainty, installed as its README says, cannot be imported.
#
# Expected: README (and page on PyPI) of torch-uncertainty 0.13.0, "Installation": install the PyTorch version that you want, then
#   `pip install torch-uncertainty`. After both, `import torch_uncertainty` should work.
# Seen: ModuleNotFoundError: No module named 'lightning'. It, torchvision and timm are required by the extras `cpu` and `gpu`
#   alone, of which that section does not speak; without an extra the package requires einops and seaborn.
# Exits with 0 while this is so.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" --quiet install torch==2.13.0
"$place/venv/bin/pip" --quiet install torch-uncertainty==0.13.0
cd "$place"
cat > seen.py <<'PYTHON'
from importlib.metadata import requires, version

always = sorted(line for line in requires("torch-uncertainty") if "extra ==" not in line)
print("torch-uncertainty", version("torch-uncertainty"), "requires", always)
try:
    import torch_uncertainty
except ModuleNotFoundError as error:
    print("import:", error)
    assert error.name == "lightning"
else:
    raise SystemExit("it is imported now")
assert always == ["einops", "seaborn"]
PYTHON
"$place/venv/bin/python" seen.py
# Output seen:
#   torch-uncertainty 0.13.0 requires ['einops', 'seaborn']
#   import: No module named 'lightning'
