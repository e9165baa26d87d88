/* SPDX-License-Identifier: MIT */
#include "cli/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/compile.h"
#include "cli/config.h"
#include "cli/message.h"
#include "cli/netns.h"
#include "cli/published.h"
#include "cli/rules.h"
#include "core/arena.h"
#include "core/policy_file.h"

static int complain(const char *what, int error)
{
	message("berth: %s: %s\n", what, strerror(-error));
	return error;
}

/* Both were checked when the rules were made. */
static void read_arena_options(const struct config *config,
			       struct compiled *compiledp)
{
	const char *mode = config->arena_mode.value;
	const char *name = config->arena_group.value;
	const struct group *group = name != NULL && *name != '\0'
		? getgrnam(name) : NULL;

	compiledp->arena_mode = mode != NULL ? strtol(mode, NULL, 8)
					     : ARENA_MODE_DEFAULT;
	compiledp->arena_group = group != NULL ? (long)group->gr_gid : -1;
}

static int compile(const struct config *config, const struct kernel *kernel,
		   bool warn, struct findings *findings,
		   struct compiled *compiledp)
{
	struct rules rules;
	int result = rules_make(&rules, config, kernel, findings);

	if (result == 0 && (findings->n_errors > 0 || findings->incomplete))
		result = -EINVAL;
	if (result == 0) {
		read_arena_options(config, compiledp);
		result = compile_rules(&rules, (uint64_t)time(NULL),
				       &compiledp->image, &compiledp->size);
		if (result < 0)
			complain(config->path, result);
	} else if (result != -EINVAL) {
		complain(config->path, result);
	}
	if (result == 0 && warn)
		rules_warn(&rules, kernel, 0, findings);
	rules_deinit(&rules);
	return result;
}

int publish_compile(const char *path, const struct kernel *kernel, bool warn,
		    struct compiled *compiledp)
{
	struct findings findings = { .n_items = 0 };
	char absolute[PATH_MAX];
	struct config config;
	int result;

	/* However it is named, the same file makes the same policy. */
	if (realpath(path, absolute) != NULL)
		path = absolute;
	result = config_read(&config, path, &findings);
	*compiledp = (struct compiled){ .image = NULL };
	if (result == 0)
		result = compile(&config, kernel, warn, &findings, compiledp);
	findings_print(&findings, stderr);
	findings_deinit(&findings);
	config_deinit(&config);
	return result;
}

bool publish_is(const struct published *published,
		const struct compiled *compiled)
{
	const struct policy_image *theirs = published->image;
	const struct policy_image *ours = compiled->image;
	struct policy_image header;

	if (theirs == NULL || theirs->size != ours->size)
		return false;
	header = *theirs;
	header.loaded_at = ours->loaded_at;
	header.checksum = ours->checksum;
	return memcmp(&header, ours, sizeof(header)) == 0 &&
	       memcmp(theirs + 1, ours + 1, ours->size - sizeof(header)) == 0;
}

/* Only its owner may: whoever else loads a policy leaves the map as it is. */
static int set_arena_mode(int fd, const struct compiled *compiled)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -errno;
	if (status.st_uid != geteuid() ||
	    (geteuid() != 0 && compiled->arena_mode == ARENA_MODE_DEFAULT))
		return 0;
	if (compiled->arena_group >= 0 &&
	    fchown(fd, (uid_t)-1, (gid_t)compiled->arena_group) != 0)
		return -errno;
	return fchmod(fd, (mode_t)compiled->arena_mode) == 0 ? 0 : -errno;
}

/* So that the programs to come find it, with the mode that the file says. */
static int prepare_arena(const struct arena_place *place,
			 const struct compiled *compiled)
{
	char path[PATH_MAX];
	struct arena arena;
	int result = arena_open(place, ARENA_CREATE, &arena, path);
	int fd;

	if (result < 0)
		return complain("cannot make the shared map", result);
	arena_close(&arena);
	if (netns_is_elsewhere(arena.passed_over))
		return complain("cannot make the shared map where programs "
				"look for it", arena.passed_over);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return complain(path, -errno);
	result = set_arena_mode(fd, compiled);
	close(fd);
	return result < 0 ? complain(path, result) : 0;
}

bool publish_is_allowed(const struct arena_place *place)
{
	struct policy_file file;
	char path[PATH_MAX];

	if (policy_file_open(place, POLICY_CREATE, &file, path) < 0)
		return false;
	policy_file_close(&file);
	return access(path, W_OK) == 0;
}

int publish(const struct arena_place *place, const struct compiled *compiled)
{
	struct policy_file file;
	char path[PATH_MAX];
	uint64_t edition;
	int result = 0;

	/* No program with a /proc would follow it, see netns_place(). */
	if (place->netns_inode == 0) {
		message("berth: without /proc no policy is put in force\n");
		return -ENOENT;
	}
	if (compiled != NULL)
		result = prepare_arena(place, compiled);
	if (result < 0)
		return result;
	result = policy_file_open(place, POLICY_CREATE, &file, path);
	if (result < 0)
		return complain("cannot make the policy file", result);
	policy_file_close(&file);
	/* This one would not be that in force. */
	if (published_is_unknown(file.missed)) {
		published_tell_missed(place, file.missed);
		return file.missed;
	}
	if (netns_is_elsewhere(file.passed_over))
		return complain("cannot make the policy file where programs "
				"look for it", file.passed_over);
	result = policy_file_publish(path,
				     compiled != NULL ? compiled->image : NULL,
				     compiled != NULL ? compiled->size : 0,
				     &edition);
	return result < 0 ? complain(path, result) : 0;
}
