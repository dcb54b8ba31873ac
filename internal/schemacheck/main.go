// Command schemacheck says whether JSON on its standard input follows a JSON Schema (draft 2020-12), which has to follow its own
// metaschema. It is a module of its own so that its dependencies are not sockeye's.
//
//	sockeye schema >schema.json
//	sockeye list --output json | schemacheck schema.json
//	sockeye list --output ndjson | schemacheck --lines schema.json
//
// Its exit status is 0 if it does, 1 if it does not, and 2 if that cannot be said.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stderr)) }

func run(args []string, in io.Reader, words io.Writer) int {
	lines := slices.Index(args, "--lines")
	if lines >= 0 {
		args = slices.Delete(args, lines, lines+1)
	}
	if len(args) != 1 {
		fmt.Fprintln(words, "usage: schemacheck [--lines] SCHEMA <JSON")
		return 2
	}
	err := check(args[0], in, lines >= 0)
	if err == nil {
		return 0
	}
	fmt.Fprintf(words, "schemacheck: %v\n", err)
	if _, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		return 1
	}
	return 2
}

// check validates one document, or the array of all lines.
func check(file string, in io.Reader, lines bool) error {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	d := json.NewDecoder(in)
	d.UseNumber() // exact
	all := []any{}
	for {
		var v any
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("value %d: %w", len(all)+1, err)
		}
		all = append(all, v)
	}
	switch {
	case lines:
		return schema.Validate(all)
	case len(all) != 1:
		return fmt.Errorf("there are %d documents", len(all))
	}
	return schema.Validate(all[0])
}
