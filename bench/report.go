package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// formatVersion is that of the JSON.
const formatVersion = 1

// Report is a side-by-side comparison.
type Report struct {
	Version int       `json:"version"` // of this format
	Date    time.Time `json:"date"`
	Machine Machine   `json:"machine"`
	Sockets *Sockets  `json:"sockets,omitempty"`
	Lab     *Lab      `json:"lab,omitempty"`
	// Rounds is how often each program was timed.
	Rounds int `json:"rounds"`
	// Limit is the time that one run may take, in seconds.
	Limit       float64      `json:"limit_seconds"`
	Programs    []Program    `json:"programs"`
	Comparisons []Comparison `json:"comparisons"`
}

// Comparison is one question with its answers.
type Comparison struct {
	Question string   `json:"question"`
	Text     string   `json:"text"`
	Results  []Result `json:"results"`
}

// Result is what a question cost one tool. Figures are medians over Runs; there are none when it failed or was unfinished.
type Result struct {
	Tool    string   `json:"tool"`
	Command []string `json:"command"`
	*Figures
	// Unfinished means that a run was ended at the time limit, after which the tool was not run again.
	Unfinished bool `json:"unfinished,omitempty"`
	// AtLeast is how many times longer than sockeye an unfinished tool was at it.
	AtLeast *Multiple `json:"times_sockeye_at_least,omitempty"`
	// Error tells why there is no answer.
	Error string `json:"error,omitempty"`
	// PeakRSS is the largest of all runs, in bytes; 0: not known.
	PeakRSS int64 `json:"peak_rss_bytes,omitempty"`
	// Exit is the last exit status.
	Exit int   `json:"exit,omitempty"`
	Runs []Run `json:"runs,omitempty"` // the timed ones
}

// Figures are the medians of a Result.
type Figures struct {
	Wall  float64 `json:"wall_seconds"`
	CPU   float64 `json:"cpu_seconds"` // user and system
	Lines int64   `json:"lines"`
	Bytes int64   `json:"bytes"`
	// Counted is the number of sockets, of a tool that only counts them.
	Counted *int64 `json:"counted,omitempty"`
	// Sockeye is the result as a multiple of sockeye's, and Floor as one of the floor's.
	Sockeye *Multiple `json:"times_sockeye,omitempty"`
	Floor   *Multiple `json:"times_floor,omitempty"`
}

// Multiple says how many times more than another tool something took.
type Multiple struct {
	Of   string   `json:"of"`
	Wall *float64 `json:"wall,omitempty"`
	CPU  *float64 `json:"cpu,omitempty"`
}

// WriteJSON writes the report as JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

// ReadReport reads a file that WriteJSON wrote.
func ReadReport(file string) (*Report, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r Report
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if r.Version != formatVersion {
		return nil, fmt.Errorf("read %s: %w: version %d, want %d", file, errors.ErrUnsupported, r.Version, formatVersion)
	}
	return &r, nil
}
