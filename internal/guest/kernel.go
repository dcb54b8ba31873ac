package guest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Suites are Debian's releases whose kernels are fetched, the oldest first.
var Suites = []string{"bookworm", "trixie", "sid"}

// A Kernel is one that was fetched.
type Kernel struct {
	Suite   string // of Debian: bookworm, ...
	Release string // as uname -r tells it
	dir     string // the suite's folder in .guests
}

// Kernels are those that were fetched to the folder .guests of the module, the oldest first. With none the error is os.ErrNotExist.
func Kernels(module string) ([]*Kernel, error) {
	var kernels []*Kernel
	for _, suite := range Suites {
		dir := filepath.Join(module, ".guests", suite)
		release, err := os.ReadFile(filepath.Join(dir, "release"))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		kernels = append(kernels, &Kernel{Suite: suite, Release: strings.TrimSpace(string(release)), dir: dir})
	}
	if len(kernels) == 0 {
		return nil, fmt.Errorf("%s/.guests: %w: run internal/guest/fetch.sh", module, os.ErrNotExist)
	}
	return kernels, nil
}

// modules are the names of those that guests load, in that order.
func (k *Kernel) modules() ([]string, error) {
	order, err := os.ReadFile(filepath.Join(k.dir, "modules", "order"))
	if err != nil {
		return nil, err
	}
	return strings.Fields(strings.ReplaceAll(string(order), ".ko\n", "\n")), nil
}

// Open is the kernel of a suite, or the one whose release begins with the name: "bookworm", "6.1", "7". Its error is os.ErrNotExist where
// there is none.
func Open(module, name string) (*Kernel, error) {
	kernels, err := Kernels(module)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(kernels, func(k *Kernel) bool {
		return name == k.Suite || name == k.Release || strings.HasPrefix(k.Release, name+".")
	})
	if i < 0 {
		return nil, fmt.Errorf("kernel %q: %w in .guests", name, os.ErrNotExist)
	}
	return kernels[i], nil
}

// Module is the closest folder with a go.mod, from the working directory upwards.
func Module() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod above %s: %w", start, os.ErrNotExist)
		}
	}
}
