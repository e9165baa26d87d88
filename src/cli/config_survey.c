/* SPDX-License-Identifier: MIT */
#include "cli/config_survey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FINDINGS 100u
#define NO_PROTOCOL (-1)

struct surveyor {
	struct config_survey *survey;
	const struct config_source *source;
	struct findings *findings;
	struct token_reader reader;
};

/* Where the reader is. */
struct spot {
	size_t section;
	int protocol;		/* or NO_PROTOCOL */
};

static struct config_section *section_at(const struct surveyor *surveyor,
					 struct spot spot)
{
	return &surveyor->survey->sections[spot.section];
}

static enum config_scope scope_at(const struct surveyor *surveyor,
				  struct spot spot)
{
	return spot.protocol == NO_PROTOCOL
		       ? section_at(surveyor, spot)->scope : SCOPE_PROTOCOL;
}

static int *line_at(const struct surveyor *surveyor, struct spot spot,
		    size_t form)
{
	struct config_section *section = section_at(surveyor, spot);

	return spot.protocol == NO_PROTOCOL
		       ? &section->lines[form]
		       : &section->protocol_lines[spot.protocol][form];
}

#define complain(surveyor, token, ...) \
	findings_add((surveyor)->findings, SEVERITY_ERROR, \
		     config_source_place((surveyor)->source, (token).line), \
		     __VA_ARGS__)

/* Returns false, as all do that find no way to go on. */
static bool stop_at(struct surveyor *surveyor, struct token token,
		    const char *expected)
{
	bool is_end = token.kind == TOKEN_END || token.kind == TOKEN_BAD;

	if (is_end && surveyor->source->broken)
		return false;
	if (token.kind == TOKEN_END)
		complain(surveyor, token, "the text ends where %s is due",
			 expected);
	else
		complain(surveyor, token, "\"%s\" stands where %s is due",
			 token_quote(token).text, expected);
	return false;
}

static struct token next(struct surveyor *surveyor)
{
	struct token token;

	token_next(&surveyor->reader, &token);
	return token;
}

static struct token look_ahead(const struct surveyor *surveyor)
{
	struct token_reader reader = surveyor->reader;
	struct token token;

	token_next(&reader, &token);
	return token;
}

/* The reader is behind an opening brace or parenthesis. */
static bool skip_block(struct surveyor *surveyor)
{
	size_t depth = 1;

	while (depth > 0) {
		struct token token = next(surveyor);

		if (token.kind == TOKEN_END || token.kind == TOKEN_BAD)
			return stop_at(surveyor, token, "\"}\"");
		depth += token.kind == TOKEN_OPEN ||
			 token.kind == TOKEN_OPEN_LIST;
		depth -= token.kind == TOKEN_CLOSE ||
			 token.kind == TOKEN_CLOSE_LIST;
	}
	return true;
}

static bool is_opening(struct token token)
{
	return token.kind == TOKEN_OPEN || token.kind == TOKEN_OPEN_LIST;
}

/* Up to the end of the value or the block, as far as there is one. */
static bool skip_rest(struct surveyor *surveyor)
{
	struct token token = look_ahead(surveyor);
	struct token_reader behind_name = surveyor->reader;

	if (token.kind == TOKEN_EQUALS) {
		next(surveyor);
		token = next(surveyor);
		if (token_is_text(token))
			return true;
		return token.kind == TOKEN_OPEN
			       ? skip_block(surveyor)
			       : stop_at(surveyor, token, "a value");
	}
	if (token_is_text(token)) {
		next(surveyor);
		if (token.kind == TOKEN_STRING)
			behind_name = surveyor->reader;
		token = look_ahead(surveyor);
	}
	if (is_opening(token)) {
		next(surveyor);
		return skip_block(surveyor);
	}
	surveyor->reader = behind_name;
	return true;
}

static bool blank_from(struct surveyor *surveyor, struct token name)
{
	size_t start = (size_t)(name.text - surveyor->source->buffer);

	blank(surveyor->source->buffer + start, surveyor->reader.at);
	return true;
}

static bool skip_statement(struct surveyor *surveyor, struct token name)
{
	return skip_rest(surveyor) && blank_from(surveyor, name);
}

