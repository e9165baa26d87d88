/* SPDX-License-Identifier: MIT */
#include "cli/report/user_name.h"

#include <pwd.h>
#include <stdio.h>

/* useradd(8) allows 32 bytes; a longer name is shown as the number. */
#define NAME_SIZE 64

const char *user_name(uint32_t uid)
{
	static char text[NAME_SIZE];
	static uint32_t last;
	const struct passwd *user;
	int length = -1;

	/* Often the same user is asked for several times in a row. */
	if (text[0] != '\0' && uid == last)
		return text;
	user = getpwuid(uid);
	if (user != NULL)
		length = snprintf(text, sizeof(text), "%s", user->pw_name);
	if (length <= 0 || length >= NAME_SIZE)
		snprintf(text, sizeof(text), "%u", uid);
	last = uid;
	return text;
}
