/* SPDX-License-Identifier: MIT */
#include "map/dead_folders.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/raw.h"
#include "base/raw_file.h"
#include "base/text.h"
#include "kernel/folder.h"

#define MAX_DEAD 16u

/* The most entries of a folder that are read. */
#define MAX_ENTRIES 65536

/* include/linux/proc_ns.h, PROC_PID_INIT_INO. */
#define INITIAL_PID_NAMESPACE 0xeffffffcu

/* Namespaces, by their inodes, of which no trace has been found so far. */
struct suspects {
	uint64_t inodes[MAX_DEAD];
	size_t n;
};

/* Returns the number that a text is; 0 = it is no number. */
static uint64_t number_of(const char *text)
{
	uint64_t number = 0;

	return *text != '0' && text_take_number(&text, &number) && *text == '\0'
		       ? number
		       : 0;
}

static void clear_suspicion(struct suspects *suspects, uint64_t inode)
{
	for (size_t i = 0; i < suspects->n; i++)
		if (suspects->inodes[i] == inode)
			suspects->inodes[i] = suspects->inodes[--suspects->n];
}

static void suspect(int parent_fd, const char *name, void *context)
{
	struct suspects *suspects = context;
	struct file_status status;

	if (number_of(name) != 0 && suspects->n < MAX_DEAD &&
	    raw_file_status_at(parent_fd, name, &status) == 0 &&
	    S_ISDIR(status.mode) && status.uid == raw_geteuid())
		suspects->inodes[suspects->n++] = number_of(name);
}

static void look_at_process(int proc_fd, const char *name, void *context)
{
	char path[40];
	struct file_status status;

	if (number_of(name) == 0)
		return;
	text_number(path, sizeof(path), "", number_of(name), "/ns/net");
	if (raw_file_status_of(proc_fd, path, &status) == 0)
		clear_suspicion(context, status.inode);
}

/* A mount keeps a namespace that has no process: ip-netns(8). */
static bool look_at_mount(const char *line, void *context)
{
	static const char wanted[] = "net:[";
	uint64_t inode;

	for (; *line != '\0'; line++) {
		const char *at = line + sizeof(wanted) - 1;

		if (strncmp(line, wanted, sizeof(wanted) - 1) != 0)
			continue;
		text_take_number(&at, &inode);
		clear_suspicion(context, inode);
	}
	return true;
}

/* Returns whether all mounts and processes could be looked at. */
static bool look_at_all(struct suspects *suspects)
{
	return raw_each_line("/proc/self/mountinfo", look_at_mount, suspects) >=
		       0 &&
	       folder_each(AT_FDCWD, "/proc", MAX_ENTRIES, look_at_process,
			   suspects) >= 0;
}

static void remove_folder(int parent_fd, uint64_t inode,
			  int (*retire)(int folder_fd))
{
	char name[NUMBER_TEXT_SIZE];
	int fd;

	number_text(inode, name);
	fd = folder_open(parent_fd, name, O_RDONLY);
	if (fd < 0)
		return;
	if (retire(fd) == 0) {
		raw_file_remove(fd, "map", 0);
		raw_file_remove(parent_fd, name, AT_REMOVEDIR);
	}
	raw_close(fd);
}

static bool sees_all(void)
{
	struct file_status status;

	return raw_file_status_of(AT_FDCWD, "/proc/self/ns/pid", &status) ==
		       0 &&
	       status.inode == INITIAL_PID_NAMESPACE;
}

void dead_folders_clear(int parent_fd, const char *name,
			int (*retire)(int folder_fd), bool shared)
{
	struct suspects *suspects;

	if (shared && !sees_all())
		return;
	suspects = raw_map_private(sizeof(*suspects));
	if (suspects == NULL)
		return;
	/* All folders that this user has made but the new one. */
	folder_each(parent_fd, ".", MAX_ENTRIES, suspect, suspects);
	clear_suspicion(suspects, number_of(name));
	if (suspects->n != 0 && !look_at_all(suspects))
		suspects->n = 0;
	for (size_t i = 0; i < suspects->n; i++)
		remove_folder(parent_fd, suspects->inodes[i], retire);
	raw_unmap(suspects, sizeof(*suspects));
}
