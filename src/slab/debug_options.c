/* SPDX-License-Identifier: MIT */
/*
 * The option slab_debug, with the kernel's syntax:
 *
 *	slab_debug:<letters>[,<cache>[,<cache>…]][;<letters>[,<cache>…]]…
 *
 * F sanity checks, Z red zones, P poison, U owners, T trace, A fail, - nothing of what stands
 * before it, O only where an object takes no more pages for it.  A list of caches without letters
 * means FZPU, an empty block nothing.  Names may end in *.  The first block that names a cache
 * wins; for caches that none names it is the last block without names.
 *
 * References: Linux Documentation/mm/slub.rst, mm/slub.c (parse_slub_debug_flags).
 */
#include "slab/debug.h"

#include "lib/bug.h"
#include "lib/strutil.h"
#include "os/options.h"

#define DEFAULT_FLAGS	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

static slab_flags_t flag_of(char letter)
{
	switch (letter | 0x20) {
	case 'f':
		return SLAB_CONSISTENCY_CHECKS;
	case 'z':
		return SLAB_RED_ZONE;
	case 'p':
		return SLAB_POISON;
	case 'u':
		return SLAB_STORE_USER;
	case 't':
		return SLAB_TRACE;
	case 'a':
		return SLAB_FAILSLAB;
	default:
		return 0;
	}
}

/* Letters that are no flags of a cache. */
static bool is_special(char letter)
{
	return letter == '-' || (letter | 0x20) == 'o';
}

static slab_flags_t parse_letters(struct str letters)
{
	slab_flags_t flags = 0;
	size_t i;

	if (!letters.len)
		return DEFAULT_FLAGS;
	for (i = 0; i < letters.len; i++)
		flags = letters.at[i] == '-' ? 0 : flags | flag_of(letters.at[i]);
	return flags;
}

struct block {
	struct str letters;
	struct str names;		/* at is NULL: all caches */
};

static bool next_block(struct str *text, struct block *block)
{
	while (text->at) {
		struct str rest = str_trim(str_cut(text, ";"));

		if (!rest.len)
			continue;
		block->letters = str_trim(str_cut(&rest, ","));
		block->names = rest;
		return true;
	}
	return false;
}

static void check_letters(struct str letters)
{
	size_t i;

	for (i = 0; i < letters.len; i++)
		if (!flag_of(letters.at[i]) && !is_special(letters.at[i]))
			warn("slab_debug option '%c' unknown. skipped", letters.at[i]);
}

/* Once in the life of the process. */
static void check_option(struct str text)
{
	static _Atomic bool done;
	struct block block;

	if (atomic_exchange_explicit(&done, true, memory_order_relaxed))
		return;
	while (next_block(&text, &block))
		check_letters(block.letters);
}

static bool name_matches(struct str pattern, struct str name)
{
	if (pattern.len && pattern.at[pattern.len - 1] == '*') {
		pattern.len--;
		name.len = min(name.len, pattern.len);
	}
	return str_equal(pattern, name);
}

static bool names_cache(struct str names, struct str cache)
{
	while (names.at)
		if (name_matches(str_trim(str_cut(&names, ",")), cache))
			return true;
	return false;
}

static slab_flags_t flags_for(struct str text, struct str cache, slab_flags_t flags)
{
	slab_flags_t everywhere = 0;
	struct block block;

	while (next_block(&text, &block)) {
		if (!block.names.at)
			everywhere = parse_letters(block.letters);
		else if (names_cache(block.names, cache))
			return flags | parse_letters(block.letters);
	}
	/* Caches of debugging tools have no owners unless somebody wants those by name. */
	if (flags & SLAB_NOLEAKTRACE)
		everywhere &= ~SLAB_STORE_USER;
	return flags | everywhere;
}

slab_flags_t slab_debug_option(const char *name, slab_flags_t flags)
{
	struct str text = options_slab_debug();

	if (likely(!text.at) || flags & SLAB_NO_USER_FLAGS)
		return flags;
	check_option(text);
	return flags_for(text, str_of(name), flags);
}

bool slab_debug_keeps_order(void)
{
	struct str text = options_slab_debug();
	struct block block;
	size_t i;

	while (next_block(&text, &block))
		for (i = 0; i < block.letters.len; i++)
			if ((block.letters.at[i] | 0x20) == 'o')
				return true;
	return false;
}

/* A name in the option that could be one of @prefix: they share their beginning. */
static bool concerns(struct str pattern, struct str prefix)
{
	size_t common = min(pattern.len, prefix.len);

	if (pattern.len && pattern.at[pattern.len - 1] == '*')
		common = min(pattern.len - 1, prefix.len);
	return !common || str_equal((struct str){ pattern.at, common },
				    (struct str){ prefix.at, common });
}

bool slab_debug_wanted(const char *prefix)
{
	struct str text = options_slab_debug();
	struct block block;

	while (next_block(&text, &block)) {
		slab_flags_t flags = parse_letters(block.letters);

		if (flags && !block.names.at)
			return true;
		while (flags && block.names.at)
			if (concerns(str_trim(str_cut(&block.names, ",")), str_of(prefix)))
				return true;
	}
	return false;
}
