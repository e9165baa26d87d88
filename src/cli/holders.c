/* SPDX-License-Identifier: MIT */
#include "cli/holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int add(struct holders *holders, uint64_t inode, pid_t pid)
{
	if (holders->n_items == holders->capacity) {
		const size_t capacity = 2 * holders->capacity + 64;
		struct holder *items = reallocarray(holders->items, capacity,
						    sizeof(*items));

		if (items == NULL)
			return -ENOMEM;
		holders->items = items;
		holders->capacity = capacity;
	}
	holders->items[holders->n_items++] = (struct holder){ inode, pid };
	return 0;
}

static int add_descriptor(struct holders *holders, int directory_fd,
			  const char *name, pid_t pid)
{
	char link[64];
	static const char prefix[] = "socket:[";
	const ssize_t length = readlinkat(directory_fd, name, link,
					  sizeof(link) - 1);

	if (length < 0)
		return 0;
	link[length] = '\0';
	if (strncmp(link, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	return add(holders, strtoull(link + sizeof(prefix) - 1, NULL, 10), pid);
}

/* Returns 0, also for one that has ended or is another user's, or -ENOMEM. */
static int add_process(struct holders *holders, int proc_fd, const char *name)
{
	char path[32];
	const pid_t pid = (pid_t)strtol(name, NULL, 10);
	int result = 0;

	snprintf(path, sizeof(path), "%d/fd", (int)pid);

	const int fd = openat(proc_fd, path,
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (directory == NULL) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (result == 0 && (entry = readdir(directory)) != NULL)
		result = add_descriptor(holders, fd, entry->d_name, pid);
	closedir(directory);
	return result;
}

static int compare(const void *a, const void *b)
{
	const struct holder *left = a, *right = b;

	if (left->inode != right->inode)
		return left->inode < right->inode ? -1 : 1;
	return (left->pid > right->pid) - (left->pid < right->pid);
}

/* A process may hold a socket by several descriptors. */
static void sort_once_each(struct holders *holders)
{
	size_t n_kept = 0;

	if (holders->n_items == 0)
		return;
	qsort(holders->items, holders->n_items, sizeof(*holders->items),
	      compare);
	for (size_t i = 1; i < holders->n_items; i++)
		if (compare(&holders->items[i], &holders->items[n_kept]) != 0)
			holders->items[++n_kept] = holders->items[i];
	holders->n_items = n_kept + 1;
}

int holders_open(struct holders *holders)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int result = 0;

	*holders = (struct holders){ 0 };
	if (proc == NULL)
		return -errno;
	while (result == 0 && (entry = readdir(proc)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			result = add_process(holders, dirfd(proc),
					     entry->d_name);
	closedir(proc);
	sort_once_each(holders);
	return result;
}

void holders_close(struct holders *holders)
{
	free(holders->items);
	*holders = (struct holders){ 0 };
}

const struct holder *holders_find(const struct holders *holders,
				  uint64_t inode)
{
	size_t lo = 0, hi = holders->n_items;

	while (lo < hi) {
		const size_t middle = lo + (hi - lo) / 2;

		if (holders->items[middle].inode < inode)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo < holders->n_items && holders->items[lo].inode == inode
		? &holders->items[lo] : NULL;
}

void holders_program(pid_t pid, char name[PROGRAM_NAME_SIZE])
{
	char path[32];
	ssize_t length = -1;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);

	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		length = read(fd, name, PROGRAM_NAME_SIZE);
		close(fd);
	}
	if (length <= 0) {
		snprintf(name, PROGRAM_NAME_SIZE, "?");
		return;
	}
	/* The newline at the end is the kernel's. */
	name[length - 1] = '\0';
}
