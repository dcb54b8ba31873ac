#!/bin/bash
# Runs the tests of decoders and renderers as programs of a big-endian processor (s390x), by qemu's user mode emulation. The kernel below
# is the host's, and the emulator knows neither NETLINK_SOCK_DIAG nor the options that sockets are compared by: what needs these is
# left out by name. So is what compares with programs of the host, whose answers are in its own byte order.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

qemu=$(command -v qemu-s390x-static || command -v qemu-s390x || true)
if [ -z "$qemu" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "big-endian.sh: apt-get install qemu-user-static" >&2
	DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends qemu-user-static >/dev/null 2>&1 || true
	qemu=$(command -v qemu-s390x-static || true)
fi
if [ -z "$qemu" ]; then
	echo "big-endian.sh: qemu-s390x of qemu-user is needed: apt-get install qemu-user-static" >&2
	exit 1
fi

# Tests that ask a real kernel, and their subtests.
declare -A skip=(
	[diag]='^(TestReal.*|TestNoSockDiag|TestForgedMessages|TestDestroyRealSockets|TestDestroyed.*|TestReceiveFails|TestLookupRealSockets|TestNamespaces|TestProcInTheNamespace|TestPlanSplitsExactly|TestRecordRealSockets|TestIterate.*|Example.*)$'
	[diag/diagtest]='^TestRecordAndReplay$'
	[diag/filter]='^(TestKernelAgrees|TestPickedAsTheyDo|TestKernelTakesLongPrograms|TestWordsAreTheirs|TestLongLinesAreTheirs|TestSystemDevice)$'
	[diag/field]='^TestHolder$'
	[render/ss]='^TestPeer'
	[render/netstat]='Netstat$'
)
[ $# -gt 0 ] || set -- diag diag/counters diag/diagtest diag/field diag/filter diag/filter/lang render render/json render/netstat render/ss

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
for package; do
	program=$work/test
	GOARCH=s390x CGO_ENABLED=0 go test -c -ldflags='-s -w' -o "$program" "./$package"
	# One process of the emulator to a processor of the host; a decoder that never ends is a failure.
	if (cd "$package" && timeout 1800 "$qemu" "$program" -test.v -test.short -test.skip="${skip[$package]:-^$}") >"$work/log" 2>&1; then
		result=ok
	else
		result=FAILED failed=1
	fi
	printf '%-7s %-18s %4d passed, %d skipped\n' $result "$package" "$(grep -cE '^ *--- PASS' "$work/log" || true)" \
		"$(grep -cE '^ *--- SKIP' "$work/log" || true)"
	if [ $result = FAILED ]; then
		grep -vE '^ *(=== |--- PASS)' "$work/log" | tail -n 40
	else
		# What a test says last before it is skipped is the reason.
		awk '/^=== (RUN|NAME|CONT) / { test = $3 }
			/_test\.go:[0-9]+: / { sub(/^ *[^ ]* /, ""); said[test] = $0 }
			/^ *--- SKIP: / { n[said[$3]]++ }
			END { for (reason in n) printf "        skipped: %s (%d)\n", reason, n[reason] }' "$work/log"
	fi
done
exit $failed
