/* SPDX-License-Identifier: MIT */
#include "cli/conf/config.h"

#include <confuse.h>
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/conf/config_store.h"
#include "cli/conf/config_text.h"

#define SIZE_MAX_OF_ALL ((size_t)16 << 20)
#define FILES_MAX 1000u
#define DEPTH_MAX 16u
#define FINDINGS_MAX 100u

/*
 * A hidden option of each section. It has a default, and libconfuse calls back
 * to set that where a section starts. No name in a file can be the same: see
 * config_names_add().
 */
#define START "="

/* A file that is being read, or has been. */
struct file {
	struct file *outer; /* that includes it, or NULL */
	struct file *next;  /* of all */
	const char *path;
	struct stat status;
	unsigned int depth;
	bool is_cut;
	cfg_t *parser;
};

/* libconfuse hands its callbacks no argument of ours. */
static struct {
	struct config_store store;
	struct memory *memory;
	struct findings *findings;
	struct file *file, *files;
	size_t n_files, size;
} reading;

static struct location place_of(const cfg_t *parser)
{
	return (struct location){ reading.file->path, parser->line };
}

#define refuse(place, ...) \
	findings_add(reading.findings, SEVERITY_ERROR, place, __VA_ARGS__)

/* Returns 0, or -1 when the reading ends, as all below do. */
static int go_on(void)
{
	return reading.findings->n_items < FINDINGS_MAX ? 0 : -1;
}

static int read_value(cfg_t *parser, cfg_opt_t *option, const char *text,
		      void *resultp)
{
	const struct config_value value = {
		.option = option->name,
		.n = option->nvalues,
		.text = text,
		.place = place_of(parser),
	};

	*(void **)resultp = NULL;
	config_store_value(&reading.store, &value);
	return go_on();
}

/* libconfuse aborts the process where this returns anything else. */
static int start_section(cfg_t *parser, cfg_opt_t *option, const char *text,
			 void *resultp)
{
	(void)option;
	(void)text;
	*(void **)resultp = NULL;
	if (strcmp(parser->name, "root") != 0)
		config_store_start(&reading.store, parser->name, parser->title,
				   place_of(parser));
	return 0;
}

/*
 * The section is removed, since all of it is in the store: libconfuse compares
 * the title of a section with those of all that it keeps.
 */
static int end_section(cfg_t *parser, cfg_opt_t *section)
{
	(void)parser;
	config_store_end(&reading.store);
	cfg_opt_rmnsec(section, cfg_opt_size(section) - 1);
	return go_on();
}

/* Of unknown names, config_store_name() says more than libconfuse. */
static void add_error(cfg_t *parser, const char *format, va_list arguments)
{
	char message[160];

	if (strcmp(format, "no such option '%s'") == 0) {
		config_store_name(&reading.store,
				  va_arg(arguments, const char *), false,
				  place_of(parser));
		return;
	}
	vsnprintf(message, sizeof(message), format, arguments);
	if (!reading.file->is_cut)
		refuse(place_of(parser), "%s", message);
}

static int include(cfg_t *parser, cfg_opt_t *option, int n_paths,
		   const char **paths);

static cfg_opt_t *put_value(cfg_opt_t *to, const char *name)
{
	*to = (cfg_opt_t)CFG_PTR_LIST_CB(name, NULL, CFGF_NODEFAULT, read_value,
					 NULL);
	return to + 1;
}

static cfg_opt_t *put_section(cfg_opt_t *to, const char *name, bool has_title,
			      cfg_opt_t *inner)
{
	if (inner == NULL)
		return to;
	*to = (cfg_opt_t)CFG_SEC(
		name, inner, CFGF_MULTI | (has_title ? CFGF_TITLE : CFGF_NONE));
	to->validcb = end_section;
	return to + 1;
}

/* Puts every name, wherever it may stand, since libconfuse stops at an unknown
 * one. inner: the options of the sections here; NULL = no sections. */
static void put_options(cfg_opt_t *to, const struct config_names *names,
			cfg_opt_t *inner)
{
	static char starts[] = "{-}";

	for (size_t i = 0; i < N_CONFIG_OPTIONS; i++) {
		const struct config_option option = config_option(i);
		const bool has_title = option.type == TYPE_SECTION;

		if (option.type == TYPE_INCLUDE)
			*to++ = (cfg_opt_t)CFG_FUNC(option.name, include);
		else if (has_title || option.type == TYPE_BLOCK)
			to = put_section(to, option.name, has_title, inner);
		else
			to = put_value(to, option.name);
	}
	for (size_t i = 0; i < names->n; i++) {
		const struct config_name *name = &names->names[i];

		to = name->is_section ? put_section(to, name->text,
						    name->has_title, inner)
				      : put_value(to, name->text);
	}
	*to++ = (cfg_opt_t)CFG_PTR_LIST_CB(START, starts, CFGF_NONE,
					   start_section, NULL);
	*to = (cfg_opt_t)CFG_END();
}

static cfg_t *new_parser(const struct config_names *names)
{
	static cfg_opt_t options[3][N_CONFIG_OPTIONS + MAX_CONFIG_NAMES + 2];
	cfg_t *parser;

	put_options(options[0], names, NULL);
	put_options(options[1], names, options[0]);
	put_options(options[2], names, options[1]);
	parser = cfg_init(options[2], CFGF_NONE);
	if (parser != NULL)
		cfg_set_error_function(parser, add_error);
	return parser;
}

