# The commands that the README names.
PYTHON ?= python3
BIN := .venv/bin
CORES ?= 4
GPUS ?= 1
IMAGE ?= graft
LOCKS ?= requirements.txt
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES) --resources gpu=$(GPUS)

.PHONY: help setup dev exports-setup hub-setup demo run table bundle image image-apptainer test test-long test-slow test-backbones \
	test-hub test-jax test-slurm test-container test-deploy test-pythons test-crate test-mlflow bench lint format pins lock labels schema docs graph \
	reproduce paper page crate track clean

help:  ## what each command does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: .venv/installed  ## an environment in .venv, every package pinned by hash

dev: .venv/installed-dev  ## the same with what tests and linters need

.venv/installed: envs/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "graft: Python 3.11, 3.12 or 3.13 is needed; name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/requirements.txt
	@touch $@

# What is added to .venv: dev, exports, crate, mlflow.
.venv/installed-%: .venv/installed envs/requirements-%.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/requirements-$*.txt
	@touch $@

# What has an environment of its own: jax, snakedeploy, docs.
.venv-%/installed: envs/requirements-%.txt
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/requirements-$*.txt
	@touch $@

exports-setup: .venv/installed-exports  ## add what exports of a model need: ONNX, LiteRT, OpenVINO

hub-setup: .venv/installed-hub  ## add KerasHub's backbones: DINOv2, DINOv3, ViT, SigLIP and others

.venv/installed-hub: .venv/installed envs/requirements-hub.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r envs/requirements-hub.txt
	@touch $@

image:  ## the software as an image for Docker, Podman or Buildah: IMAGE=name LOCKS=requirements-gpu.txt
	@for tool in docker podman buildah; do \
		$$tool info >/dev/null 2>&1 || continue; \
		exec $$tool build --tag $(IMAGE) --build-arg LOCKS='$(LOCKS)' $(IMAGE_OPTIONS) --file envs/container/Dockerfile envs; \
	done; echo "graft: an image needs Docker, Podman or Buildah, and none of them works here" >&2; exit 1

image-apptainer:  ## the same as a file for Apptainer, IMAGE.sif: IMAGE=name LOCKS=requirements-gpu.txt
	@for tool in apptainer singularity; do \
		command -v $$tool >/dev/null || continue; \
		exec $$tool build --build-arg LOCKS='$(LOCKS)' $(IMAGE_OPTIONS) $(IMAGE).sif envs/container/graft.def; \
	done; echo "graft: this needs Apptainer, which is not on this machine" >&2; exit 1

.venv-crate/installed: envs/requirements-crate-validator.txt
	$(PYTHON) -m venv .venv-crate
	.venv-crate/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r envs/requirements-crate-validator.txt
	@touch $@

.venv-mlflow/installed: envs/requirements-mlflow-server.txt
	$(PYTHON) -m venv .venv-mlflow
	.venv-mlflow/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r envs/requirements-mlflow-server.txt
	@touch $@

demo: setup  ## the whole chain on drawn photos: offline, no account, no GPU
	@$(BIN)/snakemake --cores $(CORES) --resources gpu=0 --configfile config/demo.yaml --quiet rules progress
	@$(BIN)/python workflow/commands/print_results.py

run: setup  ## the default job, or that of CONFIG=file.yaml
	@$(SNAKEMAKE) $(if $(CONFIG),--configfile $(CONFIG))
	@$(BIN)/python workflow/commands/print_results.py

table: setup  ## which network: every one as a probe, timed here; CONFIG=file.yaml names the photos
	@$(BIN)/python workflow/commands/model_table.py --cores $(CORES) --configfile config/model_table.yaml $(CONFIG) \
		--resources gpu=$(GPUS)

test: dev  ## the tests a user runs, in a few minutes: no root, no network
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "not long"

test-long: dev  ## the longer ones, which CI runs too
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m long

test-slow: dev  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

test-backbones: dev  ## every backbone of Keras is built, and says something
	$(BIN)/python -m pytest tests/backbones --numprocesses 2

test-jax: .venv-jax/installed  ## training and predicting on JAX, in an environment of its own, .venv-jax
	.venv-jax/bin/python -m pytest tests/on_jax

test-hub: dev hub-setup  ## every family of KerasHub is built, trained, saved and loaded, and one goes through the whole chain
	$(BIN)/python -m pytest tests/unit/test_hub.py tests/workflow/test_hub_chain.py --numprocesses 2

test-deploy: dev .venv-snakedeploy/installed  ## as others use it: a module, from git, deployed by snakedeploy
	$(BIN)/python -m pytest tests/workflow/test_used_by_others.py -m "slow or not slow"

test-crate: dev .venv/installed-crate .venv-crate/installed  ## research objects, checked by their public validator, offline
	$(BIN)/python -m pytest tests/unit/test_crate.py tests/unit/test_crate_reading.py tests/workflow/test_reproduce.py

