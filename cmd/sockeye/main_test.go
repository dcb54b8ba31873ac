package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sockeye-tools/sockeye/bench/lab"
	"github.com/sockeye-tools/sockeye/internal/leak"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// In test scripts, sockeye, ss and netstat are this program by those names.
func TestMain(m *testing.M) {
	lab.ChildMain()
	testscript.Main(leak.Wrap(peers.Wrap(m)), map[string]func(){"sockeye": main, "ss": main, "netstat": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Geteuid() == 0, nil
		},
	})
}
