# Each target sets up what it needs: on a new machine Python 3.11 to 3.13 and make are enough.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3.11)
VENV := .venv
BIN := $(VENV)/bin
# The command of the active environment, if the package is installed in it.
ACTIVE := $(firstword $(wildcard $(VIRTUAL_ENV:%=%/bin/zoo) $(CONDA_PREFIX:%=%/bin/zoo)))
ZOO := $(or $(ACTIVE),$(BIN)/zoo)
DATA ?= ../shared/data
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export TF_CPP_MIN_LOG_LEVEL = 3

.PHONY: demo test test-all lint docs site bench presets page phone wheel clean

demo: $(if $(ACTIVE),,$(VENV)/installed)
	rm -rf demo
	$(ZOO) data simulate activity -o demo/data3.h5 --subjects 12 --seed 0
	$(ZOO) train --model activity_gru --epochs 15 --data demo/data3.h5 --out demo/model
	$(ZOO) evaluate demo/model --data demo/data3.h5
	$(ZOO) export demo/model --data demo/data3.h5 --to demo/exported
	$(ZOO) stream demo/exported/model.dynamic.tflite --simulate walking,sitting,jogging --speed 2

# A process a core; what finishes first takes over from the others.
PYTEST := $(BIN)/pytest --numprocesses logical --dist worksteal

# What proves the code, in minutes.
test: lint
	$(PYTEST) -m 'not (browser or docs or hostile or process or real or slow)'

# That, and whole trainings killed and gone on with, the docs followed, the page in a browser, and real data.
# TensorFlow keeps some 30 MB of each compiled training until its process ends (neither clear_session nor a new context
# frees them), so the tests run in three parts, with new processes for each. What several parts need is made once.
PARTS := "tests/activity tests/exporting tests/patches tests/search tests/text" \
	"tests/data tests/hostile tests/models tests/peers tests/phone tests/report tests/runtime tests/serving"
