// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Write one row for every TCP socket of the network namespace of the process
 * that opens the iterator: a netlink message as inet_diag would send it, with
 * the same values in struct inet_diag_msg and no attributes.
 * What each field holds is net/ipv4/inet_diag.c and net/ipv4/tcp_diag.c.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set before loading. */
const volatile __u32 states = ~0U; /* bit per state, as in idiag_states */
const volatile __u16 family = 0;   /* 0: both */
const volatile __u32 hz = 0;       /* ticks a second */

/* include/net/tcp_states.h */
#define TCP_SYN_RECV 3
#define TCP_TIME_WAIT 6
#define TCP_LISTEN 10
#define TCP_NEW_SYN_RECV 12

/* include/net/inet_connection_sock.h */
#define ICSK_TIME_RETRANS 1
#define ICSK_TIME_PROBE0 3
#define ICSK_TIME_LOSS_PROBE 5
#define ICSK_TIME_REO_TIMEOUT 6

#define AF_INET 2

/* struct nlmsghdr and struct inet_diag_msg */
struct row {
	__u32 len;
	__u16 type;
	__u16 flags;
	__u32 seq;
	__u32 pid;

	__u8 family;
	__u8 state;
	__u8 timer;
	__u8 retrans;
	__be16 sport;
	__be16 dport;
	__be32 src[4];
	__be32 dst[4];
	__u32 ifindex;
	__u32 cookie[2];
	__u32 expires;
	__u32 rqueue;
	__u32 wqueue;
	__u32 uid;
	__u32 inode;
};

/* Milliseconds until a time in jiffies, 0 if it has passed. */
static __u32 until(unsigned long when)
{
	__s64 left = when - bpf_jiffies64();

	return left <= 0 ? 0 : (__u64)left * 1000 / hz;
}

/* icsk_timeout(), in later kernels tcp_timeout_expires() */
static unsigned long timeout(struct inet_connection_sock *icsk)
{
	struct inet_connection_sock___retransmit *timer = (void *)icsk;
	struct sock___retransmit *sk = (void *)icsk;

	if (bpf_core_field_exists(sk->tcp_retransmit_timer))
		return sk->tcp_retransmit_timer.expires;
	return timer->icsk_retransmit_timer.expires;
}

static void full(struct row *r, struct tcp_sock *tp)
{
	struct inet_connection_sock *icsk = &tp->inet_conn;
	struct inet_connection_sock___keepalive *alive = (void *)icsk;
	struct sock *sk = &icsk->icsk_inet.sk;

	if (r->state == TCP_LISTEN) {
		r->rqueue = sk->sk_ack_backlog;
		r->wqueue = sk->sk_max_ack_backlog;
	} else {
		__s32 unread = tp->rcv_nxt - tp->copied_seq;

		r->rqueue = unread < 0 ? 0 : unread;
		r->wqueue = tp->write_seq - tp->snd_una;
	}
	switch (icsk->icsk_pending) {
	case ICSK_TIME_RETRANS:
	case ICSK_TIME_LOSS_PROBE:
	case ICSK_TIME_REO_TIMEOUT:
		r->timer = 1;
		r->retrans = icsk->icsk_retransmits;
		r->expires = until(timeout(icsk));
		break;
	case ICSK_TIME_PROBE0:
		r->timer = 4;
		r->retrans = icsk->icsk_probes_out;
		r->expires = until(timeout(icsk));
		break;
	default:
		if (bpf_core_field_exists(alive->icsk_keepalive_timer)) {
			if (!alive->icsk_keepalive_timer.entry.pprev)
				break;
			r->expires = until(alive->icsk_keepalive_timer.expires);
		} else {
			if (!sk->sk_timer.entry.pprev)
				break;
			r->expires = until(sk->sk_timer.expires);
		}
		r->timer = 2;
		r->retrans = icsk->icsk_probes_out;
	}
	r->inode = sk->sk_ino;
}

SEC("iter/tcp")
int tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tcp_timewait_sock *tw;
	struct tcp_request_sock *req;
	struct tcp_sock *tp;
	struct row r = {};
	__u32 as;
	__u64 cookie;

	if (!skc)
		return 0;
	r.family = skc->skc_family;
	if (family && r.family != family)
		return 0;
	r.state = skc->skc_state;
	as = 1U << (r.state & 31); /* any of these states asks for it */
	if (r.state == TCP_TIME_WAIT) {
		tw = bpf_skc_to_tcp_timewait_sock(skc);
		if (!tw)
			return 0;
		r.state = tw->tw_sk.tw_substate;
		as = 1U << (r.state & 31);
		r.timer = 3;
		r.expires = until(tw->tw_sk.tw_timer.expires);
	} else if (r.state == TCP_NEW_SYN_RECV) {
		req = bpf_skc_to_tcp_request_sock(skc);
		if (!req)
			return 0;
		r.state = TCP_SYN_RECV;
		as |= 1 << TCP_SYN_RECV;
		r.timer = 1;
		r.retrans = req->req.req.num_retrans;
		r.expires = until(req->req.req.rsk_timer.expires);
	}
	if (!(states & as))
		return 0;
	r.sport = bpf_htons(skc->skc_num);
	r.dport = skc->skc_dport;
	r.ifindex = skc->skc_bound_dev_if;
	if (r.family == AF_INET) {
		r.src[0] = skc->skc_rcv_saddr;
		r.dst[0] = skc->skc_daddr;
	} else {
#pragma unroll
		for (int i = 0; i < 4; i++) {
			r.src[i] = skc->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
			r.dst[i] = skc->skc_v6_daddr.in6_u.u6_addr32[i];
		}
	}
	tp = bpf_skc_to_tcp_sock(skc);
	if (tp) {
		full(&r, tp);
		r.uid = ctx->uid;
	}
	cookie = bpf_get_socket_cookie(skc);
	r.cookie[0] = cookie;
	r.cookie[1] = cookie >> 32;
	r.len = sizeof(r);
	r.type = 20; /* SOCK_DIAG_BY_FAMILY */
	r.flags = 2; /* NLM_F_MULTI */
	/* On overflow the kernel drops the row and shows the socket again in the next read. */
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
