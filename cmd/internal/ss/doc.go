// Package ss is the face of sockeye that takes the command lines of ss(8) of iproute2 7.3.
package ss
