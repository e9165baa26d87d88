/* SPDX-License-Identifier: MIT */
#include "cli/config_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIZE ((size_t)16 << 20)

/* From this line of the buffer on, the lines are those of a file. */
struct config_segment {
	int line;
	struct location place;
};

static int make_room(struct config_source *source, size_t needed)
{
	char *buffer;

	if (needed > MAX_SIZE)
		return -EFBIG;
	if (needed <= source->size)
		return 0;
	buffer = realloc(source->buffer, 2 * needed);
	if (buffer == NULL)
		return -ENOMEM;
	source->buffer = buffer;
	source->size = 2 * needed;
	return 0;
}

int config_source_append(struct config_source *source, const char *text,
			 size_t length)
{
	const int result = make_room(source, source->length + length + 1);

	if (result < 0)
		return result;
	for (size_t i = 0; i < length; i++)
		source->line += text[i] == '\n';
	memcpy(source->buffer + source->length, text, length);
	source->length += length;
	source->buffer[source->length] = '\0';
	return 0;
}

int config_source_mark(struct config_source *source, struct location place)
{
	struct config_segment *segments =
		reallocarray(source->segments, source->n_segments + 1,
			     sizeof(*segments));

	if (segments == NULL)
		return -ENOMEM;
	segments[source->n_segments++] =
		(struct config_segment){ source->line, place };
	source->segments = segments;
	return 0;
}

const char *config_source_keep(struct config_source *source, const char *path)
{
	char **paths = reallocarray(source->paths, source->n_paths + 1,
				    sizeof(*paths));
	char *copy;

	if (paths == NULL)
		return NULL;
	source->paths = paths;
	copy = strdup(path);
	if (copy != NULL)
		paths[source->n_paths++] = copy;
	return copy;
}

struct location config_source_place(const struct config_source *source, int line)
{
	size_t first = 0, beyond = source->n_segments;
	const struct config_segment *segment;

	while (beyond - first > 1) {
		size_t middle = first + (beyond - first) / 2;

		if (source->segments[middle].line <= line)
			first = middle;
		else
			beyond = middle;
	}
	segment = &source->segments[first];
	return (struct location){ segment->place.file,
			       segment->place.line + line - segment->line };
}

void config_source_deinit(struct config_source *source)
{
	for (size_t i = 0; i < source->n_paths; i++)
		free(source->paths[i]);
	free(source->paths);
	free(source->segments);
	free(source->buffer);
	*source = (struct config_source){ 0 };
}
