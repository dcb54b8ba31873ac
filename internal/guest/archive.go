package guest

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// archive writes an initramfs: a cpio archive in the "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst).
type archive struct {
	w    *bufio.Writer
	made map[string]bool // the folders, by their path without leading slash
	ino  uint32
	n    int64
	err  error // the first
}

func newArchive(w io.Writer) *archive {
	return &archive{w: bufio.NewWriterSize(w, 1<<20), made: map[string]bool{".": true}}
}

// File types of a cpio entry, as in st_mode.
const (
	typeDir     = 0o040000
	typeChar    = 0o020000
	typeRegular = 0o100000
	typeLink    = 0o120000
)

// head writes the header of an entry, with its name.
func (a *archive) head(name string, mode uint32, size int64, major, minor uint32) {
	if a.err != nil {
		return
	}
	if size >= 1<<32 {
		a.err = fmt.Errorf("archive %s: %d bytes are too many", name, size)
		return
	}
	a.ino++
	h := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", a.ino, mode, 0, 0, 1, 0, size, 0, 0, major, minor, len(name)+1, 0)
	a.write(h + name + "\x00")
	a.pad()
}

func (a *archive) write(s string) {
	if a.err == nil {
		_, a.err = a.w.WriteString(s)
		a.n += int64(len(s))
	}
}

func (a *archive) pad() {
	for a.err == nil && a.n%4 != 0 {
		a.write("\x00")
	}
}

// clean is the name of a path in the archive; it makes the folders above it.
func (a *archive) clean(p string) string {
	p = path.Clean("/" + p)[1:]
	if p == "" {
		return "."
	}
	if dir := path.Dir(p); !a.made[dir] {
		a.dir(dir, 0o755)
	}
	return p
}

func (a *archive) dir(p string, perm fs.FileMode) {
	if p = a.clean(p); !a.made[p] {
		a.made[p] = true
		a.head(p, typeDir|uint32(perm.Perm()), 0, 0, 0)
	}
}

func (a *archive) link(p, to string) {
	a.head(a.clean(p), typeLink|0o777, int64(len(to)), 0, 0)
	a.write(to)
	a.pad()
}

func (a *archive) device(p string, perm fs.FileMode, major, minor uint32) {
	a.head(a.clean(p), typeChar|uint32(perm.Perm()), 0, major, minor)
}

func (a *archive) text(p string, perm fs.FileMode, text []byte) {
	a.head(a.clean(p), typeRegular|uint32(perm.Perm()), int64(len(text)), 0, 0)
	a.write(string(text))
	a.pad()
}

// tree adds a file or folder of the host, with all that is in it. Links are kept; what is neither file, folder nor link is left out.
func (a *archive) tree(p, host string) {
	err := filepath.WalkDir(host, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(host, at)
		if err != nil {
			return err
		}
		to := path.Join(p, filepath.ToSlash(rel))
		switch {
		case d.IsDir():
			a.dir(to, info.Mode())
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(at)
			if err != nil {
				return err
			}
			a.link(to, target)
		case d.Type().IsRegular():
			return a.file(to, at, info)
		}
		return a.err
	})
	if a.err == nil {
		a.err = err
	}
}

func (a *archive) file(p, host string, info fs.FileInfo) error {
	f, err := os.Open(host)
	if err != nil {
		return err
	}
	defer f.Close()
	a.head(a.clean(p), typeRegular|uint32(info.Mode().Perm()), info.Size(), 0, 0)
	if a.err != nil {
		return a.err
	}
	n, err := io.CopyN(a.w, f, info.Size())
	a.n += n
	if err != nil {
		return fmt.Errorf("archive %s: %w", host, err)
	}
	a.pad()
	return a.err
}

// close ends the archive. It does not close the writer below.
func (a *archive) close() error {
	a.head("TRAILER!!!", 0, 0, 0, 0)
	if a.err == nil {
		a.err = a.w.Flush()
	}
	return a.err
}
