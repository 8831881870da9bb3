/* SPDX-License-Identifier: MIT */
/*
 * Slab debugging: who allocated and freed.
 */
#include "report.h"

#include <dlfcn.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define FULL	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

void *alloc_inner(struct kmem_cache *s);
void *alloc_outer(struct kmem_cache *s);
void free_inner(struct kmem_cache *s, void *object);
void free_outer(struct kmem_cache *s, void *object);
void *kmalloc_inner(size_t size);
void free_by_free(void *object);
void free_by_kfree(void *object);

/* Nothing here may be a jump. */
#define RETURN(value) do { void *v_ = (value); __asm__ volatile("" : "+r"(v_)); return v_; } while (0)
#define END() __asm__ volatile("")

__attribute__((noinline)) void *alloc_inner(struct kmem_cache *s)
{
	RETURN(kmem_cache_alloc(s, GFP_KERNEL));
}

__attribute__((noinline)) void *alloc_outer(struct kmem_cache *s)
{
	RETURN(alloc_inner(s));
}

__attribute__((noinline)) void free_inner(struct kmem_cache *s, void *object)
{
	kmem_cache_free(s, object);
	END();
}

__attribute__((noinline)) void free_outer(struct kmem_cache *s, void *object)
{
	free_inner(s, object);
	END();
}

__attribute__((noinline)) void *kmalloc_inner(size_t size)
{
	RETURN(kmalloc(size, GFP_KERNEL));
}

__attribute__((noinline)) void free_by_free(void *object)
{
	free(object);
	END();
}

__attribute__((noinline)) void free_by_kfree(void *object)
{
	kfree(object);
	END();
}

/* The function that frame @n of the stack behind "@what in" of report_text is in. */
static const char *function_in(const char *what, int n)
{
	const char *at = strstr(report_text, what);
	Dl_info base, info;
	unsigned long offset;
	int i;

	for (i = 0; at && i <= n; i++)
		at = strchr(at + 1, '\n');
	if (!at || !dladdr((void *)(uintptr_t)alloc_inner, &base))
		return "no line";
	at = strstr(at, "+0x");
	if (!at || sscanf(at, "+0x%lx", &offset) != 1)
		return "no offset";
	if (!dladdr((char *)base.dli_fbase + offset - 1, &info) || !info.dli_sname)
		return "no name";
	return info.dli_sname;
}

static void *freed_wrongly(struct kmem_cache *s)
{
	void *p = alloc_outer(s);

	free_outer(s, p);
	begin_report();
	kmem_cache_free(s, p);
	end_report();
	return p;
}

Test(track, stacks_of_the_program)
{
	struct kmem_cache *s = kmem_cache_create("tracked", 64, 0, FULL, NULL);
	char pattern[128];

	freed_wrongly(s);
	cr_assert_str_eq(function_in("Allocated in ", 0), "alloc_inner", "%s", report_text);
	cr_assert_str_eq(function_in("Allocated in ", 1), "alloc_outer", "%s", report_text);
	cr_assert_str_eq(function_in("Freed in ", 0), "free_inner", "%s", report_text);
	cr_assert_str_eq(function_in("Freed in ", 1), "free_outer", "%s", report_text);
	snprintf(pattern, sizeof(pattern), "Allocated in [^ ]+ age=[0-9]+ cpu=[0-9]+ pid=%d\n",
		 (int)gettid());
	expect(pattern);
}

static void *in_thread(void *s)
{
	char deep[100000];

	memset(deep, 1, sizeof(deep));
	freed_wrongly(s);
	cr_assert_str_eq(function_in("Allocated in ", 1), "alloc_outer", "%s", report_text);
	snprintf(deep, sizeof(deep), "Allocated in [^ ]+ age=[0-9]+ cpu=[0-9]+ pid=%d\n",
		 (int)gettid());
	expect(deep);
	return NULL;
}

/* One after the other, on stacks of different sizes that may lie at the same place. */
Test(track, in_threads)
{
	struct kmem_cache *s = kmem_cache_create("tracked", 64, 0, FULL, NULL);
	size_t size;

	for (size = 1 << 18; size <= 1 << 23; size <<= 1) {
		pthread_attr_t attr;
		pthread_t thread;

		pthread_attr_init(&attr);
		pthread_attr_setstacksize(&attr, size);
		cr_assert_eq(pthread_create(&thread, &attr, in_thread, s), 0);
		pthread_join(thread, NULL);
	}
}

