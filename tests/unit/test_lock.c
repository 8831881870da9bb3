/* SPDX-License-Identifier: MIT */
/*
 * Mutexes: one at a time, sleepers wake up; in debug builds, the order of ranks.
 */
#include "unit.h"

#include "os/lock.h"
#include "os/os.h"

TestSuite(lock, .timeout = 60);

static struct os_mutex low = OS_MUTEX(RANK_DEPOT), high = OS_MUTEX(RANK_ZONE);
static unsigned long counter;

static void *count(void *arg)
{
	for (int i = 0; i < 200000; i++) {
		os_mutex_lock(&low);
		counter++;
		os_mutex_unlock(&low);
	}
	return arg;
}

Test(lock, one_at_a_time)
{
	run_threads(4, count, NULL);
	cr_assert(counter == 800000);
	cr_assert(low.state == 0);
}

static void *wait_long(void *arg)
{
	os_mutex_lock(&low);
	counter++;
	os_mutex_unlock(&low);
	return arg;
}

Test(lock, sleepers_wake_up)
{
	pthread_t threads[3];

	os_mutex_lock(&low);
	for (int i = 0; i < 3; i++)
		cr_assert(pthread_create(&threads[i], NULL, wait_long, NULL) == 0);
	usleep(50000);
	cr_assert(counter == 0 && low.state == 2);
	os_mutex_unlock(&low);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	cr_assert(counter == 3);
}

Test(lock, trylock_does_not_wait)
{
	cr_assert(os_mutex_trylock(&low));
	cr_assert(!os_mutex_trylock(&low));
	os_mutex_unlock(&low);
	cr_assert(os_mutex_trylock(&low));
	os_mutex_unlock(&low);
}

#if defined(KMALLOC_DEBUG)
#define RANKS_ARE_CHECKED true
#else
#define RANKS_ARE_CHECKED false
#endif

static void lock_upwards(void *arg)
{
	(void)arg;
	os_mutex_lock(&low);
	os_mutex_lock(&high);
	os_mutex_unlock(&high);
	os_mutex_unlock(&low);
}

static void lock_downwards(void *arg)
{
	(void)arg;
	os_mutex_lock(&high);
	os_mutex_lock(&low);
}

Test(lock, ranks_are_obeyed)
{
	if (!RANKS_ARE_CHECKED)
		cr_skip_test("ranks are checked in debug builds only");
	cr_assert(in_child(lock_upwards, NULL) == 0);
	cr_assert(died_of(in_child(lock_downwards, NULL), SIGABRT));
}
