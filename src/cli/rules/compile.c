/* SPDX-License-Identifier: MIT */
#include "cli/rules/compile.h"

#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/rules/rules.h"
#include "policy/identity.h"
#include "policy/image.h"

#define GLOB_CHARACTERS "*?[\\"

/* A set of ports and its place among those of the image. */
struct placed_set {
	const struct port_set *ports;
	uint32_t index;
};

/* What the image is put together from. */
struct compiling {
	const struct rules *rules;
	struct policy_match *matches;
	struct policy_rule *out;
	struct policy_reserve *out_reserves;
	FILE *strings;
	char *strings_text;
	size_t strings_size;
	void *by_pointer;	 /* a tree of what is in the pool */
	struct placed_set *pool; /* room for all that may come */
	uint32_t n_sets;
	struct memory memory; /* of the tables and the pool */
};

static int compare_pointers(const void *a, const void *b)
{
	const uintptr_t left = (uintptr_t)((const struct placed_set *)a)->ports;
	const uintptr_t right =
		(uintptr_t)((const struct placed_set *)b)->ports;

	return (left > right) - (left < right);
}

static void leave_alone(void *node)
{
	(void)node;
}

/* Equal sets are one: see rules_make(). */
static uint32_t index_of(struct compiling *self, const struct port_set *ports)
{
	struct placed_set *set = &self->pool[self->n_sets];
	struct placed_set **found;

	set->ports = ports;
	found = tsearch(set, &self->by_pointer, compare_pointers);
	if (found == NULL) {
		self->memory.failed = true;
		return 0;
	}
	if (*found == set)
		set->index = self->n_sets++;
	return (*found)->index;
}

static uint32_t here(struct compiling *self)
{
	return (uint32_t)ftell(self->strings);
}

static uint32_t string(struct compiling *self, const char *text)
{
	const uint32_t offset = here(self);

	fwrite(text, 1, strlen(text) + 1, self->strings);
	return offset;
}

static uint32_t list(struct compiling *self, size_t n,
		     const char *const *values)
{
	const uint32_t offset = here(self);

	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		string(self, values[i]);
	string(self, "");
	return offset;
}

static uint32_t place_string(struct compiling *self,
			     const struct location *place)
{
	const uint32_t offset = here(self);

	if (place->file == NULL)
		return 0;
	fputs(place->file, self->strings);
	if (place->line > 0)
		fprintf(self->strings, ":%d", place->line);
	fputc('\0', self->strings);
	return offset;
}

/* The kernel keeps 15 bytes of a name: a longer one could never match. */
static uint32_t names(struct compiling *self, const struct config_list *config)
{
	const uint32_t offset = here(self);

	if (config->n == 0)
		return 0;
	for (size_t i = 0; i < config->n; i++) {
		const char *name = config->values[i];
		const bool is_pattern = strpbrk(name, GLOB_CHARACTERS) != NULL;

		fprintf(self->strings, "%.*s%c",
			is_pattern ? -1 : IDENTITY_NAME_SIZE - 1, name, '\0');
	}
	string(self, "");
	return offset;
}

static void compile_match(struct compiling *self, const struct rule *rule,
			  struct policy_match *out)
{
	const struct config_process *process = rule->process;

	if (process == NULL)
		return;
	for (int i = 0; i < N_CONDITIONS; i++) {
		const struct config_list *patterns = &process->conditions[i];

		if (i == CONDITION_NAME)
			out->conditions[i] = names(self, patterns);
		else if (i == CONDITION_UID)
			out->conditions[i] = list(self, rule->n_uids,
						  rule->uids);
		else
			out->conditions[i] = list(self, patterns->n,
						  patterns->values);
	}
}

static void compile_rule(struct compiling *self, const struct rule *rule,
			 struct policy_rule *out)
{
	out->name = string(self, rule->name);
	out->place = place_string(self, &rule->place);
	if (rule->process != NULL)
		out->arguments = list(self, rule->process->arguments.n,
				      rule->process->arguments.values);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		for (int role = 0; role < N_ROLES; role++)
			out->ranges[protocol][role] =
				index_of(self, rule->assigned[protocol][role]);
		out->avoided[protocol] = index_of(self,
						  rule->avoided[protocol]);
		out->refused[protocol] = index_of(self,
						  rule->refused[protocol]);
		out->owned[protocol] = index_of(self, rule->owned[protocol]);
	}
	memcpy(out->settings, rule->settings, sizeof(out->settings));
	out->checksum = policy_rule_checksum(out);
}

static void compile_reserve(struct compiling *self,
			    const struct rule_reserve *reserve,
			    struct policy_reserve *out)
{
	const struct config_reserve *config = reserve->config;

