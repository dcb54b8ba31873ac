package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/internal/counts"
)

// firstPort is the peer's port of socket 0 of a faulty kernel; the others have those behind it.
const firstPort = 20001

// connection is the message of a TCP connection.
func connection(i int) []byte {
	b := make([]byte, 72)
	b[0], b[1] = byte(diag.IPv4), byte(diag.Established)
	binary.BigEndian.PutUint16(b[4:], 443)
	binary.BigEndian.PutUint16(b[6:], uint16(firstPort+i))
	copy(b[8:], []byte{192, 0, 2, 1})
	copy(b[24:], []byte{198, 51, 100, 7})
	binary.NativeEndian.PutUint32(b[44:], uint32(i+1)) // cookie
	return b
}

// underFault runs a command line on a kernel that has the fault where asked says so, and is in order elsewhere. It returns how often the
// faulty dump was asked for.
func underFault(t *testing.T, f *diagtest.Fault, asked func(diagtest.Request) bool, argv ...string) (r result, asks int) {
	var n atomic.Int32
	t.Helper()
	check.Time(t, time.Minute, func() string { return fmt.Sprintf("%s: %q", f.Name, argv) })
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		switch {
		case r.Type == 21: // SOCK_DESTROY
			return []diagtest.Datagram{diagtest.Datagram{}.Error(r, 0)}
		case !asked(r):
			return []diagtest.Datagram{diagtest.Datagram{}.Done(r)}
		}
		return f.Answer(r, int(n.Add(1)))
	})
	k.Hurry = f.Waits
	cfg := k.Config()
	cfg.Timeout = 30 * time.Second
	var stdout, stderr bytes.Buffer
	r.status = run(&cli.Env{
		Ctx: t.Context(), Args: argv, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Getenv: func(string) string { return "" }, Kernel: cfg, Owners: owner.Config{Backend: owner.Proc, Proc: t.TempDir()},
	})
	// Who may not see marks is told so, whatever the fault.
	const noMarks = "ss: marks are not known, and count as 0: that needs CAP_NET_ADMIN, or root\n"
	r.stdout, r.stderr = stdout.String(), strings.Replace(stderr.String(), noMarks, "", 1)
	return r, int(n.Load())
}

// ends compares how a command line ended with what the fault allows.
func ends(t *testing.T, f *diagtest.Fault, r result, asks, most int) {
	t.Helper()
	if (r.status == exitOK) != f.Whole {
		t.Errorf("status %d, and the dump is whole: %v; %s", r.status, f.Whole, r.stderr)
	}
	if f.Whole && r.stderr != "" || !f.Whole && (!strings.Contains(r.stderr, f.Text) || strings.Count(r.stderr, f.Text) > 1) {
		t.Errorf("stderr %q, want %q once", r.stderr, f.Text)
	}
	if !f.Whole && f.Partial() != strings.Contains(r.stderr, "partial") {
		t.Errorf("stderr %q: partial is %v", r.stderr, f.Partial())
	}
	if asks > most {
		t.Errorf("asked %d times, at most %d", asks, most)
	}
}

// eachFault runs f under each fault, and counts them. Faults that make a program ask again, after a while, are left out where the test is not
// to be slow, but for the lines that say always.
func eachFault(t *testing.T, line string, always bool, message func(int) []byte, leaveOut func(*diagtest.Fault) bool, run func(*testing.T, *diagtest.Fault)) {
	t.Run(line, func(t *testing.T) {
		t.Parallel()
		n := 0
		for _, f := range diagtest.Faults(message) {
			if f.Asks > 1 && !always && os.Getenv("SOCKEYE_SLOW_TESTS") == "" || leaveOut != nil && leaveOut(&f) {
				continue
			}
			n++
			t.Run(f.Name, func(t *testing.T) { run(t, &f) })
		}
		counts.Add(t, "faults injected", n)
	})
}

