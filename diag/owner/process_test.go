package owner

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// statTail is what follows comm in proc_pid_stat(5) up to starttime 4711.
const statTail = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21\n"

func TestParseStat(t *testing.T) {
	for _, comm := range []string{"sh", "", "(sd-pam)", "a) S 1 (b", "x y\x1b[31m", "\xff\n"} {
		got, start, ok := parseStat([]byte("12 (" + comm + ")" + statTail))
		if got != comm || start != 4711 || !ok {
			t.Errorf("%q: got %q, %d, %v", comm, got, start, ok)
		}
	}
	for _, s := range []string{"", "12 sh S", "12 (sh", ")(", "12 (sh) S 1 2", "12 (sh)" + strings.Replace(statTail, "4711", "x", 1)} {
		if comm, start, ok := parseStat([]byte(s)); ok {
			t.Errorf("%q: got %q, %d", s, comm, start)
		}
	}
}

// known is a table that the given process belongs to beyond doubt.
func known(pid int32) *Table {
	table := newTable(record{1, pid, 0})
	table.ticks = ^uint64(0)
	return table
}

func TestProcess(t *testing.T) {
	c := startChild(t, "name=a) b (\x1b[1m", nil)
	p := known(c.pid()).Process(c.pid())
	if p.PID != c.pid() || !p.Known || p.Comm != "a) b (\x1b[1m" {
		t.Errorf("got %+v", p)
	}
	if argv := p.Argv(); !slices.Equal(argv, c.cmd.Args) {
		t.Errorf("argv %q, want %q", argv, c.cmd.Args)
	}
}

func TestProcessArgvIsCut(t *testing.T) {
	root := fixture(t, map[string]string{
		"5/stat": "5 (x)" + statTail, "5/cmdline": "/bin/x\x00\x00" + strings.Repeat("y", 600) + "\x00",
		"6/stat": "6 (kthreadd)" + statTail, "6/cmdline": "",
	}, nil)
	table := known(5)
	table.root = root
	want := []string{"/bin/x", "", strings.Repeat("y", maxArgv-len("/bin/x\x00\x00"))}
	if argv := table.Process(5).Argv(); !slices.Equal(argv, want) {
		t.Errorf("got %q", argv)
	}
	if p := table.Process(6); !p.Known || p.Comm != "kthreadd" || p.Argv() != nil {
		t.Errorf("kernel thread: %+v %q", p, p.Argv())
	}
}

func TestProcessExited(t *testing.T) {
	var table *Table
	var read *Process
	var pid, later int32
	t.Run("alive", func(t *testing.T) {
		a, b := startChild(t, "hold=1", nil), startChild(t, "hold=1", nil)
		pid, later = a.pid(), b.pid()
		table = known(pid)
		if read = table.Process(later); !read.Known {
			t.Errorf("got %+v", read)
		}
	})
	if p := table.Process(pid); p.PID != pid || p.Known || p.Comm != "" || p.Argv() != nil {
		t.Errorf("got %+v, argv %q", p, p.Argv())
	}
	if read.Argv() != nil {
		t.Errorf("argv after exit: %q", read.Argv())
	}
}

// TestProcessReuse has a process that started after the scan: it is the owner
// only if it holds what the scan saw.
func TestProcessReuse(t *testing.T) {
	c := startChild(t, "hold=2", nil)
	pid, fd, inode := c.pid(), c.FDs[1], c.Inodes[1]
	for _, tt := range []struct {
		name    string
		records []record
		want    bool
	}{
		{"same socket", []record{{inode, pid, fd}}, true},
		{"same socket among others", []record{{inode, pid, fd}, {inode + 1<<20, pid, fd}, {inode, pid + 1, fd}}, true},
		{"other inode", []record{{inode + 1<<20, pid, fd}}, false},
		{"other descriptor", []record{{inode, pid, fd + 100}}, false},
		{"other process", []record{{inode, pid + 1, fd}}, false},
	} {
		table := newTable(tt.records...) // ticks 0: every process is younger
		p := table.Process(pid)
		if p.Known != tt.want || (p.Comm != "") != tt.want || (p.Argv() != nil) != tt.want {
			t.Errorf("%s: got %+v", tt.name, p)
		}
	}

	// The pid passes to another process between reading comm and argv.
	p := known(pid).Process(pid)
	p.start--
	if argv := p.Argv(); argv != nil {
		t.Errorf("argv of another process: %q", argv)
	}
}

func TestProcessConcurrent(t *testing.T) {
	self := int32(os.Getpid())
	table := known(self)
	got := make([]*Process, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			got[i] = table.Process(self)
			got[i].Argv()
			table.Owners(nil, 1)
		})
	}
	wg.Wait()
	for _, p := range got {
		if p != got[0] || !p.Known || len(p.Argv()) == 0 {
			t.Errorf("got %p %+v, want %p", p, p, got[0])
		}
	}
}

func TestProcessAllocs(t *testing.T) {
	self := int32(os.Getpid())
	table := known(self)
	table.Process(self)
	if n := testing.AllocsPerRun(100, func() { table.Process(self) }); n != 0 {
		t.Errorf("second call: %v allocations", n)
	}
}