/* With or without a title; the reader is behind the name. */
static bool is_section(const struct surveyor *surveyor)
{
	struct token_reader reader = surveyor->reader;
	struct token token;

	token_next(&reader, &token);
	if (token_is_text(token))
		token_next(&reader, &token);
	return is_opening(token);
}

static bool refuse_name(struct surveyor *surveyor, struct token name,
			enum config_scope scope)
{
	config_form_refuse(name, scope, is_section(surveyor),
			   config_source_place(surveyor->source, name.line),
			   surveyor->findings);
	return skip_statement(surveyor, name);
}

static bool read_list(struct surveyor *surveyor, struct token name)
{
	struct token token = next(surveyor);

	if (token.kind == TOKEN_CLOSE) {
		complain(surveyor, name, "\"%s\" is an empty list; "
			 "fill it or leave it out", token_quote(name).text);
		return blank_from(surveyor, name);
	}
	while (token.kind != TOKEN_CLOSE) {
		if (!token_is_text(token))
			return stop_at(surveyor, token, "a value");
		token = next(surveyor);
		if (token.kind != TOKEN_COMMA && token.kind != TOKEN_CLOSE)
			return stop_at(surveyor, token, "\",\" or \"}\"");
		if (token.kind == TOKEN_COMMA)
			token = next(surveyor);
	}
	return true;
}

static bool read_option(struct surveyor *surveyor, struct token name,
			enum config_type type)
{
	struct token token = next(surveyor);

	if (token.kind != TOKEN_EQUALS)
		return stop_at(surveyor, token, "\"=\"");
	token = next(surveyor);
	if (token_is_text(token))
		return true;
	if (token.kind != TOKEN_OPEN)
		return stop_at(surveyor, token, "a value");
	if (type == TYPE_LIST)
		return read_list(surveyor, name);
	complain(surveyor, name, "\"%s\" takes one value, not a list",
		 token_quote(name).text);
	return skip_block(surveyor) && blank_from(surveyor, name);
}

static bool refuse_second(struct surveyor *surveyor, struct token name,
			  const char *what, int first_line)
{
	struct location first = config_source_place(surveyor->source, first_line);

	complain(surveyor, name, "\"%s\" stands twice; first at %s:%d", what,
		 first.file, first.line);
	return skip_statement(surveyor, name);
}

static bool read_block(struct surveyor *surveyor, struct spot spot);

static bool read_protocol(struct surveyor *surveyor, struct token name,
			  struct spot spot)
{
	struct token token = look_ahead(surveyor);

	if (token.kind != TOKEN_OPEN) {
		complain(surveyor, name, "\"%s\" is a block: %s { ... }",
			 token_quote(name).text, token_quote(name).text);
		return skip_statement(surveyor, name);
	}
	next(surveyor);
	spot.protocol = 0;
	while (!token_equals(name, config_protocol_name(
					(enum config_protocol)spot.protocol)))
		spot.protocol++;
	return read_block(surveyor, spot);
}

static const struct config_section *
find_section(const struct surveyor *surveyor, enum config_scope scope,
	     struct token title)
{
	const struct config_survey *survey = surveyor->survey;

	title = token_content(title);
	for (size_t i = 1; i < survey->n_sections; i++) {
		struct token known = survey->sections[i].title;

		if (survey->sections[i].scope == scope &&
		    known.length == title.length &&
		    memcmp(known.text, title.text, title.length) == 0)
			return &survey->sections[i];
	}
	return NULL;
}

/* Twice as many at each power of two. */
static bool make_room(struct config_survey *survey)
{
	size_t n = survey->n_sections;
	struct config_section *sections;

	if ((n & (n - 1)) != 0)
		return true;
	sections = reallocarray(survey->sections, 2 * n, sizeof(*sections));
	if (sections == NULL)
		return false;
	survey->sections = sections;
	return true;
}

/* Returns the index of a new section, or 0 = no memory. */
static size_t add_section(struct surveyor *surveyor, enum config_scope scope,
			  struct token name, struct token title)
{
	struct config_survey *survey = surveyor->survey;

