# make quickstart   set up and run the main job: digits to a quantized reader, in minutes
# make test         set up and run all tests
# make check        formatting, lint and types
# make bench        how fast each stage is, beside what one would use instead

PYTHON ?= python3
VENV ?= .venv
# A folder of MNIST's four idx files; without it, the embedded digits alone.
MNIST ?=
MINUTES ?= 5
OUT ?= data/quickstart
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RUN := runs/quickstart

.PHONY: setup quickstart test check bench clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

quickstart: $(READY)
	rm -rf $(OUT) $(RUN)
	$(BIN)/generator digits data/bank.h5 $(if $(MNIST),--mnist $(MNIST)) --sheet data/digits.png
	$(BIN)/generator build $(OUT) --bank data/bank.h5 --count 60000 --val 1000 --test 3000
	$(BIN)/shards verify $(OUT)
	$(BIN)/trainer train $(OUT) --model nano --run $(RUN) --epochs 30 --max-minutes $(MINUTES)
	$(BIN)/trainer evaluate $(RUN) $(OUT) --out $(RUN)/evaluation
	$(BIN)/trainer export $(RUN) $(RUN)/reader --data $(OUT)
	$(BIN)/trainer quantize $(RUN)/reader $(OUT)
	$(BIN)/trainer compare $(RUN)/reader --data $(OUT)
	@echo
	@echo "the reader         $(RUN)/reader/reader.int8.onnx"
	@echo "the numbers        $(OUT)/preview.png"
	@echo "learning curves    $(RUN)/curves.png"
	@echo "its worst errors   $(RUN)/evaluation"
	@echo "read a drawing     $(BIN)/trainer read DRAWING.png --model $(RUN)/reader/reader.int8.onnx"

test: $(READY)
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m tests.benchmarks $(if $(BANK),--bank $(BANK))

clean:
	rm -rf $(VENV) data runs
