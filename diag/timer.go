package diag

import "strconv"

// Timer is the kind of timer that is running on a socket (idiag_timer of linux/inet_diag.h; the codes are those of the
// "tr" column of /proc/net/tcp, Documentation/networking/proc_net_tcp.rst).
type Timer uint8

// Kinds of timers.
const (
	TimerOff       Timer = 0
	TimerOn        Timer = 1 // retransmission, RACK reordering, tail loss probe, or SYN-ACK
	TimerKeepalive Timer = 2 // keepalive, or FIN_WAIT2's
	TimerTimeWait  Timer = 3
	TimerProbe     Timer = 4 // zero window probe ("persist")
	TimerDelack    Timer = 5 // delayed ACK; reported by recent kernels only
)

// String returns ss's name of the timer, such as "keepalive".
func (t Timer) String() string {
	switch t {
	case TimerOff:
		return "off"
	case TimerOn:
		return "on"
	case TimerKeepalive:
		return "keepalive"
	case TimerTimeWait:
		return "timewait"
	case TimerProbe:
		return "persist"
	case TimerDelack:
		return "delack"
	}
	return "timer-" + strconv.Itoa(int(t))
}
