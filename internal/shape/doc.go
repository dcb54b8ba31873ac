// Package shape puts rows in order and counts them: sorting by several keys with the first N kept in bounded memory, and groups
// with sums, averages and percentiles. It knows nothing of sockets: keys and rows are bytes.
package shape
