/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/claims.h"
#include "cli/explain.h"
#include "cli/holders.h"
#include "cli/maps.h"
#include "core/arena.h"
#include "core/ledger.h"
#include "core/policy.h"

#define COLUMNS(array) \
	.n_columns = sizeof(array) / sizeof((array)[0]), .columns = (array)

static const struct output_column range_columns[] = {
	{ "protocol", 8, false },
	{ "role", 7, false },
	{ "rule", 15, false },
	{ "place", 0, false },
};
static const struct output_column reserve_columns[] = {
	{ "protocol", 8, false },
	{ "reservation", 15, false },
	{ "owners", 20, false },
	{ "place", 0, false },
};
static const struct output_column holder_columns[] = {
	{ "protocol", 8, false },
	{ "socket", 9, false },
	{ "pid", 7, true },
	{ "program", 15, false },
};
static const struct output_column verdict_columns[] = {
	{ "protocol", 8, false },
	{ "given_out", 9, false },
	{ "reason", 0, false },
};
static const struct output_section range_section = {
	.kind = "in-range", .key = "in_ranges",
	.title = "In the ranges of", COLUMNS(range_columns),
};
static const struct output_section reserve_section = {
	.kind = "reserved", .key = "reserved",
	.title = "Reserved", COLUMNS(reserve_columns),
};
static const struct output_section holder_section = {
	.kind = "holder", .key = "holders",
	.title = "Held by", COLUMNS(holder_columns),
};
static const struct output_section verdict_section = {
	.kind = "now", .key = "now",
	.title = "Would it be given out now", COLUMNS(verdict_columns),
};

/* One port. */
struct port_view {
	struct explaining *explaining;
	uint16_t port;
	struct arena arena;
	struct claims claims;
	struct environment environment;
	bool is_assigned[N_SPACES];	/* some rule's range has it */
	bool is_reserved[N_SPACES];
};

static void show_range(struct port_view *self, int space, int role,
		       const char *rule, const char *place)
{
	self->is_assigned[space] = true;
	output_row(&self->explaining->output, (const char *const[]){
		space_name((enum space)space),
		role == ROLE_OF_CONNECT ? "connect" : "listen", rule, place });
}

static void show_published_ranges(struct port_view *self)
{
	const struct policy_tables *tables =
		&self->explaining->published.tables;

	for (uint32_t i = 0; i < tables->image->n_rules; i++) {
		const struct policy_rule *rule = &tables->rules[i];

		for (int space = 0; space < N_SPACES; space++)
			for (int role = 0; role < N_ROLES; role++)
				if (policy_has(policy_set(
					tables, rule->ranges[space][role]),
					self->port))
					show_range(self, space, role,
						   policy_string(tables,
								 rule->name),
						   policy_string(tables,
								 rule->place));
	}
}

static void show_ranges(struct port_view *self)
{
	struct environment_error ignored;

	output_section(&self->explaining->output, &range_section);
	if (self->explaining->published.image != NULL) {
		show_published_ranges(self);
		return;
	}
	(void)environment_read(getenv, &self->explaining->kernel,
			       &self->environment, &ignored);
	if (!port_set_has(&self->environment.range, self->port))
		return;
	for (int space = 0; space < N_SPACES; space++)
		for (int role = 0; role < N_ROLES; role++)
			show_range(self, space, role, "environment", NULL);
}

/* "a, b"; for free(), NULL without memory. */
static char *owners_text(const char *owner)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	const char *separator = "";

	if (stream == NULL)
		return NULL;
	for (; owner != NULL && *owner != '\0';
	     owner = policy_next_string(owner)) {
		fprintf(stream, "%s%s", separator, owner);
		separator = ", ";
	}
	return fclose(stream) == 0 ? text : NULL;
}

