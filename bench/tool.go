package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Names of the tools that are always there.
const (
	toolFloor   = "floor"
	toolSS      = "sockeye ss"
	toolNetstat = "sockeye netstat"
	toolList    = "sockeye list"
)

// Peer is a program given by the user, with its arguments.
type Peer struct {
	Name    string
	Command []string // Command[0] is a path
}

// ParsePeer parses NAME=COMMAND. The command is split into words, and its program looked up in PATH; no shell runs it. The names of the
// tools that are always there are taken.
func ParsePeer(s string) (Peer, error) {
	name, command, ok := strings.Cut(s, "=")
	if !ok || strings.TrimSpace(name) == "" {
		return Peer{}, fmt.Errorf("%s: want NAME=COMMAND", s)
	}
	if slices.Contains([]string{toolFloor, toolSS, toolNetstat, toolList}, name) {
		return Peer{}, fmt.Errorf("%q is what others are compared with: want another name", name)
	}
	words, err := splitWords(command)
	if err != nil {
		return Peer{}, err
	}
	if words[0], err = exec.LookPath(words[0]); err != nil {
		return Peer{}, err
	}
	return Peer{name, words}, nil
}

// Programs are the programs of the host that answer questions. Commands are without the arguments of a question; one that is nil
// or "" is not there.
type Programs struct {
	Sockeye           []string
	SS, Netstat, Lsof []string
	GoPeers           string // the program of bench/peers
	// Others answer one question, the same way whatever is asked.
	Others []Peer
}

// FindPrograms looks for ss, netstat and lsof in PATH, except those that are sockeye under that name. A peer called ss,
// netstat or lsof takes the place of what is in PATH, and is given the arguments of each question.
func FindPrograms(sockeye, path string, peers []Peer) Programs {
	p := Programs{Sockeye: []string{sockeye}}
	for name, command := range map[string]*[]string{"ss": &p.SS, "netstat": &p.Netstat, "lsof": &p.Lsof} {
		if found := lookPath(name, path, sockeye); found != "" {
			*command = []string{found}
		}
	}
	for _, peer := range peers {
		switch peer.Name {
		case "ss":
			p.SS = peer.Command
		case "netstat":
			p.Netstat = peer.Command
		case "lsof":
			p.Lsof = peer.Command
		default:
			p.Others = append(p.Others, peer)
		}
	}
	return p
}

// lookPath finds the first program of that name in path that is not the file except.
func lookPath(name, path, except string) string {
	self, selfErr := os.Stat(except)
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		file := filepath.Join(dir, name)
		st, err := os.Stat(file)
		if err != nil || st.IsDir() || st.Mode()&0o111 == 0 || selfErr == nil && os.SameFile(st, self) {
			continue
		}
		return file
	}
	return ""
}

// tool is a program with its arguments for one question.
type tool struct {
	name    string
	argv    []string
	shown   []string // what a report shows in the place of argv; nil: argv
	against string   // the tool of sockeye that does the same
	counts  bool     // it prints the number of sockets alone
}

// shell runs pipelines.
const shell = "/bin/sh"

// tools are those that answer a question: the floor first, then sockeye.
func (p *Programs) tools(q Question) []tool {
	var ts []tool
	add := func(name, against string, command []string, args ...string) {
		if len(command) > 0 {
			argv := append(append([]string{}, command...), args...)
			ts = append(ts, tool{name: name, argv: argv, against: against, counts: name == toolFloor})
		}
	}
	against := toolSS
	switch {
	case q.List != nil:
		against = toolList
	case q.SS == nil:
		against = toolNetstat
	}
	if q.Floor != nil {
		add(toolFloor, against, p.Sockeye, append([]string{"bench", "floor"}, q.Floor...)...)
	}
	if q.List != nil {
		add(toolList, toolList, p.Sockeye, append([]string{"list"}, q.List...)...)
	}
	if q.SS != nil {
		add(toolSS, toolSS, p.Sockeye, append([]string{"ss"}, q.SS...)...)
	}
	if q.Netstat != nil {
		add(toolNetstat, toolNetstat, p.Sockeye, append([]string{"netstat"}, q.Netstat...)...)
	}
	if q.SS != nil {
		add("ss", toolSS, p.SS, q.SS...)
	}
	if q.Netstat != nil {
		add("netstat", toolNetstat, p.Netstat, q.Netstat...)
	}
	if q.Lsof != nil {
		add("lsof", against, p.Lsof, q.Lsof...)
	}
	for _, pipe := range q.Pipelines {
		if len(p.SS) == 0 {
			break
		}
		// The words of the command that is ss are the script's own.
		script := `"$0" "$@"` + strings.TrimPrefix(pipe.Script, "ss")
		add(pipe.Name, against, []string{shell, "-c", script}, p.SS...)
		ts[len(ts)-1].shown = []string{pipe.Script}
	}
	if p.GoPeers != "" {
		for _, name := range q.GoPeers {
			add(name, against, []string{p.GoPeers}, name)
			ts[len(ts)-1].counts = true
		}
	}
	for _, peer := range p.Others {
		add(peer.Name, against, peer.Command)
	}
	return ts
}

// Program is what is known about a program that took part.
type Program struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// versions asks the programs for their versions; one that does not tell has none.
func (p *Programs) versions(ctx context.Context) []Program {
	var known []Program
	ask := func(name string, pick func(string) string, command []string, args ...string) {
		if len(command) == 0 {
			return
		}
		known = append(known, Program{name, pick(output(ctx, command, args...))})
	}
	ask("sockeye", firstLine, p.Sockeye, "version")
	ask("ss", firstLine, p.SS, "-V")
	ask("netstat", firstLine, p.Netstat, "-V")
	ask("lsof", lsofVersion, p.Lsof, "-v")
	if p.GoPeers != "" {
		for line := range strings.Lines(output(ctx, []string{p.GoPeers}, "version")) {
			if f := strings.Fields(line); len(f) == 3 {
				known = append(known, Program{f[0], printable(f[1] + " " + f[2])})
			}
		}
	}
	for _, peer := range p.Others {
		known = append(known, Program{Name: peer.Name})
	}
	return known
}

// output is what a program prints, to standard error too: lsof has its version there.
func output(ctx context.Context, command []string, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], append(append([]string{}, command[1:]...), args...)...)
	cmd.WaitDelay = time.Second
	b, err := cmd.CombinedOutput()
	if err != nil {
		return ""
	}
	return string(b)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return printable(strings.TrimSpace(line))
}

func lsofVersion(s string) string {
	for line := range strings.Lines(s) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "revision:"); ok {
			return "lsof " + printable(strings.TrimSpace(v))
		}
	}
	return ""
}
