/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/rules/load.h"
#include "cli/run/run.h"
#include "policy/file.h"
#include "policy/glob.h"

static const struct {
	const char *option, *variable;
} settings[N_RUN_OPTIONS] = {
	[RUN_RANGE] = { "--range", "BERTH_RANGE" },
	[RUN_RESERVE] = { "--reserve", "BERTH_RESERVE" },
	[RUN_ALGORITHM] = { "--algorithm", "BERTH_ALGORITHM" },
};

static bool is_in_force(const struct run *run)
{
	return run->view.in_force.image != NULL;
}

/* The first option that names ports; NULL = none. */
static const char *option_given(const struct run *run)
{
	for (int i = 0; i < N_RUN_OPTIONS; i++)
		if (run->options[i] != NULL)
			return settings[i].option;
	return NULL;
}

/* An empty BERTH_RESERVE only takes back an inherited list. */
static const char *variable_given(void)
{
	for (int i = 0; i < N_RUN_OPTIONS; i++) {
		const char *value = getenv(settings[i].variable);

		if (value != NULL && (*value != '\0' || i != RUN_RESERVE))
			return settings[i].variable;
	}
	return NULL;
}

static int put_in_force(struct run *run, const struct compiled *compiled)
{
	if (is_in_force(run) &&
	    !load_is_in_force(&run->view.in_force, compiled)) {
		message("--config \"%s\": another policy is in force, from "
			"%s; berth load replaces it",
			run->config_path, view_source(&run->view));
		return EXIT_BERTH_FAILED;
	}
	if (!is_in_force(run) && load_put(&run->view.place, compiled) < 0)
		return EXIT_BERTH_FAILED;
	view_close(&run->view);
	view_read(&run->view, false);
	return 0;
}

static int load_file(struct run *run, const char *path)
{
	struct compiled compiled;
	int status = EXIT_BERTH_FAILED;

	if (load_compile(path, &run->view.kernel, false, &compiled) == 0)
		status = put_in_force(run, &compiled);
	free(compiled.image);
	return status;
}

/* --config: the file replaces the ports that the environment names. */
static int load_named_file(struct run *run)
{
	const char *option = option_given(run);

	if (option != NULL) {
		message_to(stderr,
			   "berth run: %s cannot be combined with --config\n",
			   option);
		return EXIT_BERTH_FAILED;
	}
	for (int i = 0; i < N_RUN_OPTIONS; i++)
		unsetenv(settings[i].variable);
	return load_file(run, run->config_path);
}

/* If nothing is in force, and neither options nor variables name ports, the
 * installed file does. */
static int load_default_file(struct run *run)
{
	if (is_in_force(run) || option_given(run) != NULL ||
	    variable_given() != NULL || access(CONFIG_PATH, F_OK) != 0)
		return 0;
	if (policy_file_may_load(&run->view.place))
		return load_file(run, CONFIG_PATH);
	message(CONFIG_PATH
		" is not in force, and only root can put it in force, by "
		"berth load");
	return 0;
}

/* A policy of root leaves only the choice of a profile. */
static int check_bound(const struct run *run)
{
	const char *option = option_given(run);
	const char *variable = variable_given();

	if (!is_in_force(run) || !run->view.in_force.file.by_root)
		return 0;
	if (option != NULL) {
		message("%s is not permitted: root has put %s in force; "
			"--profile chooses among its sections",
			option, view_source(&run->view));
		return EXIT_BERTH_FAILED;
	}
	if (variable != NULL)
		message("%s is ignored: root has put %s in force; --profile "
			"chooses among its sections",
			variable, view_source(&run->view));
	return 0;
}

/* Whether a program may choose this profile: some rule has it. */
static bool has_profile(const struct in_force *in_force, const char *profile)
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

static int export_profile(const struct run *run)
{
	const char *profile = run->profile != NULL ? run->profile
						   : getenv("BERTH_PROFILE");

	if (run->profile != NULL &&
	    !has_profile(&run->view.in_force, profile)) {
		message("--profile \"%s\": %s%s", profile,
			is_in_force(run) ? "no process section has it in "
					 : "no policy is in force; see ",
			is_in_force(run) ? view_source(&run->view)
					 : "berth load --help");
		return EXIT_BERTH_FAILED;
	}
	if (run->profile != NULL && setenv("BERTH_PROFILE", profile, 1) != 0)
		return run_fail("BERTH_PROFILE", strerror(errno));
	return 0;
}

static int export_options(const struct run *run)
{
	for (int i = 0; i < N_RUN_OPTIONS; i++)
		if (run->options[i] != NULL &&
		    setenv(settings[i].variable, run->options[i], 1) != 0)
			return run_fail(settings[i].variable, strerror(errno));
	return 0;
}

/* Names the option if the value came from one. */
static int refuse_environment(const struct run *run,
			      struct environment_error *error)
{
	char text[ENVIRONMENT_ERROR_TEXT_SIZE];

	for (int i = 0; i < N_RUN_OPTIONS; i++)
		if (run->options[i] != NULL &&
		    strcmp(error->variable, settings[i].variable) == 0)
			error->variable = settings[i].option;
	environment_error_text(error, text);
	message("%s", text);
	return EXIT_BERTH_FAILED;
}

static int read_environment(struct run *run)
{
	struct environment_error error;
	const int status = export_options(run);

	if (status != 0)
		return status;
	if (environment_read(getenv, &run->view.kernel, &run->view.environment,
			     &error) < 0)
		return refuse_environment(run, &error);
	return 0;
}

int run_settle_policy(struct run *run)
{
	int status;

	view_open(&run->view);
	/* A policy that is damaged or cannot be read binds nobody, as in the
	 * library: see check_map(). */
	view_read(&run->view, false);
	status = run->config_path != NULL ? load_named_file(run)
					  : load_default_file(run);
	if (status == 0)
		status = check_bound(run);
	if (status == 0)
		status = export_profile(run);
	if (status == 0)
		status = read_environment(run);
	return status;
}
