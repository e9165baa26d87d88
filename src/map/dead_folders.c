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
#define MAX_ENTRIES 65536u

/* include/linux/proc_ns.h, PROC_PID_INIT_INO. */
#define INITIAL_PID_NAMESPACE 0xeffffffcu

/* Namespaces, by their inodes, of which no trace has been found so far, and the
 * buffer for what the kernel returns. */
struct suspects {
	uint64_t inodes[MAX_DEAD];
	size_t n;
	_Alignas(struct raw_entry) char bytes[3072];
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

/* Calls a function with each entry of a folder that is a number. */
static void each_number(int folder_fd, struct suspects *suspects,
			void (*call)(struct suspects *, int, uint64_t))
{
	unsigned int n_seen = 0;
	ssize_t n;

	while (n_seen < MAX_ENTRIES &&
	       (n = raw_read_folder(folder_fd, suspects->bytes,
				    sizeof(suspects->bytes))) > 0)
		for (ssize_t at = 0; at < n; n_seen++) {
			const struct raw_entry *entry =
				(const struct raw_entry
					 *)(const void *)(suspects->bytes + at);
			const uint64_t number = number_of(entry->name);

			if (number != 0)
				call(suspects, folder_fd, number);
			at += entry->length;
		}
}

static void suspect(struct suspects *suspects, int parent_fd, uint64_t inode)
{
	struct file_status status;
	char name[NUMBER_TEXT_SIZE];

	number_text(inode, name);
	if (suspects->n < MAX_DEAD &&
	    raw_file_status_at(parent_fd, name, &status) == 0 &&
	    S_ISDIR(status.mode) && status.uid == raw_geteuid())
		suspects->inodes[suspects->n++] = inode;
}

static void look_at_process(struct suspects *suspects, int proc_fd,
			    uint64_t pid)
{
	char path[40];
	struct text text = { path, sizeof(path), 0 };
	struct file_status status;
	int fd;

	text_put_number(&text, pid);
	text_put(&text, "/ns/net");
	text_end(&text);
	fd = raw_open(proc_fd, path, O_RDONLY, 0);
	if (fd < 0)
		return;
	if (raw_file_status(fd, &status) == 0)
		clear_suspicion(suspects, status.inode);
	raw_close(fd);
}

/* Finds "net:[NUMBER]" in text that is given character by character. */
struct finding {
	size_t n_matched;
	uint64_t number;
};

static void find(struct finding *finding, char c, struct suspects *suspects)
{
	static const char wanted[] = "net:[";

	if (finding->n_matched == sizeof(wanted) - 1) {
		if (c >= '0' && c <= '9') {
			finding->number = finding->number * 10 +
					  (uint64_t)(c - '0');
			return;
		}
		clear_suspicion(suspects, finding->number);
		finding->n_matched = 0;
	}
	finding->number = 0;
	if (c != wanted[finding->n_matched])
		finding->n_matched = 0;
	if (c == wanted[finding->n_matched])
		finding->n_matched++;
}

/* A mount keeps a namespace that has no process: ip-netns(8). Returns whether
 * the mounts could be read. */
static bool look_at_mounts(struct suspects *suspects)
{
	const int fd = raw_open(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY, 0);
	struct finding finding = { 0 };
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = raw_read(fd, suspects->bytes, sizeof(suspects->bytes))) > 0)
		for (ssize_t i = 0; i < n; i++)
			find(&finding, suspects->bytes[i], suspects);
	raw_close(fd);
	return n == 0;
}

static bool look_at_processes(struct suspects *suspects)
{
	const int fd = raw_open(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return false;
	each_number(fd, suspects, look_at_process);
	raw_close(fd);
	return true;
}

/* Lists all folders that this user has made but the new one. Returns whether
 * there is any. */
static bool list_suspects(struct suspects *suspects, int parent_fd,
			  const char *name)
{
	const int fd = raw_open(parent_fd, ".", O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return false;
	each_number(fd, suspects, suspect);
	raw_close(fd);
	clear_suspicion(suspects, number_of(name));
	return suspects->n != 0;
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
	const int fd = raw_open(AT_FDCWD, "/proc/self/ns/pid", O_RDONLY, 0);
	struct file_status status = { .inode = 0 };

	if (fd < 0)
		return false;
	(void)!raw_file_status(fd, &status);
	raw_close(fd);
	return status.inode == INITIAL_PID_NAMESPACE;
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
	if (list_suspects(suspects, parent_fd, name) &&
	    look_at_mounts(suspects) && look_at_processes(suspects))
		for (size_t i = 0; i < suspects->n; i++)
			remove_folder(parent_fd, suspects->inodes[i], retire);
	raw_unmap(suspects, sizeof(*suspects));
}
