/* SPDX-License-Identifier: MIT */
/*
 * A handler of SIGSEGV that passes on what is not ours.
 *
 * The handler that was there before is called as the kernel would have called it.  Where there was
 * none, the default is put back, and the instruction, tried again, ends the process in the same
 * state as without us.  A program that sets a handler of its own later takes ours away: it gets
 * the faults, and we report none; nothing of the program's is intercepted.
 *
 * The handler may be entered again in itself, by os_probe.
 *
 * References: sigaction(2).
 */
#include "os/fault.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "os/os.h"
#include "os/syscall.h"

extern const char os_probe_failed[] __hidden;

static enum os_fault_verdict (*ask)(const struct os_fault *fault);
static struct sigaction before;

#if defined(__x86_64__)

#define FAULT_WRITE	0x2		/* in the error code of a page fault */

#define PC(uc)		((uc)->uc_mcontext.gregs[REG_RIP])

/* The first instruction is the one that may fault; os_probe_failed is where it goes on then. */
__asm__(".pushsection .text\n"
	".globl os_probe\n.hidden os_probe\n.type os_probe, @function\n"
	"os_probe:\n\tmov (%rdi), %rax\n\tmov %rax, (%rsi)\n\tmov $1, %eax\n\tret\n"
	".globl os_probe_failed\n.hidden os_probe_failed\n"
	"os_probe_failed:\n\txor %eax, %eax\n\tret\n"
	".popsection");

static void read_context(const ucontext_t *uc, struct os_fault *fault)
{
	fault->write = uc->uc_mcontext.gregs[REG_ERR] & FAULT_WRITE;
	fault->pc = (const void *)uc->uc_mcontext.gregs[REG_RIP];
	fault->fp = (const void *)uc->uc_mcontext.gregs[REG_RBP];
}

#else

#define PC(uc)		((uc)->uc_mcontext.pc)

__asm__(".pushsection .text\n"
	".globl os_probe\n.hidden os_probe\n.type os_probe, %function\n"
	"os_probe:\n\tldr x2, [x0]\n\tstr x2, [x1]\n\tmov w0, #1\n\tret\n"
	".globl os_probe_failed\n.hidden os_probe_failed\n"
	"os_probe_failed:\n\tmov w0, #0\n\tret\n"
	".popsection");

#define RECORD_ESR	0x45535201u	/* ESR_MAGIC, which not every C library has */
#define ESR_WRITE	0x40u

struct record {
	uint32_t magic, size;
	uint64_t esr;
};

static bool was_write(const ucontext_t *uc)
{
	const unsigned char *at = (const unsigned char *)uc->uc_mcontext.__reserved;
	struct record r;

	for (memcpy(&r, at, sizeof(r)); r.magic; memcpy(&r, at, sizeof(r))) {
		if (r.magic == RECORD_ESR)
			return r.esr & ESR_WRITE;
		at += r.size;
	}
	return false;
}

static void read_context(const ucontext_t *uc, struct os_fault *fault)
{
	fault->write = was_write(uc);
	fault->pc = (const void *)uc->uc_mcontext.pc;
	fault->fp = (const void *)uc->uc_mcontext.regs[29];
}

#endif

/* Somebody sent it: returning does not bring it back. */
static void send_again(int sig)
{
	long self = os_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);

	os_syscall(SYS_tgkill, self, os_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0), sig, 0, 0, 0);
}

static void die(int sig, const siginfo_t *info)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };

	sigaction(sig, &standard, NULL);
	if (info->si_code <= 0)
		send_again(sig);
}

static void pass_on(int sig, siginfo_t *info, void *context)
{
	sigset_t blocked;

	if (!(before.sa_flags & SA_NODEFER)) {
		sigemptyset(&blocked);
		sigaddset(&blocked, sig);
		pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	}
	if (before.sa_flags & SA_SIGINFO)
		before.sa_sigaction(sig, info, context);
	else if (before.sa_handler == SIG_DFL)
		die(sig, info);
	else if (before.sa_handler != SIG_IGN)
		before.sa_handler(sig);
	else if (info->si_code > 0)
		die(sig, info);		/* the kernel lets nobody ignore a fault */
}

static void handler(int sig, siginfo_t *info, void *context)
{
	struct os_fault fault = { .addr = (uintptr_t)info->si_addr };
	enum os_fault_verdict verdict = OS_FAULT_FOREIGN;
	int saved = errno;

	if (info->si_code > 0) {
		if ((uintptr_t)PC((ucontext_t *)context) == (uintptr_t)os_probe) {
			PC((ucontext_t *)context) = (uintptr_t)os_probe_failed;
			return;
		}
		read_context(context, &fault);
		verdict = ask(&fault);
	}
	if (verdict == OS_FAULT_FOREIGN)
		pass_on(sig, info, context);
	else if (verdict == OS_FAULT_DIE)
		die(sig, info);
	errno = saved;
}

void os_fault_catch(enum os_fault_verdict (*fn)(const struct os_fault *fault))
{
	struct sigaction ours;

	if (ask || sigaction(SIGSEGV, NULL, &before))
		return;
	ask = fn;
	ours = before;
	ours.sa_flags = (before.sa_flags & ~SA_RESETHAND) | SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	ours.sa_sigaction = handler;
	sigaction(SIGSEGV, &ours, NULL);
}
