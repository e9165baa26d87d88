/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/run/cover.h"

#define NOTES_MAX 65536u	       /* of one segment, in bytes */
#define BUILD_INFO_MAX 1048576u	       /* as far as `go version` looks */
#define BUILD_INFO "\xff Go buildinf:" /* debug/buildinfo/buildinfo.go */

/* The first bytes of a segment, *np of them. For free(), or NULL. */
static char *read_segment(int fd, const ElfW(Phdr) * header, size_t max,
			  size_t *np)
{
	const size_t size = header->p_filesz < max ? header->p_filesz : max;
	char *bytes = malloc(size + 1);
	const ssize_t n = bytes == NULL ? -1
					: pread(fd, bytes, size,
						(off_t)header->p_offset);

	if (n >= 0) {
		*np = (size_t)n;
		return bytes;
	}
	free(bytes);
	return NULL;
}

static size_t aligned(size_t size, size_t alignment)
{
	return (size + alignment - 1) / alignment * alignment;
}

static bool has_go_note(const char *bytes, size_t n, size_t alignment)
{
	ElfW(Nhdr) note;

	for (size_t at = 0; n - at >= sizeof(note);) {
		const char *name = bytes + at + sizeof(note);
		size_t left = n - at - sizeof(note), size;

		memcpy(&note, bytes + at, sizeof(note));
		if (note.n_namesz == 4 && left >= 4 &&
		    memcmp(name, "Go\0", 4) == 0)
			return true;
		if (note.n_namesz > left || note.n_descsz > left)
			return false;
		size = aligned(aligned(sizeof(note) + note.n_namesz,
				       alignment) +
				       note.n_descsz,
			       alignment);
		if (size > n - at)
			return false;
		at += size;
	}
	return false;
}

bool cover_is_go(int fd, const ElfW(Phdr) * header)
{
	const bool is_note = header->p_type == PT_NOTE;
	const bool is_data = header->p_type == PT_LOAD &&
			     (header->p_flags & PF_W) != 0;
	size_t n = 0;
	char *bytes;
	bool found;

	if (!is_note && !is_data)
		return false;
	bytes = read_segment(fd, header, is_note ? NOTES_MAX : BUILD_INFO_MAX,
			     &n);
	if (bytes == NULL)
		return false;
	found = is_note ? has_go_note(bytes, n, header->p_align == 8 ? 8 : 4)
			: memmem(bytes, n, BUILD_INFO,
				 sizeof(BUILD_INFO) - 1) != NULL;
	free(bytes);
	return found;
}
