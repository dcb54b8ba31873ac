/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef SOCKEYE_READER_H
#define SOCKEYE_READER_H

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

#endif