// TestFacesUnderFaults: each face and format prints the sockets that are true, says why there are no more, and ends with a status that is
// not 0.
func TestFacesUnderFaults(t *testing.T) {
	established := func(r diagtest.Request) bool {
		return r.Type == 20 && r.Family() == diag.IPv4 && r.Protocol() == diag.TCP && r.States().Has(diag.Established)
	}
	for i, line := range []string{
		"sockeye list -t4 --owners=none",
		"ss -tan4",
		"netstat -tan4",
		"sockeye list -t4",
		"sockeye list -t4 -o wide",
		"sockeye list -t4 -o json",
		"sockeye list -t4 -o ndjson --owners=none",
		"sockeye list -t4 -o csv -c state,peer_port",
		"sockeye list -t4 -s peer_port:desc -c state,peer_port",
		"sockeye list -t4 -g peer_port -c peer_port,count",
		"sockeye list -t4 not state listening",
		"ss -tanoemi4 -O",
		"ss -tanp4",
		"ss -tn4 not dport = 1",
		"ss -tan4 not dport = 1 and not fwmark 77",
		"ss -K -tan4",
		"netstat -tanepo4",
		"netstat --bsd -an -f inet -p tcp",
		"ss -tan4 --output json",
		"ss -tanpoemi4 --output ndjson",
		"netstat -tan4 --output ndjson",
		"netstat -tanepo4 --output=json",
	} {
		eachFault(t, line, i < 3, connection, nil, func(t *testing.T, f *diagtest.Fault) {
			r, asks := underFault(t, f, established, strings.Fields(line)...)
			most := f.Asks
			if strings.Contains(line, "not") && (errors.Is(f.Is, unix.EINVAL) || errors.Is(f.Is, unix.EPERM) || errors.Is(f.Is, unix.EACCES)) {
				most++ // again, without bytecode
			}
			ends(t, f, r, asks, most)
			for i := range 100 {
				if n := strings.Count(r.stdout, strconv.Itoa(firstPort+i)); (n == 1) != (i < f.Sockets) || n > 1 {
					t.Errorf("socket %d of %d is printed %d times:\n%s", i, f.Sockets, n, r.stdout)
					break
				}
			}
			switch {
			case (strings.Contains(line, "-o json") || strings.Contains(line, "put json") || strings.Contains(line, "put=json")) && !json.Valid([]byte(r.stdout)):
				t.Errorf("no JSON: %s", r.stdout)
			case strings.Contains(line, "ndjson"):
				for row := range strings.Lines(r.stdout) {
					if !json.Valid([]byte(row)) {
						t.Errorf("no JSON: %s", row)
					}
				}
			}
		})
	}
}

// TestSummaryUnderFaults: figures of a dump that is not whole are those of what arrived, and the status says so.
func TestSummaryUnderFaults(t *testing.T) {
	established := func(r diagtest.Request) bool {
		return r.Family() == diag.IPv4 && r.Protocol() == diag.TCP && r.States().Has(diag.Established)
	}
	for _, line := range []string{"sockeye list -t4 --summary --owners=none", "sockeye list -t4 -g state -c count -H --owners=none"} {
		eachFault(t, line, false, connection, nil, func(t *testing.T, f *diagtest.Fault) {
			r, asks := underFault(t, f, established, strings.Fields(line)...)
			ends(t, f, r, asks, f.Asks)
			if strings.Contains(line, "count") && f.Sockets > 0 && !strings.HasSuffix(r.stdout, " "+strconv.Itoa(f.Sockets)+"\n") {
				t.Errorf("%q, want %d", r.stdout, f.Sockets)
			}
		})
	}
}

