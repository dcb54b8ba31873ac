package counts

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// File is the environment variable that names the file that is appended to.
const File = "SOCKEYE_COUNTS"

// Names are the counts, in the order of the table.
var Names = []string{
	"fuzz targets",
	"fuzz executions",
	"faults injected",
	"bad inputs",
	"dumps under churn",
	"sockets expected",
	"sockets lost",
	"sockets repeated",
	"owners invented",
	"kernels",
	"privilege settings",
}

// Add records that the test did n of name. What the test is not sure of (a subtest that was skipped) it must not add. Zero is a
// figure too: "sockets lost" 0 says that it was looked for.
func Add(t testing.TB, name string, n int) {
	t.Helper()
	if !slices.Contains(Names, name) {
		t.Fatalf("counts: %q is not one of %q", name, Names)
	}
	if err := Append(name, n, t.Name()); err != nil {
		t.Error(err)
	}
}

// Append is Add for what is no test; source says what it is.
func Append(name string, n int, source string) error {
	path := os.Getenv(File)
	if path == "" {
		return nil
	}
	if err := appendTo(path, name, n, source); err != nil {
		return fmt.Errorf("counts: %w", err)
	}
	return nil
}

// appendTo writes one line by one write, so that those of programs that run at the same time do not mix.
func appendTo(path, name string, n int, test string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	test = strings.NewReplacer("\t", " ", "\n", " ").Replace(test)
	_, err = fmt.Fprintf(f, "%s\t%d\t%s\n", name, n, test)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
