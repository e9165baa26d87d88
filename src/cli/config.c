/* SPDX-License-Identifier: MIT */
#include "cli/config.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/config_form.h"
#include "cli/config_survey.h"
#include "cli/config_text.h"

struct config_memory {
	struct config_source source;
	struct config_survey survey;
	cfg_t *parser;
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
	struct place place = config_text_place(being_read.source, parser->line);
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
	struct place place = config_text_place(&memory->source, 1);
	size_t n_before = findings->n_items;

	being_read.source = &memory->source;
	being_read.findings = findings;
	memory->parser = new_parser();
	if (memory->parser != NULL &&
	    cfg_parse_buf(memory->parser, memory->source.buffer) == CFG_SUCCESS)
		return 0;
	if (findings->n_items == n_before)
		findings_add(findings, SEVERITY_ERROR,
			     (struct place){ place.file, 0 },
			     "cannot be read: %s", strerror(ENOMEM));
	return -EINVAL;
}

static int read_list(cfg_opt_t *option, struct config_list *list)
{
	size_t n = cfg_opt_size(option);
	const char **values = calloc(n, sizeof(*values));

	if (values == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		values[i] = cfg_opt_getnstr(option, (unsigned int)i);
	list->n = n;
	list->values = values;
	return 0;
}

static int read_option(const struct config_source *source,
		       const struct target *target, size_t index)
{
	struct config_form form = config_form(index);
	cfg_opt_t *option = cfg_getopt(target->parsed, form.name);
	struct place place = config_text_place(source, target->lines[index]);
	char *member = (char *)target->parts[form.part] + form.offset;

	if (cfg_opt_size(option) == 0)
		return 0;
	if (form.type == TYPE_LIST) {
		((struct config_list *)member)->place = place;
		return read_list(option, (struct config_list *)member);
	}
	*(struct config_text *)member = (struct config_text){
		cfg_opt_getnstr(option, 0), place
	};
	return 0;
}

static int read_scope(const struct config_source *source,
		      const struct target *target)
{
	int result = 0;

	for (size_t i = 0; i < N_CONFIG_FORMS && result == 0; i++)
		if (target->lines[i] != 0 && config_form(i).part != N_PARTS)
			result = read_option(source, target, i);
	return result;
}

/* The blocks for one protocol each. */
static int read_protocols(const struct config_source *source,
			  const struct config_section *section, cfg_t *parsed,
			  struct config_options *options)
{
	int result = 0;

	for (int i = 0; i < N_CONFIG_PROTOCOLS && result == 0; i++) {
		const char *name =
			config_protocol_name((enum config_protocol)i);
		struct target target = {
			.parsed = cfg_getsec(parsed, name),
			.lines = section->protocol_lines[i],
			.parts[PART_RANGES] = &options->by_protocol[i],
		};

		result = read_scope(source, &target);
	}
	return result;
}

static int read_top(struct config *config)
{
	const struct config_memory *memory = config->memory;
	const struct config_section *section = memory->survey.sections;
	struct target target = {
		.parsed = memory->parser,
		.lines = section->lines,
		.parts = {
			[PART_RANGES] = &config->defaults.ranges,
			[PART_OPTIONS] = &config->defaults,
			[PART_CONFIG] = config,
		},
	};
	int result = read_scope(&memory->source, &target);

	return result != 0 ? result
			   : read_protocols(&memory->source, section,
					    memory->parser, &config->defaults);
}

static int read_process(struct config *config,
			const struct config_section *section)
{
	const struct config_source *source = &config->memory->source;
	struct config_process *process =
		&config->processes[config->n_processes];
	cfg_t *parsed = cfg_getnsec(config->memory->parser, "process",
				    (unsigned int)config->n_processes++);
	struct target target = {
		.parsed = parsed,
		.lines = section->lines,
		.parts = {
			[PART_RANGES] = &process->options.ranges,
			[PART_OPTIONS] = &process->options,
			[PART_PROCESS] = process,
		},
	};
	int result;

	process->name = cfg_title(parsed);
	process->place = config_text_place(source, section->line);
	result = read_scope(source, &target);
	return result != 0 ? result : read_protocols(source, section, parsed,
						     &process->options);
}

static int read_reserve(struct config *config,
			const struct config_section *section)
{
	const struct config_source *source = &config->memory->source;
	struct config_reserve *reserve = &config->reserves[config->n_reserves];
	cfg_t *parsed = cfg_getnsec(config->memory->parser, "reserve",
				    (unsigned int)config->n_reserves++);
	struct target target = {
		.parsed = parsed,
		.lines = section->lines,
		.parts[PART_RESERVE] = reserve,
	};

	reserve->name = cfg_title(parsed);
	reserve->place = config_text_place(source, section->line);
	return read_scope(source, &target);
}

/* The n-th section of a kind is the same for the survey and libconfuse. */
static int read_parsed(struct config *config)
{
	const struct config_survey *survey = &config->memory->survey;
	int result = read_top(config);

	config->processes = calloc(survey->n_sections,
				   sizeof(*config->processes));
	config->reserves = calloc(survey->n_sections,
				  sizeof(*config->reserves));
	if (config->processes == NULL || config->reserves == NULL)
		return -ENOMEM;
	for (size_t i = 1; i < survey->n_sections && result == 0; i++) {
		const struct config_section *section = &survey->sections[i];

		result = section->scope == SCOPE_PROCESS
				 ? read_process(config, section)
				 : read_reserve(config, section);
	}
	return result;
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
	if (read_parsed(config) == 0)
		return 0;
	findings->incomplete = true;
	return -EINVAL;
}

void config_deinit(struct config *config)
{
	for (size_t i = 0; i < config->n_processes; i++) {
		struct config_process *process = &config->processes[i];

		for (size_t c = 0; c < N_CONDITIONS; c++)
			free((void *)process->conditions[c].values);
		free((void *)process->arguments.values);
	}
	for (size_t i = 0; i < config->n_reserves; i++) {
		free((void *)config->reserves[i].protocols.values);
		free((void *)config->reserves[i].owners.values);
	}
	free(config->processes);
	free(config->reserves);
	if (config->memory != NULL) {
		if (config->memory->parser != NULL)
			cfg_free(config->memory->parser);
		config_survey_deinit(&config->memory->survey);
		config_text_deinit(&config->memory->source);
		free(config->memory);
	}
	*config = (struct config){ 0 };
}
