// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Write one record for every descriptor that refers to a socket, in the pid
 * namespace of the process that reads the iterator. Linux 5.11 is the first
 * kernel with both bpf_sock_from_file and bpf_get_current_task_btf.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "reader.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Set before loading: write only inodes whose bit in maybe is set. Those are the
 * wanted ones and a few others, which the reader sorts out: most descriptors of
 * the host are passed over without a helper or a map.
 */
const volatile __u8 filtered = 0;

#define MAYBE_BITS 19

__u32 maybe[(1 << MAYBE_BITS) / 32];

struct record {
	__s32 pid; /* thread group, as the reader's pid namespace numbers it */
	__u32 fd;
	__u32 inode;
};

SEC("iter/task_file")
int task_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct record record;

	if (!task || !file)
		return 0;
	record.inode = file->f_inode->i_ino;
	if (filtered) {
		__u32 bit = record.inode * 0x9e3779b1 >> (32 - MAYBE_BITS);

		if (!(maybe[bit / 32] >> bit % 32 & 1))
			return 0;
	}
	/* Not S_ISSOCK: an O_PATH descriptor of a socket file has that too. */
	if (!bpf_sock_from_file(file))
		return 0;
	record.pid = reader_pid(task);
	if (record.pid <= 0)
		return 0;
	record.fd = ctx->fd;
	/* On overflow the kernel drops the record and shows it again in the next read. */
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
