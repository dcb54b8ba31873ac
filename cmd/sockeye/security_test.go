package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/sockeye-tools/sockeye/"

// starts are calls that start programs, and writes those that change files. In the packages os, syscall, unix and their like.
var (
	starts = []string{"StartProcess", "ForkExec", "Exec", "Execve", "PtraceAttach"}
	writes = []string{
		"Create", "CreateTemp", "WriteFile", "Mkdir", "MkdirAll", "MkdirTemp", "Remove", "RemoveAll", "Rename", "Symlink", "Link", "Chmod", "Chown", "Truncate", "Chtimes",
		"OpenFile", "OpenRoot", "Creat", "Unlink", "Unlinkat", "Mkdirat", "Renameat", "Mount", "Unmount", "Setxattr", "Mknod",
	}
	// opens change files where their flags say so.
	opens = []string{"Open", "Openat", "Openat2"}
	// asked are the exceptions that a user asks for by name.
	asked = map[string]string{
		"cmd/internal/ss/action_record.go: os.Create": "ss -D FILE",
	}
)

// TestOnlyLooks: what the program is made of, the benchmark excepted, starts no program, and changes no file but those that it is asked to
// write.
func TestOnlyLooks(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("needs the go command")
	}
	out, err := exec.Command(goTool, "list", "-buildvcs=false", "-deps", "-f", "{{.ImportPath}}\t{{.Dir}}\t{{join .GoFiles \" \"}}", module+"cmd/sockeye").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, used := 0, map[string]bool{}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		name, ours := strings.CutPrefix(f[0], module)
		if !ours || len(f) != 3 || name == "bench" || strings.HasPrefix(name, "bench/") || name == "cmd/internal/bench" {
			continue
		}
		for file := range strings.FieldsSeq(f[2]) {
			files++
			for _, what := range changes(t, filepath.Join(f[1], file)) {
				at := name + "/" + file + ": " + what
				if asked[at] == "" {
					t.Errorf("%s", at)
				}
				used[at] = true
			}
		}
	}
	for at, why := range asked {
		if !used[at] {
			t.Errorf("%s (%s) is no more", at, why)
		}
	}
	if files < 100 {
		t.Errorf("only %d files were looked at", files)
	}
}

// changes lists what a file does that changes the system.
func changes(t *testing.T, path string) (list []string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	system := map[string]bool{} // names of packages of system calls
	for _, i := range file.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if p == "os/exec" || p == "plugin" || p == "C" {
			list = append(list, p)
		}
		if p == "os" || p == "syscall" || p == "golang.org/x/sys/unix" || p == "io/ioutil" {
			name := p[strings.LastIndexByte(p, '/')+1:]
			if i.Name != nil {
				name = i.Name.Name
			}
			system[name] = true
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, _ := n.(*ast.CallExpr)
		if call == nil {
			sel, ok := n.(*ast.SelectorExpr) // a function that is called later
			if pkg, is := selected(sel, ok); is && system[pkg] && slices.Contains(starts, sel.Sel.Name) {
				list = append(list, pkg+"."+sel.Sel.Name)
			}
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		pkg, is := selected(sel, ok)
		if !is || !system[pkg] {
			return true
		}
		switch name := sel.Sel.Name; {
		case slices.Contains(writes, name):
			list = append(list, pkg+"."+name)
		case pkg != "os" && slices.Contains(opens, name) && !readOnly(call):
			list = append(list, pkg+"."+name+" to write")
		}
		return true
	})
	return list
}

func selected(sel *ast.SelectorExpr, ok bool) (pkg string, is bool) {
	if !ok {
		return "", false
	}
	id, is := sel.X.(*ast.Ident)
	if !is {
		return "", false
	}
	return id.Name, true
}

// readOnly reports whether the flags of a call that opens a file say that it is for reading. They have to stand in the call.
func readOnly(call *ast.CallExpr) bool {
	said := false
	for _, arg := range call.Args {
		ast.Inspect(arg, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				switch id.Name {
				case "O_RDONLY", "O_PATH":
					said = true
				case "O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND":
					said = false
					return false
				}
			}
			return true
		})
	}
	return said
}

// TestChangesAreSeen: the test above can fail.
func TestChangesAreSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.go")
	const text = `package x
import ("os"; "os/exec"; u "golang.org/x/sys/unix"; "syscall")
var later = syscall.ForkExec
func f() { os.Open("a"); os.Remove("b"); u.Open("c", u.O_RDONLY|u.O_CLOEXEC, 0); u.Open("d", u.O_RDWR, 0); u.Openat(1, "e", 3, 0); exec.Command("f") }
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(changes(t, path), ", ")
	if want := "os/exec, syscall.ForkExec, os.Remove, u.Open to write, u.Openat to write"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestOnlySSKills: closing sockets is ss's alone: no other verb of the program calls for it.
func TestOnlySSKills(t *testing.T) {
	found := 0
	for _, dir := range []string{"../../cmd", "../../internal", "../../render"} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Destroy" {
					found++
					if !strings.Contains(path, "cmd/internal/ss/action_kill") {
						t.Errorf("%s closes sockets", path)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found == 0 {
		t.Error("nobody closes sockets: what does ss -K?")
	}
}
