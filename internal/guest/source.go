package guest

import (
	"cmp"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/sockeye-tools/sockeye/internal/guest/wire"
)

// Where the guest has the module.
const (
	source     = "/src"
	binaries   = "/guest/bin"
	modulePath = "github.com/sockeye-tools/sockeye"
)

// sourceFiles are what tests read of the module: go.mod, the folders called testdata, the documents, object files, and the peers as
// internal/peers finds them: ss is that of .peers, netstat is the suite's own. The suite's own ss is /usr/bin/ss.
func sourceFiles(module string) ([]File, error) {
	files := []File{{Guest: source + "/.peers/netstat", Link: "/usr/bin/netstat"}}
	peer := filepath.Join(module, ".peers", "ss.d", "usr")
	for _, pattern := range []string{"bin/ss", "lib*/ld-linux*.so.*", "lib/*-linux-gnu*"} {
		found, err := filepath.Glob(filepath.Join(peer, pattern))
		if err != nil {
			return nil, err
		}
		for _, host := range found {
			rel, err := filepath.Rel(peer, host)
			if err != nil {
				return nil, err
			}
			if pattern == "bin/ss" {
				files = append(files, File{Guest: source + "/.peers/ss", Link: "/init"})
			}
			files = append(files, File{Guest: path.Join(wire.PeerPath, "usr", rel), Host: host})
		}
	}
	for _, name := range []string{"go.mod", "README.md", "CHANGELOG.md", "docs"} {
		if _, err := os.Stat(filepath.Join(module, name)); err == nil {
			files = append(files, File{Guest: path.Join(source, name), Host: filepath.Join(module, name)})
		}
	}
	err := filepath.WalkDir(module, func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			// Others may be at work in the tree.
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		case !d.IsDir() && path.Ext(at) != ".o":
			return nil
		case strings.HasPrefix(d.Name(), ".") && at != module:
			return fs.SkipDir
		case d.Name() == "testdata" || !d.IsDir():
			rel, err := filepath.Rel(module, at)
			if err != nil {
				return err
			}
			files = append(files, File{Guest: path.Join(source, rel), Host: at})
			if d.IsDir() {
				return fs.SkipDir
			}
		}
		return nil
	})
	return files, err
}

// testProgram is a test binary with the folder that its tests run in, and the file that it is in the guest.
func testProgram(host string) (wire.Program, File, error) {
	info, err := buildinfo.ReadFile(host)
	if err != nil {
		return wire.Program{}, File{}, fmt.Errorf("%s: %w", host, err)
	}
	pkg, isTest := strings.CutSuffix(info.Path, ".test")
	rel, ours := strings.CutPrefix(pkg+"/", modulePath+"/")
	dir := "/root"
	if isTest && ours {
		dir = path.Join(source, rel)
	}
	name := strings.ReplaceAll(cmp.Or(strings.TrimSuffix(rel, "/"), filepath.Base(host)), "/", "_")
	at := path.Join(binaries, name)
	return wire.Program{Name: strings.TrimSuffix(rel, "/"), Path: at, Dir: dir}, File{Guest: at, Host: host}, nil
}