test-all: export ZOO_MADE_ONCE := $(CURDIR)/build/made-once
test-all: lint
	rm -rf $(ZOO_MADE_ONCE)
	failed=; for part in $(PARTS); do $(PYTEST) $$part || failed=yes; done; \
	$(PYTEST) $(patsubst %,--ignore=%,$(subst ",,$(PARTS))) || failed=yes; test -z "$$failed"

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports setup.cfg
	$(BIN)/python tests/size.py

# The site, for any static host, into build/site: docs, models that run on their cards, and the phone page. `docs` needs
# no Node: its page runs the models of the zoo, but not files that need LiteRT.js. A link that leads nowhere is an error.
site: page
site docs: $(VENV)/installed
	$(BIN)/python docs/.site/build.py

bench: .bench/installed $(VENV)/installed page
	$(BIN)/python benchmarks/phone.py | tee benchmarks/phone.json
	.bench/bin/python benchmarks/microcontroller.py --data $(DATA)/activity/data3.h5 \
		| tee benchmarks/microcontroller.json
	.bench/bin/python benchmarks/microcontroller.py --page docs/guides/c.md --metrics
	.bench/bin/python benchmarks/inference.py | tee benchmarks/inference.json
	.bench/bin/python benchmarks/inference.py --page docs/guides/c.md
	$(BIN)/python benchmarks/phone.py --page docs/guides/phone.md
	$(BIN)/python benchmarks/pocket.py --data $(DATA)/activity | tee benchmarks/pocket.json
	$(BIN)/python benchmarks/pocket.py --page docs/guides/phone.md
	.bench/bin/python benchmarks/reading.py | tee benchmarks/reading.json
	OMP_NUM_THREADS=1 .bench/bin/python benchmarks/training.py --data $(DATA)/activity/data3.h5 | tee benchmarks/training.json
	.bench/bin/python benchmarks/autoencoder.py --data $(DATA)/images/data1.h5 | tee benchmarks/autoencoder.json
	.bench/bin/python benchmarks/language.py --data $(DATA)/text/data2.h5 | tee benchmarks/language.json
	.bench/bin/python benchmarks/roofline.py --data $(DATA) | tee benchmarks/roofline.json
	.bench/bin/python benchmarks/roofline.py --page docs/speed.md
	.bench/bin/python benchmarks/searching.py --data $(DATA)/activity/data3.h5 | tee benchmarks/searching.json
	.bench/bin/python benchmarks/streaming.py --zip $(DATA)/activity/A_DeviceMotion_data.zip | tee benchmarks/streaming.json
	.bench/bin/python benchmarks/splits.py --zip $(DATA)/activity/A_DeviceMotion_data.zip | tee benchmarks/splits.json
	.bench/bin/python benchmarks/splits.py --page docs/splits.md
	.bench/bin/zoo data import motionsense $(DATA)/activity/A_DeviceMotion_data.zip -o build/motionsense.h5 --force
	.bench/bin/zoo data import geotec $(DATA)/activity/sp-sw-har-dataset.zip -o build/geotec.h5 --force
	.bench/bin/zoo data import oxford-steps $(DATA)/activity/oxford-step-counter.zip -o build/oxford-steps.h5 --force
	.bench/bin/zoo data windows build/motionsense.h5 build/geotec.h5 build/oxford-steps.h5 -o build/others.h5 --force \
		--window 200 --hop 100 --test-fraction 0 --classes downstairs,jogging,sitting,standing,upstairs,walking
	rm -rf build/start
	.bench/bin/zoo train activity_gru_phone --data build/others.h5 --set validation=0 --out build/start
	.bench/bin/python benchmarks/small_data.py --wisdm $(DATA)/activity/wisdm-dataset.zip --start build/start \
		| tee benchmarks/small_data.json
	.bench/bin/python benchmarks/small_data.py --page docs/small-data.md
	.bench/bin/zoo data import wisdm $(DATA)/activity/wisdm-dataset.zip -o build/wisdm.h5 --force
	.bench/bin/zoo data windows build/motionsense.h5 build/wisdm.h5 build/geotec.h5 build/oxford-steps.h5 \
		-o build/windows.h5 --force --window 200 --hop 100 --merge stairs=upstairs+downstairs \
		--classes downstairs,jogging,sitting,standing,upstairs,walking
	.bench/bin/python benchmarks/streaming_studies.py --data build/windows.h5 --recordings build/motionsense.h5 \
		build/wisdm.h5 build/geotec.h5 build/oxford-steps.h5 | tee benchmarks/streaming_studies.json
	.bench/bin/python benchmarks/streaming_studies.py --page docs/splits.md
	.bench/bin/python benchmarks/personal.py --data build/windows.h5 | tee benchmarks/personal.json
	.bench/bin/python benchmarks/personal.py --page docs/guides/deploy.md
	.bench/bin/zoo data import dsads $(DATA)/activity/daily-and-sports-activities.zip --others -o build/dsads-all.h5 --force
	git show 2080b86c:saved_models/activity_gru_pocket/model.keras > build/activity_gru_pocket-0.3.0.keras
	git show fb4b9ee3:saved_models/activity_cnn_pocket/model.keras > build/activity_cnn_pocket-0.3.0.keras
	.bench/bin/python benchmarks/labeling.py build/activity_gru_pocket-0.3.0.keras build/activity_cnn_pocket-0.3.0.keras \
		--recordings build/dsads-all.h5 | tee benchmarks/labeling.json
	.bench/bin/python benchmarks/labeling.py --page docs/guides/label.md
	$(BIN)/python benchmarks/labeling_page.py build/activity_gru_pocket-0.3.0.keras --recordings build/dsads-all.h5 \
		| tee benchmarks/labeling_page.json
	$(BIN)/python benchmarks/labeling_page.py --page docs/guides/label.md
	$(BIN)/python benchmarks/ten_hours.py | tee benchmarks/ten_hours.json
	$(BIN)/python benchmarks/ten_hours.py --page docs/guides/label.md
	$(BIN)/python benchmarks/networks.py | tee benchmarks/networks.json
	$(BIN)/python benchmarks/networks.py --page examples/networks/README.md
	.bench/bin/python benchmarks/leaderboard.py --data $(DATA)/activity
	.bench/bin/python benchmarks/leaderboard.py --page docs/leaderboard.md
	.bench/bin/python benchmarks/abstention.py --data $(DATA)/activity | tee benchmarks/abstention.json
	.bench/bin/python benchmarks/abstention.py --page docs/guides/probabilities.md
	.bench/bin/zoo data import selfback $(DATA)/activity/selfback-thigh.zip -o build/selfback.h5 --force
	.bench/bin/zoo data import dsads $(DATA)/activity/daily-and-sports-activities.zip -o build/dsads.h5 --force
	git show 2080b86c:saved_models/activity_gru_phone/model.float32.tflite > build/activity_gru_phone-0.3.0.tflite
	.bench/bin/python benchmarks/external.py build/activity_gru_phone-0.3.0.tflite \
		--recordings build/selfback.h5 build/dsads.h5 | tee benchmarks/external.json
	.bench/bin/python benchmarks/external.py --page docs/external.md
	for preset in activity_gru_pocket activity_gru_tiny activity_cnn_pocket; do \
		.bench/bin/python saved_models/make.py --data $(DATA) --streams --scratch build/$$preset $$preset; done
	.bench/bin/python benchmarks/shaking.py build/motionsense.h5 build/wisdm.h5 build/geotec.h5 build/oxford-steps.h5 \
		| tee benchmarks/shaking.json
	.bench/bin/python saved_models/make.py --data $(DATA) --streams --scratch build/phone activity_gru_phone
	.bench/bin/python saved_models/make.py activity_gru_phone --data $(DATA) --scratch build/phone --baselines \
		random_forest minirocket augmented_random_forest
	.bench/bin/python saved_models/make.py activity_gru_phone --data $(DATA) --scratch build/seeds --seeds 3
	.bench/bin/python benchmarks/left_out.py --scratch build/seeds | tee benchmarks/left_out.json
	.bench/bin/python benchmarks/left_out.py --page docs/splits.md
	.bench/bin/python benchmarks/mixing.py --scratch build/seeds | tee benchmarks/mixing.json
	.bench/bin/python benchmarks/mixing.py --page docs/research/activity.md
	.bench/bin/python benchmarks/distilling.py --scratch build/seeds --spectra oxford wisdm | tee benchmarks/distilling.json
	.bench/bin/python benchmarks/distilling.py --page docs/research/activity.md
	.bench/bin/python benchmarks/recipes.py --groups 3 | tee benchmarks/recipes.json
	.bench/bin/python benchmarks/recipes.py --page docs/research/activity.md
	.bench/bin/python benchmarks/predecessor.py build/activity_gru_phone-0.3.0.tflite --data $(DATA)/activity \
		| tee benchmarks/predecessor.json
	.bench/bin/python benchmarks/predecessor.py --page docs/splits.md
	.bench/bin/python benchmarks/lying.py | tee benchmarks/lying.json
	.bench/bin/python benchmarks/lying.py --page docs/splits.md
	.bench/bin/python benchmarks/unseen.py --scratch build/seeds | tee benchmarks/unseen.json
	.bench/bin/python benchmarks/unseen.py --page docs/splits.md
	.bench/bin/python benchmarks/ensembles.py --others build/activity_cnn_pocket build/activity_gru_tiny | tee benchmarks/ensembles.json
	.bench/bin/python benchmarks/ensembles.py --page docs/research/activity.md
	.bench/bin/python benchmarks/studies.py --scratch build/phone | tee benchmarks/studies.json
	.bench/bin/python benchmarks/studies.py --page docs/splits.md
	.bench/bin/python benchmarks/other.py --data $(DATA)/activity --scratch build/phone | tee benchmarks/other.json
	.bench/bin/python benchmarks/other.py --page docs/splits.md
	.bench/bin/python benchmarks/walkers.py build/phone | tee benchmarks/walkers.json
	.bench/bin/python benchmarks/walkers.py --page docs/splits.md
	.bench/bin/python benchmarks/flights.py --scratch build/phone | tee benchmarks/flights.json
	.bench/bin/python benchmarks/flights.py --page docs/splits.md
	.bench/bin/python benchmarks/adaptation.py --scratch build/phone | tee benchmarks/adaptation.json
	.bench/bin/python benchmarks/adaptation.py --page docs/research/activity.md
	.bench/bin/python benchmarks/branches.py --scratch build/phone | tee benchmarks/branches.json
	.bench/bin/python benchmarks/branches.py --page docs/research/activity.md
	.bench/bin/python benchmarks/scale.py | tee benchmarks/scale.json
	.bench/bin/python benchmarks/scale.py --page docs/scale.md

presets: .bench/installed
	.bench/bin/python saved_models/make.py --data $(DATA)

# The page that a phone opens, served to phones in the same network. MODEL is a preset, a .tflite file or a folder with
# one, or several of these; by default all recognizers of the zoo.
MODEL ?=
phone: $(if $(ACTIVE),,$(VENV)/installed)
	$(ZOO) serve $(MODEL)

# Builds the page into the package. All but LiteRT.js and the model is stored in the repository: commit what changes.
page: zoo/page/model.tflite

PHONE := examples/phone
zoo/page/model.tflite: $(PHONE)/node_modules/.package-lock.json $(wildcard $(PHONE)/*.html $(PHONE)/*.tflite) $(PHONE)/vite.config.ts \
		$(wildcard $(PHONE)/src/*/* $(PHONE)/public/* $(PHONE)/public/*/*) saved_models/activity_gru_phone/model.float32.tflite
	npm --prefix $(PHONE) run build
	touch $@

$(PHONE)/node_modules/.package-lock.json: $(PHONE)/package-lock.json
	npm --prefix $(PHONE) ci --no-audit --no-fund
	touch $@

# With the page inside. What an earlier build left in build/ would be packed too.
wheel: $(VENV)/installed page
	rm -rf build dist
	$(BIN)/pip wheel . --no-deps --no-build-isolation --wheel-dir dist

$(VENV)/installed: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[dev]' --constraint constraints.txt
	touch $@

# Apart from $(VENV): what is compared wants other versions of what is pinned there.
.bench/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .bench
	.bench/bin/pip install --quiet --editable '.[tuning,baselines]' 'torch>=2.9' onnx onnxruntime tflite-micro
	touch $@

clean:
	rm -rf $(VENV) .bench demo build dist *.egg-info zoo/page/litert zoo/page/model.tflite $(PHONE)/node_modules
