# make quickstart   set up and run the main job: digits to a quantized reader, in minutes
# make test         set up and run all tests
# make faults       those of them that kill, cut off, fill up and damage
# make check        formatting, lint and types
# make reproduce DIGITS=folder OUT=folder   digits to the readers that ship, measured
# make bench        how fast each stage is, beside what one would use instead; LONG=1 builds a million
# make bench-gpu OUT=folder   how fast training is on a GPU, in under 10 minutes

PYTHON ?= python3
VENV ?= .venv
# A folder of MNIST's four idx files; without it, the embedded digits alone.
MNIST ?=
# Of training: quickstart takes 5 unless told, reproduce 1 for each model, or "2 1 1 1".
MINUTES ?=
BIN := $(VENV)/bin
# For bench alone, with the libraries that it compares with.
PEERS ?= .venv-bench
READY := $(VENV)/.ready
SET := data/quickstart
RUN := runs/quickstart
# For reproduce: OUT and DIGITS are folders; SCALE=tiny is a trial of the way, 0 is what the scale says, LIMIT is in minutes.
# With READY= BIN=folder/bin it runs in an environment that is there, and sets up none.
OUT ?= runs/reproduce
DIGITS ?= digits
MODELS ?= nano optimized lightweight base
SCALE ?= full
IMAGES ?= 0
BATCH ?= 0
LIMIT ?= 0

.PHONY: setup quickstart reproduce test faults check bench bench-gpu clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

quickstart: $(READY)
	rm -rf $(SET) $(RUN)
	$(BIN)/generator digits $(SET).h5 $(if $(MNIST),--mnist $(MNIST)) --sheet data/digits.png
	$(BIN)/generator build $(SET) --bank $(SET).h5 --count 60000 --val 1000 --test 3000
	$(BIN)/shards verify $(SET)
	$(BIN)/trainer train $(SET) --model nano --run $(RUN) --epochs 30 --max-minutes $(or $(MINUTES),5)
	$(BIN)/trainer evaluate $(RUN) $(SET) --out $(RUN)/evaluation
	$(BIN)/trainer export $(RUN) $(RUN)/reader --data $(SET)
	$(BIN)/trainer quantize $(RUN)/reader $(SET) --max-drop 0.02
	$(BIN)/trainer compare $(RUN)/reader --data $(SET)
	@echo
	@echo "the reader         $(RUN)/reader/reader.int8.onnx"
	@echo "the numbers        $(SET)/preview.png"
	@echo "learning curves    $(RUN)/curves.png"
	@echo "its worst errors   $(RUN)/evaluation"
	@echo "read a drawing     $(BIN)/trainer read DRAWING.png --model $(RUN)/reader/reader.int8.onnx"

reproduce: $(READY)
	$(BIN)/python -m scripts.reproduce $(OUT) $(DIGITS) --models "$(MODELS)" --scale $(SCALE) \
		--images $(IMAGES) --minutes "$(MINUTES)" --batch $(BATCH) --limit $(LIMIT)

test: $(READY)
	$(BIN)/python -m pytest

faults: $(READY)
	$(BIN)/python -m pytest tests/faults

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(PEERS)/.ready
	$(PEERS)/bin/python -m tests.benchmarks $(if $(BANK),--bank $(BANK)) $(if $(LONG),--long)

# Without constraints.txt, which some of the libraries compared with contradict.
$(PEERS)/.ready: pyproject.toml
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

bench-gpu: $(READY)
	$(BIN)/python -m tests.benchmarks.gpu --device cuda --out $(if $(filter file,$(origin OUT)),runs/bench-gpu,$(OUT)) $(if $(BANK),--bank $(BANK))

# Leaves data/ and runs/ alone: they hold what took time to make.
clean:
	rm -rf $(VENV) $(PEERS) .mypy_cache .pytest_cache .ruff_cache
