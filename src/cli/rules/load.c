/* SPDX-License-Identifier: MIT */
#include "cli/rules/load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/bus_error.h"
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/rules/rules.h"
#include "cli/view.h"
#include "map/map.h"
#include "policy/file.h"

/* --- from a file to a policy ---------------------------------------------- */

static int complain(const char *what, int error)
{
	message("%s: %s", what, strerror(-error));
	return error;
}

/* A program that cannot follow the policy cannot tell which rule is its own. */
static enum on_error strictest(const struct rules *rules)
{
	for (size_t i = 0; i < rules->n_rules; i++)
		if (rules->rules[i].settings[SETTING_ON_ERROR] ==
		    ON_ERROR_REFUSE)
			return ON_ERROR_REFUSE;
	return ON_ERROR_PRIVATE;
}

int load_compile(const char *path, const struct kernel *kernel, bool warn,
		 struct compiled *compiledp)
{
	struct findings findings = { .n_items = 0 };
	char absolute[PATH_MAX];
	struct config config;
	struct rules rules;
	int result;

	*compiledp = (struct compiled){ .image = NULL };
	/* The policy is the same by whichever name the file is given. */
	if (realpath(path, absolute) != NULL)
		path = absolute;
	result = rules_read(&rules, &config, path, kernel, &findings);
	if (result == 0)
		result = rules_compile(&rules, (uint64_t)time(NULL),
				       &compiledp->image, &compiledp->size);
	if (result == 0) {
		compiledp->map_mode = rules.map_mode;
		compiledp->map_group = rules.map_group;
		compiledp->on_error = strictest(&rules);
	} else if (result != -EINVAL) {
		complain(path, result);
	}
	if (result == 0 && warn)
		rules_warn(&rules, kernel, 0, &findings);
	findings_print(&findings, stderr);
	findings_deinit(&findings);
	rules_deinit(&rules);
	config_deinit(&config);
	return result;
}

bool load_is_in_force(const struct in_force *in_force,
		      const struct compiled *compiled)
{
	const struct policy_image *theirs = in_force->image;
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

/* Only the owner sets the mode: loads by other users leave it as it is. */
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
	return fchmod(fd, compiled->map_mode) == 0 ? 0 : -errno;
}

/* Makes the map with the mode and group of berth.conf, before programs do. The
 * policy is in force without a map too. */
static int prepare_map(const struct place *place,
		       const struct compiled *compiled)
{
	char path[PATH_MAX];
	struct map map;
	int result = map_open(place, MAP_LOAD, &map, path);
	int fd;

	if (result < 0) {
		message("there is no shared map: %s", strerror(-result));
		return 0;
	}
	map_close(&map);
	if (map.passed_over != 0)
		message("the shared map is %s, but programs that can use an "
			"earlier folder do not use it: %s",
			path, strerror(-map.passed_over));
	/* Another user may have put a link there meanwhile. */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return complain(path, -errno);
	result = set_map_mode(fd, compiled);
	close(fd);
	return result < 0 ? complain(path, result) : 0;
}

static void tell_failure(const struct place *place, int error)
{
	if (error == -EACCES && geteuid() != 0)
		message("only root, or the owner of the policy file, can do "
			"that here: %s",
			strerror(EACCES));
	else if (error == -EBUSY)
		message("another berth load is still running");
	else
		message("cannot write the policy (%s%s%s): %s",
			place->directory != NULL ? place->directory : "",
			place->directory != NULL ? ", " : "",
			geteuid() == 0 ? "/run/berth, /dev/shm/berth-0"
				       : "/dev/shm",
			strerror(-error));
}

/* Whether programs may find another policy, which cannot be read here. */
static int check_missed(const struct place *place)
{
	struct policy_file file;

	if (policy_file_open(place, POLICY_EXISTING, &file, NULL) == 0)
		policy_file_close(&file);
	if (!view_is_unknown(file.missed))
		return 0;
	view_tell_missed(place, file.missed);
	return file.missed;
}

struct load_work {
	const struct place *place;
	const struct policy_load load;
};

static int do_load(void *context)
{
	const struct load_work *work = context;
	uint64_t edition;

	return policy_file_load(work->place, &work->load, &edition, NULL);
}

