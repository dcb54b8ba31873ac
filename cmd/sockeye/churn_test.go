package main

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/bench/lab"
	"github.com/sockeye-tools/sockeye/internal/counts"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// churnFace is how a face is asked for TCP and UDP sockets with owners, and how its rows are read.
type churnFace struct {
	args []string
	read func(words []string) (churnRow, bool)
	// owner is how the face tells of a process, by pid: as its name is known, or not any more.
	owner []string
}

// churnRow is what a face says of a socket, without what changes by itself.
type churnRow struct{ proto, state, local, remote, owners string }

var churnFaces = []churnFace{
	{[]string{"ss", "-tuanpH"}, func(w []string) (churnRow, bool) {
		if len(w) < 6 {
			return churnRow{}, false
		}
		return churnRow{w[0], w[1], w[4], w[5], strings.Join(w[6:], " ")}, true
	}, []string{`users:(("churn-PID",pid=PID,fd=`, `users:(("?",pid=PID,fd=`}},
	{[]string{"netstat", "-tuanpW"}, func(w []string) (churnRow, bool) {
		switch {
		case len(w) < 6 || w[1] == "Internet" || w[0] == "Proto":
			return churnRow{}, false
		case w[5] == "-" || w[5][0] >= '0' && w[5][0] <= '9': // no state
			w = slices.Insert(w, 5, "")
		}
		return churnRow{w[0], w[5], w[3], w[4], strings.TrimPrefix(strings.Join(w[6:], " "), "-")}, true
	}, []string{"PID/churn", "PID/fleeting", "PID/"}}, // by the command line
	{[]string{"list", "--no-header", "--columns", "proto,state,local,peer,owner"}, func(w []string) (churnRow, bool) {
		if len(w) < 5 {
			return churnRow{}, false
		}
		owners := strings.Join(w[4:], " ")
		if owners == "-" || owners[0] == '(' { // why there is none
			owners = ""
		}
		return churnRow{w[0], w[1], w[2], w[3], owners}, true
	}, []string{"churn-PID[PID]", "?[PID]"}},
}

// seen is what one run showed.
type seen struct {
	stay     map[churnRow]int // sockets that no churning process opened
	churn    int              // the others
	owned    int              // of them, with an owner
	repeated []string
	invented []string // owners that the socket never had
}

// look runs a command line in the lab.
func look(t *testing.T, l *lab.Lab, bin string, f *churnFace, procs int, more ...string) seen {
	t.Helper()
	cmd := l.Command(bin, slices.Concat(f.args, more)...)
	cmd.Env = append(cmd.Environ(), fmt.Sprintf("GOMAXPROCS=%d", procs))
	var words strings.Builder
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v: %s", f.args, err, words.String())
	}
	v := seen{stay: map[churnRow]int{}}
	once := map[churnRow]bool{}
	for line := range strings.Lines(string(out)) {
		r, ok := f.read(strings.Fields(line))
		if !ok {
			continue
		}
		local, err := addrOf(r.local)
		if err != nil {
			t.Fatalf("%v: %q: %v", f.args, line, err)
		}
		opener, churning := lab.ChurnPID(local)
		if !churning {
			v.stay[r]++
			continue
		}
		v.churn++
		if r.owners != "" {
			v.owned++
			if !f.owns(r.owners, strconv.Itoa(opener)) {
				v.invented = append(v.invented, line)
			}
		}
		// Of other states, two sockets can have the same addresses one after the other.
		if r.owners = ""; r.state == "LISTEN" && once[r] {
			v.repeated = append(v.repeated, line)
		}
		once[r] = true
	}
	return v
}

// owns reports whether what a face says of owners is that a process is the only one.
func (f *churnFace) owns(owners, pid string) bool {
	rest, _, more := strings.Cut(owners, "),(")
	return !more && slices.ContainsFunc(f.owner, func(form string) bool {
		after, ok := strings.CutPrefix(rest, strings.ReplaceAll(form, "PID", pid))
		return ok && strings.Trim(after, "0123456789)") == ""
	})
}

// addrOf reads the address in front of a port, as any face spells it.
func addrOf(s string) (netip.Addr, error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return netip.Addr{}, errors.New("no port")
	}
	s, _, _ = strings.Cut(strings.Trim(s[:i], "[]"), "%")
	if s = strings.TrimSuffix(s, "]"); s == "*" {
		return netip.IPv6Unspecified(), nil
	}
	return netip.ParseAddr(s)
}

