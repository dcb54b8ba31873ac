package field

import (
	"cmp"
	"strings"
)

// Place is what the path of a cgroup tells about who runs there.
type Place struct {
	Unit      string // systemd's: the innermost service, socket, mount, swap or scope
	Container string // id, as the runtime has it
	Runtime   string // "docker", "podman", "containerd", "cri-o", "lxc", "nspawn", "buildah", or "" where the path does not tell
	Pod       string // Kubernetes' uid of the pod
}

// scopes are how the runtimes name the scope of a container with systemd's cgroup driver.
var scopes = []struct{ prefix, runtime string }{
	{"docker-", "docker"}, {"libpod-", "podman"}, {"cri-containerd-", "containerd"}, {"crio-", "cri-o"}, {"nerdctl-", "containerd"}, {"buildah-", "buildah"},
}

// PlaceOf reads the path of a cgroup: those of systemd (systemd.io/CGROUP_DELEGATION), Docker, Podman, containerd, CRI-O,
// Kubernetes' kubelet with either driver, LXC and systemd-nspawn. Where the kubelet has systemd's driver, and the runtime has not, the
// last part is SLICE:RUNTIME:ID.
func PlaceOf(path string) (p Place) {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		before := ""
		if i > 0 {
			before = parts[i-1]
		}
		if uid, ok := podUID(part); ok {
			p.Pod = uid
			continue
		}
		base, kind := part, ""
		if dot := strings.LastIndexByte(part, '.'); dot > 0 {
			base, kind = part[:dot], part[dot+1:]
		}
		scope := base
		if w := strings.Split(part, ":"); len(w) == 3 && strings.HasSuffix(w[0], ".slice") {
			if uid, ok := podUID(w[0]); ok {
				p.Pod = uid
			}
			scope = w[1] + "-" + w[2]
		}
		switch kind {
		case "service", "socket", "mount", "swap", "scope":
			p.Unit = unescapeUnit(part)
		}
		named := false
		for _, s := range scopes {
			if id, ok := strings.CutPrefix(scope, s.prefix); ok && hexID(strings.TrimPrefix(id, "conmon-")) {
				if !strings.HasPrefix(id, "conmon-") { // which watches over the container from outside
					p.Container, p.Runtime = id, s.runtime
				}
				named = true
			}
		}
		switch {
		case named:
		case hexID(part) && len(part) == 64:
			// Without systemd's driver the id stands alone.
			p.Container = part
			switch before {
			case "docker":
				p.Runtime = "docker"
			case "libpod_parent":
				p.Runtime = "podman"
			}
		case before == "lxc", before == "lxc.payload":
			p.Container, p.Runtime = part, "lxc"
		case strings.HasPrefix(part, "lxc.payload."):
			p.Container, p.Runtime = strings.TrimPrefix(part, "lxc.payload."), "lxc"
		case before == "machine.slice" && strings.HasPrefix(part, "systemd-nspawn@") && kind == "service":
			p.Container, p.Runtime = strings.TrimPrefix(base, "systemd-nspawn@"), "nspawn"
		}
	}
	return p
}

// PlaceOfFile reads a file of cgroups(7), such as /proc/PID/cgroup: the path in the v2 hierarchy, or in that of systemd. If that tells
// of no container, the other v1 hierarchies may: container runtimes of old put their names there.
func PlaceOfFile(file []byte) Place {
	p := PlaceOf(cgroupOf(file))
	for line := range strings.Lines(string(file)) {
		if p.Container != "" || p.Pod != "" {
			break
		}
		_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		_, path, _ := strings.Cut(rest, ":")
		other := PlaceOf(path)
		other.Unit = cmp.Or(p.Unit, other.Unit)
		p = other
	}
	return p
}

// podUID reads "pod<uid>" and "kubepods-burstable-pod<uid>.slice", where systemd's driver writes underscores.
func podUID(part string) (string, bool) {
	part = strings.TrimSuffix(part, ".slice")
	if i := strings.LastIndex(part, "-pod"); i >= 0 && strings.HasPrefix(part, "kubepods") {
		part = part[i+1:]
	}
	uid, ok := strings.CutPrefix(part, "pod")
	uid = strings.ReplaceAll(uid, "_", "-")
	if !ok || len(uid) != 36 && len(uid) != 32 {
		return "", false
	}
	for _, c := range []byte(uid) {
		if c != '-' && !hexDigit(c) {
			return "", false
		}
	}
	return uid, true
}

func hexDigit(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

// hexID reports whether s is a container id: 64 hexadecimal digits, 12 at the least.
func hexID(s string) bool {
	for _, c := range []byte(s) {
		if !hexDigit(c) {
			return false
		}
	}
	return len(s) >= 12 && len(s) <= 64
}

// unescapeUnit undoes \x2d and its like of systemd.unit(5).
func unescapeUnit(s string) string {
	if !strings.Contains(s, `\x`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if i+3 < len(s) && s[i] == '\\' && s[i+1] == 'x' && hexDigit(s[i+2]) && hexDigit(s[i+3]) {
			b = append(b, hexValue(s[i+2])<<4|hexValue(s[i+3]))
			i += 3
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'a' + 10
}
