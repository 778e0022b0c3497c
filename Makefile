# Everything sets itself up: servers and the Python environment go into ${XDG_CACHE_HOME:-~/.cache}/bitacora (tools/).
#
#   make demo [CHECK=1]     the whole of AeroAlpes, with its events as they arrive; CHECK=1 verifies and exits.
#                           LECCION=escritura-doble shows what a dual write loses and an outbox does not (tutorial/aprender.md)
#   make test [ONLY=…]      everything that belongs to a change; the last lines have the times of its suites and their count.
#                           ONLY=faults, ONLY=tests/interop/test_masks.py::test_…, ONLY=bitacora-change: one of them (tests/run.py)
#   make check              the quick one before each commit: format, lints, circles and docs of everything,
#                           licences of dependencies, unit tests of the crates (aeroalpes/ too) with files that differ from the main branch's last state
#   make release            the `bitacora` that is handed out, guided by a profile; prints its path
#   make bench [PEER=1]     measurements of the build of `make release` on real servers: the table of bench/README.md, without the
#                           peer's columns unless PEER=1; figures that the texts repeat stay as they are
#   make load               1,000 bookings a second on AeroAlpes from a plain release build, into bench/README.md
#   make containers         the tutorial's pages, command by command, with a container engine and three versions of compose;
#                           as root, an hour (tests/containers/run.py). OPTIONS="--compose 1.29 --page tutorial/README.md": less of it
#   make conformance        the recorded work, both clients' tests and AeroAlpes against a real Apache Pulsar
#   make differential [SEEDS=100] [SEED=1]
#                           twins of each server, one that names columns in its log and one in its default state: every event is equal
#   make chaos [KILLS=100]  kill -9 of the process, of the source, of the broker under load; twice as many replacements of server log,
#                           checkpoint and topic by older copies and others; half as many kills of AeroAlpes' parts
#   make soak [MINUTES=60]  a steady load with crashes, memory and order watched
#   make fuzz [INPUTS=…]    more inputs for the parsers than the tests take
#   make coverage           lines run by the tests of the workspace, and of AeroAlpes' from outside
#   make clean
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
KILLS ?= 100
MINUTES ?= 60
SEEDS ?= 100
SEED ?= 1
INPUTS ?= 20000000
PYTEST = $$(tools/python-env.sh) -m pytest -c tests/pytest.ini
REAL_PULSAR = --features bitacora-pulsar/real-pulsar
QUIET_TEST = cargo test --quiet --release

.PHONY: demo test check release bench load containers conformance differential chaos soak fuzz coverage clean
demo:
	@tools/cargo-env.sh
	@tools/mariadb-server.sh install
	@$(if $(CHECK),tools/chromium.sh >/dev/null)
	@cargo build --quiet --release -p bitacora -p aeroalpes
	@$$(tools/python-env.sh) $(if $(LECCION),tutorial/leccion/$(subst -,_,$(LECCION)).py,demo/demo.py $(if $(CHECK),--check))

test:
	@python3 tests/run.py $(if $(ONLY),"$(ONLY)")

check:
	@tools/cargo-env.sh
	@tools/cargo-deny.sh
	@python3 tests/run.py --self-test
	@python3 tools/circles.py --self-test
	@python3 tools/circles.py
	@cargo fmt --all -- --check
	@tools/line-width.py
	@cargo clippy --quiet --workspace --all-targets $(REAL_PULSAR) -- -D warnings
	@RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps
	@tools/changed-crates.sh | xargs --no-run-if-empty cargo test --quiet --bins

release:
	@tools/release.sh

bench:
	@binary=$$(tools/release.sh) && BITACORA_BIN=$$binary $$(tools/python-env.sh) bench/run.py $(if $(PEER),--peer) $(if $(QUICK),--quick)

load:
	@tools/cargo-env.sh
	@cargo build --quiet --release -p bitacora -p aeroalpes
	@cargo build --quiet --release -p aeroalpes --example carga
	@$$(tools/python-env.sh) bench/airline.py

containers:
	@tools/chromium.sh >/dev/null
	@$$(tools/python-env.sh) tests/containers/run.py $(OPTIONS)

conformance:
	@tools/cargo-env.sh
	@cargo build --quiet -p bitacora -p aeroalpes
	@cargo test --quiet -p bitacora-pulsar $(REAL_PULSAR) --test real_pulsar --no-run
	@$(PYTEST) tests/interop/test_python_client.py --real-pulsar
	@$(PYTEST) tests/golden tests/interop tests/aeroalpes tests/faults -m conformance

differential:
	@tools/cargo-env.sh
	@cargo build --quiet -p bitacora
	@BITACORA_DIFFERENTIAL=$(SEEDS) BITACORA_SEED=$(SEED) $(PYTEST) tests/differential

chaos:
	@tools/cargo-env.sh
	@BITACORA_CHAOS_KILLS=$(KILLS) $(QUIET_TEST) -p bitacora --test chaos -- --test-threads 1 --nocapture
	@BITACORA_CHAOS_REPLACEMENTS=$$(( $(KILLS) * 2 )) $(QUIET_TEST) -p bitacora --test replacements -- --nocapture
	@cargo build --quiet --release -p bitacora -p aeroalpes
	@AEROALPES_KILLS=$$(( $(KILLS) / 2 )) $(PYTEST) -s tests/aeroalpes/test_crash.py

soak:
	@tools/cargo-env.sh
	@BITACORA_SOAK_MINUTES=$(MINUTES) $(QUIET_TEST) -p bitacora --test soak -- --nocapture

fuzz:
	@tools/cargo-env.sh
	@BITACORA_FUZZ_ITERATIONS=$(INPUTS) PROPTEST_CASES=20000 cargo test --quiet --profile fuzz --workspace --lib \
		--test 'fuzz*' --test gtid --test inverse --test properties --test avro_values --test entries --test frames

coverage:
	@tools/coverage.sh

clean:
	@cargo clean --quiet
	@rm -rf bench/peer/target bitacora-data
	@find . -name __pycache__ -type d -not -path './target/*' -prune -exec rm -rf {} +
