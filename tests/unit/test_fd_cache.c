/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/fd_cache.h"

static struct fd_cache cache;

static void setup(void)
{
	fd_cache_open(&cache);
	cr_assert_not_null(cache.ownerp);
}

TestSuite(fd_cache, .init = setup);

static const struct fd_facts leased = {
	.known = 1,
	.covered = 1,
	.has_port = 1,
	.use = USE_CONNECT,
	.port = 65535,
	.plane = 255,
};

Test(fd_cache, an_entry_comes_back_whole_and_once)
{
	fd_cache_put(&cache, 5, leased);

	struct fd_facts facts = fd_cache_get(&cache, 5);

	cr_expect(facts.known && facts.covered && facts.has_port);
	cr_expect_eq(facts.port, 65535);
	cr_expect_eq(facts.plane, 255);
	cr_expect_eq(facts.use, USE_CONNECT);
	facts = fd_cache_take(&cache, 5);
	cr_expect_eq(facts.port, 65535);
	facts = fd_cache_take(&cache, 5);
	cr_expect_not(facts.known);
}

Test(fd_cache, what_is_displaced_comes_back)
{
	struct fd_facts other = leased;

	other.port = 1;
	fd_cache_put(&cache, 5, leased);
	cr_expect_eq(fd_cache_put(&cache, 5, other).port, 65535);
}

Test(fd_cache, descriptors_that_it_has_no_room_for_are_unknown)
{
	const int fds[] = { -1, (int)MAX_FDS, INT32_MAX, INT32_MIN };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		cr_expect_not(fd_cache_has_place(&cache, fds[i]));
		fd_cache_put(&cache, fds[i], leased);
		cr_expect_not(fd_cache_get(&cache, fds[i]).known);
		cr_expect_not(fd_cache_take(&cache, fds[i]).known);
	}
}

/* The limit at the start says nothing: it may be raised. */
Test(fd_cache, a_chunk_is_made_for_the_first_of_its_descriptors)
{
	const int last = (int)MAX_FDS - 1;

	fd_cache_put(&cache, last, leased);
	cr_expect_not(fd_cache_get(&cache, last).known);
	cr_expect(fd_cache_has_place(&cache, last));
	fd_cache_put(&cache, last, leased);
	cr_expect(fd_cache_get(&cache, last).known);
	cr_expect_null(cache.chunks[1]);
	cr_expect_eq(fd_cache_next(&cache, 0, MAX_FDS), last);
	cr_expect_eq(fd_cache_next(&cache, 0, MAX_FDS - 2), -1);
}

Test(fd_cache, without_memory_descriptors_have_no_place)
{
	const struct rlimit none = { 0, RLIM_INFINITY };
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	bool beyond, within;

	/* Only here: the end of the test may need memory. */
	cr_assert_eq(setrlimit(RLIMIT_AS, &none), 0);
	beyond = fd_cache_has_place(&cache, FD_CHUNK_LENGTH);
	within = fd_cache_has_place(&cache, FD_CHUNK_LENGTH - 1);
	cr_assert_eq(setrlimit(RLIMIT_AS, &all), 0);
	cr_expect_not(beyond);
	cr_expect(within);
}

static struct fd_facts lease_of_now(void)
{
	struct fd_facts facts = leased;

	cr_assert(fd_cache_own(&cache));
	facts.generation = cache.generation & 3;
	return facts;
}

static void expect_in_child(bool (*holds)(void))
{
	const pid_t child = fork();
	int status;

	if (child == 0)
		_exit(!holds());
	waitpid(child, &status, 0);
	cr_expect_eq(status, 0);
}

static bool inherits_facts_alone(void)
{
	const struct fd_facts before = fd_cache_get(&cache, 5);
	const bool owns = fd_cache_own(&cache);
	const bool holds = fd_cache_holds(&cache, &before);
	const struct fd_facts mine = lease_of_now();

	fd_cache_take(&cache, 5);
	return before.known && owns && !holds && fd_cache_holds(&cache, &mine);
}

/* Edge case 19. */
Test(fd_cache, a_forked_child_inherits_the_facts_and_not_the_leases)
{
	fd_cache_put(&cache, 5, lease_of_now());
	expect_in_child(inherits_facts_alone);

	const struct fd_facts facts = fd_cache_get(&cache, 5);

	cr_expect(fd_cache_own(&cache));
	cr_expect(fd_cache_holds(&cache, &facts));
}

/* Edge case 20. */
Test(fd_cache, a_vfork_child_sees_the_entries_and_does_not_own_them)
{
	volatile bool owner = true, known = false;
	int status;

	fd_cache_put(&cache, 5, lease_of_now());

	const pid_t child = vfork();

	if (child == 0) {
		owner = fd_cache_own(&cache);
		known = fd_cache_get(&cache, 5).known;
		_exit(0);
	}
	waitpid(child, &status, 0);
	cr_expect(known);
	cr_expect_not(owner);
}

