/* SPDX-License-Identifier: MIT */
#include "policy/kind.h"

#include <errno.h>
#include <fcntl.h>

static int fill_file(int fd, const struct place *place)
{
	const struct policy_preamble preamble = {
		.magic = POLICY_FILE_MAGIC,
		.version = POLICY_FILE_VERSION,
		.header_size = sizeof(struct policy_file_header),
		.netns_cookie = place->netns_cookie,
		.netns_inode = place->netns_inode,
	};
	const int result = raw_file_allocate(fd, 0,
					     sizeof(struct policy_file_header));

	return result < 0 ? result
			  : raw_file_write(fd, &preamble, sizeof(preamble), 0);
}

/* Of any version: a policy that another version has put in force stays. */
static int check_header(const void *bytes, const struct file_status *status,
			const struct place *place)
{
	const struct policy_preamble *preamble = bytes;

	_Static_assert(sizeof(*preamble) == SHARED_HEADER_SIZE, "");
	(void)status;
	return preamble->magic == POLICY_FILE_MAGIC &&
			       place_is(place, preamble->netns_inode,
					preamble->netns_cookie)
		       ? 0
		       : -ESTALE;
}

const struct shared_file_kind policy_kind = {
	.name = "policy",
	.access = O_RDONLY,
	.size = sizeof(struct policy_file_header),
	.mode = 0644,
	.fill = fill_file,
	.check = check_header,
};
