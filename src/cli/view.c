/* SPDX-License-Identifier: MIT */
#include "cli/view.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "policy/file.h"
#include "policy/identity.h"

int view_place(const struct kernel *kernel, struct place *placep)
{
	*placep = (struct place){
		.directory = environment_directory(getenv),
		.netns_inode = kernel->netns_inode,
		.netns_cookie = kernel->netns_cookie,
		.retire = policy_file_retire,
	};
	users_read(&placep->users);
	if (kernel->netns_inode == 0)
		message("berth: " KERNEL_NETNS_PATH ": %s: programs "
			"that have a /proc use other files\n",
			strerror(-kernel->netns_error));
	return kernel->netns_inode == 0 ? kernel->netns_error : 0;
}

bool view_is_elsewhere(int passed_over)
{
	return passed_over != 0 &&
	       (geteuid() == 0 || in_force_is_unknown(passed_over));
}

int view_open(struct view *view)
{
	kernel_read(&view->kernel);
	return view_place(&view->kernel, &view->place);
}

void view_read(struct view *view)
{
	in_force_read(&view->place, &view->in_force);
	in_force_tell_missed(&view->place, view->in_force.missed);
}

void view_open_policy(struct view *view)
{
	static struct identity self;
	struct environment_error error;
	char text[ENVIRONMENT_ERROR_TEXT_SIZE];

	view_open(view);
	if (environment_read(getenv, &view->kernel, &view->environment,
			     &error) < 0) {
		environment_error_text(&error, text);
		message("berth: %s; the default is used\n", text);
	}
	view_read(view);
	in_force_tell_ignored(&view->place, &view->in_force);
	identity_read(&self, &view->place.users, view->environment.profile);

	const struct program program = identity_program(&self);

	in_force_settle(&view->in_force, &program, &view->environment,
			&view->policy, NULL);
}

void view_close(struct view *view)
{
	in_force_deinit(&view->in_force);
}

bool view_is_sound(const struct view *view)
{
	return !view->in_force.is_damaged &&
	       !in_force_is_unknown(view->in_force.missed);
}
