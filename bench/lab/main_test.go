package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/sockeye-tools/sockeye/internal/leak"
)

// envRun makes the test binary a program that calls Run with that Config, as JSON, and its arguments.
const envRun = "SOCKEYE_LAB_TEST_RUN"

func TestMain(m *testing.M) {
	ChildMain()
	if v := os.Getenv(envRun); v != "" {
		os.Exit(runMain(v))
	}
	os.Exit(leak.Wrap(m).Run())
}

func runMain(v string) int {
	os.Unsetenv(envRun)
	var cfg Config
	if err := json.Unmarshal([]byte(v), &cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	exit, err := Run(context.Background(), cfg, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return exit
}
