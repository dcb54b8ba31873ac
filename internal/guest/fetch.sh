#!/bin/bash
# Fetches what guests are made of into .guests at the module root: for each Debian suite named (default: bookworm trixie sid)
#
#   .guests/SUITE/release        the kernel's release, as uname -r tells it
#   .guests/SUITE/vmlinuz        the kernel
#   .guests/SUITE/modules/*.ko   modules for socket families and their diag handlers, decompressed
#   .guests/SUITE/modules/order  their names in the order in which they are loaded
#   .guests/SUITE/root           the suite's ss, ip and netstat with their libraries, busybox, /etc/services and its like
#
# Nothing is installed but qemu, xz and zstd, where they are missing; kernels are only unpacked. The mirror, the proxy and the keys are
# those that the machine's apt is configured with. A second run finds the work done and changes nothing; remove .guests to fetch anew.
set -euo pipefail

suites=("$@")
[ $# -gt 0 ] || suites=(bookworm trixie sid)

# What is loaded, where the kernel has it and not built in. The order is kept, but for what a module depends on, which comes before it.
modules=(
	virtio_pci virtio_console virtio-rng crc32c_generic
	tun dummy veth bridge 8021q macvlan ipvlan vrf
	inet_diag tcp_diag udp_diag raw_diag mptcp_diag unix_diag netlink_diag af_packet_diag xsk_diag
	sctp sctp_diag dccp_ipv4 dccp_ipv6 dccp_diag vsock vsock_loopback vsock_diag tipc tipc/diag tipc_diag tls
	gcm ctr ccm cmac ghash-generic aes_generic chacha20poly1305 chacha_generic poly1305_generic # for tls
	tcp_bbr tcp_bic tcp_cdg tcp_dctcp tcp_highspeed tcp_htcp tcp_hybla tcp_illinois tcp_lp tcp_nv tcp_scalable tcp_vegas tcp_veno
	tcp_westwood tcp_yeah sch_fq
)

die() {
	echo "fetch.sh: $*" >&2
	exit 1
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ -f "$root/go.mod" ] || die "$root is not the module root: it has no go.mod"
guests=$root/.guests

# A tree that was fetched by another version of this script is fetched again.
stamp=$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-16)
missing=()
for suite in "${suites[@]}"; do
	[ "$(cat "$guests/$suite/stamp" 2>/dev/null)" = "$stamp" ] || missing+=("$suite")
