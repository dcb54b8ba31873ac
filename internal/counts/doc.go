// Package counts collects what the tests tried: faults injected, bad inputs, dumps under churn, privilege settings. A test that does
// n of something says so:
//
//	counts.Add(t, "faults injected", n)
//
// Nothing happens unless the environment's SOCKEYE_COUNTS names a file; then a line "name TAB n TAB test" is appended to it, and
// command table makes the table of docs/trust.md of all of them (make counts). Names in use are those of [Names]; others make the
// test fail, so that no figure gets lost by a misspelling.
package counts
