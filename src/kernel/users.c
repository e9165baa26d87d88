/* SPDX-License-Identifier: MIT */
#include "kernel/users.h"

#include <errno.h>
#include <fcntl.h>

#include "base/raw.h"
#include "base/raw_file.h"
#include "base/text.h"

#define OVERFLOW_UID 65534u /* the kernel's DEFAULT_OVERFLOWUID */
#define ALL_UIDS UINT32_MAX /* length of the identity map of all users */

/* Reads a number behind blanks. Returns false where there is none. */
static bool take_uid(const char **textp, uint32_t *uidp)
{
	uint64_t number;

	while (**textp == ' ')
		(*textp)++;
	if (!text_take_number(textp, &number))
		return false;
	*uidp = (uint32_t)number;
	return true;
}

struct extent {
	uint32_t inner, outer, length;
};

static bool take_extent(const char *text, struct extent *extentp)
{
	return take_uid(&text, &extentp->inner) &&
	       take_uid(&text, &extentp->outer) &&
	       take_uid(&text, &extentp->length);
}

static bool look_at_extent(const char *line, void *context)
{
	struct users *users = context;
	const uint32_t uid = raw_geteuid();
	struct extent extent;

	if (!take_extent(line, &extent))
		return true;
	users->is_mapped = extent.inner != 0 || extent.outer != 0 ||
			   extent.length != ALL_UIDS;
	if (extent.outer == 0 && extent.length > 0) {
		users->root_uid = extent.inner;
		users->has_root = true;
	}
	if (uid >= extent.inner && uid - extent.inner < extent.length) {
		users->outer_uid = extent.outer + (uid - extent.inner);
		users->has_outer = true;
	}
	return true;
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
	struct file_status status;
	int result;

	*usersp = (struct users){ .is_mapped = true };
	result = raw_each_line(map, look_at_extent, usersp);
	if (result < 0) {
		usersp->is_mapped = false;
		/* A kernel without user namespaces lacks this file, but has
		 * /proc. */
		usersp->is_unknown = result != -ENOENT ||
				     raw_file_status_at(AT_FDCWD,
							"/proc/self/status",
							&status) < 0;
	}
	if (usersp->is_mapped)
		read_overflow(usersp);
}
