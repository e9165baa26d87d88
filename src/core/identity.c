/* SPDX-License-Identifier: MIT */
#include "core/identity.h"

#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/raw.h"
#include "base/text.h"
#include "core/users.h"

void identity_read(struct identity *identity, const char *profile)
{
	const long n = raw_syscall(SYS_readlinkat, AT_FDCWD,
				   (long)"/proc/self/exe", (long)identity->exe,
				   PATH_MAX - 1, 0, 0);
	struct text uid = { identity->uid, sizeof(identity->uid), 0 };
	struct users users;

	identity->exe[n > 0 ? n : 0] = '\0';
	memset(identity->name, 0, sizeof(identity->name));
	raw_syscall(SYS_prctl, PR_GET_NAME, (long)identity->name, 0, 0, 0, 0);
	/* getauxval(3): the effective uid, without a system call. */
	users_read(&users);
	if (users_are_known(&users))
		text_put_number(&uid, (uint32_t)getauxval(AT_EUID));
	text_end(&uid);
	identity->profile = profile;
}

struct subject identity_subject(const struct identity *identity)
{
	return (struct subject){ {
		[CONDITION_EXE] = identity->exe[0] != '\0' ? identity->exe
							   : NULL,
		[CONDITION_NAME] = identity->name,
		[CONDITION_UID] = identity->uid[0] != '\0' ? identity->uid
							   : NULL,
		[CONDITION_PROFILE] = identity->profile,
	} };
}
