package peers

import "testing"

func TestMasks(t *testing.T) {
	for _, c := range []struct{ program, in, want string }{
		{"ss", "tcp timer:(on,200ms,3) x", "tcp timer:(on,TIME,3) x"},
		{"ss", "tcp timer:(keepalive,119min,0)", "tcp timer:(keepalive,TIME,0)"},
		{"ss", "tcp timer:(timewait,1min34sec,0)", "tcp timer:(timewait,TIME,0)"},
		{"ss", "tcp timer:(on,8.740sec,2)", "tcp timer:(on,TIME,2)"},
		{"ss", "tcp timer:(persist,,0)", "tcp timer:(persist,TIME,0)"},
		{"ss", "\t cubic lastsnd:12 lastrcv:0 lastack:5 busy:40ms", "\t cubic lastsnd:TIME lastrcv:TIME lastack:TIME busy:TIME"},
		{"ss", "\t rwnd_limited:9ms(99.1%) sndbuf_limited:1ms(0.3%)", "\t rwnd_limited:TIME sndbuf_limited:TIME"},
		{"ss", "\t last_data_sent:4 last_data_recv:4 last_ack_recv:4", "\t last_data_sent:TIME last_data_recv:TIME last_ack_recv:TIME"},
		// Not what stays as it is, nor what has another form.
		{"ss", " timer:(on,8.74sec,2)", ""}, {"ss", " timer:(on,200,0)", ""}, {"ss", " timer:(on,200ms)", ""}, {"ss", " timer:(ON,200ms,0)", ""},
		{"ss", " lastsnd:1.5e3", " lastsnd:TIME.5e3"},
		{"ss", " lastsnd:", ""}, {"ss", " busy:40", ""}, {"ss", " lastsnd:x", ""},
		{"ss", " rto:204 rtt:0.03/0.01 minrtt:0.02 bytes_acked:7 pacing_rate 1Mbps", ""},
		{"ss", " rwnd_limited:9ms(99%)", ""}, {"ss", " xlastsnd:4", ""},
		{"netstat", "tcp LISTEN on (13.81/8/0)", "tcp LISTEN on (TIME/8/0)"},
		{"netstat", "tcp keepalive (7177.04/0/2)", "tcp keepalive (TIME/0/2)"},
		{"netstat", "tcp off (0.00/0/0)", ""}, {"netstat", "tcp on (13.8/8/0)", ""}, {"netstat", "tcp on (13.81/8/0) ", ""},
	} {
		want := c.want
		if want == "" {
			want = c.in
		}
		got := c.in
		for _, m := range programs[c.program].masks {
			got = m.Pattern.ReplaceAllString(got, m.With)
		}
		if got != want {
			t.Errorf("%s: %q becomes %q, want %q", c.program, c.in, got, want)
		}
	}
}

func TestFoldBlanks(t *testing.T) {
	if got := foldBlanks("  a   b \t  c   "); got != " a b \t c" {
		t.Errorf("%q", got)
	}
}
