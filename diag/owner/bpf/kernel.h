/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The few kernel types that the program touches. Only the names matter: the
 * loader relocates every field to where the running kernel's BTF says it is.
 */
#ifndef SOCKEYE_KERNEL_H
#define SOCKEYE_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

/* include/uapi/linux/bpf.h, enum bpf_map_type */
#define BPF_MAP_TYPE_HASH 1

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pid_namespace;
struct seq_file;
struct socket;

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct task_struct {
	int tgid;
	struct task_struct *group_leader;
	struct pid *thread_pid;
};

struct inode {
	unsigned long i_ino;
};

struct file {
	struct inode *f_inode;
};

/* include/linux/bpf.h */
struct bpf_iter_meta {
	struct seq_file *seq;
};

/* kernel/bpf/task_iter.c */
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#endif
