package netstat

import (
	"slices"
	"strings"
	"testing"
)

func TestTakeBSD(t *testing.T) {
	for in, want := range map[string]string{
		"netstat --bsd -an":        "netstat -an",
		"netstat -an --bsd":        "netstat -an",
		"netstat --bsd -an --bsd":  "netstat -an",
		"netstat -f --bsd inet -a": "netstat -f inet -a",
	} {
		got, found := takeBSD(strings.Fields(in))
		if !found || !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: got %q, %v", in, got, found)
		}
	}
	for _, in := range []string{"netstat -an", "--bsd -an", "netstat -- --bsd", "netstat --bs", "netstat"} {
		if got, found := takeBSD(strings.Fields(in)); found || !slices.Equal(got, strings.Fields(in)) {
			t.Errorf("%q: got %q, %v", in, got, found)
		}
	}
}

// TestBSDErrors: what cannot be answered is said on stderr alone, and the exit status is 1.
func TestBSDErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-m":            "netstat: --bsd: -m (memory of the network stack) is not supported\n",
		"-anA":          "netstat: --bsd: -A (addresses in the kernel's memory) is not supported\n",
		"-w 1":          "netstat: --bsd: -w (rates; see sockeye counters --watch) is not supported\n",
		"-g":            "netstat: --bsd: -g (multicast groups; see netstat -g without --bsd) is not supported\n",
		"-ano":          "netstat: --bsd: -o (timers are shown by -x) is not supported\n",
		"-f ipx":        "netstat: ipx: unknown address family\n",
		"-p divert":     "netstat: divert: unknown or uninstrumented protocol\n",
		"-s -p igmp":    "netstat: --bsd: -s: Linux does not count igmp\n",
		"-rs":           "netstat: --bsd: -r -s: Linux does not count that\n",
		"-is":           "netstat: --bsd: -i -s: figures by device are not supported; see netstat -i\n",
		"-ia":           "netstat: --bsd: -i -a: multicast addresses are not supported; see netstat -g without --bsd\n",
		"-ri":           "netstat: --bsd: -r and -i exclude each other\n",
		"-r -f unix":    "netstat: --bsd: -f unix is for sockets\n",
		"-L -f unix":    "netstat: --bsd: -L is for TCP\n",
		"-an tcp":       "netstat: --bsd: tcp: no operands are known\n",
		"-an 5":         "netstat: --bsd: 5: no operands are known\n",
		"-I nosuchdev":  "netstat: --bsd: nosuchdev: there is no such network device\n",
		"-a -n -p":      "netstat: option requires an argument -- 'p'\nusage: netstat --bsd ",
		"-k":            "netstat: invalid option -- 'k'\nusage: netstat --bsd ",
		"--numeric -an": "netstat: unrecognized option '--numeric'\nusage: netstat --bsd ",
	} {
		r := ours(t.Context(), append([]string{"--bsd"}, strings.Fields(args)...)...)
		whole := strings.HasSuffix(want, "\n")
		if r.stdout != "" || r.status != exitFailed || whole && r.stderr != want || !strings.HasPrefix(r.stderr, want) {
			t.Errorf("%s: status %d, stdout %q, stderr %q", args, r.status, r.stdout, r.stderr)
		}
	}
}

func TestBSDHelp(t *testing.T) {
	for _, arg := range []string{"-h", "--help"} {
		r := ours(t.Context(), "--bsd", arg)
		if r.status != exitOK || r.stderr != "" || !strings.HasPrefix(r.stdout, "usage: netstat --bsd ") || !strings.Contains(r.stdout, "macOS") {
			t.Errorf("%s: %+v", arg, r)
		}
	}
}

// TestBSDUnknownLetters: no letter is both known and not.
func TestBSDUnknownLetters(t *testing.T) {
	for _, u := range bsdUnknown {
		if strings.ContainsRune("abdiLlnrsuvWx46fIph", u.letter) {
			t.Errorf("-%c", u.letter)
		}
	}
}
