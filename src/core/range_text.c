/* SPDX-License-Identifier: MIT */
#include "core/range_text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/port_set.h"

#define BLANKS " \t\r\n"
#define PORT_MAX (N_PORTS - 1)

struct preset {
	const char *name;
	struct port_interval ports;	/* hi 0: what the caller says */
};

/* The sources are in the header. */
static const struct preset presets[] = {
	{ "iana", { 49152, 65535 } },
	{ "freebsd", { 49152, 65535 } },
	{ "windows", { 49152, 65535 } },
	{ "linux", { 32768, 60999 } },
	{ "linux-classic", { 32768, 61000 } },
	{ "solaris", { 32768, 65535 } },
	{ "aix", { 32768, 65535 } },
	{ "rfc6056", { 1024, 65535 } },
	{ "bsd-classic", { 1024, 5000 } },
	{ "windows-classic", { 1024, 5000 } },
	{ "windows-2003", { 1025, 5000 } },
	{ "windows-2008-exchange", { 1025, 60000 } },
	{ "kernel", { 0, 0 } },
};

#define N_PRESETS (sizeof(presets) / sizeof(*presets))

const char *range_preset_name(size_t index)
{
	return index < N_PRESETS ? presets[index].name : NULL;
}

struct word {
	const char *start;
	size_t length;
};

static int refuse(struct range_error *errorp, struct word word,
		  const char *reason)
{
	*errorp = (struct range_error){
		.word = word.start,
		.word_length = word.length,
		.reason = reason,
	};
	return -EINVAL;
}

static bool is_number(struct word word)
{
	for (size_t i = 0; i < word.length; i++)
		if (word.start[i] < '0' || word.start[i] > '9')
			return false;
	return word.length > 0;
}

static int parse_port(struct word word, uint32_t *portp,
		      struct range_error *errorp)
{
	uint32_t port = 0;

	/* Ends beyond 65535 at the latest: any number of digits is safe. */
	for (size_t i = 0; i < word.length && port <= PORT_MAX; i++)
		port = port * 10 + (uint32_t)(word.start[i] - '0');
	if (port > PORT_MAX)
		return refuse(errorp, word, "is beyond 65535");
	if (!port)
		return refuse(errorp, word, "is no port");
	*portp = port;
	return 0;
}

static int parse_numbers(struct word word, struct word lo, struct word hi,
			 struct port_interval *portsp,
			 struct range_error *errorp)
{
	int result = parse_port(lo, &portsp->lo, errorp);

	if (!result)
		result = parse_port(hi, &portsp->hi, errorp);
	if (!result && portsp->lo > portsp->hi)
		return refuse(errorp, word, "is reversed");
	return result;
}

static int parse_preset(struct word word,
			const struct port_interval *kernel_range,
			struct port_interval *portsp,
			struct range_error *errorp)
{
	for (size_t i = 0; i < N_PRESETS; i++) {
		if (strlen(presets[i].name) != word.length ||
		    memcmp(presets[i].name, word.start, word.length) != 0)
			continue;
		*portsp = presets[i].ports;
		if (!portsp->hi && kernel_range)
			*portsp = *kernel_range;
		if (!portsp->hi)
			return refuse(errorp, word, "is not known here: "
				      "ip_local_port_range cannot be read");
		return 0;
	}
	return refuse(errorp, word, "is not a port, a range lo-hi or a preset");
}

static int parse_word(struct word word,
		      const struct port_interval *kernel_range,
		      struct port_interval *portsp, struct range_error *errorp)
{
	const char *dash = memchr(word.start, '-', word.length);

	if (is_number(word))
		return parse_numbers(word, word, word, portsp, errorp);
	if (dash) {
		struct word lo = { word.start, (size_t)(dash - word.start) };
		struct word hi = { dash + 1, word.length - lo.length - 1 };

		if (is_number(lo) && is_number(hi))
			return parse_numbers(word, lo, hi, portsp, errorp);
	}
	return parse_preset(word, kernel_range, portsp, errorp);
}

/* Goes through a list; set may be NULL, to check only. */
static int parse_list(const char *text,
		      const struct port_interval *kernel_range,
		      struct port_set *set, struct range_error *errorp)
{
	struct word whole = { text, strlen(text) };
	const char *next = text + strspn(text, BLANKS);

	if (!*next)
		return refuse(errorp, whole, "is empty");
	do {
		struct word word = { next, strcspn(next, "," BLANKS) };
		struct port_interval ports;

		if (!word.length)
			return refuse(errorp, whole, "has an empty element");

		int result = parse_word(word, kernel_range, &ports, errorp);

		if (result)
			return result;
		if (set)
			port_set_add(set, ports.lo, ports.hi);
		next += word.length;
		next += strspn(next, BLANKS);
		/* What follows a comma is a word: not so in "1,,2" and "1,". */
		if (*next == ',') {
			next++;
			next += strspn(next, BLANKS);
		} else if (!*next) {
			return 0;
		}
	} while (true);
}

int range_text_parse(const char *text, const struct port_interval *kernel_range,
		     struct port_set *set, struct range_error *errorp)
{
	/* Twice, so that a refused text leaves the set as it was. */
	int result = parse_list(text, kernel_range, NULL, errorp);

	return result ? result : parse_list(text, kernel_range, set, errorp);
}

struct writer {
	char *buffer;
	size_t size, length;
};

static void put_char(struct writer *writer, char c)
{
	if (writer->length + 1 < writer->size)
		writer->buffer[writer->length] = c;
	writer->length++;
}

static void put_port(struct writer *writer, uint32_t port)
{
	if (port >= 10)
		put_port(writer, port / 10);
	put_char(writer, (char)('0' + port % 10));
}

size_t range_text_format(const struct port_set *set, char *buffer, size_t size)
{
	struct writer writer = { .buffer = buffer, .size = size };
	uint32_t lo, hi;

	for (uint32_t from = 0; from < N_PORTS &&
	     port_set_next_run(set, from, &lo, &hi); from = hi + 1) {
		if (writer.length)
			put_char(&writer, ',');
		put_port(&writer, lo);
		if (hi != lo) {
			put_char(&writer, '-');
			put_port(&writer, hi);
		}
	}
	if (size)
		buffer[writer.length < size ? writer.length : size - 1] = '\0';
	return writer.length;
}