done
command -v qemu-system-x86_64 >/dev/null && [ ${#missing[@]} = 0 ] && exit 0

[ "$(uname -m)" = x86_64 ] || die "the guests are amd64, and so is their emulator's host"
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || die "apt-get and dpkg-deb are needed: run this on Debian (12 or later)"
[ "$(id -u)" = 0 ] || die "root is needed (apt-get update, apt-get install qemu-system-x86)"

mkdir -p "$guests"
echo "*" >"$guests/.gitignore"
work=$(mktemp -d "$guests/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$work/log

# quietly COMMAND...: shows what the command said only when it fails.
quietly() {
	"$@" >"$log" 2>&1 || {
		cat "$log" >&2
		die "failed: $*"
	}
}

# mirror prints the first repository of the machine's apt sources that says it is Debian's main archive.
mirror() {
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -F'|' '$1 == "Debian" && $2 == "Debian" && $3 == "main" { print $4; exit }'
}

uri=$(mirror)
if [ -z "$uri" ] || ! apt-cache show qemu-system-x86 >/dev/null 2>&1; then
	echo "fetch.sh: apt-get update" >&2
	quietly apt-get update
	uri=$(mirror)
	[ -n "$uri" ] || die "apt's sources name no Debian archive (Origin and Label Debian, component main)"
fi
for need in qemu-system-x86_64:qemu-system-x86 xz:xz-utils zstd:zstd; do
	command -v "${need%:*}" >/dev/null && continue
	echo "fetch.sh: apt-get install ${need#*:}" >&2
	quietly env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${need#*:}"
done

# suite_apt SUITE: sets apt, the options by which apt-get sees that suite alone, on a machine where nothing is installed.
suite_apt() {
	local dir=$work/apt-$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed=
	[ -f "$keyring" ] && signed="[signed-by=$keyring] "
	mkdir -p "$dir"/{lists,archives}/partial "$dir/none"
	: >"$dir/status"
	echo "deb $signed$uri $1 main" >"$dir/sources.list"
	apt=(-o "Dir::State=$dir" -o "Dir::State::Lists=$dir/lists" -o "Dir::State::Status=$dir/status" -o "Dir::Cache=$dir"
		-o "Dir::Cache::Archives=$dir/archives" -o "Dir::Etc::SourceList=$dir/sources.list" -o "Dir::Etc::SourceParts=$dir/none"
		-o "Dir::Etc::Preferences=$dir/none/none" -o "Dir::Etc::PreferencesParts=$dir/none" -o APT::Architecture=amd64 -o APT::Architectures=amd64
		-o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
	quietly apt-get "${apt[@]}" update
}

# depends PACKAGE PATTERN prints the first alternative of what the package depends on, where it matches.
depends() {
	apt-cache "${apt[@]}" show --no-all-versions "$1" | sed -n 's/^Depends: //p' | tr ',' '\n' | sed 's/^ *//; s/[ |].*//' | grep -E "$2" || true
}

# take MODULE: decompresses a module behind those that it depends on, once.
take() {
	local name=${1//-/_} file
	[ -z "${taken[$name]:-}" ] || return 0
	taken[$name]=1
	case $1 in
	*/*) file=$(grep -E "/$1\.ko(\.xz|\.zst)?$" "$work/files" | head -n 1 || true) ;;
	*) file=$(grep -E "/${name//_/[-_]}\.ko(\.xz|\.zst)?$" "$work/files" | head -n 1 || true) ;;
	esac
	[ -n "$file" ] || return 0 # built in, or not in this kernel
	local out=$work/ko/${name//\//_}.ko dependency
	case $file in
	*.xz) xz -dc "$file" >"$out" ;;
	*.zst) zstd -qdc "$file" >"$out" ;;
	*) cp "$file" "$out" ;;
	esac
	for dependency in $(tr '\0' '\n' <"$out" | sed -n 's/^depends=//p' | tr ',' ' '); do
		take "$dependency"
	done
	mv "$out" "$tree/modules/"
	echo "${out##*/}" >>"$tree/modules/order"
}

for suite in "${missing[@]}"; do
	echo "fetch.sh: kernel and programs of $suite" >&2
	suite_apt "$suite"
	image=$(depends linux-image-amd64 '^linux-image-[0-9]' | head -n 1)
	[ -n "$image" ] || die "$suite: linux-image-amd64 names no kernel"
	mkdir -p "$work/deb" "$work/kernel" "$work/programs" "$work/ko"
	# A kernel's files are in its image's package, or (since 7.x) in others that this one depends on.
	(cd "$work/deb" && quietly apt-get "${apt[@]}" download "$image" $(depends "$image" '^linux-(binary|modules)-'))
	for deb in "$work"/deb/*.deb; do
		quietly dpkg-deb -x "$deb" "$work/kernel"
	done
	quietly apt-get "${apt[@]}" --yes --no-install-recommends --download-only install iproute2 net-tools netbase busybox-static
	for deb in "$work/apt-$suite"/archives/*.deb; do
		quietly dpkg-deb -x "$deb" "$work/programs"
	done

	tree=$work/tree
	mkdir -p "$tree/modules" "$tree"/root/usr/{bin,lib,share} "$tree/root/etc"
	vmlinuz=$(find "$work/kernel" -name 'vmlinuz*' -type f | head -n 1)
	[ -n "$vmlinuz" ] || die "$suite: $image has no vmlinuz"
	mv "$vmlinuz" "$tree/vmlinuz"
	echo "${image#linux-image-}" >"$tree/release"
	find "$work/kernel" -name '*.ko*' -type f >"$work/files"
	declare -A taken=()
	for module in "${modules[@]}"; do
		take "$module"
	done
	[ -s "$tree/modules/order" ] || die "$suite: $image has none of the modules"

	cp "$work"/programs/etc/{services,protocols} "$tree/root/etc/"
	for dir in etc/iproute2 usr/share/iproute2; do
		[ ! -d "$work/programs/$dir" ] || cp -r "$work/programs/$dir" "$tree/root/$dir"
	done
	loader=$(find "$work/programs" -name 'ld-linux-x86-64.so.2' | head -n 1)
	libraries=$(find "$work/programs" -type d -name x86_64-linux-gnu -path '*lib/*' | paste -sd :)
	mkdir -p "$tree/root/usr/lib/x86_64-linux-gnu"
	cp -L "$loader" "$tree/root/usr/lib/x86_64-linux-gnu/"
	for program in ss ip netstat busybox; do
		file=$(find "$work/programs" -path "*bin/$program" -not -type d | head -n 1)
		[ -n "$file" ] || die "$suite has no $program"
		cp -L "$file" "$tree/root/usr/bin/"
		[ $program != busybox ] || continue
		for library in $("$loader" --library-path "$libraries" --list "$file" | sed -n 's/.*=> \([^ ]*\).*/\1/p'); do
			cp -L "$library" "$tree/root/usr/lib/x86_64-linux-gnu/"
		done
	done
	echo "$stamp" >"$tree/stamp"
	rm -rf "${guests:?}/$suite"
	mv "$tree" "$guests/$suite"
	rm -rf "$work"/{deb,kernel,programs,ko,apt-"$suite"}
	echo "fetch.sh: Linux $(cat "$guests/$suite/release"), $(wc -l <"$guests/$suite/modules/order") modules" >&2
done
