// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Walk some buckets of the table of TCP connections that network namespaces
 * share, and note those of wanted namespaces. It does what the kernel's own
 * readers without locks do (Documentation/RCU/rculist_nulls.rst): a bucket whose
 * chain ends in another one is read again. Linux 6.1, where the table is found
 * by the namespace, which is that of the caller.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define BPF_MAP_TYPE_HASH 1
#define BPF_MAP_TYPE_ARRAY 2
#define BPF_F_MMAPABLE 1024

#define AF_INET 2
#define AF_INET6 10

#define MOST_IN_CHAIN 65536
#define TRIES 8

/* The keys are the namespaces. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8);
} wanted SEC(".maps");

struct connection {
	__u32 netns;
	__u32 device;
	__u16 family;
	__u16 state;
	__u16 local_port;
	__be16 remote_port;
	__u8 local[16];
	__u8 remote[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct connection);
} found SEC(".maps");

struct totals {
	__u32 buckets;
	__u32 own; /* the caller's namespace has a table of its own */
	__u32 found; /* also those that there was no room for */
	__u32 lost; /* buckets that could not be read */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct totals);
} totals SEC(".maps");

struct walk {
	struct totals *totals;
	struct inet_ehash_bucket *ehash;
	struct net *unwanted; /* the last that was seen */
	unsigned long node;
	__u32 from;
};

static void note(struct walk *w, struct sock_common *sk, __u32 netns)
{
	struct connection *c;
	__u32 i = __sync_fetch_and_add(&w->totals->found, 1);

	c = bpf_map_lookup_elem(&found, &i);
	if (!c)
		return;
	c->netns = netns;
	c->family = BPF_CORE_READ(sk, skc_family);
	c->state = BPF_CORE_READ(sk, skc_state);
	c->device = BPF_CORE_READ(sk, skc_bound_dev_if);
	c->local_port = BPF_CORE_READ(sk, skc_num);
	c->remote_port = BPF_CORE_READ(sk, skc_dport);
	if (c->family == AF_INET6 && bpf_core_field_exists(sk->skc_v6_daddr)) {
		bpf_core_read(c->local, 16, &sk->skc_v6_rcv_saddr);
		bpf_core_read(c->remote, 16, &sk->skc_v6_daddr);
	} else {
		bpf_core_read(c->local, 4, &sk->skc_rcv_saddr);
		bpf_core_read(c->remote, 4, &sk->skc_daddr);
	}
}

/* A node whose address is odd is the end, and tells of which bucket. */
static long each_node(__u32 i, struct walk *w)
{
	struct sock_common *sk;
	struct net *net;
	__u32 netns;

	if (w->node & 1)
		return 1;
	sk = (void *)(w->node - bpf_core_field_offset(struct sock_common, skc_nulls_node));
	if (bpf_core_read(&w->node, sizeof(w->node), &sk->skc_nulls_node.next)) {
		w->node = 0;
		return 1;
	}
	net = BPF_CORE_READ(sk, skc_net.net);
	if (net == w->unwanted)
		return 0;
	netns = BPF_CORE_READ(net, ns.inum);
	if (bpf_map_lookup_elem(&wanted, &netns))
		note(w, sk, netns);
	else
		w->unwanted = net;
	return 0;
}

static long each_try(__u32 i, struct walk *w)
{
	struct inet_ehash_bucket *bucket = (void *)w->ehash + w->from * bpf_core_type_size(struct inet_ehash_bucket);

	if (bpf_probe_read_kernel(&w->node, sizeof(w->node), bucket))
		w->node = 0;
	else
		bpf_loop(MOST_IN_CHAIN, each_node, w, 0);
	return w->node == ((unsigned long)w->from << 1 | 1);
}

static long each_bucket(__u32 i, struct walk *w)
{
	bpf_loop(TRIES, each_try, w, 0);
	if (w->node != ((unsigned long)w->from << 1 | 1))
		__sync_fetch_and_add(&w->totals->lost, 1);
	w->from++;
	return 0;
}

/* The arguments: the first bucket, and how many. */
SEC("raw_tp/sockeye")
int shared(__u64 *args)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct inet_hashinfo *table;
	struct walk w = {};
	__u32 zero = 0, mask;

	w.totals = bpf_map_lookup_elem(&totals, &zero);
	if (!w.totals)
		return 0;
	table = BPF_CORE_READ(task, nsproxy, net_ns, ipv4.tcp_death_row.hashinfo);
	w.ehash = BPF_CORE_READ(table, ehash);
	mask = BPF_CORE_READ(table, ehash_mask);
	w.totals->buckets = mask + 1;
	w.totals->own = BPF_CORE_READ(table, pernet);
	w.from = args[0];
	if (w.ehash && args[0] <= mask && args[1] <= mask + 1 - args[0])
		bpf_loop(args[1], each_bucket, &w, 0);
	return 0;
}
