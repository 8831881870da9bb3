#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every header can be included alone, from C11 and C++17, in every era, beside the system's own
# <linux/...>, without a warning; and so can what kernel code writes with them.

# shellcheck source=tests/tap.sh
. "${0%/*}/tap.sh"

warnings='-Wall -Wextra -Wpedantic -Wshadow -Wundef -Werror'

headers()
{
	(cd "$KM_SRC/include" && find linux -name '*.h' ! -name rcupdate.h ! -name slab_macros.h) |
		sort
}

# compile LANGUAGE STANDARD ERA < source
compile()
{
	# shellcheck disable=SC2086
	${KM_CC:-cc} -x "$1" -std="$2" $warnings ${3:+-DKMALLOC_API=$3} -D_GNU_SOURCE \
		-I"$KM_SRC/include" -fsyntax-only - 2>&1
}

# every_way NAME: $scratch/source in both languages and all eras
every_way()
{
	for era in 20 22 24 26 ''; do
		compile c c11 "$era" < "$scratch/source"
		has g++ && compile c++ c++17 "$era" < "$scratch/source"
	done > "$scratch/errors"
	empty "$1" "$scratch/errors"
}

for header in $(headers); do
	printf '#include <%s>\nextern int something;\n' "$header" > "$scratch/one"
	{
		compile c c11 < "$scratch/one"
		has g++ && compile c++ c++17 < "$scratch/one"
	} > "$scratch/errors"
	empty "<$header> alone" "$scratch/errors"
done

all=$(headers | sed 's/.*/#include <&>/')
echo "$all" > "$scratch/source"
every_way 'all of them'
echo "$all" | sort -r > "$scratch/source"
every_way 'all of them, from the last to the first'

uapi=$(for name in types kernel errno limits fs if netlink input futex stat socket in \
	ioctl perf_event seccomp userfaultfd videodev2; do
	echo "#include <linux/$name.h>"
done)
libc='#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/sysinfo.h>'
printf '%s\n%s\n' "$uapi" "$all" > "$scratch/source"
every_way 'behind headers of the system'
printf '%s\n%s\n' "$all" "$uapi" > "$scratch/source"
every_way 'before headers of the system'
# It clashes with <sys/types.h>, so none of ours may include that.
printf '%s\n#include <linux/time.h>\n' "$all" > "$scratch/source"
every_way 'before <linux/time.h>'
printf '%s\n%s\n%s\n' "$libc" "$all" "$libc" > "$scratch/source"
every_way 'among headers of the C library'

{
	echo "$all"
	cat <<'END'
#ifdef __cplusplus
#define TAIL unsigned short tail[1];
#define DEFAULTS kmem_cache_args()
#else
#define TAIL unsigned short tail[];
#define DEFAULTS { .align = 8, .sheaf_capacity = 20 }
#endif
struct thing { int number; struct list_head list; TAIL };
struct point { int x, y; };
static void build(void *object) { ((struct point *)object)->x = 1; }
static void build3(void *object, kmem_cache_t *s, unsigned long flags)
{
	((struct point *)object)->x = s && flags;
}
static unsigned long number_of(struct shrinker *s, struct shrink_control *sc)
{
	return s->batch ? sc->nr_to_scan : SHRINK_EMPTY;
}
int use(mempool_t *pool, gfp_t gfp);
int use(mempool_t *pool, gfp_t gfp)
{
	struct kmem_cache_args args = DEFAULTS;
	struct kmem_cache *s[] = {
		kmem_cache_create("four", sizeof(struct point), &args, 0),
		kmem_cache_create("five", sizeof(struct point), 8, SLAB_HWCACHE_ALIGN, build),
		kmem_cache_create("six", sizeof(struct point), 8, 0, build3, NULL),
		KMEM_CACHE(point, SLAB_PANIC),
		KMEM_CACHE_USERCOPY(point, SLAB_PANIC, y),
		kmem_find_general_cachep(100, GFP_KERNEL),
	};
	struct point *p = kmalloc_obj(struct point), *q = kzalloc_objs(*p, 5, gfp);
	struct thing *t = kmalloc_flex(struct thing, tail, 7);
	static struct shrinker shrinker;
	void *scoped __free(kfree) = kmalloc(100, gfp);
	unsigned long page = __get_free_pages(GFP_KERNEL, 1), dma = __get_free_pages(gfp, 1, 1);
	int sum = mempool_resize(pool, 5) + mempool_resize(pool, 5, GFP_KERNEL);

	shrinker.count_objects = number_of;
	sum += register_shrinker(&shrinker) + register_shrinker(&shrinker, "name-%d", sum);
	p = kvrealloc(p, 100, gfp) ? kvrealloc(p, 100, 200, gfp) ? p : q : NULL;
	free_pages(page, 1);
	free_page(dma);
	kfree(t);
	kfree(no_free_ptr(scoped));
	kmem_cache_free(s[0], p);
	kmem_cache_destroy(s[5]);
	return sum + (int)get_order(100) + (int)sizeof(s) + gfpflags_allow_blocking(gfp);
}
END
} > "$scratch/source"
every_way 'what kernel code writes'
done_testing
