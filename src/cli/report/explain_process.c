/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/program.h"
#include "cli/report/explain.h"
#include "cli/run/cover.h"
#include "policy/policy.h"

static const struct output_section program_section = {
	.kind = "program", .key = "program", .single = true,
	.columns = {
		{ .name = "pid", .number = true },
		{ .name = "exe" },
		{ .name = "name" },
		{ .name = "uid" },
		{ .name = "profile" },
		{ .name = "covered" },
	},
};
static const struct output_section policy_section = {
	.kind = "policy", .key = "policy", .single = true,
	.columns = {
		{ .name = "source" },
		{ .name = "edition", .number = true },
		{ .name = "by_root" },
		{ .name = "reason" },
	},
};
static const struct output_section rule_section = {
	.kind = "rule", .key = "rules", .title = "Rules, the first that "
	"applies counts",
	.columns = {
		{ "rule", 15, false },
		{ "place", 20, false },
		{ "verdict", 10, false },
		{ "reason", 0, false },
	},
};
static const struct output_section range_section = {
	.kind = "range", .key = "ranges", .title = "Assigned",
	.columns = {
		{ "protocol", 8, false },
		{ "role", 7, false },
		{ "n_ports", 7, true },
		{ "ports", 0, false },
	},
};
static const struct output_section setting_section = {
	.kind = "setting", .key = "settings", .title = "Settings",
	.columns = {
		{ "setting", 15, false },
		{ "value", 0, false },
	},
};

/* One program, and what its environment says. */
struct explained {
	struct explaining *explaining;
	struct program program;
	struct environment environment;
	struct policy policy;
	const char *reason;	/* why the environment counts; NULL: it does not */
};

/* `"a", "b" or "c"`: the patterns of a condition. */
static void print_patterns(FILE *stream, const char *pattern)
{
	bool first = true;

	for (; pattern != NULL && *pattern != '\0';
	     pattern = policy_next_string(pattern)) {
		fprintf(stream, "%s%s", first ? "" : " or ", pattern);
		first = false;
	}
}

static char *reason_of(const struct explained *self,
		       const struct policy_rule *rule, enum condition failed)
{
	const char *value = self->program.values[failed];
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (stream == NULL)
		return NULL;
	if (value == NULL)
		fprintf(stream, "it has no %s, wanted ",
			condition_name(failed));
	else
		fprintf(stream, "its %s %s is not ", condition_name(failed),
			value);
	print_patterns(stream, policy_string(
		&self->explaining->view.in_force.tables,
		policy_conditions(&self->explaining->view.in_force.tables,
				  rule)[failed]));
	return fclose(stream) == 0 ? text : NULL;
}

static void show_rules(const struct explained *self)
{
	const struct policy_tables *tables =
		&self->explaining->view.in_force.tables;
	struct output *output = &self->explaining->output;
	bool decided = self->reason != NULL;

	output_section(output, &rule_section);
	for (uint32_t i = 0; i < tables->image->n_rules; i++) {
		const struct policy_rule *rule = &tables->rules[i];
		enum condition failed = CONDITION_EXE;
		const bool applies = !decided && policy_rule_applies(
			tables, rule, &self->program, &failed);
		char *reason = decided || applies
			? NULL : reason_of(self, rule, failed);

		output_row(output, policy_string(tables, rule->name),
			   policy_string(tables, rule->place),
			   decided ? "not asked" : applies ? "applies" : "no",
			   reason);
		free(reason);
		decided |= applies;
	}
}

static void show_ranges(const struct explained *self)
{
	struct output *output = &self->explaining->output;

	output_section(output, &range_section);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		for (int role = 0; role < N_ROLES; role++) {
			const struct port_set *set =
				self->policy.ranges[protocol][role];
			char *ports = output_ports(set);

			output_row(output,
				   protocol_name((enum protocol)protocol),
				   role_name((enum role)role),
				   output_number(set->n_ports).text, ports);
			free(ports);
		}
}

static void show_settings(const struct explained *self)
{
	struct output *output = &self->explaining->output;

	output_section(output, &setting_section);
	for (int i = 0; i < N_SETTINGS; i++)
		output_row(output,
			setting_name((enum setting)i),
			setting_word((enum setting)i,
				     self->policy.settings[i]));
}

static void show_policy(const struct explained *self)
{
	const struct in_force *in_force = &self->explaining->view.in_force;
	char edition[24];

	snprintf(edition, sizeof(edition), "%llu",
		 (unsigned long long)in_force->edition);
	output_section(&self->explaining->output, &policy_section);
	output_row(&self->explaining->output,
		in_force->image != NULL ? policy_string(
			&in_force->tables, in_force->tables.image->source)
			: NULL,
		edition, in_force->by_root ? "yes" : "no", self->reason);
}

static void settle(struct explained *self)
{
	static const char *const reasons[] = {
		[SETTLED_RULE] = NULL,
		[SETTLED_NONE] = "no policy is in force: the environment "
				 "counts",
		[SETTLED_NAMED] = "the environment names ports, and the policy "
				  "is not root's",
		[SETTLED_DAMAGED] = "the policy cannot be followed: ports "
				    "are refused or the kernel's, as on-error "
				    "says",
	};

	self->reason = reasons[in_force_settle(
		&self->explaining->view.in_force, &self->program,
		&self->environment, &self->policy, NULL)];
}

static void show(struct explained *self, const char *pid, const char *covered)
{
	const struct program *program = &self->program;

	settle(self);
	output_section(&self->explaining->output, &program_section);
	output_row(&self->explaining->output, pid,
		   program->values[CONDITION_EXE],
		   program->values[CONDITION_NAME],
		   program->values[CONDITION_UID],
		   program->values[CONDITION_PROFILE], covered);
	show_policy(self);
	if (self->explaining->view.in_force.image != NULL)
		show_rules(self);
	show_ranges(self);
	show_settings(self);
}

/* Mistakes in the environment are the program's to tell. */
static void read_environment(struct explained *self,
			     char *(*lookup)(const char *name))
{
	struct environment_error ignored;

	(void)environment_read(lookup, &self->explaining->view.kernel,
			       &self->environment, &ignored);
}

int explain_process(struct explaining *explaining, pid_t pid)
{
	static struct explained self;
	static struct program_texts texts;
	char text[12];
	int result;

	self = (struct explained){ .explaining = explaining };
	result = program_of_process(pid, &texts, &self.program);
	if (result < 0)
		return result;
	snprintf(text, sizeof(text), "%d", (int)pid);
	program_open_environment(pid);
	read_environment(&self, program_lookup);
	show(&self, text, program_is_covered(pid) ? "yes" : "no");
	program_close_environment();
	return 0;
}

int explain_command(struct explaining *explaining, const char *name)
{
	static struct explained self;
	static struct program_texts texts;
	struct cover_gap gap;
	char path[PATH_MAX];
	bool is_covered;
	int result;

	self = (struct explained){ .explaining = explaining };
	result = cover_find(name != NULL ? name : "/proc/self/exe", path);
	if (result < 0)
		return result;
	is_covered = cover_check(path, (char *[]){ NULL }, &gap);
	self.program = program_of_command(gap.program, gap.name, &texts);
	read_environment(&self, getenv);
	show(&self, NULL, is_covered ? "yes" : gap.reason);
	return 0;
}
