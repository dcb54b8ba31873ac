package field

import "github.com/sockeye-tools/sockeye/diag"

// optionFields are socket options, and which directions were shut down.
func optionFields() []*Field {
	u8 := func(get func(*diag.InetSocket) (uint8, bool)) func(*Context, *diag.InetSocket) (uint64, bool) {
		return func(_ *Context, s *diag.InetSocket) (uint64, bool) {
			v, ok := get(s)
			return uint64(v), ok
		}
	}
	bit := func(name string, o diag.SockOpt, since, doc string) *Field {
		return &Field{Name: name, Kind: Flag, Since: since, Doc: doc, number: func(_ *Context, s *diag.InetSocket) (uint64, bool) {
			v, ok := s.SockOpt()
			return flag(v&o != 0), ok
		}}
	}
	shut := func(name string, b uint8, doc string) *Field {
		return &Field{Name: name, Kind: Flag, Doc: doc, Ext: diag.ExtShutdown, number: func(_ *Context, s *diag.InetSocket) (uint64, bool) {
			v, ok := s.Shutdown()
			return flag(v&b != 0), ok
		}}
	}
	all := []*Field{
		{Name: "tos", Kind: Number, Ext: diag.ExtTOS, Doc: "IP_TOS", number: u8((*diag.InetSocket).TOS)},
		{Name: "tclass", Kind: Number, Ext: diag.ExtTClass, Doc: "IPV6_TCLASS", number: u8((*diag.InetSocket).TClass)},
		{Name: "class_id", Kind: Number, Ext: diag.ExtTClass, Since: "4.12", Doc: "class id of the net_cls control group, or SO_PRIORITY",
			number: func(_ *Context, s *diag.InetSocket) (uint64, bool) {
				v, ok := s.ClassID()
				return uint64(v), ok
			}},
		shut("rcv_shutdown", diag.RcvShutdown, "nothing more is read: shut down here, or the peer sent its FIN"),
		shut("snd_shutdown", diag.SendShutdown, "nothing more is sent"),
		{Name: "v6only", Kind: Flag, Doc: "IPV6_V6ONLY, of sockets without a peer", number: func(_ *Context, s *diag.InetSocket) (uint64, bool) {
			v, ok := s.V6Only()
			return flag(v), ok
		}},
		bit("freebind", diag.OptFreebind, "5.10", "IP_FREEBIND: may bind to an address that is not there"),
		bit("transparent", diag.OptTransparent, "5.10", "IP_TRANSPARENT: may bind to addresses of others"),
		bit("bind_address_no_port", diag.OptBindAddressNoPort, "5.10", "IP_BIND_ADDRESS_NO_PORT: the port is chosen by connect(2)"),
		bit("recverr", diag.OptRecvErr, "5.10", "IP_RECVERR"),
		bit("mc_loop", diag.OptMCLoop, "5.10", "IP_MULTICAST_LOOP"),
		bit("defer_connect", diag.OptDeferConnect, "5.10", "TCP_FASTOPEN_CONNECT: the SYN waits for data"),
		{Name: "ulp", Kind: Text, Ext: diag.ExtInfo, Since: "5.5", Doc: "upper layer protocol, such as tls or mptcp; before 6.15 only with CAP_NET_ADMIN",
			text: func(c *Context, dst []byte, s *diag.InetSocket) ([]byte, bool) {
				if !s.ULP(&c.ulp) {
					return dst, false
				}
				return append(dst, c.ulp.Name...), len(c.ulp.Name) > 0
			}},
	}
	for _, f := range all {
		f.Group, f.Where, f.Key, f.Attr = Options, Here, f.Name, true
	}
	return all
}
