/* SPDX-License-Identifier: MIT */
#include "base/raw_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/raw.h"

/*
 * That many signals may interrupt an allocation: a profiler sends one every ms.
 */
#define MAX_INTERRUPTIONS 64

#define WRITTEN_AT_ONCE 4096u

#define LINES_SIZE ((size_t)64 * 1024)

static int take_status(long result, const struct stat *status,
		       struct file_status *statusp)
{
	if (result == 0)
		*statusp = (struct file_status){
			.device = status->st_dev,
			.inode = status->st_ino,
			.size = (uint64_t)status->st_size,
			.mode = status->st_mode,
			.uid = status->st_uid,
		};
	return (int)result;
}

int raw_file_status(int fd, struct file_status *statusp)
{
	struct stat status;

	return take_status(raw_call(SYS_fstat, fd, &status), &status, statusp);
}

static int look_up(int folder_fd, const char *path, int flags,
		   struct file_status *statusp)
{
	struct stat status;

	return take_status(raw_call(SYS_newfstatat, raw_folder(folder_fd), path,
				    &status, flags),
			   &status, statusp);
}

int raw_file_status_at(int folder_fd, const char *name,
		       struct file_status *statusp)
{
	return look_up(folder_fd, name, AT_SYMLINK_NOFOLLOW, statusp);
}

int raw_file_status_of(int folder_fd, const char *path,
		       struct file_status *statusp)
{
	return look_up(folder_fd, path, 0, statusp);
}

/* By SYS_pread64 or SYS_pwrite64. error_at_end is the result where no more bytes
 * can be moved. */
static int move_all(long number, int fd, const char *bytes, size_t size,
		    uint64_t offset, int error_at_end)
{
	size_t done = 0;

	while (done < size) {
		const long n = raw_call(number, fd, bytes + done, size - done,
					offset + done);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : error_at_end;
		done += (size_t)n;
	}
	return 0;
}

int raw_file_read(int fd, void *bytes, size_t size, uint64_t offset)
{
	return move_all(SYS_pread64, fd, bytes, size, offset, -ENODATA);
}

int raw_file_write(int fd, const void *bytes, size_t size, uint64_t offset)
{
	return move_all(SYS_pwrite64, fd, bytes, size, offset, -EIO);
}

ssize_t raw_read_text(const char *path, char *text, size_t size)
{
	const int fd = raw_open(AT_FDCWD, path, O_RDONLY, 0);
	ssize_t n;

	text[0] = '\0';
	if (fd < 0)
		return fd;
	n = raw_read(fd, text, size - 1);
	raw_close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

struct lines {
	bool (*visit)(const char *line, void *context);
	void *context;
	size_t n_bytes; /* read, and not visited yet */
	bool ended;	/* visit wants no more */
	char text[LINES_SIZE + 1];
};

/* Visits the lines that are complete, and keeps the rest. */
static void visit_lines(struct lines *lines)
{
	char *line = lines->text;
	size_t left = lines->n_bytes;

	while (left > 0 && !lines->ended) {
		const char *newline = memchr(line, '\n', left);
		const size_t length = newline != NULL ? (size_t)(newline - line)
						      : left;

		if (newline == NULL && left < LINES_SIZE)
			break;
		line[length] = '\0';
		lines->ended = !lines->visit(line, lines->context);
		left -= length + (newline != NULL);
		line += length + (newline != NULL);
	}
	memmove(lines->text, line, left);
	lines->n_bytes = left;
}

/* Returns as raw_each_line(). */
static int read_lines(int fd, struct lines *lines)
{
	while (!lines->ended) {
		const ssize_t n = raw_read(fd, lines->text + lines->n_bytes,
					   LINES_SIZE - lines->n_bytes);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		lines->n_bytes += (size_t)n;
		visit_lines(lines);
	}
	return 1;
}

int raw_each_line(const char *path,
		  bool (*visit)(const char *line, void *context), void *context)
{
	const int fd = raw_open(AT_FDCWD, path, O_RDONLY, 0);
	struct lines *lines;
	int result = -ENOMEM;

	if (fd < 0)
		return fd;
	lines = raw_map_private(sizeof(*lines));
	if (lines != NULL) {
		lines->visit = visit;
		lines->context = context;
		result = read_lines(fd, lines);
	}
	raw_unmap(lines, sizeof(*lines));
	raw_close(fd);
	return result;
}

/* As posix_fallocate(3) does, where no other process has the file open. */
static int write_zeros(int fd, uint64_t offset, uint64_t size)
{
	static const char zeros[WRITTEN_AT_ONCE];
	int result = 0;

	for (uint64_t done = 0; done < size && result == 0;
	     done += WRITTEN_AT_ONCE)
		result = raw_file_write(fd, zeros,
					size - done < WRITTEN_AT_ONCE
						? size - done
						: WRITTEN_AT_ONCE,
					offset + done);
	return result;
}

int raw_file_allocate(int fd, uint64_t offset, uint64_t size)
{
	int result = -EINTR;

	for (int i = 0; i < MAX_INTERRUPTIONS && result == -EINTR; i++)
		result = (int)raw_call(SYS_fallocate, fd, 0, offset, size);
	return result == -EOPNOTSUPP ? write_zeros(fd, offset, size) : result;
}

int raw_file_may_have(uint64_t size)
{
	struct {
		uint64_t soft, hard;
	} limit;
	const long result = raw_call(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, &limit);

	/* Where a filter forbids the question, it would forbid the write
	 * too. */
	return result == 0 && limit.soft < size ? -EFBIG : 0;
}

int raw_file_remove(int folder_fd, const char *name, int flags)
{
	return (int)raw_call(SYS_unlinkat, raw_folder(folder_fd), name, flags);
}

int raw_rename(int folder_fd, const char *from, const char *to,
	       unsigned int flags)
{
	return (int)raw_call(SYS_renameat2, raw_folder(folder_fd), from,
			     raw_folder(folder_fd), to, flags);
}

ssize_t raw_read_link(int folder_fd, const char *name, char *text, size_t size)
{
	const long n = raw_call(SYS_readlinkat, raw_folder(folder_fd), name,
				text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	return n;
}

void *raw_map_file(int fd, size_t size, int prot, int *errorp)
{
	return raw_map(size, prot, MAP_SHARED | MAP_NORESERVE, fd, 0, errorp);
}

void *raw_map_again(const void *address, size_t size, int *errorp)
{
	const long result = raw_call(SYS_mremap, address, 0, size,
				     MREMAP_MAYMOVE);

	/* The kernel returns errors as the last page of addresses. */
	*errorp = (unsigned long)result > -4096ul ? (int)result : 0;
	return *errorp == 0 ? (void *)result : NULL;
}
