/* SPDX-License-Identifier: MIT */
#include "cli/config_text.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "cli/config_file.h"
#include "cli/config_path.h"
#include "cli/config_source.h"
#include "cli/config_token.h"
#include "cli/config_variable.h"

#define MAX_FILES 1000u
#define MAX_DEPTH 16u

/* A file that is being read. */
struct frame {
	const struct frame *outer;
	unsigned int depth;		/* of the includes; 0 = none */
	const char *path;
	struct stat status;
	struct token_reader reader;
	char *copied;			/* what stands before is in the buffer */
	struct config_source *source;
	struct findings *findings;
};

/* Ends the reading; what is in the buffer is still looked at. */
static bool fail(const struct frame *frame, int line, const char *why)
{
	frame->source->broken = true;
	findings_add(frame->findings, SEVERITY_ERROR,
		     (struct location){ frame->path, line }, "%s", why);
	return false;
}

static bool append(struct frame *frame, const char *text, size_t length)
{
	switch (config_source_append(frame->source, text, length)) {
	case 0:
		return true;
	case -EFBIG:
		return fail(frame, frame->reader.line,
			    "is too large with all that is included");
	default:
		return fail(frame, 0, strerror(ENOMEM));
	}
}

/* Text up to end that is in no comment, and has been read by the reader. */
static bool copy(struct frame *frame, const char *end)
{
	const char *start = frame->copied;

	frame->copied += end - start;
	return append(frame, start, (size_t)(end - start));
}

/* What follows in the buffer is this file's, and on a line of its own. */
static bool start_segment(struct frame *frame)
{
	struct config_source *source = frame->source;
	const struct location place = { frame->path, frame->reader.line };

	if (source->length > 0 && source->buffer[source->length - 1] != '\n' &&
	    !append(frame, "\n", 1))
		return false;
	return config_source_mark(source, place) == 0 ||
	       fail(frame, 0, strerror(ENOMEM));
}

static struct quoted quote_path(const char *path)
{
	return quote(path, strlen(path));
}

static void refuse_include(const struct frame *frame, int line,
			   const char *path, const char *why)
{
	findings_add(frame->findings, SEVERITY_ERROR,
		     (struct location){ frame->path, line },
		     "cannot include \"%s\": %s", quote_path(path).text, why);
}

/* The frame that reads the same file already, or NULL. */
static const struct frame *find_round(const struct frame *frame,
				      const struct stat *status)
{
	while (frame != NULL && (frame->status.st_dev != status->st_dev ||
				 frame->status.st_ino != status->st_ino))
		frame = frame->outer;
	return frame;
}

static void refuse_round(const struct frame *frame, int line, const char *path,
			 const struct frame *start)
{
	char *way = strdup(quote_path(path).text);

	for (const struct frame *f = frame; way != NULL; f = f->outer) {
		char *longer;

		if (asprintf(&longer, "%s -> %s", quote_path(f->path).text,
			     way) < 0)
			longer = NULL;
		free(way);
		way = longer;
		if (f == start)
			break;
	}
	findings_add(frame->findings, SEVERITY_ERROR,
		     (struct location){ frame->path, line },
		     "include of \"%s\" goes round: %s", quote_path(path).text,
		     way != NULL ? way : "");
	free(way);
}

static bool read_frame(struct frame *frame);

/* Returns false when the reading has ended, as all below do. */
static bool include_file(struct frame *frame, int line, const char *found)
{
	struct frame inner = *frame;
	char *text = NULL;
	const char *why;
	bool goes_on = true;

	inner.path = config_source_keep(frame->source, found);
	if (inner.path == NULL)
		return fail(frame, line, strerror(ENOMEM));
	if (frame->source->n_paths > MAX_FILES)
		return fail(frame, line, "includes more than 1000 files");
	inner.outer = frame;
	inner.depth++;
	why = inner.depth > MAX_DEPTH
		      ? "includes are nested more than 16 deep"
		      : config_file_read(inner.path, &inner.status, &text);
	if (why != NULL) {
		refuse_include(frame, line, inner.path, why);
	} else if (find_round(frame, &inner.status) != NULL) {
		refuse_round(frame, line, inner.path,
			     find_round(frame, &inner.status));
	} else {
		inner.copied = text;
		inner.reader = (struct token_reader){ text, 1 };
		goes_on = read_frame(&inner);
	}
	free(text);
	return goes_on;
}

