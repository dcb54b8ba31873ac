package chart

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; see what -update changes", file)
	}
}

type shape struct {
	name  string
	attr  map[string]string
	words string
}

func (s *shape) num(t *testing.T, key string) float64 {
	v, err := strconv.ParseFloat(s.attr[key], 64)
	if err != nil {
		t.Fatalf("%s of %s: %v", key, s.name, err)
	}
	return v
}

func parse(t *testing.T, svg string) []shape {
	t.Helper()
	var shapes []shape
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return shapes
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			s := shape{name: tok.Name.Local, attr: map[string]string{}}
			for _, a := range tok.Attr {
				s.attr[a.Name.Local] = a.Value
			}
			shapes = append(shapes, s)
		case xml.CharData:
			if n := len(shapes); n > 0 && shapes[n-1].words == "" {
				shapes[n-1].words = strings.TrimSpace(string(tok))
			}
		}
	}
}

func TestNothingIsClipped(t *testing.T) {
	long := testBars
	long.Panels = []Panel{{Title: "long", Bars: []Bar{
		{Label: "a name of a tool that is quite long", Seconds: 3, Text: "3.00 s", Tone: PeerTone},
		{Label: "b", Seconds: 4000, Unfinished: true, Text: "unfinished after 4000 s, >1,333×", Tone: PeerTone},
	}}}
	crowd := Growth{Title: "crowd", Note: "all alike"}
	for i := range 12 {
		crowd.Lines = append(crowd.Lines, Line{Label: "tool number " + strconv.Itoa(i), Tone: PeerTone + Tone(i), Points: []Point{{10, 1, false}, {1e6, 2, false}}})
	}
	for name, svg := range map[string]string{
		"bars": testBars.SVG(), "long": long.SVG(), "growth": testGrowth.SVG(), "crowd": crowd.SVG(),
		"no bars": (&Bars{}).SVG(), "no lines": (&Growth{}).SVG(),
	} {
		shapes := parse(t, svg)
		width, height := shapes[0].num(t, "width"), shapes[0].num(t, "height")
		type box struct {
			x1, x2, y float64
			words     string
		}
		var boxes []box
		for i := range shapes {
			s := &shapes[i]
			if s.name != "text" {
				continue
			}
			x, y, w := s.num(t, "x"), s.num(t, "y"), textWidth(s.words, fontSize)
			switch class := s.attr["class"]; {
			case strings.Contains(class, "small"):
				w = textWidth(s.words, smallSize)
			case strings.Contains(class, "head"):
				w = SockeyeTone.labelWidth(s.words)
			}
			switch s.attr["text-anchor"] {
			case "end":
				x -= w
			case "middle":
				x -= w / 2
			}
			if x < 0 || x+w > width || y < 10 || y > height-4 {
				t.Errorf("%s: %q at %.0f..%.0f, %.0f leaves the page of %.0f by %.0f", name, s.words, x, x+w, y, width, height)
			}
			for _, b := range boxes {
				if x < b.x2 && b.x1 < x+w && math.Abs(y-b.y) < 11 {
					t.Errorf("%s: %q lies on %q", name, s.words, b.words)
				}
			}
			boxes = append(boxes, box{x, x + w, y, s.words})
		}
	}
}

func TestEscape(t *testing.T) {
	if got := escape("a<b> & \"c\"\x1b[0m\x00\ufffe\uffff"); got != "a&lt;b&gt; &amp; &quot;c&quot;[0m" {
		t.Errorf("%q", got)
	}
}
