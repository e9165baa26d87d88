/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "policy_file_here.h"

TestSuite(policy_load, .init = setup, .fini = teardown, .timeout = 900);

/* Images take turns, so that a file is never much longer than two of them. */
Test(policy_load, many_loads_of_all_sizes_leave_a_short_file)
{
	uint64_t edition = 0;

	make();
	srand(1);
	for (int i = 0; i < 200; i++) {
		const size_t size = (size_t)(rand() % (int)IMAGE_SIZE) / 8 * 8 +
				    8;

		cr_assert_eq(publish((char)('a' + i % 26), size, &edition), 0);
		cr_assert(slot_is(edition, (char)('a' + i % 26), size));
	}
	cr_expect_lt(status_of(path).st_size, 3 * (off_t)IMAGE_SIZE + 8192);
}

Test(policy_load, the_largest_image_is_taken_and_a_larger_is_not)
{
	char *large = malloc(POLICY_SIZE_MAX + 1);
	struct policy_load load = { .image = large,
				    .size = POLICY_SIZE_MAX + 1 };
	uint64_t edition = 99;

	make();

	const uint64_t old = publish_ok('a');

	memset(large, 'L', POLICY_SIZE_MAX + 1);
	cr_assert_eq(policy_file_load(&place, &load, &edition, NULL), -EFBIG);
	cr_assert_eq(edition, 99);
	assert_in_force(old, 'a');
	load.size = POLICY_SIZE_MAX;
	cr_assert_eq(policy_file_load(&place, &load, &edition, NULL), 0);
	cr_assert_eq(policy_file_edition(&file), edition);
	cr_assert(slot_is(edition, 'L', POLICY_SIZE_MAX));
	/* The two do not overlap. */
	cr_assert(slot_is(old, 'a', IMAGE_SIZE));
	free(large);
}

/* Sum of what /proc/self/maps shows of the file. */
static size_t mapped_bytes(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	size_t sum = 0;

	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long from, to;

		if (strstr(line, path) != NULL &&
		    sscanf(line, "%lx-%lx", &from, &to) == 2)
			sum += to - from;
	}
	fclose(maps);
	return sum;
}

/* 18 sets of ports each: no call is made to follow them. */
Test(policy_load, an_ordinary_policy_takes_less_than_half_a_mebibyte)
{
	uint64_t edition;

	make();
	for (char byte = 'a'; byte < 'f'; byte++) {
		cr_assert_eq(publish(byte, 185000, &edition), 0);
		cr_assert(slot_is(edition, byte, 185000));
		cr_expect_eq(mapped_bytes(), POLICY_VIEW_SIZE);
	}
}

Test(policy_load, a_large_image_is_mapped_without_a_descriptor)
{
	make();
	cr_assert_eq(mapped_bytes(), POLICY_VIEW_SIZE);

	const uint64_t first = publish_ok('a');

	assert_in_force(first, 'a');

	const uint64_t second = publish_ok('b');
	struct rlimit limit, none;
	int result;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ 0, limit.rlim_max };
	/* It ends beyond what was mapped at first. */
	setrlimit(RLIMIT_NOFILE, &none);
	result = follow(second);
	setrlimit(RLIMIT_NOFILE, &limit);
	cr_assert_eq(result, 0);
	assert_in_force(second, 'b');
	cr_assert(slot_is(first, 'a', IMAGE_SIZE));
}

/* Runs a function in a child; returns once it has called say_ready(). */
static int ready_pipe[2];

static void say_ready(void)
{
	cr_assert_eq(write(ready_pipe[1], "", 1), 1);
}

static pid_t run_child(void (*function)(void))
{
	char byte;

	cr_assert_eq(pipe(ready_pipe), 0);

	const pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		/* Nor is it left behind by a test that fails. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		function();
		_exit(1);
	}
	cr_assert_eq(read(ready_pipe[0], &byte, 1), 1);
	return pid;
}

static void kill_child(pid_t pid)
{
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

/* As a loader does, up to the middle of the image. */
static void hold_and_write(void)
{
	const int fd = open(path, O_RDWR);
	const int lock_fd = open(in_directory("3/lock"), O_RDWR);

	if (fd < 0 || lock_fd < 0 || flock(lock_fd, LOCK_EX) != 0)
		_exit(2);
	memset(image, 'x', sizeof(image));
	/* Behind the first one. */
	if (pwrite(fd, image, IMAGE_SIZE / 2,
		   (off_t)sizeof(struct policy_file_header) +
			   (off_t)(IMAGE_SIZE + 64)) < 0)
		_exit(3);
	say_ready();
	pause();
}

/* What others may read they may lock. */
static void hold_all_that_is_readable(void)
{
	struct flock whole = { .l_type = F_RDLCK };
	int fd, folder_fd;

	if (setgid(SOMEBODY) != 0 || setuid(SOMEBODY) != 0)
		_exit(2);
	fd = open(path, O_RDONLY);
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || folder_fd < 0 || flock(fd, LOCK_EX) != 0 ||
	    flock(folder_fd, LOCK_EX) != 0 ||
	    fcntl(fd, F_OFD_SETLK, &whole) != 0)
		_exit(3);
	if (open(in_directory("3/lock"), O_RDONLY) >= 0)
		_exit(4);
	say_ready();
	pause();
}

