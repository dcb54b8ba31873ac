package counters

import (
	"bytes"
	"encoding/json"
	"math"
	"time"
)

// jsonRound is a round in JSON. What is not known is absent.
type jsonRound struct {
	Time     time.Time `json:"time"`
	Interval float64   `json:"interval_s,omitzero"` // since the round before
	Counters []jsonRow `json:"counters"`
}

type jsonRow struct {
	Key     string      `json:"key"`            // TcpExt.TCPTimeouts
	File    string      `json:"file"`           // below /proc/net
	Section string      `json:"section"`        // TcpExt
	Name    string      `json:"name"`           // as the file has it
	Kind    string      `json:"kind,omitempty"` // counter or gauge
	Value   json.Number `json:"value"`          // an integer of 64 bits
	Delta   *int64      `json:"delta,omitempty"`
	Rate    *float64    `json:"rate_per_s,omitempty"`
	Meaning string      `json:"meaning,omitempty"`
}

// appendJSON returns a round as a line of JSON.
func appendJSON(r *round) ([]byte, error) {
	j := jsonRound{Time: r.time, Interval: thousandths(r.since.Seconds()), Counters: make([]jsonRow, len(r.rows))}
	for i := range r.rows {
		c := &r.rows[i]
		row := jsonRow{Key: c.key, File: string(c.section.File), Section: c.section.Name, Name: c.Name,
			Value: json.Number(c.AppendValue(nil)), Meaning: c.meaning}
		switch {
		case c.gauge:
			row.Kind = "gauge"
		case c.meaning != "": // otherwise nobody knows
			row.Kind = "counter"
		}
		if c.known {
			row.Delta = &c.delta
		}
		if v, ok := r.rate(c); ok {
			v = thousandths(v)
			row.Rate = &v
		}
		j.Counters[i] = row
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(j)
	return out.Bytes(), err
}

// thousandths rounds to three digits behind the point.
func thousandths(v float64) float64 { return math.Round(v*1000) / 1000 }
