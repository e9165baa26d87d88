/* SPDX-License-Identifier: MIT */
#include "base/raw_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The lines that were visited, as their lengths; visiting ends after some. */
struct visited {
	size_t lengths[8];
	int n, n_wanted;
};

static bool note_length(const char *line, void *context)
{
	struct visited *visited = context;

	visited->lengths[visited->n++] = strlen(line);
	return visited->n < visited->n_wanted;
}

/* Visits a file of these lengths of lines, up to 0; the last has no newline. */
static int visit(const size_t *lengths, struct visited *visited)
{
	const int fd = memfd_create("lines", 0);
	char path[32];

	for (; *lengths != 0; lengths++) {
		char *line = malloc(*lengths + 1);

		memset(line, 'x', *lengths);
		line[*lengths] = '\n';
		cr_assert_eq(raw_file_write(fd, line,
					    *lengths + (lengths[1] != 0),
					    (uint64_t)lseek(fd, 0, SEEK_END)),
			     0);
		free(line);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return raw_each_line(path, note_length, visited);
}

Test(raw_file, every_line_that_has_a_newline_is_visited)
{
	struct visited visited = { .n_wanted = 8 };

	cr_assert_eq(visit((const size_t[]){ 1, 60000, 30000, 5, 7, 0 },
			   &visited),
		     0);
	cr_assert_eq(visited.n, 4);
	cr_expect_eq(visited.lengths[0], 1);
	cr_expect_eq(visited.lengths[1], 60000);
	cr_expect_eq(visited.lengths[2], 30000);
	cr_expect_eq(visited.lengths[3], 5);
}

Test(raw_file, a_line_that_is_too_long_comes_in_parts)
{
	struct visited visited = { .n_wanted = 8 };

	cr_assert_eq(visit((const size_t[]){ 3, 70000, 4, 1, 0 }, &visited), 0);
	cr_assert_eq(visited.n, 4);
	cr_expect_eq(visited.lengths[0], 3);
	cr_expect_eq(visited.lengths[1] + visited.lengths[2], 70000);
	cr_expect_eq(visited.lengths[3], 4);
}

Test(raw_file, visiting_ends_when_no_more_is_wanted)
{
	struct visited visited = { .n_wanted = 2 };

	cr_assert_eq(visit((const size_t[]){ 1, 2, 3, 1, 0 }, &visited), 1);
	cr_assert_eq(visited.n, 2);
}

Test(raw_file, a_missing_file_has_no_lines)
{
	struct visited visited = { .n_wanted = 1 };

	cr_assert_eq(raw_each_line("/nowhere", note_length, &visited), -ENOENT);
	cr_assert_eq(visited.n, 0);
}
