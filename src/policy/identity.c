/* SPDX-License-Identifier: MIT */
#include "policy/identity.h"

#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/raw.h"
#include "base/raw_file.h"
#include "base/text.h"
#include "kernel/users.h"

/* As execve(2) has made it; see AT_EXECFN in getauxval(3). */
static void take_first_name(char name[IDENTITY_NAME_SIZE])
{
	const char *path = (const char *)getauxval(AT_EXECFN);
	const char *base = path;

	for (; path != NULL && *path != '\0'; path++)
		if (*path == '/')
			base = path + 1;
	for (size_t i = 0;
	     base != NULL && base[i] != '\0' && i < IDENTITY_NAME_SIZE - 1; i++)
		name[i] = base[i];
}

/*
 * Read from proc(5), since more filters allow the calls that read a file than
 * prctl(2). The line ends with a newline; a name may contain one too.
 */
static void read_name(char name[IDENTITY_NAME_SIZE])
{
	char line[IDENTITY_NAME_SIZE + 1];
	const ssize_t n = raw_read_text("/proc/self/comm", line, sizeof(line));

	memset(name, 0, IDENTITY_NAME_SIZE);
	if (n > 0)
		memcpy(name, line, (size_t)n - 1);
	else
		take_first_name(name);
}

void identity_read(struct identity *identity, const struct users *users,
		   const char *profile)
{
	struct text uid = { identity->uid, sizeof(identity->uid), 0 };

	raw_read_link(AT_FDCWD, "/proc/self/exe", identity->exe, PATH_MAX);
	read_name(identity->name);
	/* getauxval(3): the effective uid, without a system call. */
	if (users_are_known(users))
		text_put_number(&uid, (uint32_t)getauxval(AT_EUID));
	text_end(&uid);
	identity->profile = profile;
}

struct program identity_program(const struct identity *identity)
{
	return (struct program){ {
		[CONDITION_EXE] = identity->exe[0] != '\0' ? identity->exe
							   : NULL,
		[CONDITION_NAME] = identity->name,
		[CONDITION_UID] = identity->uid[0] != '\0' ? identity->uid
							   : NULL,
		[CONDITION_PROFILE] = identity->profile,
	} };
}
