/* SPDX-License-Identifier: MIT */
/*
 * Seccomp filters for the programs that take system calls away from malloc:
 * built at run time from a list of calls, without libseccomp.
 */
#ifndef TESTS_FILTER_H
#define TESTS_FILTER_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define FILTER_MAX	64

/* The calls in the list get `listed`, all others `others`. 0, or -1 with errno. */
static inline int filter_install(const long *calls, size_t count, uint32_t listed, uint32_t others)
{
	struct sock_filter code[FILTER_MAX * 2 + 4];
	unsigned short n = 0;

	if (count > FILTER_MAX)
		return -1;
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < count; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (uint32_t)calls[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, listed);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, others);

	struct sock_fprog prog = { .len = n, .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0);
}

#endif /* TESTS_FILTER_H */
