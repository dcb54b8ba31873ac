// Package inet writes addresses.
package inet

// AppendIPv4 appends an IPv4 address in dotted decimal. It is quicker than netip.Addr.AppendTo: every row has two addresses.
func AppendIPv4(dst []byte, a [4]byte) []byte {
	n := len(dst)
	dst = append(dst, "255.255.255.255"...)
	for i, v := range a {
		if i > 0 {
			dst[n] = '.'
			n++
		}
		if v >= 100 {
			dst[n] = '0' + v/100
			n++
		}
		if v >= 10 {
			dst[n] = '0' + v/10%10
			n++
		}
		dst[n] = '0' + v%10
		n++
	}
	return dst[:n]
}
