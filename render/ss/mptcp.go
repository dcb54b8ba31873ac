package ss

import "github.com/sockeye-tools/sockeye/diag"

// appendMPTCP appends mptcp_info.
func (p *Writer) appendMPTCP(b []byte, s *diag.InetSocket) []byte {
	i := &p.mptcp
	if !s.MPTCPInfo(i) {
		return b
	}
	b = count(b, " subflows:", uint64(i.Subflows))
	b = count(b, " add_addr_signal:", uint64(i.AddAddrSignal))
	b = count(b, " add_addr_accepted:", uint64(i.AddAddrAccepted))
	b = count(b, " subflows_max:", uint64(i.SubflowsMax))
	b = count(b, " add_addr_signal_max:", uint64(i.AddAddrSignalMax))
	b = count(b, " add_addr_accepted_max:", uint64(i.AddAddrAcceptedMax))
	if i.Flags&diag.MPTCPFallback != 0 {
		b = append(b, " fallback"...)
	}
	if i.Flags&diag.MPTCPRemoteKey != 0 {
		b = append(b, " remote_key"...)
	}
	if i.Token != 0 {
		b = appendHex(append(b, " token:"...), uint64(i.Token))
	}
	b = count(b, " write_seq:", i.WriteSeq)
	b = count(b, " snd_una:", i.SndUna)
	b = count(b, " rcv_nxt:", i.RcvNxt)
	b = count(b, " local_addr_used:", uint64(i.LocalAddrUsed))
	b = count(b, " local_addr_max:", uint64(i.LocalAddrMax))
	b = count(b, " csum_enabled:", uint64(i.CsumEnabled))
	b = count(b, " retransmits:", uint64(i.Retransmits))
	b = count(b, " bytes_retrans:", i.BytesRetrans)
	b = count(b, " bytes_sent:", i.BytesSent)
	b = count(b, " bytes_received:", i.BytesReceived)
	b = count(b, " bytes_acked:", i.BytesAcked)
	b = count(b, " subflows_total:", uint64(i.SubflowsTotal))
	b = count(b, " endp_laminar_max:", uint64(i.EndpLaminarMax))
	b = count(b, " last_data_sent:", uint64(i.LastDataSent))
	b = count(b, " last_data_recv:", uint64(i.LastDataRecv))
	return count(b, " last_ack_recv:", uint64(i.LastAckRecv))
}
