// Package bench times programs that show sockets side by side: on the same host, at the same time, with the same question.
//
// Each program runs as a child whose output goes to a file in memory, is counted, and is thrown away. The first round warms up
// caches and measures memory; the rounds that follow are timed, and alternate between the programs, so that what else the host does
// meets all of them alike. Figures are medians. Beside the programs runs the floor, which only sends the requests of ss(8) and
// receives the answers: see package bench/floor.
package bench
