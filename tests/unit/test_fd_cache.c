/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fd_cache.h"

static struct fd_cache cache;

static void setup(void)
{
	fd_cache_open(&cache);
	cr_assert_not_null(cache.words);
}

TestSuite(fd_cache, .init = setup);

static const struct fd_facts leased = {
	.known = 1, .covered = 1, .has_port = 1, .use = USE_CONNECT,
	.port = 65535, .plane = 511,
};

Test(fd_cache, an_entry_comes_back_whole_and_once)
{
	fd_cache_put(&cache, 5, leased);

	struct fd_facts facts = fd_cache_get(&cache, 5);

	cr_expect(facts.known && facts.covered && facts.has_port);
	cr_expect_eq(facts.port, 65535);
	cr_expect_eq(facts.plane, 511);
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
	const int fds[] = { -1, (int)cache.n_fds, INT32_MAX, INT32_MIN };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		fd_cache_put(&cache, fds[i], leased);
		cr_expect_not(fd_cache_get(&cache, fds[i]).known);
		cr_expect_not(fd_cache_take(&cache, fds[i]).known);
	}
}

Test(fd_cache, the_last_descriptor_that_the_limit_allows_has_room)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max <= 1u << 20)
		cr_expect_eq(cache.n_fds, limit.rlim_max);
	fd_cache_put(&cache, (int)cache.n_fds - 1, leased);
	cr_expect(fd_cache_get(&cache, (int)cache.n_fds - 1).known);
}

static struct fd_facts lease_of_now(void)
{
	struct fd_facts facts = leased;

	cr_assert(fd_cache_own(&cache));
	facts.generation = cache.generation & 255;
	return facts;
}

/* Edge case 19. */
Test(fd_cache, a_forked_child_inherits_the_facts_and_not_the_leases)
{
	int status;

	fd_cache_put(&cache, 5, lease_of_now());

	const pid_t child = fork();

	if (child == 0) {
		const struct fd_facts before = fd_cache_get(&cache, 5);
		const bool owns = fd_cache_own(&cache);
		const bool holds = fd_cache_holds(&cache, &before);
		const struct fd_facts mine = lease_of_now();

		fd_cache_take(&cache, 5);
		_exit(before.known && owns && !holds &&
		      fd_cache_holds(&cache, &mine) ? 0 : 1);
	}
	waitpid(child, &status, 0);
	cr_expect_eq(status, 0);

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

Test(fd_cache, another_descriptor_of_the_same_socket_is_found)
{
	struct fd_facts copied = leased;

	copied.copied = 1;
	fd_cache_put(&cache, 5, copied);
	cr_expect_eq(fd_cache_find_copy(&cache, 5, &copied), -1);
	fd_cache_put(&cache, 900, leased);
	cr_expect_eq(fd_cache_find_copy(&cache, 5, &copied), -1);
	fd_cache_put(&cache, 900, copied);
	cr_expect_eq(fd_cache_find_copy(&cache, 5, &copied), 900);
	copied.space = SPACE_UDP;
	cr_expect_eq(fd_cache_find_copy(&cache, 5, &copied), -1);
}
