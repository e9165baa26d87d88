/* SPDX-License-Identifier: MIT */
#include "cli/config.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/config_form.h"
#include "cli/config_source.h"
#include "cli/config_survey.h"
#include "cli/config_text.h"

struct config_memory {
	struct config_source source;
	struct config_survey survey;
	cfg_t *parser;
	const char **values;	/* of all lists */
	size_t n_values;
};

/* libconfuse hands its callbacks no argument of ours. */
static struct {
	const struct config_source *source;
	struct findings *findings;
} being_read;

/* What the lines of one scope go into. */
struct target {
	cfg_t *parsed;
	const int *lines;
	void *parts[N_PARTS];	/* NULL = has no options here */
};

static void add_error(cfg_t *parser, const char *format, va_list arguments)
{
	struct location place = config_source_place(being_read.source,
						 parser->line);
	char *message;

	if (vasprintf(&message, format, arguments) < 0) {
		being_read.findings->incomplete = true;
		return;
	}
	findings_add(being_read.findings, SEVERITY_ERROR, place, "%s", message);
	free(message);
}

static cfg_opt_t make_option(const struct config_form *form,
			     cfg_opt_t options[][N_CONFIG_FORMS + 1])
{
	const cfg_flag_t flags = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES;

	switch (form->type) {
	case TYPE_LIST:
		return (cfg_opt_t)CFG_STR_LIST(form->name, NULL,
					       CFGF_NODEFAULT);
	case TYPE_BLOCK:
		return (cfg_opt_t)CFG_SEC(form->name, options[form->inner],
					  CFGF_NONE);
	case TYPE_TITLED_BLOCK:
		return (cfg_opt_t)CFG_SEC(form->name, options[form->inner],
					  flags);
	case TYPE_TEXT:
	default:
		return (cfg_opt_t)CFG_STR(form->name, NULL, CFGF_NODEFAULT);
	}
}

static cfg_t *new_parser(void)
{
	static const enum config_scope innermost_first[] = {
		SCOPE_PROTOCOL, SCOPE_RESERVE, SCOPE_PROCESS, SCOPE_TOP,
	};
	cfg_opt_t options[N_SCOPES][N_CONFIG_FORMS + 1];
	cfg_t *parser;

	for (size_t s = 0; s < N_SCOPES; s++) {
		enum config_scope scope = innermost_first[s];
		cfg_opt_t *option = options[scope];

		for (size_t i = 0; i < N_CONFIG_FORMS; i++) {
			struct config_form form = config_form(i);

			if (form.scopes & 1u << scope)
				*option++ = make_option(&form, options);
		}
		*option = (cfg_opt_t)CFG_END();
	}
	parser = cfg_init(options[SCOPE_TOP], CFGF_NONE);
	if (parser != NULL)
		cfg_set_error_function(parser, add_error);
	return parser;
}

/* Returns 0 when libconfuse has read what the survey has left. */
static int parse(struct config_memory *memory, struct findings *findings)
{
	struct location place = config_source_place(&memory->source, 1);
	size_t n_before = findings->n_items;

	being_read.source = &memory->source;
	being_read.findings = findings;
	memory->parser = new_parser();
	if (memory->parser != NULL &&
	    cfg_parse_buf(memory->parser, memory->source.buffer) == CFG_SUCCESS)
		return 0;
	if (findings->n_items == n_before)
		findings_add(findings, SEVERITY_ERROR,
			     (struct location){ place.file, 0 },
			     "cannot be read: %s", strerror(ENOMEM));
	return -EINVAL;
}

/* The next places for values of lists: see n_values_at_most(). */
static void read_list(struct config_memory *memory, cfg_opt_t *option,
		      struct config_list *list)
{
	const size_t n = cfg_opt_size(option);
	const char **values = &memory->values[memory->n_values];

	for (size_t i = 0; i < n; i++)
		values[i] = cfg_opt_getnstr(option, (unsigned int)i);
	memory->n_values += n;
	list->n = n;
	list->values = values;
}

static void read_option(struct config_memory *memory,
		       const struct target *target, size_t index)
{
	struct config_form form = config_form(index);
	cfg_opt_t *option = cfg_getopt(target->parsed, form.name);
	const struct location place = config_source_place(&memory->source,
						     target->lines[index]);
	char *member = (char *)target->parts[form.part] + form.offset;

	if (cfg_opt_size(option) == 0)
		return;
	if (form.type == TYPE_LIST) {
		((struct config_list *)member)->place = place;
		read_list(memory, option, (struct config_list *)member);
		return;
	}
	*(struct config_text *)member = (struct config_text){
		cfg_opt_getnstr(option, 0), place
	};
}

