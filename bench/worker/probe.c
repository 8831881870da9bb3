/* SPDX-License-Identifier: MIT */
/*
 * probe.c: kmalloc-bench-probe.so, preloaded behind the allocator into real programs.
 *
 * It does for a program what binding.c and the end of main.c do for a workload: when a process
 * starts it reports which library serves malloc, from a relocation of its own, and when it exits
 * how much memory it had at most. It neither allocates nor stays awake in between. It is preloaded
 * with glibc too, so that all sides carry the same weight.
 *
 * KB_PROOF says where to report: "FD:INODE" of the driver's pipe. A descriptor of that number that
 * is not this pipe belongs to the program and is left alone.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/binding.h"

static int proof_fd(void)
{
	const char *proof = getenv("KB_PROOF");
	unsigned long long inode;
	struct stat st;
	int fd;

	if (!proof || sscanf(proof, "%d:%llu", &fd, &inode) != 2)
		return -1;
	if (fstat(fd, &st) || !S_ISFIFO(st.st_mode) || st.st_ino != inode)
		return -1;
	return fd;
}

static void report(int fd, const char *text, int n)
{
	/* A driver that has gone is no reason to disturb the program. */
	if (write(fd, text, (size_t)n) != n)
		return;
}

static int report_fd;

static void report_binding(const char *function, const char *library)
{
	char line[512];

	report(report_fd, line, snprintf(line, sizeof(line), "bound %s %.400s\n", function,
					 library));
}

/* Never called: it gives the probe a slot for each function to look at. */
__attribute__((used, noinline)) static void *use_family(size_t n)
{
	free(realloc(calloc(n, n), n));
	return malloc(n);
}

__attribute__((constructor)) static void probe_start(void)
{
	int fd = proof_fd();

	if (fd < 0)
		return;
	report_fd = fd;
	binding_each(report_binding);
}

__attribute__((destructor)) static void probe_end(void)
{
	char text[4096], line[64];
	const char *hit;
	int fd = proof_fd(), status;
	ssize_t n;

	if (fd < 0)
		return;
	status = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	n = status < 0 ? 0 : read(status, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	if (status >= 0)
		close(status);
	hit = strstr(text, "VmHWM:");
	if (hit)
		report(fd, line, snprintf(line, sizeof(line), "peak %ld\n",
					  strtol(hit + 6, NULL, 10)));
}
