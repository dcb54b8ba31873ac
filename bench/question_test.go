package bench

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func TestQuestionsByName(t *testing.T) {
	names := func(qs []Question) string {
		var n []string
		for _, q := range qs {
			n = append(n, q.Name)
		}
		return strings.Join(n, " ")
	}
	usual, err := QuestionsByName(nil)
	if err != nil || names(usual) != "tan tani tanp tln tlnp tn-sport1 by-state by-process worst-rtt rtt-over ndjson" {
		t.Errorf("the usual questions: %s, %v", names(usual), err)
	}
	if got, err := QuestionsByName([]string{"startup", "tan", "startup"}); err != nil || names(got) != "startup tan" {
		t.Errorf("named: %s, %v", names(got), err)
	}
	if _, err := QuestionsByName([]string{"tan", "nope"}); err == nil || !strings.Contains(err.Error(), `"nope"`) || !strings.Contains(err.Error(), "close-wait") {
		t.Errorf("unknown: %v", err)
	}
}

func TestQuestions(t *testing.T) {
	seen := map[string]bool{}
	for _, q := range Questions() {
		if seen[q.Name] || q.Name == "" || q.Text == "" || q.SS == nil && q.Netstat == nil && q.List == nil {
			t.Errorf("%+v", q)
		}
		seen[q.Name] = true
	}
}

// The requests were read off ss of iproute2 7.3 with strace(1).
func TestFloorAsksWhatSSAsks(t *testing.T) {
	idle := diag.StatesOf(diag.SynRecv, diag.TimeWait, diag.Close, diag.Listen)
	for name, want := range map[string]diag.States{
		"tan": diag.AllStates, "tani": diag.AllStates, "tanp": diag.AllStates,
		"tln": diag.StatesOf(diag.Close, diag.Listen), "tlnp": diag.StatesOf(diag.Close, diag.Listen),
		"tn-sport1": diag.AllStates &^ idle, "close-wait": diag.StatesOf(diag.CloseWait),
	} {
		qs, err := QuestionsByName([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		args := qs[0].Floor
		i := slices.Index(args, "--states")
		if got := fmt.Sprintf("%#x", uint32(want)); i < 0 || args[i+1] != got {
			t.Errorf("%s: the floor has %q, want states %s", name, args, got)
		}
		ext := "0x0"
		if name == "tani" {
			ext = fmt.Sprintf("%#x", 1<<(diag.AttrInfo-1)|1<<(diag.AttrVegasInfo-1)|1<<(diag.AttrCong-1))
		}
		if i := slices.Index(args, "--ext"); i < 0 || args[i+1] != ext {
			t.Errorf("%s: the floor has %q, want ext %s", name, args, ext)
		}
	}
}
