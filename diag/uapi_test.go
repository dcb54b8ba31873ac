package diag

import (
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/cilium/ebpf/btf"
)

// kernelBTF returns the types of the running kernel.
func kernelBTF(t *testing.T) *btf.Spec {
	t.Helper()
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		t.Skipf("needs CONFIG_DEBUG_INFO_BTF: %v", err)
	}
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		t.Skipf("needs a readable /sys/kernel/btf/vmlinux: %v", err)
	}
	return spec
}

// moduleBTF returns the types of a kernel module; nil if it is built in, or not loaded.
func moduleBTF(t *testing.T, module string) *btf.Spec {
	t.Helper()
	spec, err := btf.LoadKernelModuleSpec(module)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("BTF of %s: %v", module, err)
	}
	return spec
}

// inetDiagBTF returns the types of the running kernel with those of inet_diag, which is a module in some.
func inetDiagBTF(t *testing.T) *btf.Spec {
	t.Helper()
	if spec := moduleBTF(t, "inet_diag"); spec != nil {
		return spec
	}
	spec := kernelBTF(t)
	if _, err := spec.AnyTypeByName("inet_diag_msg"); errors.Is(err, btf.ErrNotFound) {
		t.Skip("needs inet_diag, which is a module here, and not loaded")
	}
	return spec
}

// members returns the byte offsets of a kernel struct's members, those of nested structs as outer.inner; bit fields have their
// bit offset in bits.
func members(t *testing.T, spec *btf.Spec, name string) (size int, bytes map[string]int, bits map[string]int) {
	t.Helper()
	var st *btf.Struct
	if err := spec.TypeByName(name, &st); err != nil {
		t.Fatalf("struct %s: %v", name, err)
	}
	bytes, bits = map[string]int{}, map[string]int{}
	var walk func(prefix string, ms []btf.Member, base btf.Bits)
	walk = func(prefix string, ms []btf.Member, base btf.Bits) {
		for _, m := range ms {
			at := base + m.Offset
			if m.BitfieldSize != 0 {
				bits[prefix+m.Name] = int(at)
				continue
			}
			bytes[prefix+m.Name] = int(at.Bytes())
			switch u := btf.UnderlyingType(m.Type).(type) {
			case *btf.Struct:
				walk(prefix+m.Name+".", u.Members, at)
			case *btf.Union:
				walk(prefix+m.Name+".", u.Members, at)
			}
		}
	}
	walk("", st.Members, 0)
	return int(st.Size), bytes, bits
}

// layout checks that the fields of the Go struct lie where the kernel has its members, which are matched by name: without
// underscores, behind prefix, in lower case. Fields beyond the size of an older kernel's struct are not looked for, nor those that
// took the place of its padding.
func layout(t *testing.T, spec *btf.Spec, goType reflect.Type, kernelName, prefix string, inPadding ...string) {
	t.Helper()
	size, bytes, _ := members(t, spec, kernelName)
	byName := map[string]int{}
	for m, at := range bytes {
		byName[strings.ReplaceAll(strings.TrimPrefix(m, prefix), "_", "")] = at
	}
	checked := 0
	for f := range goType.Fields() {
		if f.Name == "_" || !f.IsExported() || int(f.Offset) >= size {
			continue
		}
		want := strings.ToLower(f.Name)
		at, ok := byName[want]
		if !ok && slices.Contains(inPadding, f.Name) {
			continue
		}
		if !ok {
			t.Errorf("%s has no member %q for field %s", kernelName, want, f.Name)
		} else if at != int(f.Offset) {
			t.Errorf("%s.%s is at %d, the kernel's at %d", goType.Name(), f.Name, f.Offset, at)
		}
		checked++
	}
	if checked < 10 {
		t.Errorf("only %d fields of %s were compared", checked, goType.Name())
	}
}

