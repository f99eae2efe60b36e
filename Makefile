# What people do here. `make help` lists it. Everything is built below build/.

PREFIX  ?= /usr/local
DESTDIR ?=
JOBS    ?= $(shell nproc)

# Suites that `make test` leaves out: measurements, long runs that are started by hand, and what needs a cluster.
LEFT_OUT := bench|ondemand|kubernetes
# Unit tests run side by side, once: there is no excuse for them. All others have the machine to themselves, one after the
# other, and are tried once more when they fail: on real containers and processes that are killed, which depends on the
# machine's load; both runs are shown. CI adds the suites on a cluster that fit into its time (tests/e2e/CMakeLists.txt).
ALONE := -LE '^unit$$|$(LEFT_OUT)'
ALONE_CI := -LE '^(unit|bench|ondemand|kubernetes)$$'
# Suites that make sense under sanitizers: no real containers, no planted faults. CI runs the folders of SANITIZED_CI.
SANITIZED := unit|integration
SANITIZED_CI := tests/wire

INSTALL_PACKAGES := tests/scripts/install-packages.sh
CTEST := ctest --output-on-failure --timeout 600

# A Kubernetes cluster of two nodes. Several live side by side when both differ.
INDEX ?= 0
DIR   ?= /var/tmp/mirrorfs-cluster-$(INDEX)
CLUSTER := tests/e2e/cluster/cluster

# TSan: Debian's gRPC is not instrumented.
export ASAN_OPTIONS  ?= detect_stack_use_after_return=1:strict_string_checks=1:suppressions=$(CURDIR)/tests/scripts/asan.supp
export LSAN_OPTIONS ?= suppressions=$(CURDIR)/tests/scripts/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS ?= print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS  ?= suppressions=$(CURDIR)/tests/scripts/tsan.supp ignore_noninstrumented_modules=1 second_deadlock_stack=1

# Debian's programs before others of the same name: tests use packages of Debian's python3.
export PATH := /usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help build format release demo test test-ci check faults bench bench-exec bench-kubernetes tour asan tsan sanitize-ci install clean \
  cluster cluster-down test-kubernetes

help:  ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build:  ## Install what is missing and build for development (build/dev)
	$(INSTALL_PACKAGES) build test
	cmake --preset dev
	cmake --build build/dev -j $(JOBS)

demo: build  ## Start a real container, mount it, look around, clean up
	$(INSTALL_PACKAGES) demo
	tests/scripts/demo.sh build/dev/bin

test: build  ## Build and run every test but measurements and long runs
	$(CTEST) -j $(JOBS) --test-dir build/dev -L '^unit$$' -LE '$(LEFT_OUT)'
	$(CTEST) --repeat until-pass:2 --test-dir build/dev $(ALONE)

test-ci: build
	$(INSTALL_PACKAGES) cluster
	$(CTEST) -j $(JOBS) --test-dir build/dev -L '^unit$$' -LE '$(LEFT_OUT)'
	INDEX=$(INDEX) MIRRORFS_CLUSTER=$(DIR) $(CTEST) --repeat until-pass:2 --test-dir build/dev $(ALONE_CI)

cluster:  ## Start a Kubernetes cluster of two nodes on this machine (DIR=place INDEX=0…255: several side by side)
	$(INSTALL_PACKAGES) cluster
	INDEX=$(INDEX) $(CLUSTER) up $(DIR)

cluster-down:  ## End it; nothing of it is left
	$(CLUSTER) down $(DIR)

test-kubernetes: build  ## Tests on such a cluster, which is started if it is not there (KUBECONFIG=file: on that one)
	$(if $(KUBECONFIG),,$(INSTALL_PACKAGES) cluster)
	INDEX=$(INDEX) MIRRORFS_CLUSTER=$(DIR) tests/e2e/kubernetes/run_suites.py build/dev --output-on-failure --timeout 3000 \
	  --repeat until-pass:2 -L kubernetes