// While several thousand sockets a second come and go, and processes that hold some end, every face shows each socket that stays at
// most once, with its owners, and shows no owner that a socket never had.
func TestChurn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: CAP_SYS_ADMIN for a network namespace")
	}
	bin := peers.Sockeye(t)
	sockets, runs := 2000, map[bool]int{true: 6}
	if os.Getenv("SOCKEYE_SLOW_TESTS") == "1" {
		sockets, runs = 23_000, map[bool]int{true: 100, false: 20} // with those that come and go, so many that dumps are put to the kernel in other ways
	}
	for small, dumps := range runs {
		t.Run(fmt.Sprintf("small hash %v", small), func(t *testing.T) {
			l, err := lab.Build(t.Context(), lab.Config{Sockets: sockets, Shape: lab.Mixed, IPv6: 30, SmallHash: small})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			truth := l.Truth()
			want := make([]map[churnRow]int, len(churnFaces))
			for i := range churnFaces {
				want[i] = look(t, l, bin, &churnFaces[i], 1).stay
				n := 0
				for r, k := range want[i] {
					if n += k; k > 1 {
						t.Errorf("%d times before anything changes: %+v", k, r)
					}
				}
				if made := truth.Count("tcp", "", "") + truth.Count("udp", "", ""); n != made {
					t.Fatalf("%v shows %d sockets, want %d", churnFaces[i].args, n, made)
				}
			}
			churn, err := l.StartChurn(1, 5000)
			if err != nil {
				t.Fatal(err)
			}
			defer churn.Stop()
			for end := time.Now().Add(time.Minute); churn.Made() < 4000; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("the churn does not begin")
				}
			}
			begin, before := time.Now(), churn.Made()
			var expected, lost, repeated, invented, rows, owned int
			// On a machine that is held up between two looks of a dump, few owners are of sockets that are still there: then it takes more dumps.
			n, total, few := 0, dumps, dumps*100
			for ; n < total || (rows < few || owned < few) && time.Since(begin) < 2*time.Minute; n++ {
				i, procs := n%len(churnFaces), []int{1, 2, 4, 8}[n/len(churnFaces)%4]
				owners := []string{"--owners=bpf", "--owners=proc"}[n/2%2]
				f := &churnFaces[i]
				got := look(t, l, bin, f, procs, owners)
				for r := range want[i] {
					if got.stay[r] == 0 {
						lost++
					}
				}
				var strange []churnRow
				for r, k := range got.stay {
					if want[i][r] == 0 {
						strange = append(strange, r)
					} else if k > 1 {
						repeated++
						t.Errorf("%v %s: %d times: %+v", f.args, owners, k, r)
					}
				}
				if len(strange) > 0 {
					t.Errorf("%v %s: %d rows that say what is not so, such as %+v", f.args, owners, len(strange), strange[0])
				}
				for _, line := range got.repeated {
					repeated++
					t.Errorf("%v %s: twice: %s", f.args, owners, line)
				}
				if len(got.invented) > 0 {
					invented += len(got.invented)
					t.Errorf("%v %s: %d owners that their sockets never had, such as %s", f.args, owners, len(got.invented), got.invented[0])
				}
				expected += len(want[i])
				rows += got.churn
				owned += got.owned
				if n+1 == dumps && lost > 1+dumps/5 { // as many again tell bad luck
					total = 2 * dumps
				}
			}
			total = n
			rate := float64(churn.Made()-before) / time.Since(begin).Seconds()
			if err := churn.Stop(); err != nil {
				t.Error(err)
			}
			t.Logf("%d dumps of %d sockets, and of %d that came or went (%d owners), %.0f of these a second: %d lost", total, expected, rows, owned, rate, lost)
			// What the kernel passes over nobody sees. It is rare.
			if lost > 1+total/5 {
				t.Errorf("%d sockets lost", lost)
			}
			if rows < few || owned < few {
				t.Errorf("only %d rows of sockets that come and go, and %d owners", rows, owned)
			}
			counts.Add(t, "dumps under churn", total)
			counts.Add(t, "sockets expected", expected)
			counts.Add(t, "sockets lost", lost)
			counts.Add(t, "sockets repeated", repeated)
			counts.Add(t, "owners invented", invented)
			for i, f := range churnFaces { // all of it is as it was
				if got := look(t, l, bin, &f, 2); !maps.Equal(got.stay, want[i]) {
					t.Errorf("%v: %d rows when all is quiet again, want %d", f.args, len(got.stay), len(want[i]))
				}
			}
		})
	}
}
