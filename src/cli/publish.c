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

#include "cli/apart.h"
#include "cli/compile.h"
#include "cli/config.h"
#include "cli/message.h"
#include "cli/netns.h"
#include "cli/published.h"
#include "cli/rules.h"
#include "map/map.h"
#include "policy/file.h"

static int complain(const char *what, int error)
{
	message("berth: %s: %s\n", what, strerror(-error));
	return error;
}

/* Both were checked when the rules were made. */
static void read_map_options(const struct config *config,
			       struct compiled *compiledp)
{
	const char *mode = config->map_mode.value;
	const char *name = config->map_group.value;
	const struct group *group = name != NULL && *name != '\0'
		? getgrnam(name) : NULL;

	compiledp->map_mode = mode != NULL ? strtol(mode, NULL, 8)
					     : MAP_MODE_DEFAULT;
	compiledp->map_group = group != NULL ? (long)group->gr_gid : -1;
}

/* A program that cannot follow the policy cannot tell which rule is its own. */
static enum on_error strictest(const struct policy_image *image)
{
	struct policy_tables tables;

	if (policy_image_open(image, image->size, &tables) < 0)
		return ON_ERROR_REFUSE;
	for (uint32_t i = 0; i < image->n_rules; i++)
		if (tables.rules[i].settings[SETTING_ON_ERROR] ==
		    ON_ERROR_REFUSE)
			return ON_ERROR_REFUSE;
	return ON_ERROR_PRIVATE;
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
		read_map_options(config, compiledp);
		result = compile_rules(&rules, (uint64_t)time(NULL),
				       &compiledp->image, &compiledp->size);
		if (result < 0)
			complain(config->path, result);
		else
			compiledp->on_error = strictest(compiledp->image);
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
static int set_map_mode(int fd, const struct compiled *compiled)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -errno;
	if (status.st_uid != geteuid())
		return 0;
	if (compiled->map_group >= 0 &&
	    fchown(fd, (uid_t)-1, (gid_t)compiled->map_group) != 0)
		return -errno;
	return fchmod(fd, (mode_t)compiled->map_mode) == 0 ? 0 : -errno;
}

/*
 * So that the programs to come find the map, with the mode that the file says.
 * Without one they are on their own, and the policy binds them all the same.
 */
static int prepare_map(const struct place *place,
			 const struct compiled *compiled)
{
	char path[PATH_MAX];
	struct map map;
	int result = map_open(place, MAP_LOAD, &map, path);
	int fd;

	if (result < 0) {
		message("berth: there is no shared map: %s\n",
			strerror(-result));
		return 0;
	}
	map_close(&map);
	if (map.passed_over != 0)
		message("berth: the shared map is %s, where programs that can "
			"use another do not look: %s\n", path,
			strerror(-map.passed_over));
	/* Not through a link that another user has put there since. */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return complain(path, -errno);
	result = set_map_mode(fd, compiled);
	close(fd);
	return result < 0 ? complain(path, result) : 0;
}

bool publish_is_allowed(const struct place *place)
{
	return policy_file_may_publish(place);
}

static void tell_failure(const struct place *place, int error)
{
	if (error == -EACCES && geteuid() != 0)
		message("berth: only root, or who has made the policy "
			"file, can do that here: %s\n", strerror(EACCES));
	else if (error == -EBUSY)
		fputs("berth: another berth load does not end\n", stderr);
	else
		message("berth: cannot write the policy (%s%s%s): %s\n",
			place->directory != NULL ? place->directory : "",
			place->directory != NULL ? ", " : "",
			geteuid() == 0 ? "/run/berth, /dev/shm/berth-0"
				       : "/dev/shm",
			strerror(-error));
}

/* What programs would meet instead of the policy that is loaded now. */
static int check_published(const struct place *place)
{
	struct policy_file file;

	if (policy_file_open(place, POLICY_EXISTING, &file, NULL) == 0)
		policy_file_close(&file);
	if (!published_is_unknown(file.missed))
		return 0;
	published_tell_missed(place, file.missed);
	return file.missed;
}

/* In memory that both processes have. */
struct publish_work {
	const struct place *place;
	const struct policy_load *load;
	int result;
};

static void publish_apart(void *memory)
{
	struct publish_work *work = memory;
	uint64_t edition;

	work->result = policy_file_publish(work->place, work->load, &edition,
					   NULL);
}

/* The owner of a file in BERTH_DIR may shorten it while it is written. */
static int publish_guarded(const struct place *place,
			   const struct policy_load *load)
{
	struct publish_work *work = apart_memory(sizeof(*work));
	int result;

	if (work == NULL)
		return -ENOMEM;
	*work = (struct publish_work){ .place = place, .load = load };
	result = apart_run(publish_apart, work);
	return result < 0 ? result : work->result;
}

int publish(const struct place *place, const struct compiled *compiled)
{
	const struct policy_load load = {
		.image = compiled != NULL ? compiled->image : NULL,
		.size = compiled != NULL ? compiled->size : 0,
		.on_error = compiled != NULL ? compiled->on_error
					     : ON_ERROR_PRIVATE,
	};
	uint64_t edition;
	int result;

	/* No program with a /proc would follow it, see netns_place(). */
	if (place->netns_inode == 0) {
		message("berth: without /proc no policy is put in force\n");
		return -ENOENT;
	}
	result = check_published(place);
	if (result == 0 && compiled != NULL)
		result = prepare_map(place, compiled);
	if (result < 0)
		return result;
	result = place->directory != NULL
		? publish_guarded(place, &load)
		: policy_file_publish(place, &load, &edition, NULL);
	if (result < 0)
		tell_failure(place, result);
	return result;
}
