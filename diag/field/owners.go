package field

import (
	"math"
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
)

// ownerFields are those of the processes that hold a socket.
func ownerFields() []*Field {
	detail := func(get func(*Context, *Holder) string) func(*Context, *Holder) (string, bool) {
		return func(c *Context, h *Holder) (string, bool) {
			if !h.load(c) {
				return "", false
			}
			v := get(c, h)
			return v, v != ""
		}
	}
	fields := []*Field{
		{Name: "pid", Doc: "process that holds the socket", Kind: Number, Many: true},
		{Name: "process", Aliases: []string{"comm", "program", "proc"}, Doc: "its name (comm), up to 15 bytes that it chose", Kind: Text,
			holder: func(_ *Context, h *Holder) (string, bool) { return h.Comm, h.Known }},
		{Name: "cmdline", Aliases: []string{"cmd", "args"}, Doc: "its command line, up to 4096 bytes", Kind: Text,
			holder: detail(func(_ *Context, h *Holder) string { return h.cmdline })},
		{Name: "process_user", Aliases: []string{"puser"}, Doc: "user that it runs as (effective)", Kind: Text,
			holder: detail(func(c *Context, h *Holder) string { return c.userName(h.uid) })},
		{Name: "process_cgroup", Aliases: []string{"pcgroup"}, Doc: "its control group", Kind: Text,
			holder: detail(func(_ *Context, h *Holder) string { return h.cgroup })},
		{Name: "unit", Aliases: []string{"service", "systemd"}, Doc: "systemd unit that it runs in, from its control group", Kind: Text,
			holder: detail(func(_ *Context, h *Holder) string { return h.place.Unit })},
		{Name: "container", Doc: "id of the container that it runs in, from its control group", Kind: Text,
			holder: detail(func(_ *Context, h *Holder) string { return h.place.Container })},
		{Name: "runtime", Doc: "runtime of the container", Kind: Text, Values: "docker podman containerd cri-o lxc nspawn buildah",
			holder: detail(func(_ *Context, h *Holder) string { return h.place.Runtime })},
		{Name: "pod", Aliases: []string{"pod_uid"}, Doc: "uid of the Kubernetes pod that it runs in, from its control group", Kind: Text,
			holder: detail(func(_ *Context, h *Holder) string { return h.place.Pod })},
	}
	for _, f := range fields {
		f.Many = true
	}
	fields = append(fields,
		&Field{Name: "socket_unit", Attr: true, Doc: "systemd socket unit that opened it, or its listener: from the socket's control group, or, of one that systemd holds, from the unit files",
			Kind: Text, word: (*Context).socketUnit},
		&Field{Name: "no_owner", Aliases: []string{"ownerless"}, Doc: "why no process is known to hold the socket", Kind: Text,
			Values: "time-wait syn-recv unaccepted orphan unseen unknown",
			word: func(c *Context, s *diag.InetSocket) (string, bool) {
				why := c.WhyNone(s)
				return why, why != ""
			}},
		&Field{Name: "owner", Doc: "NAME[PID] of each process that holds the socket; no text for filters: use process or pid", Kind: Text, Shown: true,
			text: func(c *Context, dst []byte, s *diag.InetSocket) ([]byte, bool) {
				return AppendOwners(c, dst, s, math.MaxInt)
			}},
	)
	for _, f := range fields {
		f.Group, f.Where, f.Key = Owner, WithOwner, f.Name
	}
	return fields
}

// AppendOwners appends NAME[PID] of up to most processes that hold a socket, and how many more there are; ?[PID] of one whose name could
// not be read. It reports whether there is one. Names are as the processes have them: escape them before they reach a terminal. One that
// would be read as something else stands in double quotes, in which a backslash is before each double quote and backslash.
func AppendOwners(c *Context, dst []byte, s *diag.InetSocket, most int) ([]byte, bool) {
	held := c.Holders(s)
	for i, h := range held {
		if i == most {
			dst = append(dst, " +"...)
			return strconv.AppendInt(dst, int64(len(held)-most), 10), true
		}
		if i > 0 {
			dst = append(dst, ' ')
		}
		switch {
		case !h.Known:
			dst = append(dst, '?')
		case h.Comm == "" || h.Comm == "?" || h.Comm[0] == '"' || strings.Contains(h.Comm, "]"):
			dst = appendQuoted(dst, h.Comm)
		default:
			dst = append(dst, h.Comm...)
		}
		dst = append(dst, '[')
		dst = strconv.AppendInt(dst, int64(h.PID), 10)
		dst = append(dst, ']')
	}
	return dst, len(held) > 0
}

func appendQuoted(dst []byte, name string) []byte {
	dst = append(dst, '"')
	for _, b := range []byte(name) {
		if b == '"' || b == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, b)
	}
	return append(dst, '"')
}

// socketUnit tells the unit from where the socket was made, which is what systemd does in the unit's own control group where it can.
// A connection has its listener's. Otherwise what systemd holds, and neither is nor was connected, is found by its address.
func (c *Context) socketUnit(s *diag.InetSocket) (string, bool) {
	if id, ok := s.CgroupID(); ok && id != 0 && c.Cgroup != nil {
		if path, ok := c.Cgroup(id); ok {
			if dir := path[strings.LastIndexByte(path, '/')+1:]; strings.HasSuffix(dir, ".socket") {
				return unescapeUnit(dir), true
			}
		}
	}
	if c.SocketUnit == nil || s.Remote.Port() != 0 {
		return "", false
	}
	for _, h := range c.Holders(s) {
		if h.PID == 1 && h.Known && h.Comm == "systemd" {
			return c.SocketUnit(s.Protocol, s.Local)
		}
	}
	return "", false
}

// userName is a user's name, or the number; "" for one that is not known.
func (c *Context) userName(uid uint32) string {
	if c.user.name != "" && c.user.uid == uid {
		return c.user.name
	}
	name, ok := c.users[uid]
	if !ok {
		name = c.findUser(uid)
		if c.users == nil {
			c.users = map[uint32]string{}
		}
		c.users[uid] = name
	}
	c.user.uid, c.user.name = uid, name
	return name
}

func (c *Context) findUser(uid uint32) string {
	if uid == ^uint32(0) {
		return ""
	}
	if c.User != nil {
		if name, ok := c.User(uid); ok {
			return name
		}
	}
	return strconv.FormatUint(uint64(uid), 10)
}
