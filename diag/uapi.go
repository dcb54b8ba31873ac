package diag

// Numbers and sizes of the kernel's user interface. Layouts are read field by field with binary.NativeEndian, so what is kept
// here are offsets, each with its origin.

// linux/netlink.h
const (
	sizeofNlMsghdr = 16 // len u32, type u16, flags u16, seq u32, pid u32
	sizeofNlAttr   = 4  // len u16, type u16

	nlmsgNoop    = 1
	nlmsgError   = 2
	nlmsgDone    = 3
	nlmsgOverrun = 4

	nlmFDumpIntr    = 0x10
	nlmFCapped      = 0x100
	nlmFAckTLVs     = 0x200
	nlmsgErrAttrMsg = 1

	nlaFNested  = 0x8000
	nlaTypeMask = 0x3fff // NLA_TYPE_MASK: without NLA_F_NESTED and NLA_F_NET_BYTEORDER
)

// linux/sock_diag.h, linux/inet_diag.h
const (
	sockDiagByFamily = 20
	sockDestroy      = 21
	tcpdiagGetsock   = 18 // walks the established hash once for both families

	sizeofInetDiagReqV2 = 56
	sizeofInetDiagReq   = 60
	sizeofInetDiagMsg   = 72

	inetDiagReqBytecode = 1
	inetDiagReqProtocol = 3
)

// Offsets in struct inet_diag_msg.
const (
	offFamily  = 0
	offState   = 1
	offTimer   = 2
	offRetrans = 3
	offSport   = 4 // network order
	offDport   = 6 // network order
	offSrc     = 8
	offDst     = 24
	offIf      = 40
	offCookie  = 44
	offExpires = 52
	offRqueue  = 56
	offWqueue  = 60
	offUID     = 64
	offInode   = 68
)

// Attr is the number of an inet_diag attribute (INET_DIAG_* of linux/inet_diag.h).
type Attr uint8

// Attributes of a reply.
const (
	AttrMemInfo       Attr = 1
	AttrInfo          Attr = 2 // struct tcp_info, mptcp_info or sctp_info, by protocol
	AttrVegasInfo     Attr = 3
	AttrCong          Attr = 4
	AttrTOS           Attr = 5
	AttrTClass        Attr = 6
	AttrSKMemInfo     Attr = 7
	AttrShutdown      Attr = 8
	AttrDCTCPInfo     Attr = 9
	AttrProtocol      Attr = 10
	AttrSKV6Only      Attr = 11
	AttrLocals        Attr = 12
	AttrPeers         Attr = 13
	AttrMark          Attr = 15
	AttrBBRInfo       Attr = 16
	AttrClassID       Attr = 17
	AttrMD5Sig        Attr = 18
	AttrULPInfo       Attr = 19
	AttrSKBPFStorages Attr = 20
	AttrCgroupID      Attr = 21
	AttrSockOpt       Attr = 22

	attrMax = 23 // attributes from here on are skipped
)

// Ext says which attributes a query asks for, as idiag_ext has it: bit 1<<(Attr-1). Attributes above 8 come by
// themselves, or with one of these as said below.
type Ext uint8

// Attributes that come only when asked for.
const (
	ExtMemInfo   Ext = 1 << (AttrMemInfo - 1)
	ExtInfo      Ext = 1 << (AttrInfo - 1)      // and the MD5 keys and the ULP
	ExtVegasInfo Ext = 1 << (AttrVegasInfo - 1) // and DCTCP's, and BBR's
	ExtCong      Ext = 1 << (AttrCong - 1)
	ExtTOS       Ext = 1 << (AttrTOS - 1)
	ExtTClass    Ext = 1 << (AttrTClass - 1) // and the class id
	ExtSKMemInfo Ext = 1 << (AttrSKMemInfo - 1)
	ExtShutdown  Ext = 1 << (AttrShutdown - 1)
)
