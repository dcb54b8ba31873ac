package guest

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sockeye-tools/sockeye/internal/counts"
)

// packages are those whose tests meet the kernel. What is left out takes minutes there, and is about ss or the source.
var packages = []Package{
	{Path: "internal/guest", Run: "TestDumpsInParallel|TestOwnersFound|TestBoundInactive|TestHandlers"},
	{Path: "diag"},
	{Path: "diag/counters"},
	{Path: "diag/filter", Skip: "TestPickedAsTheyDo|TestWordsAreTheirs|TestParseSSDepth"},
	{Path: "diag/owner"},
	{Path: "diag/exact", Skip: "Churn"},
	{Path: "diag/internal/tcpiter"},
	{Path: "diag/diagtest/scene"},
	{Path: "internal/sockets"},
	{Path: "internal/netns"},
	{Path: "cmd/internal/counters"},
	{Path: "cmd/internal/list", Skip: "TestDocumentedCommandLines"},
	{Path: "cmd/sockeye", Run: "^TestFacesShowTheScene$|^TestPlaces$/^an_unprivileged_user$|^TestRefusedBytecode$|^TestGuestFamilies"},
}

// The tests of all packages above, in the kernels that SOCKEYE_GUESTS names ("all", or suites and releases with commas between).
// SOCKEYE_GUEST_PACKAGES picks packages, with commas between; SOCKEYE_GUEST_LOGS names a folder for their output.
func TestKernels(t *testing.T) {
	names := os.Getenv("SOCKEYE_GUESTS")
	if names == "" {
		t.Skip("takes minutes: make test-kernels, or set SOCKEYE_GUESTS=all")
	}
	module, err := Module()
	if err != nil {
		t.Fatal(err)
	}
	var kernels []*Kernel
	if names == "all" {
		if kernels, err = Kernels(module); err == nil && len(kernels) < len(Suites) {
			err = errors.New("not all kernels are in .guests: run internal/guest/fetch.sh")
		}
	} else {
		for name := range strings.SplitSeq(names, ",") {
			k, e := Open(module, name)
			kernels, err = append(kernels, k), errors.Join(err, e)
		}
	}
	switch {
	case errors.Is(err, os.ErrNotExist) && os.Getenv("SOCKEYE_REQUIRE_GUESTS") != "1":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	chosen := packages
	if only := os.Getenv("SOCKEYE_GUEST_PACKAGES"); only != "" {
		chosen = slices.DeleteFunc(slices.Clone(packages), func(p Package) bool { return !slices.Contains(strings.Split(only, ","), p.Path) })
	}
	suite, err := NewSuite(t.Context(), module, t.TempDir(), chosen)
	if err != nil {
		t.Fatal(err)
	}
	// A guest keeps one processor busy most of the time.
	rows := make([]*Row, len(kernels))
	slots := make(chan struct{}, 2)
	var guests sync.WaitGroup
	for i, k := range kernels {
		guests.Go(func() {
			slots <- struct{}{}
			rows[i] = suite.Run(t.Context(), k, t.Output())
			<-slots
		})
	}
	guests.Wait()
	for _, row := range rows {
		k := row.Kernel
		if row.Err != nil || row.Failed() > 0 {
			t.Errorf("Linux %s: %d tests failed; the guest: %v", k.Release, row.Failed(), row.Err)
		} else {
			counts.Add(t, "kernels", 1)
		}
		skips, err := row.Unexcused()
		if err != nil {
			t.Error(err)
		}
		for _, skip := range skips {
			t.Errorf("Linux %s: %s was skipped, though the guest has its modules: %s", k.Release, skip.Test, skip.Reason)
		}
		if dir := os.Getenv("SOCKEYE_GUEST_LOGS"); dir != "" {
			if err := suite.WriteOutputs(dir, row); err != nil {
				t.Error(err)
			}
		}
	}
	if err := suite.WriteTable(t.Output(), rows); err != nil {
		t.Error(err)
	}
}
