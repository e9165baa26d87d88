/* SPDX-License-Identifier: MIT */
#include "cli/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bus_error.h"
#include "cli/memory.h"
#include "cli/message.h"
#include "policy/identity.h"

/* So many loads may come in between, then the policy counts as damaged. */
#define MAX_ROUNDS 8

/* --- the policy in force -------------------------------------------------- */

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
static int copy_image(struct in_force *in_force)
{
	const void *image;
	struct policy_tables tables;
	size_t size;
	const int result = policy_file_image(&in_force->file, in_force->edition,
					     &image, &size);

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

static int copy_policy(struct in_force *in_force)
{
	struct policy_file *file = &in_force->file;
	int result = 0;

	for (int round = 0; round < MAX_ROUNDS; round++) {
		in_force->edition = policy_file_edition(file);
		in_force->on_error = policy_file_on_error(file,
							  in_force->edition);
		result = (in_force->edition & 1) != 0 ? copy_image(in_force)
						      : 0;
		if (policy_file_edition(file) == in_force->edition)
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
	message("%s: the policy in force %s; berth load puts a sound one in "
		"force",
		in_force->path, complaint(error));
	message("programs that cannot follow it %s",
		in_force->on_error == ON_ERROR_REFUSE
			? "are refused every port"
			: "get the ports of the kernel's choice");
}

/* Returns 0, also without a policy or when only sets are damaged; or -errno for
 * other damage. */
static int read_policy(void *context)
{
	struct view *view = context;
	struct in_force *in_force = &view->in_force;
	int result = policy_file_open(&view->place, POLICY_EXISTING,
				      &in_force->file, in_force->path);

	if (result < 0) {
		in_force->path[0] = '\0';
		return 0;
	}
	result = copy_policy(in_force);
	policy_file_close(&in_force->file);
	return result;
}

/* Elsewhere than in BERTH_DIR a policy counts only if root or this user made
 * it. Its owner may shorten one there: nothing is known of it then. */
static int read_guarded(struct view *view)
{
	const int result = view->place.directory != NULL
				   ? bus_error_catch(read_policy, view)
				   : read_policy(view);

	if (result == -EIO)
		view->in_force = (struct in_force){ .file.missed = result };
	return result;
}

void view_read(struct view *view, bool tell)
{
	struct in_force *in_force = &view->in_force;
	int result;

	*in_force = (struct in_force){ .edition = 0 };
	result = read_guarded(view);
	if (result < 0)
		in_force->is_damaged = true;
	/* Without a path the policy was missed, which is reported below. */
	if (in_force->is_damaged && in_force->path[0] != '\0')
		tell_unfollowed(in_force, result < 0 ? result : -EINVAL);
	if (result < 0 || (in_force->edition & 1) == 0)
		view_close(view);
	if (tell)
		view_tell_missed(&view->place, in_force->file.missed);
}

void view_tell_missed(const struct place *place, int missed)
{
	const char *directory = place->directory;

	if (missed < 0)
		message("a policy that may be in force cannot be read, in "
			"%s%s%s/run/berth or /dev/shm: %s",
			directory != NULL ? "\"" : "",
			directory != NULL ? directory : "",
			directory != NULL ? "\", " : "", strerror(-missed));
}

bool view_is_unknown(int missed)
{
	return missed != 0 && missed != -EACCES && missed != -EROFS &&
	       missed != -EPERM && missed != -EFBIG && missed != -ENOSPC &&
	       missed != -EDQUOT && missed != -ELOOP && missed != -ENOTDIR &&
	       missed != -ENAMETOOLONG;
}

enum policy_settled view_settle(struct view *view,
				const struct program *program,
				const struct policy_rule **rulep)
{
	const struct in_force *in_force = &view->in_force;
	struct policy_in_force policy = {
		.by_root = in_force->file.by_root,
		.on_error = in_force->on_error,
	};

	if (in_force->image != NULL) {
		policy.image = in_force->image;
		policy.size = in_force->tables.image->size;
	} else if (in_force->is_damaged) {
		policy.image = ""; /* no image: it counts as damaged */
	}
	return policy_settle(&policy, program, &view->environment,
			     &view->policy, rulep);
}

/* --- the whole ------------------------------------------------------------ */

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
		message(KERNEL_NETNS_PATH
			": %s: programs that have a /proc use other files",
			strerror(-kernel->netns_error));
	return kernel->netns_inode == 0 ? kernel->netns_error : 0;
}

int view_open(struct view *view)
{
	kernel_read(&view->kernel);
	return view_place(&view->kernel, &view->place);
}

static void tell_ignored(const struct place *place,
			 const struct policy_file *file)
{
	if (file->has_ignored)
		message("the policy of user %lu in %s is not followed: the "
			"folder is not root's",
			(unsigned long)file->ignored_uid,
			place_parent_name(place, file->ignored_parent));
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
		message("%s; the default is used", text);
	}
	view_read(view, true);
	tell_ignored(&view->place, &view->in_force.file);
	identity_read(&self, &view->place.users, view->environment.profile);

	const struct program program = identity_program(&self);

	view_settle(view, &program, NULL);
}

void view_close(struct view *view)
{
	free(view->in_force.image);
	view->in_force.image = NULL;
}

const char *view_source(const struct view *view)
{
	const struct policy_tables *tables = &view->in_force.tables;

	return view->in_force.image != NULL
		       ? policy_string(tables, tables->image->source)
		       : NULL;
}

bool view_is_sound(const struct view *view)
{
	return !view->in_force.is_damaged &&
	       !view_is_unknown(view->in_force.file.missed);
}
