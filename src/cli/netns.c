/* SPDX-License-Identifier: MIT */
#include "cli/netns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/published.h"
#include "kernel/kernel.h"
#include "map/place.h"
#include "policy/environment.h"
#include "policy/file.h"
#include "policy/identity.h"
#include "policy/policy.h"

int netns_place(const struct kernel *kernel, struct place *placep)
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

bool netns_is_elsewhere(int passed_over)
{
	return passed_over != 0 &&
	       (geteuid() == 0 || published_is_unknown(passed_over));
}

void netns_policy(const struct kernel *kernel, const struct place *place,
		  struct environment *environmentp,
		  struct published *publishedp, struct policy *policyp)
{
	static struct identity self;
	struct environment_error error;
	char text[ENVIRONMENT_ERROR_TEXT_SIZE];

	if (environment_read(getenv, kernel, environmentp, &error) < 0) {
		environment_error_text(&error, text);
		message("berth: %s; the default is kept\n", text);
	}
	published_read(place, publishedp);
	published_tell_missed(place, publishedp->missed);
	published_tell_ignored(place, publishedp);
	identity_read(&self, &place->users, environmentp->profile);

	const struct subject subject = identity_subject(&self);
	const struct policy_in_force in_force = published_in_force(publishedp);

	policy_settle(&in_force, &subject, environmentp, policyp, NULL);
}