static void read_scope(struct config_memory *memory,
		       const struct target *target)
{
	for (size_t i = 0; i < N_CONFIG_FORMS; i++)
		if (target->lines[i] != 0 && config_form(i).part != N_PARTS)
			read_option(memory, target, i);
}

/* The blocks for one protocol each. */
static void read_protocols(struct config_memory *memory,
			   const struct config_section *section, cfg_t *parsed,
			   struct config_options *options)
{
	for (int i = 0; i < N_CONFIG_PROTOCOLS; i++) {
		const char *name =
			config_protocol_name((enum config_protocol)i);
		const struct target target = {
			.parsed = cfg_getsec(parsed, name),
			.lines = section->protocol_lines[i],
			.parts[PART_RANGES] = &options->by_protocol[i],
		};

		read_scope(memory, &target);
	}
}

static void read_top(struct config *config)
{
	struct config_memory *memory = config->memory;
	const struct config_section *section = memory->survey.sections;
	const struct target target = {
		.parsed = memory->parser,
		.lines = section->lines,
		.parts = {
			[PART_RANGES] = &config->defaults.ranges,
			[PART_OPTIONS] = &config->defaults,
			[PART_CONFIG] = config,
		},
	};

	read_scope(memory, &target);
	read_protocols(memory, section, memory->parser, &config->defaults);
}

static void read_process(struct config *config,
			 const struct config_section *section)
{
	struct config_memory *memory = config->memory;
	struct config_process *process =
		&config->processes[config->n_processes];
	cfg_t *parsed = cfg_getnsec(memory->parser, "process",
				    (unsigned int)config->n_processes++);
	const struct target target = {
		.parsed = parsed,
		.lines = section->lines,
		.parts = {
			[PART_RANGES] = &process->options.ranges,
			[PART_OPTIONS] = &process->options,
			[PART_PROCESS] = process,
		},
	};

	process->name = cfg_title(parsed);
	process->place = config_source_place(&memory->source, section->line);
	read_scope(memory, &target);
	read_protocols(memory, section, parsed, &process->options);
}

static void read_reserve(struct config *config,
			 const struct config_section *section)
{
	struct config_memory *memory = config->memory;
	struct config_reserve *reserve = &config->reserves[config->n_reserves];
	cfg_t *parsed = cfg_getnsec(memory->parser, "reserve",
				    (unsigned int)config->n_reserves++);
	const struct target target = {
		.parsed = parsed,
		.lines = section->lines,
		.parts[PART_RESERVE] = reserve,
	};

	reserve->name = cfg_title(parsed);
	reserve->place = config_source_place(&memory->source, section->line);
	read_scope(memory, &target);
}

/* Each value of a list stands behind a brace or a comma. */
static size_t n_values_at_most(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '{' || *text == ',';
	return n;
}

static bool make_room(struct config *config)
{
	struct config_memory *memory = config->memory;
	const size_t n_sections = memory->survey.n_sections;

	config->processes = calloc(n_sections, sizeof(*config->processes));
	config->reserves = calloc(n_sections, sizeof(*config->reserves));
	memory->values = calloc(n_values_at_most(memory->source.buffer) + 1,
				sizeof(*memory->values));
	return config->processes != NULL && config->reserves != NULL &&
	       memory->values != NULL;
}

/* The n-th section of a kind is the same for the survey and libconfuse. */
static void read_parsed(struct config *config)
{
	const struct config_survey *survey = &config->memory->survey;

	read_top(config);
	for (size_t i = 1; i < survey->n_sections; i++) {
		const struct config_section *section = &survey->sections[i];

		if (section->scope == SCOPE_PROCESS)
			read_process(config, section);
		else
			read_reserve(config, section);
	}
}

int config_read(struct config *config, const char *path,
		struct findings *findings)
{
	struct config_memory *memory = calloc(1, sizeof(*memory));

	*config = (struct config){ .path = path, .memory = memory };
	if (memory == NULL) {
		findings->incomplete = true;
		return -EINVAL;
	}
	if (config_text_read(&memory->source, path, findings) != 0)
		return -EINVAL;
	if (config_survey_make(&memory->survey, &memory->source,
			       findings) != 0 ||
	    parse(memory, findings) != 0)
		return -EINVAL;
	if (!make_room(config)) {
		findings->incomplete = true;
		return -EINVAL;
	}
	read_parsed(config);
	return 0;
}

void config_deinit(struct config *config)
{
	free(config->processes);
	free(config->reserves);
	if (config->memory != NULL) {
		free(config->memory->values);
		if (config->memory->parser != NULL)
			cfg_free(config->memory->parser);
		config_survey_deinit(&config->memory->survey);
		config_source_deinit(&config->memory->source);
		free(config->memory);
	}
	*config = (struct config){ 0 };
}
