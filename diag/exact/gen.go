package exact

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -tags linux -no-global-types sockets bpf/sockets.bpf.c -- -O2 -Wall -Werror -I../../internal/bpfiter/bpf
