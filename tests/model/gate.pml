/* SPDX-License-Identifier: MIT */
/*
 * The gate (src/magazine/gate.c): nobody is inside while a process forks.
 *
 * Two threads enter and leave, and give up when a fork lasts; one forks, twice. What is proved: at
 * the moment of fork() nobody is inside, whatever the interleaving, and nobody waits for ever.
 *
 *	-DWEAK		gate_enter reads gate_forks before its own busy is seen by others, as it
 *			would be without sequential consistency
 *	-DNO_RECHECK	after the wait a thread goes in without looking again
 */
bool busy[2], inside[2], forks;

proctype worker(byte me)
{
	bool closed;
	byte tries;

again:
#ifdef WEAK
	closed = forks;
	busy[me] = true;
#else
	busy[me] = true;
	closed = forks;
#endif
	if
	:: !closed ->
enter:
		inside[me] = true;
		inside[me] = false;
		busy[me] = false
	:: closed ->
		busy[me] = false;
		tries++;
		if
		:: tries < 3 ->
			if
			:: !forks	/* woken */
			:: true		/* patience ended */
			fi;
#ifdef NO_RECHECK
			busy[me] = true;
			goto enter
#else
			goto again
#endif
		:: else		/* goes on without entering: emergency.c */
		fi
	fi
}

proctype forker()
{
	byte n;

	do
	:: n < 2 ->
		forks = true;
		!busy[0];	/* one after the other, as thread_any_busy walks the list */
		!busy[1];
		assert(!inside[0] && !inside[1]);
		skip;		/* fork() */
		assert(!inside[0] && !inside[1]);
		forks = false;
		n++
	:: else -> break
	od
}

init
{
	atomic { run worker(0); run worker(1); run forker() }
}
