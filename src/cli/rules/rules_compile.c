/* SPDX-License-Identifier: MIT */
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

/* What the image is put together from: tables, and texts of streams. */
struct compiling {
	const struct rules *rules;
	struct policy_match *matches;
	struct policy_rule *out;
	struct policy_reserve *out_reserves;
	FILE *strings, *sets;
	char *strings_text, *sets_text;
	size_t strings_size, sets_size;
	void *placed; /* a tree of what is in sets */
	uint32_t n_sets;
	struct memory memory; /* of the tables and the tree's items */
};

static int compare_pointers(const void *a, const void *b)
{
	const uintptr_t left = (uintptr_t)((const struct placed_set *)a)->ports;
	const uintptr_t right =
		(uintptr_t)((const struct placed_set *)b)->ports;

	return (left > right) - (left < right);
}

/* Equal sets are one: see rules_make(). */
static uint32_t index_of(struct compiling *self, const struct port_set *ports)
{
	const struct placed_set wanted = { .ports = ports };
	struct placed_set *const *found = tfind(&wanted, &self->placed,
						compare_pointers);
	struct placed_set *set;
	uint64_t checksum;

	if (found != NULL)
		return (*found)->index;
	checksum = policy_checksum(ports, sizeof(*ports));
	set = memory_take(&self->memory, 1, sizeof(*set));
	*set = (struct placed_set){ ports, self->n_sets };
	if (tsearch(set, &self->placed, compare_pointers) == NULL)
		memory_fail();
	fwrite(&checksum, sizeof(checksum), 1, self->sets);
	fwrite(ports, sizeof(*ports), 1, self->sets);
	return self->n_sets++;
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

/* Each value has at most n_max characters, or with -1 all. */
static uint32_t list(struct compiling *self, const struct config_list *values,
		     int n_max)
{
	const uint32_t offset = here(self);

	if (values->n == 0)
		return 0;
	for (size_t i = 0; i < values->n; i++) {
		const char *value = values->values[i];
		const bool is_pattern = strpbrk(value, GLOB_CHARACTERS) != NULL;

		fprintf(self->strings, "%.*s%c", is_pattern ? -1 : n_max, value,
			'\0');
	}
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

static void compile_match(struct compiling *self, const struct rule *rule,
			  struct policy_match *out)
{
	/* The kernel keeps 15 bytes of a name: a longer one could never match. */
	for (int i = 0; i < N_CONDITIONS; i++)
		out->conditions[i] =
			list(self, &rule->conditions[i],
			     i == CONDITION_NAME ? IDENTITY_NAME_SIZE - 1 : -1);
}

static void compile_rule(struct compiling *self, const struct rule *rule,
			 struct policy_rule *out)
{
	out->name = string(self, rule->name);
	out->place = place_string(self, &rule->place);
	if (rule->process != NULL)
		out->arguments = list(self, &rule->process->arguments, -1);
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
	const struct config_section *config = reserve->config;

	out->name = string(self, config->name);
	out->place = place_string(self, &config->place);
	out->owners = list(self, &config->owners, -1);
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

static void compile_tables(struct compiling *self, struct policy_image *header)
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
	header->n_sets = self->n_sets;
}

/* Lays it all out in memory of its own. */
static int assemble(const struct compiling *self,
		    const struct policy_image *header, void **imagep,
		    size_t *sizep)
{
	struct policy_image *image;
	char *text;
	FILE *stream = memory_stream(&text, sizep);

	fwrite(header, sizeof(*header), 1, stream);
	fwrite(self->matches, sizeof(*self->matches), header->n_rules, stream);
	fwrite(self->strings_text, 1, self->strings_size, stream);
	fwrite(self->out, sizeof(*self->out), header->n_rules, stream);
	fwrite(self->out_reserves, sizeof(*self->out_reserves),
	       header->n_reserves, stream);
	fwrite(self->sets_text, 1, self->sets_size, stream);
	memory_stream_end(stream);
	*imagep = text;
	if (*sizep > POLICY_SIZE_MAX) {
		free(text);
		return -EFBIG;
	}
	image = *imagep;
	image->size = *sizep;
	image->rest_checksum = policy_image_rest_checksum(image);
	image->checksum = policy_image_checksum(image);
	return 0;
}

static void leave_alone(void *node)
{
	(void)node;
}

int rules_compile(const struct rules *rules, uint64_t loaded_at, void **imagep,
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
	struct compiling self = { .rules = rules };
	int result;

	self.matches = memory_take(&self.memory, rules->n_rules,
				   sizeof(*self.matches));
	self.out = memory_take(&self.memory, rules->n_rules, sizeof(*self.out));
	self.out_reserves = memory_take(&self.memory, rules->n_reserves,
					sizeof(*self.out_reserves));
	self.strings = memory_stream(&self.strings_text, &self.strings_size);
	self.sets = memory_stream(&self.sets_text, &self.sets_size);
	compile_tables(&self, &header);
	memory_stream_end(self.strings);
	memory_stream_end(self.sets);
	result = assemble(&self, &header, imagep, sizep);
	free(self.strings_text);
	free(self.sets_text);
	tdestroy(self.placed, leave_alone);
	memory_free(&self.memory);
	return result;
}
