/* SPDX-License-Identifier: MIT */
/*
 * Magazines on their way (src/magazine/magazine.c, thread.c, depot.c): each one has one owner.
 *
 * A thread takes and sets its previous magazine and exchanges magazines with the depot; another one
 * does the same with the depot; a third steals what is idle, having looked first.
 *
 *	-DPLAIN_STEAL	previous is read and cleared in two steps instead of compared and swapped
 *	-DNO_LOCK	the depot is changed without its lock
 */
#define NONE	0
#define NR	4	/* magazines 1 to 3 */

byte previous = NONE;	/* of thread 0 */
byte depot[NR];		/* a stack */
byte depth;
bool locked;
byte owners[NR];	/* how many hold it in hand */

inline lock()
{
#ifndef NO_LOCK
	atomic { !locked -> locked = true }
#endif
	skip
}

inline unlock()
{
#ifndef NO_LOCK
	locked = false
#else
	skip
#endif
}

inline got(m)
{
	owners[m]++;
	assert(owners[m] == 1)
}

/* A critical section of several steps: depth is read, the slot, then depth is written. */
inline depot_pop(m, d)
{
	lock();
	d = depth;
	m = NONE;
	if
	:: d > 0 ->
		m = depot[d - 1];
		depth = d - 1
	:: else
	fi;
	unlock();
	if
	:: m != NONE -> got(m)
	:: else
	fi
}

inline depot_push(m, d)
{
	owners[m]--;
	lock();
	d = depth;
	depot[d] = m;
	depth = d + 1;
	unlock()
}

proctype owner()
{
	byte m, d, n;

	do
	:: n < 3 ->
		n++;
		atomic { m = previous; previous = NONE };	/* take_previous: an exchange */
		if
		:: m != NONE -> got(m); depot_push(m, d)
		:: else
		fi;
		depot_pop(m, d);
		if
		:: m != NONE -> owners[m]--; previous = m	/* set_previous */
		:: else
		fi
	:: else -> break
	od
}

proctype other()
{
	byte m, d, n;

	do
	:: n < 2 ->
		n++;
		depot_pop(m, d);
		if
		:: m != NONE -> depot_push(m, d)
		:: else
		fi
	:: else -> break
	od
}

proctype stealer()
{
	byte m, d, n;
	bool mine;

	do
	:: n < 2 ->
		n++;
		m = previous;
		if
		:: m != NONE ->
#ifdef PLAIN_STEAL
			previous = NONE;
			mine = true;
#else
			atomic { mine = (previous == m); if :: mine -> previous = NONE :: else fi };
#endif
			if
			:: mine -> got(m); depot_push(m, d)
			:: else
			fi
		:: else
		fi
	:: else -> break
	od
}

init
{
	atomic {
		depot[0] = 1; depot[1] = 2; depth = 2;
		previous = 3;
		run owner(); run other(); run stealer()
	}
}
