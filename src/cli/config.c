/* SPDX-License-Identifier: MIT */
#include "cli/config.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/kernel.h"
#include "core/policy.h"

#define TEXT_SIZE 65536	/* of a file, at most */

/* The option under check, as the only variable of an environment. */
static struct {
	const char *path;
	const struct kernel *kernel;
	const char *variable;
	const char *value;
} checked;

static const char *variable_of(const char *option)
{
	static const char *const names[][2] = {
		{ "range", "BERTH_RANGE" },
		{ "reserve", "BERTH_RESERVE" },
		{ "algorithm", "BERTH_ALGORITHM" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(option, names[i][0]) == 0)
			return names[i][1];
	return NULL;
}

static char *lookup_checked(const char *name)
{
	return strcmp(name, checked.variable) == 0 ? (char *)checked.value
						   : NULL;
}

static int check_option(cfg_t *parser, cfg_opt_t *option)
{
	struct policy policy = { 0 };
	struct policy_error error;
	char text[POLICY_ERROR_TEXT_SIZE];

	checked.variable = variable_of(cfg_opt_name(option));
	checked.value = cfg_opt_getnstr(option, 0);
	if (policy_from_environment(lookup_checked, checked.kernel, &policy,
				    &error) == 0)
		return 0;
	error.variable = cfg_opt_name(option);
	policy_error_text(&error, text);
	cfg_error(parser, "%s", text);
	return -1;
}

static void print_error(cfg_t *parser, const char *format, va_list arguments)
{
	fprintf(stderr, "%s:%d: ", checked.path, parser->line);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

static cfg_t *new_parser(void)
{
	cfg_opt_t options[] = {
		CFG_STR("range", NULL, CFGF_NODEFAULT),
		CFG_STR("reserve", NULL, CFGF_NODEFAULT),
		CFG_STR("algorithm", NULL, CFGF_NODEFAULT),
		CFG_END(),
	};
	cfg_t *parser = cfg_init(options, CFGF_NONE);

	if (parser == NULL)
		return NULL;
	cfg_set_error_function(parser, print_error);
	for (const cfg_opt_t *option = options; option->name; option++)
		cfg_set_validate_func(parser, option->name, check_option);
	return parser;
}

static int complain(const char *path, int error)
{
	fprintf(stderr, "berth: %s: %s\n", path, strerror(error));
	return -error;
}

/* Where the comment at text ends; text itself when it is none. */
static size_t comment_length(const char *text)
{
	const char *end;

	if (text[0] == '#' || (text[0] == '/' && text[1] == '/'))
		return strcspn(text, "\n");
	if (text[0] != '/' || text[1] != '*')
		return 0;
	end = strstr(text + 2, "*/");
	return end != NULL ? (size_t)(end + 2 - text) : 0;
}

static size_t quoted_length(const char *text)
{
	size_t n = 1;

	while (text[n] != '\0' && text[n] != text[0])
		n += text[n] == '\\' && text[n + 1] != '\0' ? 2 : 1;
	return text[n] != '\0' ? n + 1 : n;
}

/*
 * Makes comments blank: libconfuse 3.3 counts their lines more than once, and
 * then tells wrong line numbers.
 */
static void blank_comments(char *text)
{
	while (*text != '\0') {
		size_t n = comment_length(text);

		for (size_t i = 0; i < n; i++)
			if (text[i] != '\n')
				text[i] = ' ';
		if (*text == '"' || *text == '\'')
			n = quoted_length(text);
		else if (n == 0)
			n = strcspn(text, " \t\r\n={}(),+\"'");
		text += n != 0 ? n : 1;
	}
}

/* A directory or a read error would make libconfuse end the whole process. */
static int read_text(const char *path, char text[TEXT_SIZE])
{
	FILE *file = fopen(path, "re");
	size_t n;
	int error = 0;

	text[0] = '\0';
	if (file == NULL)
		return -errno;
	errno = 0;
	n = fread(text, 1, TEXT_SIZE, file);
	if (ferror(file))
		error = errno != 0 ? errno : EIO;
	else if (n == TEXT_SIZE)
		error = EFBIG;
	text[error == 0 ? n : 0] = '\0';
	fclose(file);
	return -error;
}

int config_read(struct config *config, const char *path,
		const struct kernel *kernel)
{
	char text[TEXT_SIZE];
	int result;

	*config = (struct config){ .path = path != NULL ? path : CONFIG_PATH };
	result = read_text(config->path, text);
	if (result == -ENOENT && path == NULL)
		return 0;
	if (result != 0)
		return complain(config->path, -result);
	config->parser = new_parser();
	if (config->parser == NULL)
		return complain(config->path, ENOMEM);
	checked.path = config->path;
	checked.kernel = kernel;
	blank_comments(text);
	if (cfg_parse_buf(config->parser, text) != CFG_SUCCESS)
		return -EINVAL;
	config->range = cfg_getstr(config->parser, "range");
	config->reserve = cfg_getstr(config->parser, "reserve");
	config->algorithm = cfg_getstr(config->parser, "algorithm");
	return 0;
}

void config_deinit(struct config *config)
{
	if (config->parser != NULL)
		cfg_free(config->parser);
	config->parser = NULL;
}
