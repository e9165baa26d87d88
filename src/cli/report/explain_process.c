/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

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
	"matches applies",
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
	struct view *view;
	struct output *output;
	struct program program;
	const char *reason; /* why the environment applies, or NULL */
};

static const char *reason_of(const struct explained *self,
			     const struct policy_rule *rule,
			     enum condition failed)
{
	const struct policy_tables *tables = &self->view->in_force.tables;
	const char *name = condition_name(failed);
	const char *value = self->program.values[failed];
	struct memory *memory = &self->output->memory;
	const char *patterns = output_strings(
		self->output,
		policy_string(tables, policy_conditions(tables, rule)[failed]),
		" or ");

	return value == NULL ? memory_print(memory, "it has no %s, wanted %s",
					    name, patterns)
			     : memory_print(memory, "its %s %s is not %s", name,
					    value, patterns);
}

static void show_rules(const struct explained *self)
{
	const struct policy_tables *tables = &self->view->in_force.tables;
	struct output *output = self->output;
	bool decided = self->reason != NULL;

	output_section(output, &rule_section);
	for (uint32_t i = 0; i < tables->image->n_rules; i++) {
		const struct policy_rule *rule = &tables->rules[i];
		enum condition failed = CONDITION_EXE;
		const bool applies = !decided &&
				     policy_rule_applies(tables, rule,
							 &self->program,
							 &failed);
		const char *reason = decided || applies
					     ? NULL
					     : reason_of(self, rule, failed);

		output_row(output, policy_string(tables, rule->name),
			   policy_string(tables, rule->place),
			   decided   ? "not asked"
			   : applies ? "applies"
				     : "no",
			   reason);
		decided |= applies;
	}
}

static void show_ranges(const struct explained *self)
{
	output_section(self->output, &range_section);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		for (int role = 0; role < N_ROLES; role++) {
			const struct port_set *set =
				self->view->policy.ranges[protocol][role];

			output_row(self->output, protocol_name(protocol),
				   role_name(role),
				   output_number(set->n_ports).text,
				   output_ports(self->output, set));
		}
}

static void show_settings(const struct explained *self)
{
	output_section(self->output, &setting_section);
	for (int i = 0; i < N_SETTINGS; i++)
		output_row(self->output, setting_name(i),
			   setting_word(i, self->view->policy.settings[i]));
}

static void show_policy(const struct explained *self)
{
	const struct in_force *in_force = &self->view->in_force;

	output_section(self->output, &policy_section);
	output_row(self->output, view_source(self->view),
		   output_number(in_force->edition).text,
		   in_force->file.by_root ? "yes" : "no", self->reason);
}

static void settle(struct explained *self)
{
	static const char *const reasons[] = {
		[SETTLED_RULE] = NULL,
		[SETTLED_NONE] = "no policy is in force: the environment "
				 "applies",
		[SETTLED_NAMED] = "the environment names ports, and the policy "
				  "is not root's",
		[SETTLED_DAMAGED] = "the policy cannot be followed: on-error "
				    "decides whether ports are refused or left "
				    "to the kernel",
	};

	self->reason = reasons[view_settle(self->view, &self->program, NULL)];
}

/* The program itself reports mistakes in its environment. */
static void show(struct explained *self, const char *pid, const char *covered,
		 char *(*lookup)(const char *name))
{
	const struct program *program = &self->program;
	struct environment_error ignored;

	(void)environment_read(lookup, &self->view->kernel,
			       &self->view->environment, &ignored);
	settle(self);
	output_section(self->output, &program_section);
	output_row(self->output, pid, program->values[CONDITION_EXE],
		   program->values[CONDITION_NAME],
		   program->values[CONDITION_UID],
		   program->values[CONDITION_PROFILE], covered);
	show_policy(self);
	if (self->view->in_force.image != NULL)
		show_rules(self);
	show_ranges(self);
	show_settings(self);
}

int explain_process(struct view *view, struct output *output, pid_t pid)
{
	static struct identity identity;
	struct explained self = { .view = view, .output = output };
	const int result = program_of_process(pid, &identity, &self.program);

	if (result < 0)
		return result;
	show(&self, output_number((uint64_t)pid).text,
	     program_is_covered(pid) ? "yes" : "no", program_lookup);
	program_close_environment();
	return 0;
}

int explain_command(struct view *view, struct output *output, const char *name)
{
	static struct identity identity;
	struct explained self = { .view = view, .output = output };
	struct cover_gap gap;
	char path[PATH_MAX];
	bool is_covered;
	const int result = cover_find(name != NULL ? name : "/proc/self/exe",
				      path);

	if (result < 0)
		return result;
	is_covered = cover_check(path, (char *[]){ NULL }, &gap);
	self.program = program_of_command(
		gap.program,
		name != NULL ? gap.name : program_invocation_short_name,
		&identity);
	show(&self, NULL, is_covered ? "yes" : gap.reason, getenv);
	return 0;
}
