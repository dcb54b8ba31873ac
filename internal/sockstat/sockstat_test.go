package sockstat

import "testing"

// What counts is in use, or in TIME_WAIT.
func TestCount(t *testing.T) {
	type counts struct {
		tcp, udp int
		ok       bool
	}
	for table, want := range map[string]counts{
		"sockets: used 1\nTCP: inuse 5 orphan 0 tw 2 alloc 9 mem 1\nUDP: inuse 4 mem 2\n": {7, 4, true},
		"TCP6: inuse 3\nUDP6: inuse 1\nUDPLITE6: inuse 8\n":                               {3, 1, true},
		"TCP: inuse 0":                    {0, 0, true},
		"TCP: inuse -5 tw 2":              {2, 0, true},
		"TCP: inuse":                      {},
		"TCP: inuse 99999999999999999999": {},
		"UDP: inuse 1":                    {0, 1, false},
		"":                                {},
	} {
		var got counts
		if got.tcp, got.udp, got.ok = Count(table); got != want {
			t.Errorf("%q: %+v, want %+v", table, got, want)
		}
	}
}

// FuzzCount: counts are never less than nothing, and none where the table does not tell.
func FuzzCount(f *testing.F) {
	f.Add("sockets: used 1\nTCP: inuse 5 orphan 0 tw 2 alloc 9 mem 1\nUDP: inuse 4 mem 2\n")
	f.Add("TCP: inuse -5 tw 99999999999999999999")
	f.Fuzz(func(t *testing.T, table string) {
		if tcp, udp, ok := Count(table); tcp < 0 || udp < 0 || !ok && tcp != 0 {
			t.Errorf("%q: %d, %d, %v", table, tcp, udp, ok)
		}
	})
}
