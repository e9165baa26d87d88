/* SPDX-License-Identifier: MIT */
#include "cli/in_force.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bus_error.h"
#include "cli/memory.h"
#include "cli/message.h"
#include "map/place.h"
#include "policy/file.h"
#include "policy/glob.h"

/* So many loads may come in between, then the policy counts as damaged. */
#define MAX_ROUNDS 8

/* Programs follow a policy with damaged sets as long as those of their rule are
 * sound. */
static bool has_sound_sets(const struct policy_tables *tables)
{
	for (uint32_t i = 0; i < tables->image->n_sets; i++)
		if (policy_set(tables, i) == NULL)
			return false;
	return true;
}

/* Returns 0, -EINVAL, or as policy_file_image(). */
static int copy_image(struct policy_file *file, uint64_t edition,
		      struct in_force *in_force)
{
	const void *image;
	struct policy_tables tables;
	size_t size;
	const int result = policy_file_image(file, edition, &image, &size);

	if (result < 0)
		return result;
	if (policy_image_open(image, size, &tables) < 0)
		return -EINVAL;
	free(in_force->image);
	in_force->image = malloc(size);
	if (in_force->image == NULL)
		memory_fail();
	memcpy(in_force->image, image, size);
	if (policy_image_open(in_force->image, size, &in_force->tables) < 0 ||
	    !policy_image_verify(&in_force->tables))
		return -EINVAL;
	in_force->is_damaged = !has_sound_sets(&in_force->tables);
	return 0;
}

static int copy_policy(struct policy_file *file, struct in_force *in_force)
{
	int result = 0;

	for (int round = 0; round < MAX_ROUNDS; round++) {
		const uint64_t edition = policy_file_edition(file);

		in_force->edition = edition;
		in_force->on_error = policy_file_on_error(file, edition);
		result = (edition & 1) != 0
				 ? copy_image(file, edition, in_force)
				 : 0;
		if (policy_file_edition(file) == edition)
			break;
	}
	return result;
}

static const char *complaint(int error)
{
	switch (error) {
	case -EINVAL: return "is damaged";
	case -ENOTSUP: return "is another version's";
	default: return "cannot be read";
	}
}

static void tell_unfollowed(const struct in_force *in_force, int error)
{
	message("berth: %s: the policy in force %s; berth load puts a "
		"sound one in force\n",
		in_force->path, complaint(error));
	message("berth: programs that cannot follow it %s\n",
		in_force->on_error == ON_ERROR_REFUSE
			? "are refused every port"
			: "get the ports of the kernel's choice");
}

void in_force_tell_ignored(const struct place *place,
			   const struct in_force *in_force)
{
	if (in_force->has_ignored)
		message("berth: the policy of user %lu in %s is not "
			"followed: the folder is not root's\n",
			(unsigned long)in_force->ignored_uid,
			place_parent_name(place, in_force->ignored_parent));
}

void in_force_tell_missed(const struct place *place, int missed)
{
	const char *directory = place->directory;

	if (missed < 0)
		message("berth: a policy that may be in force cannot "
			"be read, in %s%s%s/run/berth or /dev/shm: %s\n",
			directory != NULL ? "\"" : "",
			directory != NULL ? directory : "",
			directory != NULL ? "\", " : "", strerror(-missed));
}

bool in_force_is_unknown(int missed)
{
	return missed != 0 && missed != -EACCES && missed != -EROFS &&
	       missed != -EPERM && missed != -EFBIG && missed != -ENOSPC &&
	       missed != -EDQUOT && missed != -ELOOP && missed != -ENOTDIR &&
	       missed != -ENAMETOOLONG;
}

static int read_file(const struct place *place, struct in_force *in_force)
{
	struct policy_file file;
	int result;

	result = policy_file_open(place, POLICY_EXISTING, &file,
				  in_force->path);
	in_force->missed = file.missed;
	in_force->has_ignored = file.has_ignored;
	in_force->ignored_uid = file.ignored_uid;
	in_force->ignored_parent = file.ignored_parent;
	if (result < 0) {
		in_force->path[0] = '\0';
		return 0;
	}
	in_force->by_root = file.by_root;
	result = copy_policy(&file, in_force);
	policy_file_close(&file);
	return result;
}

/* --- one that its owner may shorten --------------------------------------- */

struct read_work {
	const struct place *place;
	struct in_force *in_force;
	int result;
};

static void do_read(void *context)
{
	struct read_work *work = context;

	work->result = read_file(work->place, work->in_force);
}

static int read_guarded(const struct place *place, struct in_force *in_force)
{
	struct read_work work = { .place = place, .in_force = in_force };
	const int result = bus_error_catch(do_read, &work);

	if (result == 0)
		return work.result;
	/* Nothing is known of it. */
	*in_force = (struct in_force){ .missed = result };
	return result;
}

/* --- the whole ------------------------------------------------------------ */

int in_force_read(const struct place *place, struct in_force *in_force)
{
	int result;

	*in_force = (struct in_force){ .edition = 0 };
	/* Elsewhere a policy counts only if root or this user made it. */
	result = place->directory != NULL ? read_guarded(place, in_force)
					  : read_file(place, in_force);
	if (result < 0)
		in_force->is_damaged = true;
	/* Without a path the policy was missed, which the caller reports. */
	if (in_force->is_damaged && in_force->path[0] != '\0')
		tell_unfollowed(in_force, result < 0 ? result : -EINVAL);
	if (result < 0 || (in_force->edition & 1) == 0) {
		free(in_force->image);
		in_force->image = NULL;
	}
	return result;
}

enum policy_settled in_force_settle(const struct in_force *in_force,
				    const struct program *program,
				    const struct environment *environment,
				    struct policy *policyp,
				    const struct policy_rule **rulep)
{
	static const char unreadable[] = "";
	const bool is_unreadable = in_force->image == NULL &&
				   in_force->is_damaged;
	const struct policy_in_force policy = {
		.image = is_unreadable ? unreadable : in_force->image,
		.size = is_unreadable || in_force->image == NULL
				? 0
				: in_force->tables.image->size,
		.by_root = in_force->by_root,
		.on_error = in_force->on_error,
	};

	return policy_settle(&policy, program, environment, policyp, rulep);
}

void in_force_deinit(struct in_force *in_force)
{
	free(in_force->image);
	in_force->image = NULL;
}

bool in_force_has_profile(const struct in_force *in_force, const char *profile)
{
	const struct policy_tables *tables = &in_force->tables;

	if (in_force->image == NULL)
		return false;
	for (uint32_t i = 0; i < tables->image->n_rules; i++) {
		const char *pattern = policy_string(
			tables,
			tables->matches[i].conditions[CONDITION_PROFILE]);

		for (; pattern != NULL && *pattern != '\0';
		     pattern = policy_next_string(pattern))
			if (glob_matches(pattern, profile))
				return true;
	}
	return false;
}