/* Returns whether it owned the entries. */
static bool have_vfork_child(void)
{
	volatile bool owns = false;
	const pid_t child = vfork();

	if (child == 0) {
		owns = fd_cache_own(&cache);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return owns;
}

Test(fd_cache, a_vfork_child_that_comes_first_is_not_the_owner)
{
	int status;

	cr_expect_not(have_vfork_child());
	cr_expect(fd_cache_own(&cache));

	const pid_t child = fork();

	if (child == 0) {
		fd_cache_forked(&cache);
		_exit(have_vfork_child() || !fd_cache_own(&cache));
	}
	waitpid(child, &status, 0);
	cr_expect_eq(status, 0);
}

/* As in a process that was made by clone(2), past libc. */
Test(fd_cache, what_a_vfork_child_has_become_the_owner_of_is_taken_back)
{
	int status;
	const pid_t child = fork();

	if (child == 0) {
		/* An assertion that fails here would stop the test. */
		const bool takes = have_vfork_child();
		const bool takes_back = fd_cache_own(&cache);
		struct fd_facts facts = leased;

		facts.generation = cache.generation & 3;
		_exit(!takes || !takes_back || have_vfork_child() ||
		      !fd_cache_own(&cache) || !fd_cache_holds(&cache, &facts));
	}
	waitpid(child, &status, 0);
	cr_expect_eq(status, 0);
}

/* Edge case 19: one child of another, twice as often as a generation counts. */
Test(fd_cache, a_descendant_never_has_its_ancestors_leases)
{
	fd_cache_put(&cache, 5, lease_of_now());
	for (int i = 0; i < 9; i++) {
		const pid_t child = fork();
		int status = 0;

		if (child != 0) {
			waitpid(child, &status, 0);
			if (i > 0)
				_exit(status != 0);
			cr_expect_eq(status, 0);
			return;
		}
		fd_cache_own(&cache);

		const struct fd_facts facts = fd_cache_get(&cache, 5);

		if (!facts.known || facts.port != 65535 ||
		    fd_cache_holds(&cache, &facts))
			_exit(1);
	}
	_exit(0);
}

static void *part(void *unused)
{
	(void)unused;
	fd_cache_set_apart(&cache);
	fd_cache_set_apart(&cache);

	const bool owns = fd_cache_own(&cache);
	const bool known = fd_cache_get(&cache, 5).known;
	const bool has_place = fd_cache_has_place(&cache, 6);

	fd_cache_put(&cache, 5, (struct fd_facts){ 0 });
	return owns || known || has_place ? part : NULL;
}

Test(fd_cache, a_thread_with_a_table_of_its_own_has_no_entries)
{
	fd_cache_put(&cache, 5, lease_of_now());
	for (unsigned int i = 0; i < MAX_APART; i++) {
		pthread_t thread;
		void *result;

		pthread_create(&thread, NULL, part, NULL);
		pthread_join(thread, &result);
		cr_expect_null(result);
		cr_expect_eq(cache.n_apart, i + 1);
	}
	cr_expect(fd_cache_own(&cache));
	cr_expect(fd_cache_get(&cache, 5).known);
}

Test(fd_cache, with_too_many_such_threads_nobody_has_entries)
{
	fd_cache_put(&cache, 5, lease_of_now());
	for (unsigned int i = 0; i <= MAX_APART; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, part, NULL);
		pthread_join(thread, NULL);
	}
	cr_expect_not(fd_cache_own(&cache));
	cr_expect_not(fd_cache_get(&cache, 5).known);
}

static bool begins_with_nothing(void)
{
	return !fd_cache_get(&cache, 5).known && fd_cache_own(&cache) &&
	       !fd_cache_get(&cache, 5).known &&
	       fd_cache_has_place(&cache, 5) && cache.n_apart == 0;
}

Test(fd_cache, a_child_of_a_process_with_such_threads_begins_with_nothing)
{
	fd_cache_put(&cache, 5, lease_of_now());
	cache.apart[0] = 1;
	cache.n_apart = 1;
	expect_in_child(begins_with_nothing);
	cr_expect(fd_cache_get(&cache, 5).known);
}

Test(fd_cache, copies_have_a_number_that_no_other_socket_has)
{
	struct fd_facts copied = leased;
	const uint32_t first = fd_cache_new_copies(&cache);

	copied.copies = first & 0x1ffff;
	cr_expect_eq(fd_cache_next_copy(&cache, 0, first), -1);
	fd_cache_put(&cache, 900, copied);
	fd_cache_put(&cache, 901, leased);
	fd_cache_put(&cache, 5000, copied);
	cr_expect_eq(fd_cache_next_copy(&cache, 0, first), 900);
	cr_expect_eq(fd_cache_next_copy(&cache, 901, first), -1);
	fd_cache_has_place(&cache, 5000);
	fd_cache_put(&cache, 5000, copied);
	cr_expect_eq(fd_cache_next_copy(&cache, 901, first), 5000);
	/* Once around. */
	cache.last_copies = first - 1;
	cr_expect_eq(fd_cache_new_copies(&cache), first + 1);
	cache.last_copies = UINT32_MAX;
	cr_expect_neq(fd_cache_new_copies(&cache), 0);
}

Test(fd_cache, a_close_takes_the_lease_that_a_copy_has_handed_on)
{
	struct fd_facts seen = leased;

	seen.use = USE_FREE;
	seen.copies = 7;

	struct fd_facts handed = seen;

	handed.use = USE_CONNECT;
	fd_cache_put(&cache, 5, handed);
	cr_expect(fd_cache_remove(&cache, 5, &seen));
	cr_expect_eq(seen.use, USE_CONNECT);
	cr_expect_not(fd_cache_get(&cache, 5).known);
	/* Another socket has the number by now. */
	fd_cache_put(&cache, 5, leased);
	cr_expect_not(fd_cache_remove(&cache, 5, &seen));
	cr_expect(fd_cache_get(&cache, 5).known);
}
