/* SPDX-License-Identifier: MIT */
#include "judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SECOND_PASS "pass 2\n"

/* One line of target's: "scene/what ok|-1 errno where". */
struct line {
	const char *text;
	size_t length;
	char what[48], result[8], error[24], where[8];
};

struct judging {
	const struct expectation *expectation;
	const struct fault *fault;
	const struct outcome *outcome;
	bool is_told;
	bool has_strayed;	/* a line of this pass differed, as it may */
};

/* Returns false at the end. */
static bool take_line(const char **atp, struct line *line)
{
	const char *end = strchr(*atp, '\n');
	char text[128];

	if (end == NULL)
		return false;
	*line = (struct line){ .text = *atp,
			       .length = (size_t)(end - *atp) };
	snprintf(text, sizeof(text), "%.*s", (int)line->length, *atp);
	sscanf(text, "%47s %7s %23s %7s", line->what, line->result, line->error,
	       line->where);
	*atp = end + 1;
	return true;
}

static bool is_same(const struct line *a, const struct line *b)
{
	return a->length == b->length &&
	       memcmp(a->text, b->text, a->length) == 0;
}

static bool is_error(const struct line *line, int error)
{
	const char *name = strerrorname_np(error);

	return error != 0 && name != NULL && strcmp(line->error, name) == 0;
}

/* No socket, or a pointer to nothing: the kernel would tell the program so. */
static bool is_about_call(int error)
{
	return error == EBADF || error == ENOTSOCK || error == EFAULT;
}

/*
 * Whether the call that failed was the program's, or one in its place: as
 * libtirpc does, bindresvport() asks for the family.
 */
static bool is_for_program(const struct traced_call *call,
			   const struct line *line)
{
	return call->origin == ORIGIN_PASSED_ON || call->number == SYS_bind ||
	       call->number == SYS_connect ||
	       (call->number == SYS_getsockname &&
		strstr(line->what, "/bindresvport") != NULL);
}

/* Calls that a signal does interrupt: fallocate(2) on a tmpfs, sockets. */
static bool is_repeated(const struct traced_call *call)
{
	return call->origin == ORIGIN_BERTH &&
	       (call->number == SYS_fallocate || call->number == SYS_recvfrom);
}

/* Where the port lies, of a call that succeeded or that goes on. */
static const char *judge_port(const struct judging *judging,
			      const struct line *line)
{
	return strcmp(line->where, "out") != 0 || judging->is_told ||
	       is_about_call(judging->fault->error)
		? NULL : "a port outside the range, and nobody is told";
}

static const char *judge_success(const struct judging *judging,
				 const struct line *sound,
				 const struct line *line)
{
	if (strcmp(line->error, "kept") != 0)
		return "a success has changed errno";
	if (sound != NULL && strcmp(line->what, sound->what) == 0 &&
	    strcmp(sound->result, "-1") == 0 && !judging->is_told &&
	    !is_about_call(judging->fault->error))
		return "what is refused was done";
	return judge_port(judging, line);
}

/* That no port is left, in the words of each call. */
static bool is_exhaustion(const struct line *line)
{
	return is_error(line, EADDRINUSE) || is_error(line, EADDRNOTAVAIL) ||
	       is_error(line, EAGAIN);
}

static const char *judge_failure(const struct judging *judging,
				 const struct line *sound,
				 const struct line *line)
{
	const int error = judging->fault->error;

	if (sound != NULL && strcmp(line->what, sound->what) == 0 &&
	    strcmp(line->error, sound->error) == 0)
		return judge_port(judging, line);
	if (judging->is_told &&
	    (is_exhaustion(line) || (judging->expectation->refuses &&
				     is_error(line, EACCES))))
		return NULL;
	if (is_error(line, error) &&
	    (is_for_program(&judging->fault->call, line) ||
	     is_about_call(error)))
		return NULL;
	return "the program's call fails by a fault that is none of its own";
}

/* A line that differs from the one without a fault. */
static const char *judge_line(struct judging *judging, const struct line *sound,
			      const struct line *line)
{
	const char *complaint;

	if (judging->fault->error == EINTR &&
	    is_repeated(&judging->fault->call))
		return "an interruption shows";
	if (strchr(line->what, '/') == NULL)
		return "a line that does not belong here";
	/* An option that could not be set or looked at is as it is. */
	if (strstr(line->what, "/value") != NULL)
		return NULL;
	complaint = strcmp(line->result, "ok") == 0
		? judge_success(judging, sound, line)
		: judge_failure(judging, sound, line);
	judging->has_strayed = true;
	return complaint;
}

/* Values of options and what comes after a failure in a scene may differ. */
static bool is_consequence(const struct judging *judging,
			   const struct line *line)
{
	return judging->has_strayed &&
	       (strcmp(line->result, "-1") == 0 ||
		strcmp(line->where, "out") != 0);
}

static bool is_second_pass(const struct line *line)
{
	return strncmp(line->text, SECOND_PASS, strlen(SECOND_PASS)) == 0;
}

static const char *judge_lines(struct judging *judging, const char *text,
			       const char **linep)
{
	const char *sound_text = judging->expectation->sound->output;
	const char *complaint = NULL;
	struct line sound, line;

	while (complaint == NULL && take_line(&text, &line)) {
		*linep = line.text;
		if (is_second_pass(&line)) {
			sound_text = strstr(
				judging->expectation->sound->output,
				SECOND_PASS);
			if (!judging->expectation->lasts)
				return strcmp(sound_text, line.text) == 0 ? NULL
					: "the fault still shows afterwards";
			judging->has_strayed = false;
		}

		const bool has_sound = take_line(&sound_text, &sound);

		if (!(has_sound && is_same(&sound, &line)) &&
		    !is_consequence(judging, &line))
			complaint = judge_line(judging,
					       has_sound ? &sound : NULL,
					       &line);
	}
	return complaint;
}

const char *judge(const struct expectation *expectation,
		  const struct fault *fault, const struct outcome *outcome,
		  const char **linep)
{
	struct judging judging = {
		.expectation = expectation, .fault = fault, .outcome = outcome,
		.is_told = expectation->is_counted ||
			   strstr(outcome->errors, "berth: ") != NULL,
	};

	*linep = NULL;
	if (outcome->hung)
		return "the program hangs";
	if (!WIFEXITED(outcome->status))
		return "the program is killed";
	if (WEXITSTATUS(outcome->status) != 0)
		return "the program's status is not 0";
	if (strcmp(outcome->fds, expectation->sound->fds) != 0)
		return "a descriptor is left open";
	return judge_lines(&judging, outcome->output, linep);
}
