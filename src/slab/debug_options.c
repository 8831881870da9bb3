/* SPDX-License-Identifier: MIT */
/*
 * The option slab_debug, with the kernel's syntax:
 *
 *	slab_debug:<letters>[,<cache>[,<cache>…]][;<letters>[,<cache>…]]…
 *
 * F sanity checks, Z red zones, P poison, U owners, T trace, A fail, O no larger slabs (no effect:
 * slabs here have the size they have), - nothing.  No letters means FZPU.  Names may end in *.
 * The first block that names a cache wins; a block without names is for all caches that none names.
 *
 * References: Linux Documentation/mm/slub.rst.
 */
#include "slab/debug.h"

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

static slab_flags_t parse_letters(struct str letters)
{
	slab_flags_t flags = 0;
	size_t i;

	if (!letters.len)
		return DEFAULT_FLAGS;
	for (i = 0; i < letters.len; i++)
		flags |= flag_of(letters.at[i]);
	return flags;
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

static slab_flags_t flags_for(struct str text, struct str cache)
{
	slab_flags_t everywhere = 0;

	while (text.at) {
		struct str names = str_cut(&text, ";");
		slab_flags_t flags = parse_letters(str_trim(str_cut(&names, ",")));

		if (!names.at)
			everywhere = flags;
		else if (names_cache(names, cache))
			return flags;
	}
	return everywhere;
}

slab_flags_t slab_debug_option(const char *name, slab_flags_t flags)
{
	struct str text = options_slab_debug();

	if (likely(!text.at) || flags & SLAB_NO_USER_FLAGS)
		return flags;
	return flags | flags_for(text, str_of(name));
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

	while (text.at) {
		struct str names = str_cut(&text, ";");
		slab_flags_t flags = parse_letters(str_trim(str_cut(&names, ",")));

		if (flags && !names.at)
			return true;
		while (flags && names.at)
			if (concerns(str_trim(str_cut(&names, ",")), str_of(prefix)))
				return true;
	}
	return false;
}
