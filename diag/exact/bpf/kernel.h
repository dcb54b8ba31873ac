/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The few kernel types that the programs touch. Only the names matter: the
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

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct seq_file;

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

/* include/net/sock.h */
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	int skc_bound_dev_if;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct sock {
	struct sock_common __sk_common;
	__u8 sk_userlocks;
	__u32 sk_mark;
	struct sock_cgroup_data sk_cgrp_data;
};

struct inet_sock {
	struct sock sk;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
};

struct udp_sock {
	struct inet_sock inet;
};

/* include/net/inet_timewait_sock.h */
struct inet_timewait_sock {
	volatile unsigned char tw_substate;
	__u32 tw_mark;
};

struct tcp_timewait_sock {
	struct inet_timewait_sock tw_sk;
};

/* include/net/inet_sock.h */
struct inet_request_sock {
	__u32 ir_mark;
};

struct tcp_request_sock {
	struct inet_request_sock req;
};

/* include/linux/bpf.h */
struct bpf_iter_meta {
	struct seq_file *seq;
};

/* net/ipv4/tcp_ipv4.c */
struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

/* net/ipv4/udp.c */
struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
};

#pragma clang attribute pop

#endif
