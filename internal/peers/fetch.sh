#!/bin/bash
# Fetches the programs that the tests compare against into .peers at the module root:
#
#   .peers/ss       iproute2 of Debian sid, run by its own dynamic loader and libraries
#   .peers/netstat  net-tools of the machine's own Debian release
#   .peers/programs Debian packages whose programs call ss and netstat, unpacked
#
# Nothing is installed but mmdebstrap, where it is missing. The mirror, the proxy and the keys are those that
# the machine's apt is configured with. A second run finds the work done and changes nothing; remove .peers to
# fetch anew.
set -euo pipefail

die() {
	echo "fetch.sh: $*" >&2
	exit 1
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ -f "$root/go.mod" ] || die "$root is not the module root: it has no go.mod"
peers=$root/.peers

# answers PROGRAM: the wrapper exists and its program starts (both print a version and exit 0).
answers() {
	[ -x "$peers/$1" ] && "$peers/$1" --version >/dev/null 2>&1
}

if answers ss && answers netstat && [ -d "$peers/programs" ]; then
	exit 0
fi

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
	die "apt-get and dpkg-deb are needed: run this on Debian (12 or later)"
[ "$(id -u)" = 0 ] || die "root is needed (apt-get update, apt-get install mmdebstrap)"

# mirror prints the first repository of the machine's apt sources that says it is Debian's main archive. The
# origin is known only once the lists have been fetched.
mirror() {
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -F'|' '$1 == "Debian" && $2 == "Debian" && $3 == "main" { print $4; exit }'
}

mkdir -p "$peers"
work=$(mktemp -d "$peers/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$work/log

# quietly COMMAND...: shows what the command said only when it fails.
quietly() {
	"$@" >"$log" 2>&1 || {
		cat "$log" >&2
		die "failed: $*"
	}
}

uri=$(mirror)
if [ -z "$uri" ] || ! apt-cache show net-tools >/dev/null 2>&1; then
	echo "fetch.sh: apt-get update" >&2
	quietly apt-get update
	uri=$(mirror)
	[ -n "$uri" ] || die "apt's sources name no Debian archive (Origin and Label Debian, component main)"
fi

# commit PROGRAM TREE: puts the fetched tree and the wrapper on standard input in place, the wrapper last.
commit() {
	rm -rf "$peers/$1.d"
	mv "$work/$2" "$peers/$1.d"
	cat >"$work/wrapper"
	chmod 755 "$work/wrapper"
	mv "$work/wrapper" "$peers/$1"
	answers "$1" || die "$peers/$1 was fetched but does not start: $("$peers/$1" --version 2>&1 | head -n 3)"
}

if ! answers netstat; then
	echo "fetch.sh: net-tools" >&2
	mkdir "$work/deb"
	# As root without the sandbox user, which could not write below the checkout.
	(cd "$work/deb" && quietly apt-get -o APT::Sandbox::User=root download net-tools)
	quietly dpkg-deb -x "$work"/deb/net-tools_*.deb "$work/net-tools"
	commit netstat net-tools <<'WRAPPER'
#!/bin/bash
dir=${BASH_SOURCE[0]%/*}/netstat.d
exec -a netstat "$dir/bin/netstat" "$@"
WRAPPER
fi

if ! answers ss; then
	if ! command -v mmdebstrap >/dev/null; then
		echo "fetch.sh: apt-get install mmdebstrap" >&2
		quietly env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends mmdebstrap
	fi
	echo "fetch.sh: iproute2 of sid" >&2
	options=(--variant=extract --include=iproute2 --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"')
	while IFS= read -r line; do
		options+=(--aptopt="$line")
	done < <(apt-config dump | grep -i '^Acquire::[a-z]*::Proxy\(::[^ ]*\)\? "..*";' || true)
	quietly mmdebstrap "${options[@]}" sid "$work/iproute2" "$uri"
	# The program and its libraries are all that is needed; device nodes have no place in a checkout.
	rm -rf "$work/iproute2"/{dev,etc,var} "$work/iproute2"/usr/share
	commit ss iproute2 <<'WRAPPER'
#!/bin/bash
dir=${BASH_SOURCE[0]%/*}/ss.d/usr
loaders=("$dir"/lib*/ld-linux*.so.*)
libraries=("$dir"/lib/*-linux-gnu*)
exec "${loaders[0]}" --argv0 ss --library-path "${libraries[0]}" "$dir/bin/ss" "$@"
WRAPPER
fi

if ! [ -d "$peers/programs" ]; then
	echo "fetch.sh: programs that call ss and netstat" >&2
	mkdir "$work/debs" "$work/programs"
	(cd "$work/debs" && quietly apt-get -o APT::Sandbox::User=root download munin-plugins-core munin-common logwatch percona-toolkit systraq unhide \
		chkrootkit fusioninventory-agent libnet-ip-perl libfile-which-perl libuniversal-require-perl jc ansible-core ansible ctdb resource-agents lynis fail2ban)
	module=./usr/lib/python3/dist-packages/ansible_collections/community/general/plugins/modules/listen_ports_facts.py
	for deb in "$work"/debs/*.deb; do
		case $deb in
		*/ansible_*) dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/programs" "$module" ;; # the one module, of 200 MB
		*) quietly dpkg-deb -x "$deb" "$work/programs" ;;
		esac
	done
	mv "$work/programs" "$peers/programs"
fi

"$peers/ss" -V >&2
"$peers/netstat" --version 2>/dev/null | head -n 1 >&2 || true
