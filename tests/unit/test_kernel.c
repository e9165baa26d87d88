/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/kernel.h"

static struct kernel kernel;

static int count_open_files(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int n_files = 0;

	while (readdir(directory))
		n_files++;
	closedir(directory);
	return n_files;
}

Test(kernel, the_port_range_is_what_proc_says)
{
	unsigned int lo, hi;
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");

	if (!file)
		cr_skip("no ip_local_port_range");
	cr_assert_eq(fscanf(file, "%u %u", &lo, &hi), 2);
	fclose(file);
	kernel_read(&kernel);
	cr_assert_eq(kernel.port_range.lo, lo);
	cr_assert_eq(kernel.port_range.hi, hi);
}

Test(kernel, the_reserved_ports_are_what_proc_says)
{
	static char expected[400000], text[400000];
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_reserved_ports", "r");

	if (!file)
		cr_skip("no ip_local_reserved_ports");
	cr_assert_not_null(fgets(expected, sizeof(expected), file));
	fclose(file);
	expected[strcspn(expected, "\n")] = '\0';
	kernel_read(&kernel);
	cr_assert(kernel.reserved_known);
	range_text_format(&kernel.reserved, text, sizeof(text));
	cr_assert_str_eq(text, expected);
}

#define SKIPPED 77

static bool enter_own_namespace(void)
{
	struct stat before, after;

	return !stat("/proc/self/ns/net", &before) &&
	       !unshare(CLONE_NEWUSER | CLONE_NEWNET) &&
	       !stat("/proc/self/ns/net", &after) &&
	       before.st_ino != after.st_ino;
}

/*
 * The list is that of the whole machine, unless in a network namespace made for
 * the test, and only a process with one thread may make one: hence a child.
 */
static void assert_in_own_namespace(int (*check)(void))
{
	int status;
	pid_t child = fork();

	if (!child)
		_exit(enter_own_namespace() ? check() : SKIPPED);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED)
		cr_skip("no ip_local_reserved_ports of one's own here");
	cr_assert_eq(WEXITSTATUS(status), 0);
}

/* The kernel takes a page at most at once and adds what follows it. */
static bool reserve(const char *list, size_t length)
{
	int fd = open("/proc/sys/net/ipv4/ip_local_reserved_ports", O_WRONLY);
	ssize_t n_bytes = 1;

	if (fd < 0)
		return false;
	while (length && n_bytes > 0) {
		n_bytes = write(fd, list, length);
		if (n_bytes > 0) {
			list += n_bytes;
			length -= (size_t)n_bytes;
		}
	}
	close(fd);
	return !length;
}

static int check_long_list(void)
{
	static char list[400000];
	size_t length = 0;

	for (unsigned int port = 1; port < 65536; port += 2)
		length += (size_t)sprintf(list + length, "%u,", port);
	list[length - 1] = '\n';
	if (!reserve(list, length))
		return SKIPPED;
	kernel_read(&kernel);
	for (uint32_t port = 0; port < N_PORTS; port++)
		if (port_set_has(&kernel.reserved, port) != port % 2)
			return 1;
	return !kernel.reserved_known || kernel.reserved.n_ports != 32768;
}

Test(kernel, a_long_list_of_reserved_ports_is_read_in_full)
{
	assert_in_own_namespace(check_long_list);
}

static int check_ranges(void)
{
	static const char list[] = "0-79,8080,9148,30000-32767\n";
	char text[64];

	if (!reserve(list, sizeof(list) - 1))
		return SKIPPED;
	kernel_read(&kernel);
	range_text_format(&kernel.reserved, text, sizeof(text));
	return strcmp(text, "1-79,8080,9148,30000-32767") != 0;
}

Test(kernel, ranges_of_reserved_ports_are_read)
{
	assert_in_own_namespace(check_ranges);
}

Test(kernel, the_namespace_is_that_of_proc)
{
	struct stat status;

	if (stat("/proc/self/ns/net", &status))
		cr_skip("no /proc/self/ns/net");
	kernel_read(&kernel);
	cr_assert_eq(kernel.netns_inode, status.st_ino);
}

Test(kernel, reading_leaves_no_file_open_and_errno_alone)
{
	int before = count_open_files();

	errno = 12345;
	kernel_read(&kernel);
	cr_assert_eq(errno, 12345);
	cr_assert_eq(count_open_files(), before);
}

Test(kernel, only_ports_that_it_would_choose_can_be_pinned)
{
	kernel.pin_range = 60999u << 16 | 32768;
	kernel.reserved_known = true;
	port_set_add(&kernel.reserved, 40000, 40001);
	cr_assert_not(kernel_can_pin(&kernel, 32767));
	cr_assert(kernel_can_pin(&kernel, 32768));
	cr_assert(kernel_can_pin(&kernel, 39999));
	cr_assert_not(kernel_can_pin(&kernel, 40000));
	cr_assert_not(kernel_can_pin(&kernel, 40001));
	cr_assert(kernel_can_pin(&kernel, 60999));
	cr_assert_not(kernel_can_pin(&kernel, 61000));
}

Test(kernel, nothing_can_be_pinned_where_the_kernel_is_unknown)
{
	cr_assert_not(kernel_can_pin(&kernel, 40000));
	cr_assert_not(kernel_can_pin(&kernel, 0));
	kernel.pin_range = 60999u << 16 | 32768;
	cr_assert_not(kernel_can_pin(&kernel, 40000));
}