/* Edge case 51. */
Test(policy_load, a_lock_that_a_reader_holds_is_in_nobodys_way)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(chmod(directory, 0755), 0);
	make();
	publish_ok('a');

	const pid_t reader = run_child(hold_all_that_is_readable);

	alarm(5); /* Well below the time after which a lock is given up. */
	assert_in_force(publish_ok('b'), 'b');
	cr_assert_eq(unpublish() % 2, 0);
	alarm(0);
	kill_child(reader);
}

static void publish_b(void)
{
	uint64_t edition;

	say_ready();
	_exit(publish('b', IMAGE_SIZE, &edition) == 0 ? 0 : 1);
}

Test(policy_load, a_loader_that_is_killed_lets_the_next_one_in)
{
	int status;

	make();

	const uint64_t old = publish_ok('a');

	cr_assert_eq(image_of(old), (const char *)file.preamble +
					    sizeof(struct policy_file_header));

	const pid_t holder = run_child(hold_and_write);
	const pid_t publisher = run_child(publish_b);

	usleep(200000);
	cr_assert_eq(waitpid(publisher, &status, WNOHANG), 0,
		     "it did not wait for the other loader");
	assert_in_force(old, 'a');
	kill_child(holder);
	cr_assert_eq(waitpid(publisher, &status, 0), publisher);
	cr_assert_eq(status, 0);
	assert_in_force(old + 2, 'b');
	assert_in_force(publish_ok('c'), 'c');
}

static void publish_forever(void)
{
	uint64_t first;

	publish('a', IMAGE_SIZE, &first);
	say_ready();
	for (char byte = 'a';; byte = byte == 'z' ? 'a' : (char)(byte + 1)) {
		uint64_t edition;

		if (byte == 'q')
			publish_none(&edition);
		else
			publish(byte, IMAGE_SIZE, &edition);
	}
}

/* Whenever it is killed: what is in force is one image, and whole. */
Test(policy_load, killed_at_any_moment_a_whole_image_stays_in_force)
{
	int n_odd = 0;

	make();
	srand(1);
	for (int round = 0; round < 150; round++) {
		const pid_t pid = run_child(publish_forever);

		usleep((useconds_t)(rand() % 3000));
		kill_child(pid);
		close(ready_pipe[0]);
		close(ready_pipe[1]);

		const uint64_t edition = policy_file_edition(&file);

		if (edition % 2 == 0)
			continue;
		n_odd++;
		cr_assert(slot_is(edition, *image_of(edition), IMAGE_SIZE));
		cr_assert_neq(*image_of(edition), 0);
	}
	cr_assert_gt(n_odd, 50);
	assert_in_force(publish_ok('!'), '!');
}

Test(policy_load, loaders_that_meet_take_turns)
{
	enum { N_LOADERS = 4, N_EACH = 25 };

	make();
	for (int i = 0; i < N_LOADERS; i++)
		if (fork() == 0) {
			uint64_t edition;

			for (int j = 0; j < N_EACH; j++)
				if (publish((char)('a' + i), IMAGE_SIZE,
					    &edition) != 0)
					_exit(1);
			_exit(0);
		}
	for (int i = 0; i < N_LOADERS; i++) {
		int status;

		wait(&status);
		cr_assert_eq(status, 0);
	}
	/* No number was given twice. */
	assert_in_force(2 * N_LOADERS * N_EACH + 1,
			*image_of(policy_file_edition(&file)));
}

Test(policy_load, on_a_full_file_system_the_old_policy_stays)
{
	uint64_t edition = 99;

	mount_here(directory, "size=500k");
	make();

	const uint64_t old = publish_ok('a');

	cr_assert_eq(publish('b', IMAGE_SIZE, &edition), -ENOSPC);
	cr_assert_eq(edition, 99);
	assert_in_force(old, 'a');
	/* What did not fit has left nothing behind. */
	cr_assert_eq(publish('c', IMAGE_SIZE / 2, &edition), 0);
	cr_assert_eq(policy_file_edition(&file), edition);
	cr_assert(slot_is(edition, 'c', IMAGE_SIZE / 2));
}

Test(policy_load, on_a_full_file_system_none_is_made)
{
	mount_here(directory, "size=4k");

	const int fd = open(directory, O_TMPFILE | O_RDWR, 0600);

	cr_assert_eq(posix_fallocate(fd, 0, 4096), 0);
	cr_assert_eq(open_file(POLICY_CREATE), -ENOSPC);
	cr_assert_null(file.preamble);
	cr_assert_eq(access(path, F_OK), -1);
	close(fd);
}

Test(policy_load, another_users_file_is_read_and_not_published)
{
	int status;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(chmod(directory, 0755), 0);
	make();

	const uint64_t old = publish_ok('a');
	const pid_t pid = fork();

	if (pid == 0) {
		uint64_t edition;

		policy_file_close(&file);
		if (setgid(SOMEBODY) != 0 || setuid(SOMEBODY) != 0)
			_exit(1);
		if (open_file(POLICY_EXISTING) != 0)
			_exit(2);
		if (!file.by_root || !slot_is(old, 'a', IMAGE_SIZE))
			_exit(3);
		_exit(publish('b', IMAGE_SIZE, &edition) == -EACCES ? 0 : 4);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(WEXITSTATUS(status), 0, "%d", WEXITSTATUS(status));
	assert_in_force(old, 'a');
}