static void show_reservation(struct port_view *self,
			     const struct policy_reserve *reserve)
{
	const struct policy_tables *tables =
		&self->explaining->published.tables;
	char *owners = owners_text(policy_string(tables, reserve->owners));

	for (int space = 0; space < N_SPACES; space++) {
		if (!policy_has(policy_set(tables, reserve->ports[space]),
				self->port))
			continue;
		self->is_reserved[space] = true;
		output_row(&self->explaining->output, (const char *const[]){
			space_name((enum space)space),
			policy_string(tables, reserve->name),
			owners != NULL && *owners != '\0' ? owners : NULL,
			policy_string(tables, reserve->place) });
	}
	free(owners);
}

static void show_reserved(struct port_view *self)
{
	struct explaining *explaining = self->explaining;
	const struct policy_tables *tables = &explaining->published.tables;

	output_section(&explaining->output, &reserve_section);
	if (explaining->published.image != NULL)
		for (uint32_t i = 0; i < tables->image->n_reserves; i++)
			show_reservation(self, &tables->reserves[i]);
	if (!port_set_has(&explaining->kernel.reserved, self->port))
		return;
	for (int space = 0; space < N_SPACES; space++)
		output_row(&explaining->output, (const char *const[]){
			space_name((enum space)space),
			"kernel", NULL, "ip_local_reserved_ports" });
}

static void show_holders(struct port_view *self)
{
	struct output *output = &self->explaining->output;

	output_section(output, &holder_section);
	for (int space = 0; space < N_SPACES; space++) {
		size_t n;
		const struct claim *claim = claims_of(
			&self->claims, (enum space)space, self->port, &n);

		for (; n > 0; n--, claim++) {
			char program[PROGRAM_NAME_SIZE] = "?", pid[12] = "?";

			if (claim->pid != 0) {
				holders_program(claim->pid, program);
				snprintf(pid, sizeof(pid), "%d",
					 (int)claim->pid);
			}
			output_row(output, (const char *const[]){
				space_name((enum space)space),
				socket_role_name(claim->role), pid, program });
		}
	}
}

/* Why it would not be given out, NULL if it would. */
static const char *obstacle(const struct port_view *self, enum space space,
			    bool *oftenp)
{
	uint32_t n_leases = 0;
	bool rests = false;
	enum use use = USE_FREE;
	size_t n_claims;

	*oftenp = false;
	if (self->is_reserved[space])
		return "it is reserved";
	if (!self->is_assigned[space])
		return "no range has it";
	if (self->arena.memory != NULL)
		use = ledger_use(&self->arena, space, self->port,
				 clock_now_ms(), &n_leases, &rests);
	if (use == USE_WHOLE)
		return "it is in use, as the map says";
	claims_of(&self->claims, space, self->port, &n_claims);
	*oftenp = true;
	if (use != USE_FREE || n_claims > 0)
		return "to other addresses only: it is in use";
	return rests ? "only when no other is left: it rests" : NULL;
}

static void show_verdicts(struct port_view *self)
{
	output_section(&self->explaining->output, &verdict_section);
	for (int space = 0; space < N_SPACES; space++) {
		bool often;
		const char *reason = obstacle(self, (enum space)space, &often);

		output_row(&self->explaining->output, (const char *const[]){
			space_name((enum space)space),
			reason == NULL ? "yes" : often ? "perhaps" : "no",
			reason });
	}
}

int explain_port(struct explaining *explaining,
		 const struct arena_place *place, uint16_t port)
{
	static struct port_view self;
	int result;

	self = (struct port_view){ .explaining = explaining, .port = port };
	/* Without a map there is nothing in it. */
	if (map_copy_own(place, &self.arena) == 0 &&
	    explaining->published.image != NULL)
		arena_set_rest(&self.arena,
			       explaining->published.tables.image->rest_ms);
	result = claims_open(&self.claims);
	if (result == 0) {
		show_ranges(&self);
		show_reserved(&self);
		show_holders(&self);
		show_verdicts(&self);
	}
	claims_close(&self.claims);
	arena_close(&self.arena);
	return result;
}