	if (!make_room(survey)) {
		complain(surveyor, name, "%s", strerror(ENOMEM));
		return 0;
	}
	survey->sections[survey->n_sections] = (struct config_section){
		.scope = scope, .line = name.line,
		.title = token_content(title),
	};
	return survey->n_sections++;
}

static bool refuse_untitled(struct surveyor *surveyor, struct token name)
{
	const char *word = token_equals(name, "reserve") ? "reserve"
							 : "process";

	if (word[0] == 'r' && look_ahead(surveyor).kind == TOKEN_EQUALS)
		complain(surveyor, name, "reserve is a section now: "
			 "reserve NAME { ports = \"...\" }");
	else
		complain(surveyor, name, "\"%s\" needs a name: %s NAME { ... }",
			 word, word);
	return skip_statement(surveyor, name);
}

static bool read_section(struct surveyor *surveyor, struct token name)
{
	enum config_scope scope = token_equals(name, "process")
					  ? SCOPE_PROCESS : SCOPE_RESERVE;
	struct token title = look_ahead(surveyor), open;
	const struct config_section *first;
	struct spot spot = { .protocol = NO_PROTOCOL };
	char what[2 * sizeof(struct quoted) + 1];

	if (!token_is_text(title) || token_content(title).length == 0)
		return refuse_untitled(surveyor, name);
	first = find_section(surveyor, scope, title);
	snprintf(what, sizeof(what), "%s %s", token_quote(name).text,
		 token_quote(title).text);
	if (first != NULL)
		return refuse_second(surveyor, name, what, first->line);
	next(surveyor);
	open = next(surveyor);
	if (open.kind != TOKEN_OPEN)
		return stop_at(surveyor, open, "\"{\"");
	spot.section = add_section(surveyor, scope, name, title);
	return spot.section != 0 && read_block(surveyor, spot);
}

static bool read_statement(struct surveyor *surveyor, struct token name,
			   struct spot spot)
{
	enum config_scope scope = scope_at(surveyor, spot);
	size_t index = config_form_find(name);
	struct config_form form;
	int *line;

	if (index == N_CONFIG_FORMS ||
	    !(config_form(index).scopes & 1u << scope))
		return refuse_name(surveyor, name, scope);
	form = config_form(index);
	if (form.type == TYPE_TITLED_BLOCK)
		return read_section(surveyor, name);
	line = line_at(surveyor, spot, index);
	if (*line != 0)
		return refuse_second(surveyor, name, form.name, *line);
	*line = name.line;
	return form.type == TYPE_BLOCK
		       ? read_protocol(surveyor, name, spot)
		       : read_option(surveyor, name, form.type);
}

/* Up to its closing brace, or the end of the text. */
static bool read_block(struct surveyor *surveyor, struct spot spot)
{
	bool is_top = spot.section == 0 && spot.protocol == NO_PROTOCOL;

	while (surveyor->findings->n_items < MAX_FINDINGS) {
		struct token token = next(surveyor);

		if (token.kind == (is_top ? TOKEN_END : TOKEN_CLOSE))
			return true;
		if (token.kind == TOKEN_COMMA)
			return stop_at(surveyor, token,
				       "an option (a list stands in braces)");
		if (!token_is_text(token))
			return stop_at(surveyor, token, "an option");
		if (!read_statement(surveyor, token, spot))
			return false;
	}
	return false;
}

int config_survey_make(struct config_survey *survey,
		       const struct config_source *source,
		       struct findings *findings)
{
	struct surveyor surveyor = {
		.survey = survey, .source = source, .findings = findings,
		.reader = { source->buffer, 1 },
	};
	struct spot top = { 0, NO_PROTOCOL };

	survey->n_sections = 0;
	survey->sections = calloc(1, sizeof(*survey->sections));
	if (survey->sections == NULL) {
		findings->incomplete = true;
		return -EINVAL;
	}
	survey->n_sections = 1;
	survey->sections[0].scope = SCOPE_TOP;
	return read_block(&surveyor, top) && !source->broken ? 0 : -EINVAL;
}

void config_survey_deinit(struct config_survey *survey)
{
	free(survey->sections);
	*survey = (struct config_survey){ 0 };
}
