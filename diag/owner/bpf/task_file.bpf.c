// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Write one record for every descriptor that refers to a socket, in the pid
 * namespace of the process that reads the iterator. Linux 5.11 is the first
 * kernel with both bpf_sock_from_file and bpf_get_current_task_btf.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set before loading: write only the inodes that are keys of wanted. */
const volatile __u8 filtered = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8);
} wanted SEC(".maps");

struct record {
	__s32 pid; /* thread group, as the reader's pid namespace numbers it */
	__u32 fd;
	__u32 inode;
};

/*
 * The iterator walks the reader's own pid namespace, so every task it yields
 * has a number at the level of current, which is the reader.
 */
static __s32 reader_pid(struct task_struct *task)
{
	struct task_struct *current = bpf_get_current_task_btf();
	unsigned int level = current->thread_pid->level;
	struct pid *pid;
	struct upid upid;
	__s32 tgid;

	if (level == 0) {
		tgid = task->tgid;
		/* The verifier rejects a load that both branches share. */
		barrier_var(tgid);
		return tgid;
	}
	pid = task->group_leader->thread_pid;
	if (!pid || level > pid->level)
		return 0;
	if (bpf_probe_read_kernel(&upid, sizeof(upid), &pid->numbers[level]))
		return 0;
	return upid.nr;
}

SEC("iter/task_file")
int task_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct record record;

	if (!task || !file)
		return 0;
	/* Not S_ISSOCK: an O_PATH descriptor of a socket file has that too. */
	if (!bpf_sock_from_file(file))
		return 0;
	record.inode = file->f_inode->i_ino;
	if (filtered && !bpf_map_lookup_elem(&wanted, &record.inode))
		return 0;
	record.pid = reader_pid(task);
	if (record.pid <= 0)
		return 0;
	record.fd = ctx->fd;
	/* On overflow the kernel drops the record and shows it again in the next read. */
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
