/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/netns.h"
#include "cli/publish.h"
#include "cli/published.h"
#include "kernel/kernel.h"
#include "map/place.h"
#include "policy/layout.h"

static const char load_usage[] =
	"Usage: berth load [--dry-run] [FILE]\n"
	"\n"
	"Checks FILE (default: " CONFIG_PATH ") and puts it in force in\n"
	"this network namespace, at once and as a whole. Running programs follow\n"
	"at their next call. A file that is refused changes nothing.\n"
	"\n"
	"  --dry-run  check only, and say what would be put in force\n"
	"\n"
	"Exit status: 0 in force, 1 refused or failed, 2 usage.\n";

static const char unload_usage[] =
	"Usage: berth unload\n"
	"\n"
	"Takes the policy that is in force in this network namespace out of\n"
	"force. Programs then follow their environment again.\n"
	"\n"
	"Exit status: 0 done, or there was none; 1 failed; 2 usage.\n";

static int refuse_word(const char *command, const char *word)
{
	message("berth %s: unknown %s \"%s\"; see berth %s --help\n",
		command, word[0] == '-' ? "option" : "word", word, command);
	return EXIT_USAGE;
}

static bool asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/*
 * The first part of the line that tells of a load. It is written before
 * anything is changed, so that a load which ends with 1 has changed nothing.
 */
static int begin_line(const char *path, const struct compiled *compiled)
{
	const struct policy_image *image = compiled->image;

	/* The last rule is that of all programs that no section is for. */
	message_to(stdout, "berth: %s: %u process section%s and %u "
		   "reservation%s ", path, image->n_rules - 1,
		   image->n_rules == 2 ? "" : "s", image->n_reserves,
		   image->n_reserves == 1 ? "" : "s");
	return message_written();
}

static int put_in_force(const struct place *place, const char *path,
			const struct compiled *compiled)
{
	int result;

	if (begin_line(path, compiled) != EXIT_SUCCESS)
		return EXIT_FAILURE;
	result = publish(place, compiled);
	puts(result == 0 ? "are in force" : "are not put in force");
	/* It is in force, and that is what the status says. */
	(void)message_written();
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int tell_dry_run(const struct place *place, const char *path,
			const struct compiled *compiled)
{
	struct published published;
	int status = EXIT_FAILURE;

	published_read(place, &published);
	published_tell_missed(place, published.missed);
	if (!published_is_unknown(published.missed)) {
		status = begin_line(path, compiled);
		puts(publish_is(&published, compiled)
			? "are what is in force" : "would be put in force");
		if (status == EXIT_SUCCESS)
			status = message_written();
	}
	published_deinit(&published);
	return status;
}

static int load(const char *path, bool dry_run)
{
	static struct kernel kernel;
	struct place place;
	struct compiled compiled;
	int status;

	kernel_read(&kernel);
	if (netns_place(&kernel, &place) < 0)
		return EXIT_FAILURE;
	if (publish_compile(path, &kernel, true, &compiled) < 0) {
		message("berth: %s is refused; what was in force "
			"stays\n", path);
		return EXIT_FAILURE;
	}
	status = dry_run ? tell_dry_run(&place, path, &compiled)
			 : put_in_force(&place, path, &compiled);
	free(compiled.image);
	return status;
}

int command_load(int argc, char *argv[])
{
	const char *path = NULL;
	bool dry_run = false;

	for (int i = 1; i < argc; i++) {
		if (asks_for_help(argv[i]))
			return message_usage(load_usage);
		if (strcmp(argv[i], "--dry-run") == 0)
			dry_run = true;
		else if (argv[i][0] == '-' || path != NULL)
			return refuse_word("load", argv[i]);
		else
			path = argv[i];
	}
	return load(path != NULL ? path : CONFIG_PATH, dry_run);
}

int command_unload(int argc, char *argv[])
{
	static struct kernel kernel;
	struct place place;
	struct published published;
	bool is_any, is_unknown;

	if (argc > 1)
		return asks_for_help(argv[1]) ? message_usage(unload_usage)
					      : refuse_word("unload", argv[1]);
	kernel_read(&kernel);
	if (netns_place(&kernel, &place) < 0)
		return EXIT_FAILURE;
	published_read(&place, &published);
	published_tell_missed(&place, published.missed);
	is_any = (published.edition & 1) != 0;
	is_unknown = is_any ? published_is_unknown(published.missed)
			    : published.missed != 0;
	published_deinit(&published);
	if (is_unknown)
		return EXIT_FAILURE;
	if (!is_any) {
		puts("berth: no policy is in force");
		return message_written();
	}
	return publish(&place, NULL) == 0 ? EXIT_SUCCESS
						     : EXIT_FAILURE;
}
