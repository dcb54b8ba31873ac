# make build | run | test | lint | fmt | generate | peers | bench | install | install-compat
GO      ?= go
PREFIX  ?= /usr/local
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
export CGO_ENABLED = 0
tool = $(GO) tool -modfile=.ci/tools/go.mod

.PHONY: build run test race lint fmt generate peers bench install install-compat clean

build:
	$(GO) build -trimpath -tags urfave_cli_no_docs -ldflags '-s -w -X main.version=$(VERSION)' -o bin/sockeye ./cmd/sockeye

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

# Without GORACE each of the programs that tests start would sleep for a second when it ends.
race:
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=0 $(GO) test -race ./...

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
	rm -rf bin .peers
