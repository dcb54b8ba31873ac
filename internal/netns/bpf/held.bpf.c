// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Write one record for every network namespace that a descriptor keeps alive,
 * be it one of the namespace or of a socket in it, and one for each that has a
 * TCP socket which is bound and nothing else. Linux 5.11.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "reader.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define BPF_MAP_TYPE_HASH 1
#define BPF_F_NO_PREALLOC 1

#define NSFS_MAGIC 0x6e736673
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define TCP_CLOSE 7

enum { HELD = 1, BOUND = 2 };

/* What was written of a namespace already. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u32);
} seen SEC(".maps");

/* The last namespace that everything was known of: most sockets are in one. */
__u32 last = 0;

struct record {
	__u32 netns;
	__s32 pid; /* as the reader's pid namespace numbers it */
	__u32 fd;
	__u32 what;
};

SEC("iter/task_file")
int held(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct record record = {};
	struct socket *sock;
	struct sock *sk;
	__u32 *known;
	__u32 all;

	if (!task || !file)
		return 0;
	record.what = HELD;
	sock = bpf_sock_from_file(file);
	if (sock) {
		sk = sock->sk;
		if (!sk)
			return 0;
		record.netns = sk->__sk_common.skc_net.net->ns.inum;
		if (sk->__sk_common.skc_state == TCP_CLOSE && sk->__sk_common.skc_num && sk->sk_protocol == IPPROTO_TCP &&
		    (sk->__sk_common.skc_family == AF_INET || sk->__sk_common.skc_family == AF_INET6))
			record.what |= BOUND;
	} else if (file->f_inode->i_sb->s_magic == NSFS_MAGIC) {
		record.netns = file->f_inode->i_ino; /* of any type: the reader looks */
	}
	if (!record.netns || (record.what == HELD && record.netns == last))
		return 0;
	known = bpf_map_lookup_elem(&seen, &record.netns);
	all = record.what;
	if (known) {
		if (record.what == HELD)
			last = record.netns;
		if ((*known & record.what) == record.what)
			return 0;
		all |= *known;
	}
	record.pid = reader_pid(task);
	if (record.pid <= 0)
		return 0;
	record.fd = ctx->fd;
	/* On overflow the kernel shows the descriptor again. */
	if (!bpf_seq_write(ctx->meta->seq, &record, sizeof(record)))
		bpf_map_update_elem(&seen, &record.netns, &all, 0);
	return 0;
}