tour: build  ## The tour of docs/sample on such a cluster: each command and what it says (DIR, INDEX: the cluster, which stays)
	$(INSTALL_PACKAGES) cluster
	INDEX=$(INDEX) $(CLUSTER) up $(DIR) > build/tour-cluster.log
	set -a; eval "$$($(CLUSTER) env $(DIR))"; PATH="$(CURDIR)/build/dev/bin:$$(dirname "$$KUBECTL"):$$PATH" \
	  docs/sample/tour.py docs/sample/README.md

check: build  ## Before a commit: format, clang-tidy on changed files, style, fast tests
	$(INSTALL_PACKAGES) check
	tests/scripts/check.sh build/dev
	$(CTEST) --test-dir build/dev -L unit

format:  ## Format all sources
	$(INSTALL_PACKAGES) check
	git ls-files --cached --others --exclude-standard -- '*.cc' '*.h' | xargs clang-format -i

release:
	$(INSTALL_PACKAGES) build
	cmake --preset release -DMIRRORFS_TESTS=OFF -DMIRRORFS_AGENT_IMAGE="$(AGENT_IMAGE)"
	cmake --build build/release -j $(JOBS)

faults:  ## A build with planted faults: the conformance suite must catch each
	$(INSTALL_PACKAGES) build test
	cmake --preset faults
	cmake --build build/faults -j $(JOBS) --target mirrorfs mirrorfsd mirrorfs-agent mirrorfs-conformance
	tests/faults/run.sh build/faults/bin

bench: release  ## Native, mirrorfs, sshfs and rclone side by side (BENCH_RTT=20ms adds distance; BENCH_ARGS=--quick)
	$(INSTALL_PACKAGES) bench
	tests/bench/bench.py --bin build/release/bin --json build/bench.json $(if $(BENCH_RTT),--rtt $(BENCH_RTT)) $(BENCH_ARGS)
	$(if $(BENCH_RTT),,tests/bench/exec_bench.py --bin build/release/bin --json build/bench-exec.json $(BENCH_ARGS))

bench-exec: release  ## The part of it that runs programs inside of mirrorfs exec, and the same ones outside
	$(INSTALL_PACKAGES) bench
	tests/bench/exec_bench.py --bin build/release/bin --json build/bench-exec.json $(BENCH_ARGS)

bench-kubernetes: release  ## Mounts of a pod over the real tunnel, beside kubectl cp and kubectl exec tar (DIR, INDEX: the cluster)
	$(INSTALL_PACKAGES) bench cluster
	cmake --build build/release -j $(JOBS) --target agent-image
	INDEX=$(INDEX) MIRRORFS_CLUSTER=$(DIR) tests/bench/kubernetes_bench.py --image build/release/mirrorfs-agent-image.tar \
	  --json build/bench-kubernetes.json $(BENCH_ARGS)

asan:  ## Address and undefined behaviour sanitizers
	$(INSTALL_PACKAGES) build test
	cmake --preset asan
	cmake --build build/asan -j $(JOBS)
	$(CTEST) --test-dir build/asan -L '$(SANITIZED)' -LE '$(LEFT_OUT)'

tsan:  ## Thread sanitizer
	$(INSTALL_PACKAGES) build test
	cmake --preset tsan
	cmake --build build/tsan -j $(JOBS)
	$(CTEST) --test-dir build/tsan -L '$(SANITIZED)' -LE '$(LEFT_OUT)'

sanitize-ci:
	$(INSTALL_PACKAGES) build test
	cmake --preset asan
	cmake --build build/asan -j $(JOBS) --target $(addsuffix /all,$(SANITIZED_CI))
	set -e; for folder in $(SANITIZED_CI); do $(CTEST) --repeat until-pass:2 --test-dir build/asan/$$folder -LE '$(LEFT_OUT)'; done

install: release  ## Install below PREFIX (/usr/local), optionally in DESTDIR (AGENT_IMAGE=NAME@sha256:DIGEST: the published image)
	DESTDIR="$(DESTDIR)" cmake --install build/release --prefix "$(PREFIX)"

clean:  ## Remove everything that was built
	rm -rf build
