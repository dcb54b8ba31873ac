// Package mounts reads the kernel's tables of mounts: proc_pid_mounts(5), and what proc_pid_mountinfo(5) has in common with it.
package mounts

import "strings"

// Cgroup2 returns where the first cgroup2 file system of a table like /proc/self/mounts is mounted; "": there is none.
func Cgroup2(table string) string {
	for line := range strings.Lines(table) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return Unescape(f[1])
		}
	}
	return ""
}

// Unescape undoes \040 and its like, as getmntent(3) does.
func Unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && octal(s[i+1]) && octal(s[i+2]) && octal(s[i+3]) {
			b = append(b, (s[i+1]-'0')<<6|(s[i+2]-'0')<<3|(s[i+3]-'0'))
			i += 3
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

func octal(c byte) bool { return c >= '0' && c <= '7' }
