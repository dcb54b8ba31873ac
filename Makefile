# make build | run | test | race | fuzz | test-kernels | test-big-endian | lint | fmt | generate | peers | bench | counts | vuln | install | install-compat
GO      ?= go
PREFIX  ?= /usr/local
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
export CGO_ENABLED = 0
tool = $(GO) tool -modfile=.ci/tools/go.mod

.PHONY: build run test test-kernels test-big-endian race fuzz lint fmt generate peers bench counts vuln install install-compat clean

build:
	$(GO) build -trimpath -tags urfave_cli_no_docs -ldflags '-s -w -X main.version=$(VERSION)' -o bin/sockeye ./cmd/sockeye

# The guest that make test runs (make test GUEST= runs none): one of bookworm, trixie and sid.
GUEST   ?= trixie

# The sockets of this host.
run: build
	bin/sockeye

# All tests. Debian's ss and netstat are fetched to compare with; where that cannot be done (it takes root and apt), and where root or a
# kernel feature is missing, tests are skipped and say why.
test: build
	internal/peers/fetch.sh || echo "the peers could not be fetched: comparisons are skipped" >&2
	cd internal/schemacheck && $(GO) build -o ../../bin/schemacheck . && $(GO) test $(TESTFLAGS) ./...
	SOCKEYE_BIN=$(CURDIR)/bin/sockeye $(GO) test $(TESTFLAGS) ./...
	cd bench/peers && $(GO) test $(TESTFLAGS) ./...
	if [ -z "$(GUEST)" ]; then :; elif internal/guest/fetch.sh $(GUEST); then \
	  SOCKEYE_GUESTS=$(GUEST) SOCKEYE_GUEST_PACKAGES=internal/guest,diag,internal/sockets $(GO) test $(TESTFLAGS) -timeout 20m -run '^TestKernels$$' ./internal/guest; \
	else echo "no guest was started: it could not be fetched" >&2; fi

# The tests on Debian's kernels, in virtual machines (KERNELS=6.1,sid: these): see internal/guest/README.md.
KERNELS ?= all
test-kernels: build
	internal/peers/fetch.sh
	internal/guest/fetch.sh
	SOCKEYE_GUESTS=$(KERNELS) SOCKEYE_REQUIRE_GUESTS=1 SOCKEYE_BIN=$(CURDIR)/bin/sockeye $(GO) test -count=1 -v -timeout 40m -run '^TestKernels$$' ./internal/guest

# Decoders and renderers as s390x programs, in an emulator.
test-big-endian:
	internal/guest/big-endian.sh

# Of the program's own tests, those that put load on its goroutines: by a program that has the race detector in it, or in the test itself.
# Without GORACE each program with the detector in it would sleep for a second when it ends.
race: export GORACE = atexit_sleep_ms=0
race:
	CGO_ENABLED=1 $(GO) build -race -o bin/sockeye-race ./cmd/sockeye
	CGO_ENABLED=1 $(GO) test -race -timeout 30m $$($(GO) list ./... | grep -v '/cmd/sockeye$$')
	CGO_ENABLED=1 $(GO) test -race -timeout 30m -run 'Faults$$|^TestRefusedBytecode$$|^TestScripts$$' ./cmd/sockeye
	SOCKEYE_BIN=$(CURDIR)/bin/sockeye-race $(GO) test -timeout 30m -run '^Test(LargeDumps|Churn|ExactFaces|FacesShowTheScene|Signals|Interrupt|ClosedPipe)$$' ./cmd/sockeye

# Each fuzz target for FUZZTIME: a time, or a number of executions such as 2000x. What is found goes to testdata/fuzz.
FUZZTIME ?= 10s
fuzz:
	$(GO) run ./internal/fuzz -fuzztime $(FUZZTIME) ./...

lint:
	test -z "$$(gofmt -l cmd diag render bench internal | tee /dev/stderr)"
	$(GO) vet ./...
	cd bench/peers && $(GO) vet ./...
	cd internal/schemacheck && $(GO) vet ./...
	$(tool) staticcheck ./...
	$(GO) fix -diff ./...

fmt:
	gofmt -w cmd diag render bench internal
	$(GO) fix ./...

# Times sockeye beside Debian's ss and netstat and the Go libraries, at up to a million sockets, into bench/results. Takes root, 5 GB of
# memory and about half an hour; sizes that have a result are skipped (remove it, or BENCHFLAGS=--force).
bench: build peers
	cd bench/peers && $(GO) build -o ../../bin/peers .
	bin/sockeye bench run --go-peers bin/peers --peer ss=.peers/ss --peer netstat=.peers/netstat $(BENCHFLAGS)

# The table of docs/trust.md, counted anew. Takes root and a quarter of an hour.
counts: build peers
	rm -f bin/counts.tsv
	SOCKEYE_BIN=$(CURDIR)/bin/sockeye SOCKEYE_COUNTS=$(CURDIR)/bin/counts.tsv SOCKEYE_SLOW_TESTS=1 $(GO) test -count=1 $$($(GO) list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... | awk '/internal\/counts/ {print $$1}')
	internal/guest/fetch.sh && SOCKEYE_GUESTS=all SOCKEYE_BIN=$(CURDIR)/bin/sockeye SOCKEYE_COUNTS=$(CURDIR)/bin/counts.tsv $(GO) test -count=1 -timeout 40m -run '^TestKernels$$' ./internal/guest
	SOCKEYE_COUNTS=$(CURDIR)/bin/counts.tsv $(GO) run ./internal/fuzz -fuzztime $(FUZZTIME) ./...
	$(GO) run ./internal/counts/table bin/counts.tsv docs/trust.md

# Known vulnerabilities in what is used; without a way to the database it says so.
vuln:
	$(GO) build -o bin/ ./cmd/sockeye
	GOBIN=$(CURDIR)/bin $(GO) install golang.org/x/vuln/cmd/govulncheck@v1.9.0
	bin/govulncheck ./... || { test $$? -ne 3 && echo "the vulnerability database could not be asked" >&2; }

# The BPF objects; needs clang, llvm and libbpf's headers (apt-get install clang llvm libbpf-dev). Its output is in the tree.
generate:
	$(GO) generate ./...

# Debian's ss and netstat, into .peers.
peers:
	internal/peers/fetch.sh

install: build
	install -D -m 755 bin/sockeye $(DESTDIR)$(PREFIX)/bin/sockeye

# Links by which sockeye is ss and netstat, for those whose PATH has PREFIX/bin first.
install-compat: install
	ln -sf sockeye $(DESTDIR)$(PREFIX)/bin/ss
	ln -sf sockeye $(DESTDIR)$(PREFIX)/bin/netstat

clean:
	rm -rf bin .peers .guests
