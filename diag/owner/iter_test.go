package owner

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/bpfiter"
)

// eachEnv makes a child look at processes one by one.
const eachEnv = "OWNER_TEST_EACH"

func init() {
	if os.Getenv(eachEnv) != "" {
		manySplit, manyEach = 0, 0
	}
}

// byProcess has the BPF backend look at processes one by one, until the test ends.
func byProcess(tb testing.TB) {
	files, each := manySplit, manyEach
	tb.Cleanup(func() { manySplit, manyEach = files, each })
	manySplit, manyEach = 0, 0
}

// loaded returns a program that writes the wanted inodes.
func loaded(tb testing.TB, want []uint32) *iterScan {
	tb.Helper()
	needBPF(tb)
	set := newInodeSet(want)
	program, err := loadProgram(set)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { program.Close() })
	return &iterScan{ctx: context.Background(), program: program, want: set, buf: make([]byte, bpfiter.BufferSize)}
}

// The iterator over one process has its descriptors, those of other tables of its threads included, and no other's.
func TestScanOneProcess(t *testing.T) {
	if !kernelAtLeast(6, 7) {
		t.Skip("needs Linux 6.7")
	}
	one, other := startChild(t, "unshare=3", nil), startChild(t, "hold=2", nil)
	s := loaded(t, slices.Concat(one.Inodes, other.Inodes))
	if err := s.scan(one.pid()); err != nil {
		t.Fatal(err)
	}
	tr, got := truth{}, &Table{}
	tr.addChild(one)
	got.fill(s.found)
	tr.check(t, got)
	for _, r := range got.records {
		if r.pid != one.pid() {
			t.Errorf("%v is of another process", r)
		}
	}
}

// A process that is gone has none, and that is no error.
func TestScanGoneProcess(t *testing.T) {
	if !kernelAtLeast(6, 1) {
		t.Skip("needs Linux 6.1")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^$")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	s := loaded(t, []uint32{1})
	if err := s.scan(int32(cmd.Process.Pid)); err != nil || s.found.len() != 0 {
		t.Errorf("%v, %d records", err, s.found.len())
	}
}

// In a pid namespace processes are asked for, and told, as it numbers them.
func TestScanProcessesPIDNamespace(t *testing.T) {
	needBPF(t)
	c := startChild(t, "pidns=bpf", func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, eachEnv+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS}
	})
	if want := []Owner{{int32(c.PID), c.FDs[0]}}; !slices.Equal(c.Owners, want) || c.PID != 1 {
		t.Errorf("owners %v, want %v: %s", c.Owners, want, c.Err)
	}
}

// Many files, few processes, several processors: an iterator for each process, and none is left out.
func TestScanProcesses(t *testing.T) {
	if !kernelAtLeast(6, 7) {
		t.Skip("needs Linux 6.7")
	}
	tr := truth{}
	var inodes []uint32
	for range 5 { // more than readers
		c := startChild(t, "hold=2", nil)
		tr.addChild(c)
		inodes = append(inodes, c.Inodes...)
	}
	s := loaded(t, inodes)
	fs, err := openProcFS("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer fs.close()
	byProcess(t)
	found, err := scanProcesses(t.Context(), fs, s.program, s.want, 3)
	if err != nil {
		t.Fatal(err)
	}
	var got Table
	got.fill(found)
	tr.check(t, &got)
	if got.Len() != len(inodes) {
		t.Errorf("%d descriptors, want %d", got.Len(), len(inodes))
	}
}

// Few files, many processes, one processor: one iterator over all.
func TestScanProcessesNotWorthIt(t *testing.T) {
	s := loaded(t, nil)
	fs, err := openProcFS("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer fs.close()
	byProcess(t)
	if _, err := scanProcesses(t.Context(), fs, s.program, s.want, 1); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("one processor: %v", err)
	}
	manyEach = 1 << 30
	if _, err := scanProcesses(t.Context(), fs, s.program, s.want, 2); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("many processes: %v", err)
	}
	manySplit, manyEach = 1<<30, 0
	if _, err := scanProcesses(t.Context(), fs, s.program, s.want, 2); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("few files: %v", err)
	}
}

func TestDescriptors(t *testing.T) {
	fs, err := openProcFS("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer fs.close()
	if !kernelAtLeast(6, 2) {
		t.Skip("needs Linux 6.2")
	}
	c := startChild(t, "hold=40", nil)
	if n, ok := fs.descriptors(c.pid()); n < 43 || !ok {
		t.Errorf("%d, %v", n, ok)
	}
	zombie := startChild(t, "zombie=3", nil)
	if n, ok := fs.descriptors(zombie.pid()); n != 0 || !ok {
		t.Errorf("threads without their leader: %d, %v", n, ok)
	}
	if _, ok := fs.descriptors(1 << 30); ok {
		t.Error("no process")
	}
}

// BenchmarkScanOneProcess is what an iterator costs beside the walk over files.
func BenchmarkScanOneProcess(b *testing.B) {
	c := startChild(b, "hold=1", nil)
	s := loaded(b, []uint32{1})
	for b.Loop() {
		if err := s.scan(c.pid()); err != nil {
			b.Fatal(err)
		}
	}
}
