/* SPDX-License-Identifier: MIT */
#include "cli/netns.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/published.h"
#include "core/arena_place.h"
#include "core/identity.h"
#include "core/kernel.h"
#include "core/policy.h"

void netns_place(const struct kernel *kernel, struct arena_place *placep)
{
	const char *directory = getenv("BERTH_DIR");

	*placep = (struct arena_place){
		.directory = directory != NULL && *directory != '\0'
			? directory : NULL,
		.netns_inode = kernel->netns_inode,
		.netns_cookie = kernel->netns_cookie,
	};
}

void netns_policy(const struct kernel *kernel, const struct arena_place *place,
		  struct environment *environmentp,
		  struct published *publishedp, struct policy *policyp)
{
	static struct identity self;
	struct environment_error error;
	char text[ENVIRONMENT_ERROR_TEXT_SIZE];

	if (environment_read(getenv, kernel, environmentp, &error) < 0) {
		environment_error_text(&error, text);
		fprintf(stderr, "berth: %s; the default is kept\n", text);
	}
	published_read(place, publishedp);
	policy_of_environment(environmentp, policyp);
	if (publishedp->image == NULL ||
	    (environmentp->names_ports && !publishedp->by_root))
		return;
	identity_read(&self, environmentp->profile);

	const struct subject subject = identity_subject(&self);
	const struct policy_tables *tables = &publishedp->tables;

	if (policy_of_rule(tables, policy_rule_of(tables, &subject),
			   environmentp, policyp) < 0)
		fprintf(stderr, "berth: %s: the policy in force is damaged\n",
			publishedp->path);
}