func TestLayoutOfTheRunningKernel(t *testing.T) {
	spec := kernelBTF(t)
	layout(t, spec, reflect.TypeFor[TCPInfo](), "tcp_info", "tcpi_")
	layout(t, spec, reflect.TypeFor[MPTCPInfo](), "mptcp_info", "mptcpi_", "Retransmits", "EndpLaminarMax", "EndpFullmeshMax")

	_, bytes, bits := members(t, spec, "tcp_info")
	at := bits["tcpi_snd_wscale"] / 8
	if at != int(unsafe.Offsetof(TCPInfo{}.wscale)) || bits["tcpi_rcv_wscale"]/8 != at || at != bytes["tcpi_options"]+1 {
		t.Errorf("wscale is at %d", at)
	}
	flags := 8 * int(unsafe.Offsetof(TCPInfo{}.flags))
	for name, want := range map[string]int{"tcpi_delivery_rate_app_limited": 0, "tcpi_fastopen_client_fail": 1} {
		if bigEndian {
			want = 7 - want // counted from the top; the second is two bits wide
		}
		if got, ok := bits[name]; ok && !bigEndian && got != flags+want {
			t.Errorf("%s is at bit %d, want %d", name, got, flags+want)
		}
	}

	spec = inetDiagBTF(t)
	size, bytes, _ := members(t, spec, "inet_diag_msg")
	if size != sizeofInetDiagMsg {
		t.Errorf("inet_diag_msg has %d bytes, want %d", size, sizeofInetDiagMsg)
	}
	for name, want := range map[string]int{
		"idiag_family": offFamily, "idiag_state": offState, "idiag_timer": offTimer, "idiag_retrans": offRetrans,
		"id.idiag_sport": offSport, "id.idiag_dport": offDport, "id.idiag_src": offSrc, "id.idiag_dst": offDst,
		"id.idiag_if": offIf, "id.idiag_cookie": offCookie, "idiag_expires": offExpires, "idiag_rqueue": offRqueue,
		"idiag_wqueue": offWqueue, "idiag_uid": offUID, "idiag_inode": offInode,
	} {
		if at, ok := bytes[name]; !ok || at != want {
			t.Errorf("%s is at %d %v, want %d", name, at, ok, want)
		}
	}
	size, bytes, _ = members(t, spec, "inet_diag_req_v2")
	if size != sizeofInetDiagReqV2 || bytes["idiag_ext"] != 2 || bytes["idiag_states"] != 4 || bytes["id"] != 8 {
		t.Errorf("inet_diag_req_v2: %d bytes, %v", size, bytes)
	}
	size, bytes, _ = members(t, spec, "inet_diag_req")
	if size != sizeofInetDiagReq || bytes["idiag_ext"] != 3 || bytes["idiag_states"] != 52 {
		t.Errorf("inet_diag_req: %d bytes, %v", size, bytes)
	}
}