int load_put(const struct place *place, const struct compiled *compiled)
{
	static const struct compiled nothing = { .on_error = ON_ERROR_PRIVATE };
	const struct compiled *from = compiled != NULL ? compiled : &nothing;
	struct load_work work = { place,
				  { from->image, from->size, from->on_error } };
	int result;

	/* No program that has /proc would find it, see view_open(). */
	if (place->netns_inode == 0) {
		message("without /proc no policy is put in force");
		return -ENOENT;
	}
	result = check_missed(place);
	if (result == 0 && compiled != NULL)
		result = prepare_map(place, compiled);
	if (result < 0)
		return result;
	/* The owner of a file in BERTH_DIR may shorten it meanwhile. */
	result = place->directory != NULL ? bus_error_catch(do_load, &work)
					  : do_load(&work);
	if (result < 0)
		tell_failure(place, result);
	return result;
}

/* --- the commands --------------------------------------------------------- */

static bool is_dry_run;

static const struct command_option load_list[] = {
	{ .name = "dry-run",
	  .flagp = &is_dry_run,
	  .help = "only check FILE, and print whether it is in force" },
	OPTION_HELP,
};

static const struct command_option unload_list[] = { OPTION_HELP };

/* The first line about a load. It is written before anything changes: when it
 * cannot be written, the load fails and changes nothing. */
static int print_contents(const char *path, const struct compiled *compiled)
{
	const struct policy_image *image = compiled->image;

	/* The last rule is for the programs of no section. */
	message_to(stdout,
		   "berth: %s: %u process section%s and %u "
		   "reservation%s\n",
		   path, image->n_rules - 1, image->n_rules == 2 ? "" : "s",
		   image->n_reserves, image->n_reserves == 1 ? "" : "s");
	return message_written();
}

static int put_in_force(const struct view *view, const char *path,
			const struct compiled *compiled)
{
	int result;

	if (print_contents(path, compiled) != EXIT_SUCCESS)
		return EXIT_FAILURE;
	result = load_put(&view->place, compiled);
	puts(result == 0 ? "berth: in force" : "berth: not put in force");
	/* The status tells whether it is in force, printed or not. */
	(void)message_written();
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int tell_dry_run(struct view *view, const char *path,
			const struct compiled *compiled)
{
	int status = EXIT_FAILURE;

	view_read(view, true);
	if (!view_is_unknown(view->in_force.file.missed)) {
		status = print_contents(path, compiled);
		puts(load_is_in_force(&view->in_force, compiled)
			     ? "berth: in force already"
			     : "berth: would be put in force");
		if (status == EXIT_SUCCESS)
			status = message_written();
	}
	view_close(view);
	return status;
}

static int load(const struct command_words *words)
{
	static struct view view;
	struct compiled compiled;
	const char *path = CONFIG_PATH;
	int status;

	if (view_open(&view) < 0)
		return EXIT_FAILURE;
	if (words->n_words > 0)
		path = words->words[0];
	if (load_compile(path, &view.kernel, true, &compiled) != 0) {
		message("%s is refused; the policy in force is not changed",
			path);
		return EXIT_FAILURE;
	}
	status = is_dry_run ? tell_dry_run(&view, path, &compiled)
			    : put_in_force(&view, path, &compiled);
	free(compiled.image);
	return status;
}

static int unload(const struct command_words *words)
{
	static struct view view;
	bool is_any, is_unknown;

	(void)words;
	if (view_open(&view) < 0)
		return EXIT_FAILURE;
	view_read(&view, true);
	is_any = (view.in_force.edition & 1) != 0;
	is_unknown = is_any ? view_is_unknown(view.in_force.file.missed)
			    : view.in_force.file.missed != 0;
	view_close(&view);
	if (is_unknown)
		return EXIT_FAILURE;
	if (!is_any) {
		puts("berth: no policy is in force");
		return message_written();
	}
	return load_put(&view.place, NULL) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct options command_load = {
	.command = "load",
	.help = "put a policy in force",
	.run = load,
	.synopsis = "[FILE]",
	.list = load_list,
	.n_words_max = 1,
	.about =
		"Checks FILE (default: " CONFIG_PATH
		") and puts it in force in\n"
		"this network namespace. It replaces the policy before it at once and\n"
		"as a whole. Running programs follow it from their next call on. A\n"
		"file with an error is refused, and nothing is changed.\n",
	.status =
		"Exit status: 0 in force (with --dry-run: FILE has no error), 1\n"
		"refused or failed, 2 usage.\n",
};

const struct options command_unload = {
	.command = "unload",
	.help = "take the policy out of force",
	.run = unload,
	.synopsis = "",
	.list = unload_list,
	.about =
		"Takes the policy of this network namespace out of force. Running\n"
		"programs follow their environment again, from their next call on.\n",
	.status = "Exit status: 0 no policy is in force, 1 failed, 2 usage.\n",
};
