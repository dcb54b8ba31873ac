// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Write one record for every TCP or UDP socket in the network namespace of the
 * process that opened the iterator: what tells it from others, and what
 * inet_diag's bytecode judges it by (inet_diag_bc_sk, net/ipv4/inet_diag.c).
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define AF_INET 2
#define TCP_TIME_WAIT 6
#define TCP_NEW_SYN_RECV 12
#define SOCK_BINDPORT_LOCK 8

struct record {
	__u64 cookie;
	__u64 cgroup;
	__u32 src[4], dst[4];
	__u32 ifindex;
	__u32 mark;
	__u16 sport;  /* host order */
	__be16 dport; /* network order */
	__u8 family;
	__u8 state; /* of TIME_WAIT: the state that it stands for */
	__u8 locked;
	__u8 pad;
};

static void common(struct record *r, struct sock_common *sk)
{
	r->family = sk->skc_family;
	r->state = sk->skc_state;
	r->sport = sk->skc_num;
	r->dport = sk->skc_dport;
	r->ifindex = sk->skc_bound_dev_if;
	if (sk->skc_family == AF_INET) {
		r->src[0] = sk->skc_rcv_saddr;
		r->dst[0] = sk->skc_daddr;
		return;
	}
	for (int i = 0; i < 4; i++) {
		r->src[i] = sk->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
		r->dst[i] = sk->skc_v6_daddr.in6_u.u6_addr32[i];
	}
}

static void full(struct record *r, struct sock *sk)
{
	struct cgroup *cgroup = sk->sk_cgrp_data.cgroup;

	r->mark = sk->sk_mark;
	r->locked = !!(BPF_CORE_READ_BITFIELD(sk, sk_userlocks) & SOCK_BINDPORT_LOCK);
	if (cgroup)
		r->cgroup = cgroup->kn->id;
}

SEC("iter/tcp")
int tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct record r = {};
	struct tcp_sock *tp;

	if (!skc)
		return 0;
	common(&r, skc);
	r.cookie = bpf_get_socket_cookie(skc);
	if (r.state == TCP_TIME_WAIT) {
		struct tcp_timewait_sock *tw = bpf_skc_to_tcp_timewait_sock(skc);

		if (tw) {
			r.state = tw->tw_sk.tw_substate;
			r.mark = tw->tw_sk.tw_mark;
		}
	} else if (r.state == TCP_NEW_SYN_RECV) {
		struct tcp_request_sock *req = bpf_skc_to_tcp_request_sock(skc);

		if (req)
			r.mark = req->req.ir_mark;
	} else {
		tp = bpf_skc_to_tcp_sock(skc);
		if (tp)
			full(&r, &tp->inet_conn.icsk_inet.sk);
	}
	/* On overflow the kernel drops the record and shows it again in the next read. */
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

SEC("iter/udp")
int udp(struct bpf_iter__udp *ctx)
{
	struct udp_sock *up = ctx->udp_sk;
	struct record r = {};
	struct sock *sk;

	if (!up)
		return 0;
	sk = &up->inet.sk;
	common(&r, &sk->__sk_common);
	r.cookie = bpf_get_socket_cookie(sk);
	full(&r, sk);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