func TestNumbersOfTheRunningKernel(t *testing.T) {
	kernel := map[string]uint64{}
	for _, spec := range []*btf.Spec{kernelBTF(t), moduleBTF(t, "inet_diag"), moduleBTF(t, "tls")} {
		if spec == nil {
			continue
		}
		for typ, err := range spec.All() {
			if err != nil {
				t.Fatal(err)
			}
			e, ok := typ.(*btf.Enum)
			if !ok {
				continue
			}
			for _, v := range e.Values {
				if strings.HasPrefix(v.Name, "INET_DIAG_") || strings.HasPrefix(v.Name, "MPTCP_SUBFLOW_ATTR_") ||
					strings.HasPrefix(v.Name, "INET_ULP_INFO_") || strings.HasPrefix(v.Name, "TLS_INFO_") ||
					strings.HasPrefix(v.Name, "TCP_") {
					kernel[v.Name] = v.Value
				}
			}
		}
	}
	found := 0
	for name, want := range map[string]int{
		"INET_DIAG_MEMINFO": int(AttrMemInfo), "INET_DIAG_INFO": int(AttrInfo), "INET_DIAG_VEGASINFO": int(AttrVegasInfo),
		"INET_DIAG_CONG": int(AttrCong), "INET_DIAG_TOS": int(AttrTOS), "INET_DIAG_TCLASS": int(AttrTClass),
		"INET_DIAG_SKMEMINFO": int(AttrSKMemInfo), "INET_DIAG_SHUTDOWN": int(AttrShutdown), "INET_DIAG_DCTCPINFO": int(AttrDCTCPInfo),
		"INET_DIAG_PROTOCOL": int(AttrProtocol), "INET_DIAG_SKV6ONLY": int(AttrSKV6Only), "INET_DIAG_LOCALS": int(AttrLocals),
		"INET_DIAG_PEERS": int(AttrPeers), "INET_DIAG_MARK": int(AttrMark), "INET_DIAG_BBRINFO": int(AttrBBRInfo),
		"INET_DIAG_CLASS_ID": int(AttrClassID), "INET_DIAG_MD5SIG": int(AttrMD5Sig), "INET_DIAG_ULP_INFO": int(AttrULPInfo),
		"INET_DIAG_SK_BPF_STORAGES": int(AttrSKBPFStorages), "INET_DIAG_CGROUP_ID": int(AttrCgroupID),
		"INET_DIAG_SOCKOPT": int(AttrSockOpt), "INET_DIAG_REQ_BYTECODE": inetDiagReqBytecode, "INET_DIAG_REQ_PROTOCOL": inetDiagReqProtocol,
		"INET_ULP_INFO_NAME": ulpName, "INET_ULP_INFO_TLS": ulpTLS, "INET_ULP_INFO_MPTCP": ulpMPTCP,
		"TLS_INFO_VERSION": tlsVersion, "TLS_INFO_CIPHER": tlsCipher, "TLS_INFO_TXCONF": tlsTxConf, "TLS_INFO_RXCONF": tlsRxConf,
		"TLS_INFO_ZC_RO_TX": tlsZCROTx, "TLS_INFO_RX_NO_PAD": tlsRxNoPad,
		"MPTCP_SUBFLOW_ATTR_TOKEN_REM": subTokenRem, "MPTCP_SUBFLOW_ATTR_TOKEN_LOC": subTokenLoc,
		"MPTCP_SUBFLOW_ATTR_RELWRITE_SEQ": subRelSeq, "MPTCP_SUBFLOW_ATTR_MAP_SEQ": subMapSeq, "MPTCP_SUBFLOW_ATTR_MAP_SFSEQ": subMapSFSeq,
		"MPTCP_SUBFLOW_ATTR_SSN_OFFSET": subSSNOff, "MPTCP_SUBFLOW_ATTR_MAP_DATALEN": subMapLen, "MPTCP_SUBFLOW_ATTR_FLAGS": subFlags,
		"MPTCP_SUBFLOW_ATTR_ID_REM": subIDRem, "MPTCP_SUBFLOW_ATTR_ID_LOC": subIDLoc,
		"TCP_ESTABLISHED": int(Established), "TCP_SYN_SENT": int(SynSent), "TCP_SYN_RECV": int(SynRecv), "TCP_FIN_WAIT1": int(FinWait1),
		"TCP_FIN_WAIT2": int(FinWait2), "TCP_TIME_WAIT": int(TimeWait), "TCP_CLOSE": int(Close), "TCP_CLOSE_WAIT": int(CloseWait),
		"TCP_LAST_ACK": int(LastAck), "TCP_LISTEN": int(Listen), "TCP_CLOSING": int(Closing), "TCP_NEW_SYN_RECV": int(NewSynRecv),
		"TCP_BOUND_INACTIVE": int(BoundInactive),
	} {
		if v, ok := kernel[name]; ok { // an older kernel knows fewer
			found++
			if v != uint64(want) {
				t.Errorf("%s is %d, the kernel's %d", name, want, v)
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d enumerators were compared", found)
	}
}

// What the headers of Linux 6.18 say, for machines without BTF.
func TestLayoutByConstants(t *testing.T) {
	var tcp TCPInfo
	var mptcp MPTCPInfo
	var sctp SCTPInfo
	for name, v := range map[string][2]uintptr{
		"tcp_info":               {unsafe.Offsetof(tcp.n), 280},
		"tcpi_rto":               {unsafe.Offsetof(tcp.RTO), 8},
		"tcpi_rtt":               {unsafe.Offsetof(tcp.RTT), 68},
		"tcpi_total_retrans":     {unsafe.Offsetof(tcp.TotalRetrans), 100},
		"tcpi_pacing_rate":       {unsafe.Offsetof(tcp.PacingRate), 104},
		"tcpi_segs_out":          {unsafe.Offsetof(tcp.SegsOut), 136},
		"tcpi_notsent_bytes":     {unsafe.Offsetof(tcp.NotsentBytes), 144},
		"tcpi_delivery_rate":     {unsafe.Offsetof(tcp.DeliveryRate), 160},
		"tcpi_busy_time":         {unsafe.Offsetof(tcp.BusyTime), 168},
		"tcpi_delivered":         {unsafe.Offsetof(tcp.Delivered), 192},
		"tcpi_bytes_sent":        {unsafe.Offsetof(tcp.BytesSent), 200},
		"tcpi_rcv_ooopack":       {unsafe.Offsetof(tcp.RcvOOOPack), 224},
		"tcpi_rcv_wnd":           {unsafe.Offsetof(tcp.RcvWnd), 232},
		"tcpi_total_rto":         {unsafe.Offsetof(tcp.TotalRTO), 240},
		"tcpi_received_ce":       {unsafe.Offsetof(tcp.ReceivedCE), 248},
		"tcpi_received_ce_bytes": {unsafe.Offsetof(tcp.ReceivedCEBytes), 272},
		"mptcp_info":             {unsafe.Offsetof(mptcp.n), 96},
		"mptcpi_flags":           {unsafe.Offsetof(mptcp.Flags), 8},
		"mptcpi_write_seq":       {unsafe.Offsetof(mptcp.WriteSeq), 16},
		"mptcpi_local_addr":      {unsafe.Offsetof(mptcp.LocalAddrUsed), 40},
		"mptcpi_bytes_retrans":   {unsafe.Offsetof(mptcp.BytesRetrans), 48},
		"mptcpi_subflows_tot":    {unsafe.Offsetof(mptcp.SubflowsTotal), 80},
		"mptcpi_last_ack_recv":   {unsafe.Offsetof(mptcp.LastAckRecv), 92},
		"sctpi_unackdata":        {unsafe.Offsetof(sctp.UnackData), 12},
		"sctpi_peer_capable":     {unsafe.Offsetof(sctp.PeerCapable), 52},
		"sctpi_isacks":           {unsafe.Offsetof(sctp.ISacks), 56},
		"sctpi_p_address":        {unsafe.Offsetof(sctp.PrimaryAddr), 168},
		"sctpi_p_state":          {unsafe.Offsetof(sctp.PrimaryState), 296},
		"sctpi_p_ssthresh":       {unsafe.Offsetof(sctp.PrimarySSThresh), 328},
		"sctpi_p_error":          {unsafe.Offsetof(sctp.PrimaryError), 340},
		"sctpi_s_autoclose":      {unsafe.Offsetof(sctp.SockAutoclose), 344},
		"sctpi_s_nodelay":        {unsafe.Offsetof(sctp.SockNoDelay), 356},
		"sctpi_s_type":           {unsafe.Offsetof(sctp.SockType), 360},
		"sctp_info":              {unsafe.Offsetof(sctp.n), 368},
	} {
		if v[0] != v[1] {
			t.Errorf("%s: %d, want %d", name, v[0], v[1])
		}
	}
}
