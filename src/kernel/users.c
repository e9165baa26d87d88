/* SPDX-License-Identifier: MIT */
#include "kernel/users.h"

#include <errno.h>
#include <fcntl.h>

#include "base/raw.h"
#include "base/raw_file.h"
#include "base/text.h"

#define OVERFLOW_UID 65534u /* the kernel's DEFAULT_OVERFLOWUID */
/* A map with more lines is not the identity. */
#define MAP_TEXT_SIZE 4096u
#define ALL_UIDS UINT32_MAX /* length of the identity map of all users */

/* Reads a number behind blanks. Returns false where there is none. */
static bool take_uid(const char **textp, uint32_t *uidp)
{
	uint64_t number;

	while (**textp == ' ' || **textp == '\n')
		(*textp)++;
	if (!text_take_number(textp, &number))
		return false;
	*uidp = (uint32_t)number;
	return true;
}

struct extent {
	uint32_t inner, outer, length;
};

static bool take_extent(const char **textp, struct extent *extentp)
{
	return take_uid(textp, &extentp->inner) &&
	       take_uid(textp, &extentp->outer) &&
	       take_uid(textp, &extentp->length);
}

static void read_map(struct users *users, const char *text)
{
	const uint32_t uid = raw_geteuid();
	struct extent extent;
	bool is_identity = false;

	while (take_extent(&text, &extent)) {
		is_identity = extent.inner == 0 && extent.outer == 0 &&
			      extent.length == ALL_UIDS;
		if (extent.outer == 0 && extent.length > 0) {
			users->root_uid = extent.inner;
			users->has_root = true;
		}
		if (uid < extent.inner || uid - extent.inner >= extent.length)
			continue;
		users->outer_uid = extent.outer + (uid - extent.inner);
		users->has_outer = true;
	}
	users->is_mapped = !is_identity;
}

static void read_overflow(struct users *users)
{
	char buffer[16];
	const char *text = buffer;

	if (raw_read_text("/proc/sys/kernel/overflowuid", buffer,
			  sizeof(buffer)) <= 0 ||
	    !take_uid(&text, &users->overflow_uid))
		users->overflow_uid = OVERFLOW_UID;
}

void users_read(struct users *usersp)
{
	users_read_map("/proc/self/uid_map", usersp);
}

void users_read_map(const char *map, struct users *usersp)
{
	char *const buffer = raw_map_private(MAP_TEXT_SIZE);
	struct file_status status;
	const ssize_t n = buffer != NULL
				  ? raw_read_text(map, buffer, MAP_TEXT_SIZE)
				  : -ENOMEM;

	*usersp = (struct users){ .is_mapped = false };
	if (n >= 0)
		read_map(usersp, buffer);
	raw_unmap(buffer, MAP_TEXT_SIZE);
	if (usersp->is_mapped)
		read_overflow(usersp);
	if (n >= 0)
		return;
	/* A kernel without user namespaces lacks this file, but has /proc. */
	usersp->is_unknown = n != -ENOENT ||
			     raw_file_status_at(AT_FDCWD, "/proc/self/status",
						&status) < 0;
}