	out->name = string(self, config->head.name);
	out->place = place_string(self, &config->head.place);
	out->owners = list(self, config->owners.n, config->owners.values);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		out->ports[protocol] = index_of(self, reserve->ports[protocol]);
}

/* Ends the last list, and fills up to a whole word. */
static uint32_t end_strings(struct compiling *self)
{
	do
		string(self, "");
	while (here(self) % sizeof(uint64_t) != 0);
	return here(self);
}

/* Returns whether there was memory for all. */
static bool compile_tables(struct compiling *self, struct policy_image *header)
{
	const struct rules *rules = self->rules;

	/* Offset 0 is the empty string. */
	string(self, "");
	for (size_t i = 0; i < rules->n_rules; i++)
		compile_match(self, &rules->rules[i], &self->matches[i]);
	header->patterns_size = end_strings(self);
	header->source = string(self, rules->config->path);
	for (size_t i = 0; i < rules->n_rules; i++)
		compile_rule(self, &rules->rules[i], &self->out[i]);
	for (size_t i = 0; i < rules->n_reserves; i++)
		compile_reserve(self, &rules->reserves[i],
				&self->out_reserves[i]);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		header->dynamic[protocol] = index_of(self,
						     rules->dynamic[protocol]);
	header->strings_size = end_strings(self);
	return fflush(self->strings) == 0 && !ferror(self->strings) &&
	       !self->memory.failed;
}

/* Lays it all out in memory of its own. */
static int assemble(const struct compiling *self, struct policy_image *header,
		    void **imagep, size_t *sizep)
{
	const size_t matches_size = header->n_rules * sizeof(*self->matches);
	const size_t rules_size = header->n_rules * sizeof(*self->out);
	const size_t reserves_size = header->n_reserves *
				     sizeof(*self->out_reserves);
	struct policy_image *out;
	char *image, *at;

	header->n_sets = self->n_sets;
	header->size = sizeof(*header) + matches_size + self->strings_size +
		       rules_size + reserves_size +
		       self->n_sets * sizeof(struct policy_set);
	if (header->size > POLICY_SIZE_MAX)
		return -EFBIG;
	image = malloc(header->size);
	if (image == NULL)
		return -ENOMEM;
	at = mempcpy(image, header, sizeof(*header));
	at = mempcpy(at, self->matches, matches_size);
	at = mempcpy(at, self->strings_text, self->strings_size);
	at = mempcpy(at, self->out, rules_size);
	at = mempcpy(at, self->out_reserves, reserves_size);
	for (uint32_t i = 0; i < self->n_sets; i++) {
		const struct port_set *ports = self->pool[i].ports;
		const uint64_t checksum = policy_checksum(ports,
							  sizeof(*ports));

		at = mempcpy(at, &checksum, sizeof(checksum));
		at = mempcpy(at, ports, sizeof(*ports));
	}
	out = (struct policy_image *)image;
	out->rest_checksum = policy_image_rest_checksum(out);
	out->checksum = policy_image_checksum(out);
	*imagep = image;
	*sizep = header->size;
	return 0;
}

static bool open_compiling(struct compiling *self, const struct rules *rules)
{
	struct memory *memory = &self->memory;

	*self = (struct compiling){ .rules = rules };
	/* index_of() needs one more, for the set that it looks up. */
	self->pool = memory_take(memory,
				 rules->n_rules * N_PROTOCOLS * (N_ROLES + 3) +
					 rules->n_reserves * N_PROTOCOLS +
					 N_PROTOCOLS + 1,
				 sizeof(*self->pool));
	self->matches = memory_take(memory, rules->n_rules,
				    sizeof(*self->matches));
	self->out = memory_take(memory, rules->n_rules, sizeof(*self->out));
	self->out_reserves = memory_take(memory, rules->n_reserves,
					 sizeof(*self->out_reserves));
	self->strings = open_memstream(&self->strings_text,
				       &self->strings_size);
	return self->strings != NULL && !memory->failed;
}

static void close_compiling(struct compiling *self)
{
	if (self->strings != NULL)
		fclose(self->strings);
	free(self->strings_text);
	tdestroy(self->by_pointer, leave_alone);
	memory_free(&self->memory);
}

int compile_rules(const struct rules *rules, uint64_t loaded_at, void **imagep,
		  size_t *sizep)
{
	struct policy_image header = {
		.magic = POLICY_MAGIC,
		.format = POLICY_FORMAT,
		.rest_ms = rules->rest_ms,
		.n_rules = (uint32_t)rules->n_rules,
		.n_reserves = (uint32_t)rules->n_reserves,
		.loaded_at = loaded_at,
	};
	struct compiling self;
	int result = -ENOMEM;

	if (open_compiling(&self, rules) && compile_tables(&self, &header))
		result = assemble(&self, &header, imagep, sizep);
	close_compiling(&self);
	return result;
}
