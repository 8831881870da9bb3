/* SPDX-License-Identifier: MIT */
/*
 * System calls that fail, one by one.
 *
 * The library makes raw system calls, so nothing can be put between it and the kernel but the
 * kernel itself: the victim runs under a seccomp filter that hands mmap, munmap, mprotect, madvise,
 * mremap, clone and sigaction to this process (SECCOMP_RET_USER_NOTIF), which lets each one pass or
 * fail. That works for threads with all signals blocked and before main(), and costs some
 * microseconds a call.
 *
 * Calls of the library count, whoever called it, and are told by the address of the instruction;
 * of other code (the C library's thread stacks, pthread_create, the program) only clone, mmap and
 * sigaction count, and only after the victim asked: the dynamic linker has no answer to a failure,
 * and glibc's to a failed munmap is abort().
 *
 * Themes: a fresh process for each n, from its first call on ("fresh"), and one process for many n
 * ("again"), which shows memory that is lost. For both: one fault, bursts, and from n on.
 *
 *   inject [--full] [--seed N]     --full: every n, each call alone and all together
 *   inject --one CALL N COUNT [once|threads] [--seed N]     what a complaint names
 */
#include "../stress/stress.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "inject.h"

#ifndef SECCOMP_USER_NOTIF_FLAG_CONTINUE
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE	1
#endif

#define FOREVER	UINT32_MAX

static const struct call {
	long nr;
	enum inject_call bit;
	const char *name;
	int error[2];		/* what the kernel may say, in turn */
} calls[] = {
	{ SYS_mmap, INJECT_MMAP, "mmap", { ENOMEM, EAGAIN } },
	{ SYS_munmap, INJECT_MUNMAP, "munmap", { ENOMEM, ENOMEM } },
	{ SYS_mprotect, INJECT_MPROTECT, "mprotect", { ENOMEM, EACCES } },
	{ SYS_madvise, INJECT_MADVISE, "madvise", { ENOMEM, EAGAIN } },
	{ SYS_mremap, INJECT_MREMAP, "mremap", { ENOMEM, EAGAIN } },
	{ SYS_clone, INJECT_CLONE, "clone", { EAGAIN, ENOMEM } },
	{ SYS_clone3, INJECT_CLONE, "clone", { EAGAIN, ENOMEM } },
	{ SYS_rt_sigaction, INJECT_SIGACTION, "sigaction", { EINVAL, EINVAL } },
};

/* One victim. */
static struct {
	pid_t pid;
	int listener;
	uint64_t text, text_end;	/* the library's, 0 until it is mapped */
	bool asked;			/* the victim has spoken: other code's calls count, too */
	uint32_t first, count, mask;	/* what fails: [first, first + count) of mask */
	uint32_t reached, faults;	/* since it was armed */
	int err;			/* what it says: warnings of memory refused are wanted */
} victim;

static uint64_t injected, injected_of[INJECT_CALLS];
static const char *victim_path;

/* -- The victim's filter -- */

static int install_listener(void)
{
	struct sock_filter code[ARRAY_SIZE(calls) * 2 + 2];
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (uint32_t)calls[i].nr, 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

	struct sock_fprog prog = { .len = n, .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &prog);
}

static bool send_fd(int socket, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(socket, &msg, 0) == 1;
}

static int receive_fd(int socket)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

static _Noreturn void become_victim(int socket, char *const argv[])
{
	int fd = install_listener();

	if (fd < 0 || !send_fd(socket, fd))
		_exit(77);
	close(fd);
	close(socket);
	dup2(victim.err, 2);
	execv(victim_path, argv);
	_exit(127);
}

static bool victim_start(char *const argv[])
{
	int pair[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
	if (victim.err)
		close(victim.err);
	memset(&victim, 0, sizeof(victim));
	victim.err = memfd_create("victim", MFD_CLOEXEC);
	victim.pid = fork();
	if (victim.pid == 0)
		become_victim(pair[1], argv);
	close(pair[1]);
	victim.listener = receive_fd(pair[0]);
	close(pair[0]);
	return victim.listener >= 0;
}

/* -- The supervisor -- */

/* Where the library's code is, once it is mapped. */
static void find_library(void)
{
	char path[64], line[512];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)victim.pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, " r-xp ") && strstr(line, "/libkmalloc.so"))
			sscanf(line, "%lx-%lx", (unsigned long *)&victim.text,
			       (unsigned long *)&victim.text_end);
	if (maps)
		fclose(maps);
}

