package counters_test

import (
	"fmt"
	"log"

	"github.com/sockeye-tools/sockeye/diag/counters"
)

func Example() {
	sections, err := counters.Read("testdata", counters.SNMP) // "" in the place of testdata: this host
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range sections {
		for _, c := range s.Counters {
			if c.Value != 0 && s.Name == "Udp" {
				fmt.Printf("%s %s  %s\n", s.Key(c), c.AppendValue(nil), s.Meaning(c))
			}
		}
	}
	// Output:
	// Udp.NoPorts 2  datagrams received for a port that no socket had
	// Udp.OutDatagrams 2  datagrams sent
}
