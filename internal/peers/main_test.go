package peers

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Wrap(m).Run()) }