static bool made_by_library(const struct seccomp_data *d)
{
	if (!victim.text)
		find_library();
	return d->instruction_pointer - victim.text < victim.text_end - victim.text;
}

static bool counts(const struct call *c, const struct seccomp_data *d)
{
	const uint32_t of_others = INJECT_MMAP | INJECT_CLONE | INJECT_SIGACTION;

	if (!(victim.mask & c->bit))
		return false;
	return (victim.asked && (c->bit & of_others)) || made_by_library(d);
}

/* The error for this call, or 0. */
static int verdict(const struct seccomp_data *d)
{
	const struct call *c = calls;

	while (c->nr != d->nr)
		c++;
	if (!counts(c, d) || ++victim.reached < victim.first ||
	    victim.reached - victim.first >= victim.count)
		return 0;
	victim.faults++;
	injected_of[__builtin_ctz(c->bit)]++;
	return c->error[injected++ & 1];
}

static void arm(uint32_t first, uint32_t count, uint32_t mask)
{
	victim.first = first;
	victim.count = count;
	victim.mask = mask;
	victim.reached = victim.faults = 0;
}

static long control(const struct seccomp_data *d)
{
	victim.asked = true;
	switch (d->args[1]) {
	case INJECT_OP_ARM:
		arm((uint32_t)d->args[2], (uint32_t)d->args[3], (uint32_t)d->args[4]);
		return 0;
	case INJECT_OP_DISARM:
		victim.mask = 0;
		return victim.faults;
	default:
		return victim.reached;
	}
}

static void answer(const struct seccomp_notif *n)
{
	struct seccomp_notif_resp resp = { .id = n->id };

	if (n->data.nr == SYS_madvise && n->data.args[0] == INJECT_MAGIC)
		resp.val = control(&n->data);
	else if ((resp.error = -verdict(&n->data)) == 0)
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	/* ENOENT: the victim was killed meanwhile */
	ioctl(victim.listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

/* Serves the victim until it ends; its status, or -1 if it hung. */
static int supervise(double seconds)
{
	double end = now() + seconds;
	struct pollfd p = { .fd = victim.listener, .events = POLLIN };

	while (now() < end) {
		struct seccomp_notif n = { 0 };

		if (poll(&p, 1, 1000) == 0)
			continue;
		if (p.revents & POLLIN) {
			if (ioctl(victim.listener, SECCOMP_IOCTL_NOTIF_RECV, &n) == 0)
				answer(&n);
		} else if (p.revents & POLLHUP) {
			break;
		}
	}
	close(victim.listener);
	return wait_child(victim.pid, end - now() + 1);
}

/* -- Themes -- */

static bool full;

static const struct {
	uint32_t mask;
	const char *what;
} masks[] = {
	{ INJECT_ALL, "all of them" },
	{ INJECT_MMAP, "mmap" },
	{ INJECT_MUNMAP, "munmap" },
	{ INJECT_MPROTECT, "mprotect" },
	{ INJECT_MADVISE, "madvise" },
	{ INJECT_MREMAP, "mremap" },
	{ INJECT_CLONE, "clone" },
	{ INJECT_SIGACTION, "sigaction" },
};

static const uint32_t bursts[] = { 1, 3, 16, FOREVER };

/* The end of what the victim said. */
static void excerpt(void)
{
	char text[401];
	off_t end = lseek(victim.err, 0, SEEK_END), start = end > 400 ? end - 400 : 0;
	ssize_t n = pread(victim.err, text, 400, start);

	text[n > 0 ? n : 0] = '\0';
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		say(1, "#   %s\n", line);
}

static void complain(const char *what, uint32_t n, uint32_t burst, int status)
{
	say(1, "# inject --one '%s' %u %u --seed %llu: wait status %#x (-1: hung)\n", what, n, burst,
	    (unsigned long long)stress.seed, (unsigned)status);
	excerpt();
}

/*
 * A fresh process, whose n-th call fails, wherever in its life. From the first faults on it may not
 * even reach main(): the C library says so and exits with 127.
 */
static bool fresh_once(size_t mask, uint32_t n, uint32_t burst, bool threads, bool *done)
{
	char seed[32];
	char *argv[] = { (char *)"victim", (char *)(threads ? "threads" : "once"), seed, NULL };

	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)stress.seed);
	if (!victim_start(argv))
		return false;
	arm(n, burst, masks[mask].mask);
	int status = supervise(60);

	*done = victim.faults == 0;
	if (ended_well(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 127 && n < 40))
		return true;
	complain(masks[mask].what, n, burst, status);
	return false;
}

