package filter

import "strings"

// fnmatch is fnmatch(3) with FNM_CASEFOLD in the C locale: * ? [set], and a backslash that takes the next byte as it is. A star
// matches slashes too.
func fnmatch(pattern string, name []byte) bool {
	p, n := 0, 0
	star, from := -1, 0 // behind the last star, and where what follows it was tried last
	for {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			star, from = p, n
			continue
		}
		if p == len(pattern) && n == len(name) {
			return true
		}
		if n < len(name) {
			if next, ok := one(pattern[p:], name[n]); ok {
				p += next
				n++
				continue
			}
		}
		if star < 0 || from >= len(name) {
			return false
		}
		from++
		p, n = star, from
	}
}

// one matches a byte with the first element of a pattern, and returns the element's length.
func one(pattern string, c byte) (length int, ok bool) {
	if pattern == "" {
		return 0, false
	}
	switch pattern[0] {
	case '?':
		return 1, true
	case '\\':
		if len(pattern) == 1 {
			return 0, false
		}
		return 2, fold(pattern[1]) == fold(c)
	case '[':
		if length, ok, closed := set(pattern, c); closed {
			return length, ok
		}
	}
	return 1, fold(pattern[0]) == fold(c)
}

// set matches a byte with the set that a pattern begins with. One that is not closed is none.
func set(pattern string, c byte) (length int, ok, closed bool) {
	i, negate := 1, false
	if i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^') {
		negate = true
		i++
	}
	for first := true; i < len(pattern); first = false {
		if pattern[i] == ']' && !first {
			return i + 1, ok != negate, true
		}
		if pattern[i] == '[' && i+1 < len(pattern) && pattern[i+1] == ':' {
			if n, in := class(pattern[i:], c); n < 0 {
				return 1, false, true
			} else if n > 0 {
				ok = ok || in
				i += n
				continue
			}
		}
		lo, n := member(pattern[i:])
		if n == 0 {
			return 1, false, true
		}
		i += n
		hi := lo
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			if hi, n = member(pattern[i+1:]); n == 0 {
				return 1, false, true
			}
			i += 1 + n
			ok = ok || lo <= fold(c) && fold(c) <= hi
			continue
		}
		ok = ok || lo == fold(c)
	}
	return 0, false, false
}

// member returns a byte of a set, folded, and how long it is written: as it is, behind a backslash, or as [.c.] or [=c=]. Length 0: it
// is none, and nothing matches the set.
func member(s string) (c byte, length int) {
	switch {
	case s[0] == '\\' && len(s) == 1:
		return 0, 0
	case s[0] == '\\':
		return fold(s[1]), 2
	case s[0] == '[' && len(s) > 1 && (s[1] == '.' || s[1] == '='):
		if len(s) >= 5 && s[3] == s[1] && s[4] == ']' {
			return fold(s[2]), 5
		}
		return 0, 0
	}
	return fold(s[0]), 1
}

// class matches a byte with the class that s begins with, such as [:digit:]. Length 0: it is written otherwise; below: there is none
// of that name, and nothing matches the set.
func class(s string, c byte) (length int, ok bool) {
	name, _, closed := strings.Cut(s[2:], ":]")
	if !closed || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "" {
		return 0, false
	}
	in, known := classes[name]
	if !known {
		return -1, false
	}
	return len(name) + 4, in(c)
}

var classes = map[string]func(byte) bool{
	"alpha":  isAlpha,
	"upper":  func(c byte) bool { return c >= 'A' && c <= 'Z' },
	"lower":  func(c byte) bool { return c >= 'a' && c <= 'z' },
	"digit":  isDigit,
	"alnum":  func(c byte) bool { return isAlpha(c) || isDigit(c) },
	"xdigit": func(c byte) bool { return isDigit(c) || fold(c) >= 'a' && fold(c) <= 'f' },
	"space":  func(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' },
	"blank":  func(c byte) bool { return c == ' ' || c == '\t' },
	"punct":  func(c byte) bool { return c > ' ' && c < 0x7f && !isAlpha(c) && !isDigit(c) },
	"print":  func(c byte) bool { return c >= ' ' && c < 0x7f },
	"graph":  func(c byte) bool { return c > ' ' && c < 0x7f },
	"cntrl":  func(c byte) bool { return c < ' ' || c == 0x7f },
}

func isAlpha(c byte) bool { return fold(c) >= 'a' && fold(c) <= 'z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func fold(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
