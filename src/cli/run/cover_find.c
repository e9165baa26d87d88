/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/run/cover.h"

static int may_execute(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return errno == EACCES ? -EACCES : -ENOENT;
	if (!S_ISREG(status.st_mode) ||
	    faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
		return -EACCES;
	return 0;
}

/* One folder of PATH; an empty one is the current one. */
static int find_in(const char *folder, size_t length, const char *name,
		   char path[PATH_MAX])
{
	const int n = snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, folder,
			       length > 0 ? "/" : "", name);

	return n >= PATH_MAX ? -ENOENT : may_execute(path);
}

int cover_find(const char *name, char path[PATH_MAX])
{
	const char *folder = getenv("PATH");
	int result = -ENOENT;

	if (strlen(name) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (name[0] == '\0')
		return -ENOENT;
	if (strchr(name, '/') != NULL) {
		snprintf(path, PATH_MAX, "%s", name);
		return may_execute(path);
	}
	if (folder == NULL)
		folder = "/bin:/usr/bin"; /* _CS_PATH of glibc */
	for (;;) {
		const size_t length = strcspn(folder, ":");
		const int found = find_in(folder, length, name, path);

		if (found == 0)
			return 0;
		if (found == -EACCES)
			result = -EACCES;
		if (folder[length] == '\0')
			return result;
		folder += length + 1;
	}
}