static int parse(struct file *file, char *text)
{
	struct config_names names = { .memory = reading.memory };
	FILE *stream;
	int result;

	file->is_cut = !config_text_scan(text, file->path, &names,
					 reading.findings);
	if (*text == '\0')
		return file->is_cut ? -1 : 0;
	stream = fmemopen(text, strlen(text), "r");
	reading.file = file;
	file->parser = new_parser(&names);
	if (stream == NULL || file->parser == NULL)
		memory_fail();
	result = cfg_parse_fp(file->parser, stream);
	fclose(stream);
	reading.file = file->outer;
	return result == CFG_SUCCESS && !file->is_cut ? 0 : -1;
}

static struct file *new_file(const char *path)
{
	struct file *file = memory_take(reading.memory, 1, sizeof(*file));

	*file = (struct file){
		.outer = reading.file,
		.next = reading.files,
		.path = memory_copy(reading.memory, path, strlen(path)),
		.depth = reading.file != NULL ? reading.file->depth + 1 : 0,
	};
	reading.files = file;
	reading.n_files++;
	return file;
}

/* The outer file that is the same as this one, or NULL. */
static const struct file *find_round(const struct file *file)
{
	const struct file *outer = file->outer;

	while (outer != NULL && (outer->status.st_dev != file->status.st_dev ||
				 outer->status.st_ino != file->status.st_ino))
		outer = outer->outer;
	return outer;
}

static void refuse_round(const struct file *file, const struct file *start,
			 struct location place)
{
	const struct finding_word name = findings_quote_text(file->path);
	const char *way = name.text;

	for (const struct file *f = file; f != start;) {
		f = f->outer;
		way = memory_print(reading.memory, "%s -> %s",
				   findings_quote_text(f->path).text, way);
	}
	refuse(place, "\"%s\" includes itself: %s", name.text, way);
}

static int refuse_include(const char *path, const char *why,
			  struct location place)
{
	refuse(place, "cannot include \"%s\": %s",
	       findings_quote_text(path).text, why);
	return 0;
}

static int refuse_more(const char *why, struct location place)
{
	refuse(place, "%s", why);
	return -1;
}

static int include_file(const char *path, struct location place)
{
	struct file *file = new_file(path);
	const struct file *same;
	char *text = NULL;
	const char *why;
	int result = 0;

	if (reading.n_files > FILES_MAX)
		return refuse_more("includes more than 1000 files", place);
	why = file->depth > DEPTH_MAX
		      ? "includes are nested more than 16 deep"
		      : config_file_read(path, &file->status, &text);
	same = find_round(file);
	if (why != NULL)
		result = refuse_include(path, why, place);
	else if (same != NULL)
		refuse_round(file, same, place);
	else if ((reading.size += strlen(text)) > SIZE_MAX_OF_ALL)
		result = refuse_more("is too large with all that is included",
				     place);
	else
		result = parse(file, text);
	free(text);
	return result;
}

static int is_fatal(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

static int include_pattern(const char *pattern, struct location place)
{
	glob_t found = { 0 };
	const int failed = glob(pattern, 0, is_fatal, &found);
	const int error = failed == GLOB_NOSPACE ? ENOMEM : errno;
	int result = 0;

	if (failed != 0 && failed != GLOB_NOMATCH)
		refuse_include(pattern, strerror(error), place);
	for (size_t i = 0; failed == 0 && result == 0 && i < found.gl_pathc;
	     i++)
		result = include_file(found.gl_pathv[i], place);
	globfree(&found);
	return result;
}

/* That there is one path was checked by config_text_scan(). */
static int include(cfg_t *parser, cfg_opt_t *option, int n_paths,
		   const char **paths)
{
	const struct location place = place_of(parser);
	const size_t n_before = reading.findings->n_items;
	const char *path, *resolved;

	(void)option;
	(void)n_paths;
	if (!config_store_name(&reading.store, "include", false, place))
		return 0;
	path = config_text_expand(reading.memory, paths[0], place,
				  reading.findings);
	if (reading.findings->n_items > n_before)
		return 0;
	resolved = config_file_resolve(reading.memory, place.file, path);
	return config_file_is_pattern(path) ? include_pattern(resolved, place)
					    : include_file(resolved, place);
}

static int read_outermost(const char *path)
{
	struct file *file = new_file(path);
	char *text;
	const char *why = config_file_read(path, &file->status, &text);
	int result = -1;

	/* An included file may be empty. The outermost must not be. */
	if (why == NULL && text[strspn(text, " \t\r\n\f\v")] == '\0')
		why = "is empty";
	if (why == NULL)
		result = parse(file, text);
	else
		refuse(((struct location){ path, 0 }), "%s", why);
	free(text);
	return result;
}

int config_read(struct config *config, const char *path,
		struct findings *findings)
{
	int result;

	*config = (struct config){ .path = path };
	memset(&reading, 0, sizeof(reading));
	reading.store = (struct config_store){
		.config = config,
		.findings = findings,
		.section = &config->top,
		.block = N_PROTOCOLS,
	};
	reading.memory = &config->memory;
	reading.findings = findings;
	result = read_outermost(path);
	/* Only at the end: cfg_free() ends the lexer, which all files share. */
	for (struct file *file = reading.files; file != NULL; file = file->next)
		if (file->parser != NULL)
			cfg_free(file->parser);
	if (result != 0 && findings->n_errors == 0)
		refuse(((struct location){ path, 0 }), "cannot be read");
	return result == 0 ? 0 : -EINVAL;
}

void config_deinit(struct config *config)
{
	memory_free(&config->memory);
	*config = (struct config){ 0 };
}