static int is_fatal(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

static bool include_pattern(struct frame *frame, int line, const char *pattern)
{
	glob_t found = { 0 };
	bool goes_on = true;
	int result = glob(pattern, 0, is_fatal, &found);

	if (result != 0 && result != GLOB_NOMATCH)
		refuse_include(frame, line, pattern,
			       strerror(result == GLOB_NOSPACE ? ENOMEM
							       : errno));
	for (size_t i = 0; result == 0 && goes_on && i < found.gl_pathc; i++)
		goes_on = include_file(frame, line, found.gl_pathv[i]);
	globfree(&found);
	return goes_on;
}

static bool include(struct frame *frame, struct token name)
{
	bool is_pattern, goes_on;
	char *path = config_path_make(frame->path, name, &is_pattern);

	if (path == NULL)
		return fail(frame, name.line, strerror(ENOMEM));
	goes_on = is_pattern ? include_pattern(frame, name.line, path)
			     : include_file(frame, name.line, path);
	free(path);
	return goes_on;
}

/* Comments become blanks. */
static struct token next_word(struct frame *frame)
{
	struct token token;

	token_next(&frame->reader, &token);
	while (token.kind == TOKEN_COMMENT) {
		blank(frame->copied + (token.text - frame->copied),
		      token.text + token.length);
		token_next(&frame->reader, &token);
	}
	return token;
}

/* A string with variables goes into the buffer with what they stand for. */
static bool replace_variables(struct frame *frame, struct token token)
{
	char *text = config_variable_expand(
		token, (struct location){ frame->path, token.line },
		frame->findings);
	bool goes_on;

	if (text == NULL)
		return true;
	goes_on = copy(frame, token.text) && append(frame, text, strlen(text));
	frame->copied += token.length;
	free(text);
	return goes_on;
}

/* The reader is behind the word include, and there is a parenthesis. */
static bool read_include(struct frame *frame, struct token word)
{
	const size_t n_before = frame->findings->n_items;
	struct token name, end;
	char *expanded;
	bool goes_on;

	if (!copy(frame, word.text))
		return false;
	next_word(frame);
	name = next_word(frame);
	end = next_word(frame);
	if (!token_is_text(name) || end.kind != TOKEN_CLOSE_LIST)
		return fail(frame, word.line,
			    "include takes one path: include(\"PATH\")");
	frame->copied += frame->reader.at - frame->copied;
	expanded = config_variable_expand(
		name, (struct location){ frame->path, name.line },
		frame->findings);
	if (expanded != NULL) {
		name.text = expanded;
		name.length = strlen(expanded);
	}
	goes_on = (frame->findings->n_items > n_before ||
		   include(frame, name)) && start_segment(frame);
	free(expanded);
	return goes_on;
}

static bool fail_at(struct frame *frame, struct token token, const char *why)
{
	char message[128];

	snprintf(message, sizeof(message), "\"%s\" %s",
		 quote(token.text, token.length).text, why);
	copy(frame, token.text);
	return fail(frame, token.line, message);
}

static bool is_include(struct frame *frame, struct token token,
		       enum token_kind before)
{
	struct token_reader ahead = frame->reader;
	struct token behind;

	token_next(&ahead, &behind);
	return token_equals(token, "include") && token.kind == TOKEN_WORD &&
	       before != TOKEN_EQUALS && behind.kind == TOKEN_OPEN_LIST;
}

/* Each file closes its own braces: a place beyond it would be misleading. */
static bool read_frame(struct frame *frame)
{
	struct token token, open = { .kind = TOKEN_END };
	enum token_kind before = TOKEN_END;
	size_t depth = 0;

	if (!start_segment(frame))
		return false;
	while ((token = next_word(frame)).kind != TOKEN_END) {
		if (token.kind == TOKEN_BAD)
			return fail_at(frame, token, token.reason);
		if (token.kind == TOKEN_OPEN && depth++ == 0)
			open = token;
		if (token.kind == TOKEN_CLOSE && depth-- == 0)
			return fail_at(frame, token, "closes nothing");
		if (!replace_variables(frame, token))
			return false;
		if (depth == 0 && is_include(frame, token, before) &&
		    !read_include(frame, token))
			return false;
		before = token.kind;
	}
	return copy(frame, token.text) &&
	       (depth == 0 || fail(frame, open.line, "\"{\" is never closed"));
}

int config_text_read(struct config_source *source, const char *path,
		     struct findings *findings)
{
	struct frame frame = { .source = source, .findings = findings,
			       .reader = { .line = 1 } };
	char *text = NULL;
	const char *why;

	*source = (struct config_source){ .line = 1 };
	frame.path = config_source_keep(source, path);
	why = frame.path == NULL ? strerror(ENOMEM)
				 : config_file_read(path, &frame.status, &text);
	/* What is included may be empty; of all there is, a mistake made it so. */
	if (why == NULL && text != NULL && text[strspn(text, " \t\r\n\f\v")] == '\0')
		why = "is empty";
	if (why == NULL) {
		frame.copied = text;
		frame.reader.at = text;
		read_frame(&frame);
	} else {
		findings_add(findings, SEVERITY_ERROR,
			     (struct location){ path, 0 }, "%s", why);
	}
	free(text);
	return source->buffer != NULL ? 0 : -EINVAL;
}
