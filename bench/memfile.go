package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// memFile is a file in memory that takes the output of a program.
type memFile struct{ *os.File }

func memfile(name string) (memFile, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return memFile{}, fmt.Errorf("memfd: %w", err)
	}
	return memFile{os.NewFile(uintptr(fd), name)}, nil
}

// mostOutput is how much a program may write to one, in bytes: without an end to it the host would be out of memory. 0: not known.
var mostOutput = func() int64 {
	kb, _, _ := strings.Cut(field("/proc", "meminfo", "MemAvailable"), " ")
	n, err := strconv.ParseInt(kb, 10, 64)
	if err != nil {
		return 0
	}
	return n << 10 / 4
}

// limitFiles sets how large a file may become that a program writes which is started until unlimit is called; 0: any.
func limitFiles(most int64) (unlimit func()) {
	var was unix.Rlimit
	if most <= 0 || unix.Getrlimit(unix.RLIMIT_FSIZE, &was) != nil || was.Cur <= uint64(most) {
		return func() {}
	}
	unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: uint64(most), Max: was.Max})
	return func() { unix.Setrlimit(unix.RLIMIT_FSIZE, &was) }
}

// count returns the number of lines, the last of which need not be ended, and of bytes.
func (f memFile) count() (lines, size int64, err error) {
	buf := make([]byte, 256<<10)
	last := byte('\n')
	for {
		n, err := f.ReadAt(buf, size)
		if n > 0 {
			lines += int64(bytes.Count(buf[:n], []byte{'\n'}))
			last = buf[n-1]
			size += int64(n)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, 0, fmt.Errorf("read output: %w", err)
		}
	}
	if last != '\n' {
		lines++
	}
	return lines, size, nil
}

// firstLine returns the first line that is not blank, or at most 200 bytes of it.
func (f memFile) firstLine() string {
	var buf [1024]byte
	n, _ := f.ReadAt(buf[:], 0)
	b := bytes.TrimSpace(buf[:n])
	b, _, _ = bytes.Cut(b, []byte{'\n'})
	return string(bytes.TrimSpace(b[:min(len(b), 200)]))
}
