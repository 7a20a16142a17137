# Everything goes through here: `make help` lists it.

SECONDS ?= 60

# Rewritten after each build; older than any source means build again.
BUILT := replication-engine/server/target/built
SOURCES := pom.xml .mvn/jvm.config \
	$(shell find replication-engine -path '*/target' -prune \
		-o -type f \( -name pom.xml -o -path '*/src/main/*' \) -print)

.PHONY: help setup build test demo bench soak format clean

help: ## this list
	@awk -F ': .*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## install what is missing (Debian, Ubuntu)
	@build/setup

build: $(BUILT) ## build bin/mars-engine and bin/marsadm, without tests
	@echo 'Built: bin/mars-engine, bin/marsadm'

test: setup ## every gate and every test; the last line sums them up
	@build/test

demo: build ## two engines, a file system, a crash, a failover, and back
	@e2e/demo/demo.sh

bench: build ## compare with other NBD servers on this machine
	@e2e/bench/bench.sh

soak: build ## simulate for SECONDS=n seconds (default 60)
	@build/soak $(SECONDS)

format: setup ## format the sources
	@build/maven -q spotless:apply

clean: ## remove what was built
	@build/maven -q clean

$(BUILT): $(SOURCES) | setup
	@build/maven -q -Dquick -DskipTests package
	@build/start-cache
	@touch $@
