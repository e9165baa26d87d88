/* SPDX-License-Identifier: MIT */
#include "cli/published.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cli/apart.h"
#include "cli/message.h"
#include "map/place.h"
#include "policy/file.h"
#include "policy/glob.h"

/* Loads that may come in between before the policy is given up as damaged. */
#define MAX_ROUNDS 8

/* Programs whose rule has sound sets follow it all the same. */
static bool has_sound_sets(const struct policy_tables *tables)
{
	for (uint32_t i = 0; i < tables->image->n_sets; i++)
		if (policy_set(tables, i) == NULL)
			return false;
	return true;
}

/* Returns 0, -EINVAL, -ENOMEM, or why the file's cannot be followed. */
static int copy_image(struct policy_file *file, uint64_t edition,
		      struct published *published)
{
	const void *image;
	struct policy_tables tables;
	size_t size;
	const int result = policy_file_image(file, edition, &image, &size);

	if (result < 0)
		return result;
	if (policy_image_open(image, size, &tables) < 0)
		return -EINVAL;
	free(published->image);
	published->image = malloc(size);
	if (published->image == NULL)
		return -ENOMEM;
	memcpy(published->image, image, size);
	if (policy_image_open(published->image, size, &published->tables) < 0 ||
	    !policy_image_verify(&published->tables))
		return -EINVAL;
	published->is_damaged = !has_sound_sets(&published->tables);
	return 0;
}

static int copy_policy(struct policy_file *file, struct published *published)
{
	int result = 0;

	for (int round = 0; round < MAX_ROUNDS; round++) {
		const uint64_t edition = policy_file_edition(file);

		published->edition = edition;
		published->on_error = policy_file_on_error(file, edition);
		result = (edition & 1) != 0
			? copy_image(file, edition, published) : 0;
		if (policy_file_edition(file) == edition)
			break;
	}
	return result;
}

/* What keeps programs from following the policy, as it is said. */
static const char *complaint(int error)
{
	switch (error) {
	case -EINVAL: return "is damaged";
	case -ENOTSUP: return "is another version's";
	default: return "cannot be read";
	}
}

static void tell_unfollowed(const struct published *published, int error)
{
	message("berth: %s: the policy in force %s; berth load puts a "
		"sound one in force\n", published->path, complaint(error));
	message("berth: programs that cannot follow it %s\n",
		published->on_error == ON_ERROR_REFUSE
		? "are refused every port"
		: "get the ports of the kernel's choice");
}

void published_tell_ignored(const struct place *place,
			    const struct published *published)
{
	if (published->has_ignored)
		message("berth: the policy of user %lu in %s is not "
			"followed: the folder is not root's\n",
			(unsigned long)published->ignored_uid,
			place_root_name(place, published->ignored_root));
}

void published_tell_missed(const struct place *place, int missed)
{
	const char *directory = place->directory;

	if (missed < 0)
		message("berth: a policy that may be in force cannot "
			"be read, in %s%s%s/run/berth or /dev/shm: %s\n",
			directory != NULL ? "\"" : "",
			directory != NULL ? directory : "",
			directory != NULL ? "\", " : "", strerror(-missed));
}

bool published_is_unknown(int missed)
{
	return missed != 0 && missed != -EACCES && missed != -EROFS &&
	       missed != -EPERM && missed != -EFBIG &&
	       missed != -ENOSPC && missed != -EDQUOT && missed != -ELOOP &&
	       missed != -ENOTDIR && missed != -ENAMETOOLONG;
}

static int read_file(const struct place *place,
		     struct published *published)
{
	struct policy_file file;
	int result;

	result = policy_file_open(place, POLICY_EXISTING, &file,
				  published->path);
	published->missed = file.missed;
	published->has_ignored = file.has_ignored;
	published->ignored_uid = file.ignored_uid;
	published->ignored_root = file.ignored_root;
	if (result < 0) {
		published->path[0] = '\0';
		return 0;
	}
	published->by_root = file.by_root;
	result = copy_policy(&file, published);
	policy_file_close(&file);
	return result;
}

/* --- one that its owner may shorten ------------------------------------------ */

/* In memory that both processes have. */
struct read_work {
	const struct place *place;
	int result;
	struct published published;
	size_t size;
	char image[POLICY_SIZE_MAX];
};

static void read_apart(void *memory)
{
	struct read_work *work = memory;
	const struct published *published = &work->published;

	work->result = read_file(work->place, &work->published);
	if (work->result < 0 || published->image == NULL)
		return;
	work->size = published->tables.image->size;
	memcpy(work->image, published->image, work->size);
}

/* Copies what the other process has read. Returns as read_file(). */
static int take(const struct read_work *work, struct published *published)
{
	*published = work->published;
	published->image = NULL;
	if (work->size == 0)
		return work->result;
	published->image = malloc(work->size);
	if (published->image == NULL)
		return -ENOMEM;
	memcpy(published->image, work->image, work->size);
	return policy_image_open(published->image, work->size,
				 &published->tables);
}

static int read_guarded(const struct place *place,
			struct published *published)
{
	struct read_work *work = apart_memory(sizeof(*work));
	int result;

	if (work == NULL)
		return -ENOMEM;
	work->place = place;
	result = apart_run(read_apart, work);
	if (result == 0)
		result = take(work, published);
	else
		/* Nothing is known of it. */
		published->missed = result;
	munmap(work, sizeof(*work));
	return result;
}

/* --- the whole ------------------------------------------------------------- */

int published_read(const struct place *place, struct published *published)
{
	int result;

	*published = (struct published){ .edition = 0 };
	/* Elsewhere a policy counts only where root, or this user, has made it. */
	result = place->directory != NULL ? read_guarded(place, published)
					  : read_file(place, published);
	if (result < 0)
		published->is_damaged = true;
	/* Without a path it is missed, which the caller says. */
	if (published->is_damaged && published->path[0] != '\0')
		tell_unfollowed(published, result < 0 ? result : -EINVAL);
	if (result < 0 || (published->edition & 1) == 0) {
		free(published->image);
		published->image = NULL;
	}
	return result;
}

struct policy_in_force published_in_force(const struct published *published)
{
	static const char unreadable[] = "";
	const bool is_unreadable = published->image == NULL &&
				   published->is_damaged;

	return (struct policy_in_force){
		.image = is_unreadable ? unreadable : published->image,
		.size = is_unreadable || published->image == NULL
			? 0 : published->tables.image->size,
		.by_root = published->by_root,
		.on_error = published->on_error,
	};
}

void published_deinit(struct published *published)
{
	free(published->image);
	published->image = NULL;
}

bool published_has_profile(const struct published *published,
			   const char *profile)
{
	const struct policy_tables *tables = &published->tables;

	if (published->image == NULL)
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