static void in_child(struct kmem_cache *s)
{
	char pid[32];

	freed_wrongly(s);
	snprintf(pid, sizeof(pid), " pid=%d\n", (int)getpid());
	_exit(strstr(report_text, pid) && !strcmp(function_in("Freed in ", 1), "free_outer") ? 0 : 1);
}

Test(track, in_the_child_of_a_fork)
{
	struct kmem_cache *s = kmem_cache_create("tracked", 64, 0, FULL, NULL);
	pid_t child;
	int status;

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	child = fork();
	if (!child)
		in_child(s);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* Frames of the library are none of the program's business. */
Test(track, of_kmalloc)
{
	void *p = kmalloc_inner(100);

	free_by_free(p);
	begin_report();
	kfree(p);
	end_report();
	cr_assert(strstr(report_text, "BUG kmalloc-112 (Not tainted): Object already free"));
	cr_assert_str_eq(function_in("Allocated in ", 0), "kmalloc_inner", "%s", report_text);
	cr_assert_str_eq(function_in("Freed in ", 0), "free_by_free", "%s", report_text);
	p = kmalloc_inner(100);
	free_by_kfree(p);
	begin_report();
	kfree(p);
	end_report();
	cr_assert_str_eq(function_in("Freed in ", 0), "free_by_kfree", "%s", report_text);
}

Test(track, trace)
{
	struct kmem_cache *s = kmem_cache_create("traced", 64, 0, SLAB_TRACE, NULL);
	void *p;

	begin_report();
	p = alloc_outer(s);
	expect("^TRACE traced alloc 0x[0-9a-f]+ inuse=1 fp=0x[0-9a-f]+\nCall Trace:\n( [^\n]+\n){2,}$");
	cr_assert_str_eq(function_in("Call Trace:", 1), "alloc_outer", "%s", report_text);
	begin_report();
	free_outer(s, p);
	expect("^TRACE traced free 0x[0-9a-f]+ inuse=1 fp=0x[0-9a-f]+\n"
	       "(Object 0x[0-9a-f]+: ([0-9a-f]{2} ){16}[^\n]*\n){4}Call Trace:\n( [^\n]+\n){2,}$");
}

/*
 * Stacks that are not the thread's, and frame pointers that are none.
 */

static ucontext_t main_context, coroutine;
static struct kmem_cache *coroutine_cache;

static void coroutine_main(void)
{
	freed_wrongly(coroutine_cache);
}

Test(track, on_the_stack_of_a_coroutine)
{
	char *map = mmap(NULL, 3 << 16, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	coroutine_cache = kmem_cache_create("tracked", 64, 0, FULL, NULL);
	mprotect(map + (1 << 16), 1 << 16, PROT_READ | PROT_WRITE);
	getcontext(&coroutine);
	coroutine.uc_stack.ss_sp = map + (1 << 16);
	coroutine.uc_stack.ss_size = 1 << 16;
	coroutine.uc_link = &main_context;
	makecontext(&coroutine, coroutine_main, 0);
	swapcontext(&main_context, &coroutine);
	cr_assert_str_eq(function_in("Allocated in ", 0), "alloc_inner", "%s", report_text);
}

#ifdef __x86_64__
void *alloc_with_frame(struct kmem_cache *s, gfp_t gfp, uintptr_t frame);

__asm__(".globl alloc_with_frame\n"
	".type alloc_with_frame, @function\n"
	"alloc_with_frame:\n"
	"	push %rbp\n"
	"	mov %rdx, %rbp\n"
	"	call kmem_cache_alloc@PLT\n"
	"	pop %rbp\n"
	"	ret\n"
	".size alloc_with_frame, . - alloc_with_frame\n");

static void *with_any_frame(void *s)
{
	void *unmapped = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~15ul;
	uintptr_t self = (uintptr_t)pthread_self();
	uintptr_t frames[] = {
		0, 1, 8, 4096, ~0ul, ~7ul, (uintptr_t)unmapped, here + 1, here - 65536, here + 8,
		self - 8, self, self + 8, (uintptr_t)environ & ~7ul, 1ul << 47, 1ul << 63,
	};
	unsigned i;

	for (i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		cr_assert(alloc_with_frame(s, GFP_KERNEL, frames[i]));
	for (here |= 0xffffff; here > self - (1 << 20) && here < self; here -= 8)
		alloc_with_frame(s, GFP_KERNEL, here);
	return NULL;
}

Test(track, without_frame_pointers)
{
	struct kmem_cache *s = kmem_cache_create("tracked", 64, 0, FULL, NULL);
	uintptr_t high = (uintptr_t)environ, at;

	with_any_frame(s);
	in_threads(with_any_frame, s);
	for (at = high & ~4095ul; at < (high & ~4095ul) + (1 << 21); at += 8)
		kmem_cache_free(s, alloc_with_frame(s, GFP_KERNEL, at));
	cr_assert_eq(validate_slab_cache(s), 0);
}
#endif

/* GFP_NOWAIT asks the system nothing: without what is known already there is only the caller. */
static void alloc_in_strict_mode(struct kmem_cache *s)
{
	void *p;

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		syscall(SYS_exit, 99);
	p = kmem_cache_alloc(s, GFP_NOWAIT);
	syscall(SYS_exit, p ? 0 : 98);
}

Test(track, nowait_makes_no_system_call)
{
	struct kmem_cache *s = kmem_cache_create("tracked", 64, 0, FULL, NULL);
	pid_t child;
	int status;

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	child = fork();
	if (!child)
		alloc_in_strict_mode(s);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && !WEXITSTATUS(status), "%x", (unsigned)status);
}

/*
 * kmem_dump_obj.
 */

Test(dump, object)
{
	struct kmem_cache *s = kmem_cache_create("dumped", 64, 0, FULL, NULL);
	char *p = alloc_outer(s);

	begin_report();
	cr_assert(kmem_dump_obj(p + 10));
	expect("^libkmalloc: 0x[0-9a-f]+: slab dumped start 0x[0-9a-f]+ data offset [0-9]+ "
	       "pointer offset 10 size 64 allocated at [^ \n]+\n( [^\n]+\n){2,}$");
	cr_assert_str_eq(function_in("slab dumped", 0), "alloc_inner", "%s", report_text);
	kmem_cache_free(s, p);
	begin_report();
	cr_assert(kmem_dump_obj(p));
	expect("pointer offset 0 size 64 allocated at [^ \n]+\n( [^\n]+\n)+ Free path:\n( [^\n]+\n)+$");
}

Test(dump, anything)
{
	struct kmem_cache *s = kmem_cache_create("quiet", 64, 0, SLAB_NO_MERGE, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL), *area = vmalloc(10000);
	char *pages = (char *)__get_free_pages(GFP_KERNEL, 1);

	begin_report();
	cr_assert(kmem_dump_obj(p + 3));
	expect("^libkmalloc: 0x[0-9a-f]+: slab quiet start 0x[0-9a-f]+ pointer offset 3 size 64\n$");
	begin_report();
	cr_assert(!kmem_dump_obj(NULL) && !kmem_dump_obj(ZERO_SIZE_PTR) && !kmem_dump_obj(pages) &&
		  !kmem_dump_obj(area) && !kmem_dump_obj(&area) && !vmalloc_dump_obj(p));
	expect("^$");
	begin_report();
	mem_dump_obj(p);
	mem_dump_obj(area + 5000);
	mem_dump_obj(pages);
	mem_dump_obj(NULL);
	mem_dump_obj(ZERO_SIZE_PTR);
	mem_dump_obj(&area);
	expect("^[^\n]+ slab quiet [^\n]+\n"
	       "libkmalloc: 0x[0-9a-f]+: [0-9]+-page vmalloc region starting at 0x[0-9a-f]+\n"
	       "[^\n]+: non-slab/vmalloc memory\n[^\n]+: NULL pointer\n"
	       "[^\n]+: zero-size pointer\n[^\n]+: non-paged memory\n$");
}