test-mlflow: dev .venv/installed-mlflow .venv-mlflow/installed  ## runs are pushed to a real MLflow server, on this machine
	$(BIN)/python -m pytest tests/unit/test_tracking.py

test-pythons:  ## install from the lock and run the demo, on each Python 3.11 to 3.13 that is here
	.ci/pythons

test-slurm: dev  ## the chain on a real one-node Slurm; installs it, as root
	$(BIN)/python -m pytest tests/slurm

test-container: dev  ## the chain in an image built from the Dockerfile, by Apptainer; installs both, as root
	$(BIN)/python -m pytest tests/containers

bench: dev  ## what docs/speed.md says, measured again: three hours
	for name in lesson train pipeline; do $(BIN)/python benchmarks/$$name.py || exit 1; done

lint: dev  ## ruff, snakefmt, snakemake --lint, mypy
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/snakefmt --check --compact-diff Snakefile workflow/Snakefile workflow/rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy

format: dev  ## put code and rules into shape
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/snakefmt Snakefile workflow/Snakefile workflow/rules

pins: dev  ## pin the newest versions of every package, with hashes
	$(BIN)/python -m pip install --quiet uv
	cd envs && for name in $(basename $(notdir $(wildcard envs/*.in))); do \
		../$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-header --quiet $$(grep -qs -- '^# --no-deps' $$name.in && echo --no-deps) \
			$$name.in --output-file $$name.txt || exit 1; done
	$(BIN)/python envs/conda_from_lock.py requirements.txt > envs/graft.yaml
	$(BIN)/python envs/conda_from_lock.py requirements.txt requirements-exports.txt > envs/exports.yaml

lock: setup  ## pin what a dataset is: make lock DATASET=name [CONFIG=file.yaml]
	@$(SNAKEMAKE) $(if $(CONFIG),--configfile $(CONFIG)) -- config/locks/$(DATASET).json

labels: setup  ## list the labels that may be wrong: make labels DATASET=name [CONFIG=file.yaml]
	@$(SNAKEMAKE) $(if $(CONFIG),--configfile $(CONFIG)) -- \
		results/data/$(or $(DATASET),$(error name the dataset: make labels DATASET=name))/label_issues.csv

schema: setup  ## the references of settings, files, commands and messages, and the schema, from the code
	$(BIN)/python workflow/commands/describe_config.py
	$(BIN)/python workflow/commands/describe_commands.py

docs: .venv-docs/installed  ## the documentation site in site/, offline; stops at a link that leads nowhere
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet

graph: setup  ## docs/architecture.md: which rule needs which, drawn from the rules
	$(BIN)/python workflow/commands/draw_rules.py

reproduce: setup  ## repeat a run from its provenance, or from a crate: make reproduce RUN=name, or RUN=path of a crate
	@$(BIN)/python workflow/commands/reproduce.py --run $(or $(RUN),$(error name the run: make reproduce RUN=name)) \
		--cores $(CORES) -- --resources gpu=$(GPUS)

bundle: setup  ## a folder to give away: make bundle RUN=name LICENSE=cc-by-4.0 [PHOTOS="a.jpg b.jpg"]
	@$(BIN)/python workflow/commands/bundle.py --run $(or $(RUN),$(error name the run: make bundle RUN=name)) \
		--license '$(LICENSE)' --share $(PHOTOS)

paper: setup  ## a LaTeX table, a figure, methods and references of the finished runs, in results/paper
	@$(BIN)/python workflow/commands/paper.py

crate: .venv/installed-crate  ## a research object (RO-Crate) of a run: make crate RUN=name [LICENSE=CC-BY-4.0 AGENT="..." ZIP=1]
	@$(BIN)/python workflow/commands/crate.py --run $(or $(RUN),$(error name the run: make crate RUN=name)) \
		--license '$(LICENSE)' --agent '$(AGENT)' $(if $(ZIP),--zip)

track: .venv/installed-mlflow  ## push a run to an MLflow server: make track RUN=name URI=http://localhost:5000 [EXPERIMENT=name REPLACE=1]
	@MLFLOW_TRACKING_URI="$${URI:-$$MLFLOW_TRACKING_URI}" $(BIN)/python workflow/commands/track.py \
		--run $(or $(RUN),$(error name the run: make track RUN=name URI=http://localhost:5000)) \
		$(if $(EXPERIMENT),--experiment '$(EXPERIMENT)') $(if $(REPLACE),--replace)

page: setup  ## try a run's model in the browser, on this machine: make page RUN=name
	@$(BIN)/python workflow/commands/page.py --run $(or $(RUN),$(error name the run: make page RUN=name))

clean:  ## remove all results
	find results -mindepth 1 ! -name .gitkeep -delete