// TestRecordUnderFaults: -D says what it could not record.
func TestRecordUnderFaults(t *testing.T) {
	eachFault(t, "ss -t4 -D -", false, connection, nil, func(t *testing.T, f *diagtest.Fault) {
		r, asks := underFault(t, f, func(r diagtest.Request) bool { return r.Family() == diag.IPv4 }, "ss", "-t4", "-D", "-")
		if asks != 1 { // what was written cannot be taken back
			t.Errorf("asked %d times", asks)
		}
		// What is written is as it came: broken messages are in it.
		whole := f.Whole && f.Asks == 1 || strings.Contains(f.Text, "could not be decoded")
		if (r.status == exitOK) != whole || (r.stderr == "") != whole {
			t.Errorf("status %d, stderr %q", r.status, r.stderr)
		}
	})
}

// TestOtherFamiliesUnderFaults: so it is with the sockets of the other families.
func TestOtherFamiliesUnderFaults(t *testing.T) {
	for _, fam := range []struct {
		line   string
		family byte
		size   int // of the struct in front of the attributes; those of VSOCK have none
		set    func(b []byte)
	}{
		{"ss -xaH", unix.AF_UNIX, 16, func(b []byte) { b[1], b[2] = 1, 1 }},
		{"ss -xapH", unix.AF_UNIX, 16, func(b []byte) { b[1], b[2] = 1, 1 }},
		{"ss -A netlink -aH", unix.AF_NETLINK, 28, func(b []byte) { b[1] = 3 }},
		{"ss -0aH", unix.AF_PACKET, 16, func(b []byte) { b[1] = 3 }},
		{"ss --vsock -aH", unix.AF_VSOCK, 32, func(b []byte) { b[1], b[2] = 1, 1 }},
		{"ss --xdp -aH", unix.AF_XDP, 16, func(b []byte) { b[1] = 3 }},
	} {
		message := func(int) []byte {
			b := make([]byte, fam.size)
			b[0] = fam.family
			fam.set(b)
			return b
		}
		withoutAttrs := func(f *diagtest.Fault) bool {
			return fam.family == unix.AF_VSOCK && strings.HasPrefix(f.Name, "an attribute")
		}
		eachFault(t, fam.line, false, message, withoutAttrs, func(t *testing.T, f *diagtest.Fault) {
			r, asks := underFault(t, f, func(r diagtest.Request) bool { return r.Data[0] == fam.family }, strings.Fields(fam.line)...)
			most := f.Asks
			if strings.Contains(fam.line, "p") { // once more, for whose owners are wanted
				most *= 2
			}
			ends(t, f, r, asks, most)
			if n := strings.Count(r.stdout, "\n"); n != f.Sockets && most == f.Asks {
				t.Errorf("%d rows, want %d:\n%s", n, f.Sockets, r.stdout)
			}
		})
	}
}

// TestRefusedBytecode: a kernel that does not take bytecode is asked without it, and the filter is evaluated here.
func TestRefusedBytecode(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EINVAL, unix.EPERM} {
		for line, want := range map[string]int{
			"ss -tn4 dport = 20003": 1, "ss -tan4 not dport = 20003": 4, "ss -tan4 dport > 20003 and dport < 20005": 1, "sockeye list -t4 peer_port = 20003": 1,
			"sockeye list -t4 -o ndjson not peer_port = 20003": 4,
		} {
			f := diagtest.Fault{Answer: func(r diagtest.Request, _ int) []diagtest.Datagram {
				if len(r.Bytecode()) > 0 {
					return []diagtest.Datagram{diagtest.Datagram{}.Error(r, errno)}
				}
				d := diagtest.Datagram{}
				for i := range 5 {
					d = d.Append(r, 20, unix.NLM_F_MULTI, connection(i))
				}
				return []diagtest.Datagram{d.Done(r)}
			}}
			r, _ := underFault(t, &f, func(r diagtest.Request) bool { return r.States().Has(diag.Established) }, strings.Fields(line)...)
			if n := strings.Count(r.stdout, "198.51.100.7"); r.status != exitOK || n != want || r.stderr != "" {
				t.Errorf("%s, %v: status %d, %d rows, want %d: %s%s", line, errno, r.status, n, want, r.stdout, r.stderr)
			}
			counts.Add(t, "faults injected", 1)
		}
	}
}
