#!/bin/bash
# Runs a program in a guest: run.sh [flags] KERNEL PROGRAM [ARGUMENT...]. See README.md.
set -euo pipefail
program=$(mktemp)
trap 'rm -f "$program"' EXIT
(cd "$(dirname "${BASH_SOURCE[0]}")" && CGO_ENABLED=0 go build -o "$program" ./cmd)
"$program" "$@"
