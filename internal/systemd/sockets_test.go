package systemd

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// root writes files below a directory; "-> TARGET" is a link.
func root(t *testing.T, files map[string]string) *Sockets {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		err := error(nil)
		if len(text) > 3 && text[:3] == "-> " {
			err = os.Symlink(text[3:], path)
		} else {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return &Sockets{Root: dir}
}

func TestUnit(t *testing.T) {
	s := root(t, map[string]string{
		"usr/lib/systemd/system/ssh.socket":     "[Unit]\nDescription=OpenBSD Secure Shell server socket\nListenStream=1\n[Socket]\nListenStream=22\nAccept=no\n[Install]\nWantedBy=sockets.target\n",
		"usr/lib/systemd/system/cups.socket":    "[Socket]\nListenStream=/run/cups/cups.sock\nListenStream=127.0.0.1:631\n",
		"usr/lib/systemd/system/rpcbind.socket": "[Socket]\nListenStream=/run/rpcbind.sock\nListenStream=0.0.0.0:111\nListenDatagram=0.0.0.0:111\nListenStream=[::]:111\n ListenDatagram = [::]:111\n",
		// Another one in a directory that wins, a drop-in that takes everything back, masks and aliases.
		"etc/systemd/system/cups.socket":                     "[Socket]\nListenStream=127.0.0.1:6310\n",
		"usr/lib/systemd/system/web.socket":                  "[Socket]\nListenStream=80\n",
		"etc/systemd/system/web.socket.d/port.conf":          "[Socket]\nListenStream=\nListenStream=[2001:db8::1]:8080\n",
		"run/systemd/system/web.socket.d/port.conf":          "[Socket]\nListenStream=9\n",
		"etc/systemd/system/masked.socket":                   "-> /dev/null",
		"usr/lib/systemd/system/masked.socket":               "[Socket]\nListenStream=99\n",
		"etc/systemd/system/sshd.socket":                     "-> /usr/lib/systemd/system/ssh.socket",
		"usr/lib/systemd/system/many-small.socket":           "[Socket]\nListenDatagram=514\n",
		"etc/systemd/system/many-.socket.d/all.conf":         "[Socket]\nListenDatagram=515\n",
		"usr/lib/systemd/system/link.socket":                 "[Socket]\nListenStream=[fe80::1]:7%eth0\nListenStream=%i:70\nListenStream=vsock:2:7\nListenStream=no:such\nListenStream=0\nListenStream=70000\n",
		"usr/lib/systemd/system/template@.socket":            "[Socket]\nListenStream=71\n",
		"usr/lib/systemd/system/folded.socket":               "[Socket]\nListenStream=\\\n# why\n 127.0.0.1:72\n",
		"usr/lib/systemd/system/one.socket":                  "[Socket]\nListenStream=73\n",
		"usr/lib/systemd/system/two.socket":                  "[Socket]\nListenStream=73\n",
		"etc/systemd/system/sockets.target.wants/two.socket": "-> /usr/lib/systemd/system/two.socket",
		"usr/lib/systemd/system/three.socket":                "[Socket]\nListenStream=74\n",
		"usr/lib/systemd/system/four.socket":                 "[Socket]\nListenStream=74\n",
		"usr/lib/systemd/system/a.service":                   "[Socket]\nListenStream=75\n",
	})
	for _, tt := range []struct {
		protocol diag.Protocol
		at, want string
	}{
		{diag.TCP, "[::]:22", "ssh.socket"}, {diag.TCP, "0.0.0.0:22", "ssh.socket"}, {diag.UDP, "[::]:22", ""}, {diag.TCP, "127.0.0.1:22", ""},
		{diag.TCP, "[::]:1", ""}, {diag.TCP, "127.0.0.1:631", ""}, {diag.TCP, "127.0.0.1:6310", "cups.socket"},
		{diag.TCP, "0.0.0.0:111", "rpcbind.socket"}, {diag.UDP, "0.0.0.0:111", "rpcbind.socket"}, {diag.UDP, "[::]:111", "rpcbind.socket"},
		{diag.TCP, "[::]:80", ""}, {diag.TCP, "[2001:db8::1]:8080", "web.socket"}, {diag.TCP, "[::]:9", ""}, {diag.TCP, "[::]:99", ""},
		{diag.UDP, "[::]:514", "many-small.socket"}, {diag.UDP, "[::]:515", "many-small.socket"},
		{diag.TCP, "[fe80::1]:7", "link.socket"}, {diag.TCP, "[::]:70", ""}, {diag.TCP, "[::]:71", ""}, {diag.TCP, "127.0.0.1:72", "folded.socket"},
		{diag.TCP, "[::]:73", "two.socket"}, {diag.TCP, "[::]:74", ""}, {diag.TCP, "[::]:75", ""},
	} {
		got, ok := s.Unit(tt.protocol, netip.MustParseAddrPort(tt.at))
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%v %s: %q, %v, want %q", tt.protocol, tt.at, got, ok, tt.want)
		}
	}
}

// A host without systemd has none.
func TestUnitNoSystemd(t *testing.T) {
	if unit, ok := (&Sockets{Root: t.TempDir()}).Unit(diag.TCP, netip.MustParseAddrPort("[::]:22")); ok {
		t.Errorf("%q", unit)
	}
}

// FuzzParse: addresses stand in the file, as far as they are one.
func FuzzParse(f *testing.F) {
	f.Add([]byte("[Socket]\nListenStream=22\nListenDatagram=[::1]:53%lo\nListenFIFO=\nListenStream=1.2.3.4:5\n"))
	f.Add([]byte("[Socket]\nListenStream=\\"))
	f.Fuzz(func(t *testing.T, file []byte) {
		var l listens
		l.parse(file)
		all := l.addresses()
		for i, a := range all {
			if a.protocol != diag.TCP && a.protocol != diag.UDP || !a.local.IsValid() || a.local.Port() == 0 || a.local.Addr().Zone() != "" || slices.Contains(all[:i], a) {
				t.Errorf("%q: %v", file, a)
			}
		}
	})
}