/* Every n as far as that is possible in half an hour, or a sample. */
static uint32_t next(uint32_t n, struct rng *r)
{
	if (n < (full ? 100 : 4))
		return n + 1;
	return n + 1 + (uint32_t)rng_below(r, full ? n / 8 : n * 2);
}

static bool fresh(size_t mask, uint32_t burst, bool threads)
{
	struct rng r = rng_new(mask * 16 + burst);
	unsigned bad = 0;
	bool done = false;

	for (uint32_t n = 1; !done && bad < 5; n = next(n, &r))
		bad += !fresh_once(mask, n, burst, threads, &done);
	return bad == 0;
}

static void fresh_theme(size_t mask, bool threads)
{
	char what[128];
	bool good = true;
	uint64_t before = injected;

	for (size_t i = 0; i < ARRAY_SIZE(bursts); i += full ? 1 : 3)
		good = fresh(mask, bursts[i], threads) && good;
	snprintf(what, sizeof(what), "fresh processes%s: %s fails at every n, %llu faults",
		 threads ? " with threads" : "", masks[mask].what,
		 (unsigned long long)(injected - before));
	ok(good, what);
}

static void again_theme(size_t mask, bool threads)
{
	char what[128], seed[32], bits[32];
	char *argv[] = { (char *)"victim", (char *)(threads ? "again-threads" : "again"), seed, bits,
			 (char *)(full ? "full" : "quick"), NULL };
	uint64_t before = injected;

	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)stress.seed);
	snprintf(bits, sizeof(bits), "%u", masks[mask].mask);
	MUST(victim_start(argv), "no listener");
	int status = supervise(full ? 1800 : 300);

	snprintf(what, sizeof(what), "one process%s: %s fails again and again, %llu faults",
		 threads ? " with threads" : "", masks[mask].what,
		 (unsigned long long)(injected - before));
	if (!ok(ended_well(status), what))
		complain(masks[mask].what, 0, 0, status);
}

static int one(char **arg)
{
	bool done, threads = arg[3] && strcmp(arg[3], "threads") == 0;
	size_t mask = 0;

	while (strcmp(masks[mask].what, arg[0]) && mask + 1 < ARRAY_SIZE(masks))
		mask++;
	return !fresh_once(mask, (uint32_t)strtoul(arg[1], NULL, 0),
			   (uint32_t)strtoul(arg[2], NULL, 0), threads, &done);
}

static bool available(void)
{
	char *argv[] = { (char *)"victim", (char *)"nothing", NULL };

	return victim_start(argv) && ended_well(supervise(20));
}

static void report(void)
{
	say(1, "# %llu faults injected:", (unsigned long long)injected);
	for (size_t i = 1; i < ARRAY_SIZE(masks); i++)
		say(1, " %s %llu", masks[i].what, (unsigned long long)injected_of[i - 1]);
	say(1, "\n");
}

int main(int argc, char **argv)
{
	static char path[4096];

	stress_options(argc, argv, "inject");
	full = argc > 1 && strcmp(argv[1], "--full") == 0;
	snprintf(path, sizeof(path), "%.*s/victim", (int)(strrchr(argv[0], '/') - argv[0]), argv[0]);
	victim_path = path;
	if (argc >= 5 && strcmp(argv[1], "--one") == 0)
		return one(argv + 2);
	if (!available()) {
		say(1, "1..0 # SKIP no seccomp listeners here\n");
		return 0;
	}
	for (size_t mask = full ? ARRAY_SIZE(masks) : 1; mask-- > 0;)
		for (int threads = 0; threads < 2; threads++) {
			fresh_theme(mask, threads);
			again_theme(mask, threads);
		}
	report();
	return stress_end();
}
