/* SPDX-License-Identifier: MIT */
/*
 * Berth's lines on standard error: no signal, no wait, and nothing into a file
 * that only has the number 2. Edge cases 43 and 44.
 *
 * The program starts itself once for each place that standard error may be, and
 * for each way to come to a line: at the start, since BERTH_RANGE is wrong, and
 * in a bind() that finds the range used up. It looks at how that ended and at
 * what was written.
 */
#include "probe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>

#define ONE_PORT "40000"
#define WRONG_RANGE "wrong"
#define PREFIX "berth: "
#define DATA "DATA"
#define DATA_FILE "data"
#define FILE_LIMIT 100
/* A program that waits for the reader waits for ever; a busy machine does not. */
#define HANG_SECONDS 60

/* --- the program that has something to say -------------------------------- */

#define BAD(what) (fprintf(stdout, "%s\n", what), 1)

/* The second bind finds nothing: an event, and a line. */
static int use_up(void)
{
	const struct address any = any_of(&kinds[TCP4], 0);
	const int one = open_kind(&kinds[TCP4]), two = open_kind(&kinds[TCP4]);
	sigset_t before = { 0 }, after = { 0 };
	int result;

	sigprocmask(SIG_SETMASK, NULL, &before);
	must(bind_to(one, any), "the only port");
	result = bind_to(two, any);
	if (result == 0 || errno != EADDRINUSE)
		return BAD("the second bind is not refused");
	sigprocmask(SIG_SETMASK, NULL, &after);
	return memcmp(&before, &after, sizeof(after)) == 0
		       ? 0
		       : BAD("the signal mask has changed");
}

/* What a daemon does: it closes 2, and opens its data file. */
static int replace(const char *path)
{
	close(STDERR_FILENO);
	if (open(path, O_RDWR | O_CREAT | O_TRUNC, 0600) != STDERR_FILENO)
		return BAD("the data file is not number 2");
	return write(STDERR_FILENO, DATA, strlen(DATA)) < 0 ? 1 : use_up();
}

static int reopen(void)
{
	const int again = open("/proc/self/fd/2", O_WRONLY | O_APPEND);

	must(dup2(again, STDERR_FILENO), "dup2");
	return use_up();
}

static int move_to_pipe(void)
{
	int ends[2];
	struct pollfd poll_end = { .events = POLLIN };

	must(pipe(ends), "pipe");
	must(dup2(ends[1], STDERR_FILENO), "dup2");
	poll_end.fd = ends[0];
	if (use_up())
		return 1;
	return poll(&poll_end, 1, 0) == 0
		       ? 0
		       : BAD("a line in a pipe of the program's");
}

static int limit_file(void)
{
	const struct rlimit limit = { FILE_LIMIT, FILE_LIMIT };

	must(setrlimit(RLIMIT_FSIZE, &limit), "RLIMIT_FSIZE");
	return use_up();
}

/* A signal that came before is the program's own, and comes once. */
static int keep_pending(int number, bool to_process)
{
	const struct timespec at_once = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_BLOCK, &set, NULL);
	must(to_process ? kill(getpid(), number) : raise(number), "signal");
	if (use_up())
		return 1;
	if (sigtimedwait(&set, NULL, &at_once) != number)
		return BAD("a pending signal is gone");
	return sigtimedwait(&set, NULL, &at_once) < 0
		       ? 0
		       : BAD("a signal is pending twice");
}

static int speak(const char *way)
{
	if (strcmp(way, "start") == 0)
		return 0;
	if (strcmp(way, "replaced") == 0)
		return replace(DATA_FILE);
	if (strcmp(way, "reopened") == 0)
		return reopen();
	if (strcmp(way, "moved") == 0)
		return move_to_pipe();
	if (strcmp(way, "limited") == 0)
		return limit_file();
	if (strcmp(way, "pending") == 0)
		return keep_pending(SIGPIPE, false);
	if (strcmp(way, "pending for the process") == 0)
		return keep_pending(SIGPIPE, true);
	return use_up();
}

/* --- where standard error may be ------------------------------------------ */

/* What the program gets as 2, and where its lines can be read; -1 = nowhere. */
struct location {
	int end, reading;
	bool background; /* of a terminal */
};

static void fill(int fd)
{
	const char bytes[512] = { 0 };
	const int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while (write(fd, bytes, sizeof(bytes)) > 0 || write(fd, bytes, 1) > 0)
		;
	fcntl(fd, F_SETFL, flags);
}

static struct location make_pipe(void)
{
	int ends[2];

	must(pipe2(ends, O_CLOEXEC), "pipe");
	return (struct location){ ends[1], ends[0], false };
}

static struct location make_unread_pipe(void)
{
	struct location place = make_pipe();

	close(place.reading);
	place.reading = -1;
	return place;
}

static struct location make_full_pipe(void)
{
	struct location place = make_pipe();

	fill(place.end);
	return place;
}

static struct location make_socket(void)
{
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
	     "socketpair");
	return (struct location){ ends[1], ends[0], false };
}

static struct location make_unread_socket(void)
{
	struct location place = make_socket();

	close(place.reading);
	place.reading = -1;
	return place;
}

static struct location make_full_socket(void)
{
	struct location place = make_socket();

	fill(place.end);
	return place;
}

static struct location make_file(void)
{
	const char bytes[FILE_LIMIT] = { 0 };
	const int fd = must(
		open("log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND,
		     0600),
		"log");

	must((int)write(fd, bytes, sizeof(bytes)), "log");
	return (struct location){ fd, open("log", O_RDONLY | O_CLOEXEC),
				  false };
}

static struct location make_null(void)
{
	return (struct location){ open("/dev/null", O_RDWR | O_CLOEXEC), -1,
				  false };
}

static struct location make_none(void)
{
	return (struct location){ -1, -1, false };
}

static struct location make_terminal(void)
{
	const int master = must(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC),
				"posix_openpt");
	struct location place = { .reading = master };

	must(grantpt(master) | unlockpt(master), "unlockpt");
	place.end = must(open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC),
			 "terminal");
	return place;
}

static struct location make_stopped_terminal(void)
{
	struct location place = make_terminal();

	must(tcflow(place.end, TCOOFF), "TCOOFF");
	return place;
}

/* The line discipline takes some of it on, whenever it comes to run. */
static struct location make_full_terminal(void)
{
	struct location place = make_terminal();

	fill(place.end);
	return place;
}

/* Room for less than a line. */
static struct location make_almost_full_terminal(void)
{
	struct location place = make_full_terminal();
	char bytes[16];

	must((int)read(place.reading, bytes, sizeof(bytes)), "terminal");
	return place;
}

/* Who writes from the background is stopped: "TOSTOP" in termios(3). */
static struct location make_background_terminal(void)
{
	struct location place = make_terminal();
	struct termios settings;

	must(tcgetattr(place.end, &settings), "tcgetattr");
	settings.c_lflag |= TOSTOP;
	must(tcsetattr(place.end, TCSANOW, &settings), "tcsetattr");
	place.background = true;
	return place;
}

/* --- its parent ----------------------------------------------------------- */

#define STATUS_STOPPED 90
#define STATUS_KILLED 91

static void start(const char *self, const char *way)
{
	setenv("BERTH_LOG", strcmp(way, "start") ? "stderr" : "start", 1);
	setenv("BERTH_RANGE", strcmp(way, "start") ? ONE_PORT : WRONG_RANGE, 1);
	/* It outlives execve(). */
	alarm(HANG_SECONDS);
	execl(self, self, ONE_PORT, way, (char *)NULL);
	_exit(99);
}

/* Makes the terminal that of a new session, and a child its background. */
static void start_in_background(const char *self, const char *way)
{
	int status;

	setsid();
	ioctl(STDERR_FILENO, TIOCSCTTY, 0);

	const int child = fork();

	if (child == 0) {
		setpgid(0, 0);
		start(self, way);
	}
	waitpid(child, &status, WUNTRACED);
	if (WIFSTOPPED(status)) {
		kill(child, SIGKILL);
		_exit(STATUS_STOPPED);
	}
	_exit(WIFSIGNALED(status) ? STATUS_KILLED : WEXITSTATUS(status));
}

static int run(const char *self, const char *way, const struct location *place)
{
	const int child = must(fork(), "fork");
	int status;

	if (child == 0) {
		if (place->end < 0)
			close(STDERR_FILENO);
		else
			dup2(place->end, STDERR_FILENO);
		if (place->background)
			start_in_background(self, way);
		start(self, way);
	}
	must(waitpid(child, &status, 0), "waitpid");
	return status;
}

/* Whether a line of Berth's can be read now. */
static bool has_line(const struct location *place)
{
	static char bytes[1 << 20];
	const int flags = fcntl(place->reading, F_GETFL);
	size_t size = 0;
	ssize_t n;

	if (place->reading < 0)
		return false;
	fcntl(place->reading, F_SETFL, flags | O_NONBLOCK);
	while (size < sizeof(bytes) && (n = read(place->reading, bytes + size,
						 sizeof(bytes) - size)) > 0)
		size += (size_t)n;
	return memmem(bytes, size, PREFIX, strlen(PREFIX)) != NULL;
}

enum wanted { NO_LINE, A_LINE, ANY };

static const struct scene {
	const char *name, *way;
	struct location (*make)(void);
	enum wanted wanted;
} scenes[] = {
	{ "a pipe", "start", make_pipe, A_LINE },
	{ "a pipe", "call", make_pipe, A_LINE },
	{ "a pipe that nobody reads", "start", make_unread_pipe, NO_LINE },
	{ "a pipe that nobody reads", "call", make_unread_pipe, NO_LINE },
	{ "a pipe that nobody reads", "pending", make_unread_pipe, NO_LINE },
	{ "a pipe that nobody reads", "pending for the process",
	  make_unread_pipe, NO_LINE },
	{ "a full pipe", "start", make_full_pipe, NO_LINE },
	{ "a full pipe", "call", make_full_pipe, NO_LINE },
	{ "a socket", "start", make_socket, A_LINE },
	{ "a socket", "call", make_socket, A_LINE },
	{ "a socket that nobody reads", "start", make_unread_socket, NO_LINE },
	{ "a socket that nobody reads", "call", make_unread_socket, NO_LINE },
	{ "a full socket", "start", make_full_socket, NO_LINE },
	{ "a full socket", "call", make_full_socket, NO_LINE },
	{ "a file", "start", make_file, A_LINE },
	{ "a file", "call", make_file, A_LINE },
	{ "a file at its limit", "limited", make_file, NO_LINE },
	{ "a terminal", "start", make_terminal, A_LINE },
	{ "a terminal", "call", make_terminal, A_LINE },
	{ "a terminal that is stopped", "start", make_stopped_terminal,
	  NO_LINE },
	{ "a terminal that is stopped", "call", make_stopped_terminal,
	  NO_LINE },
	{ "a full terminal", "start", make_full_terminal, ANY },
	{ "a full terminal", "call", make_full_terminal, ANY },
	{ "an almost full terminal", "start", make_almost_full_terminal, ANY },
	{ "an almost full terminal", "call", make_almost_full_terminal, ANY },
	{ "a terminal of others", "start", make_background_terminal, A_LINE },
	{ "a terminal of others", "call", make_background_terminal, A_LINE },
	{ "/dev/null", "call", make_null, NO_LINE },
	{ "nothing", "start", make_none, NO_LINE },
	{ "nothing", "call", make_none, NO_LINE },
	{ "nothing, and 2 is a data file", "replaced", make_none, NO_LINE },
	{ "a pipe, and 2 is a data file", "replaced", make_pipe, NO_LINE },
	{ "a file, and 2 is a data file", "replaced", make_file, NO_LINE },
	{ "a terminal, and 2 is a data file", "replaced", make_terminal,
	  NO_LINE },
	{ "a pipe, and 2 another pipe", "moved", make_pipe, NO_LINE },
	{ "a file, opened anew as 2", "reopened", make_file, A_LINE },
	{ "a terminal, opened anew as 2", "reopened", make_terminal, A_LINE },
};

static bool is_data_untouched(void)
{
	char bytes[sizeof(DATA) + 1] = { 0 };
	const int fd = open(DATA_FILE, O_RDONLY);
	const ssize_t n = read(fd, bytes, sizeof(bytes));

	close(fd);
	return n == (ssize_t)strlen(DATA) &&
	       memcmp(bytes, DATA, (size_t)n) == 0;
}

static void play(const char *self, const struct scene *scene)
{
	struct location place = scene->make();
	const int status = run(self, scene->way, &place);
	const bool line = has_line(&place);

	check(status == 0, "%s, %s: ends as without Berth, status 0x%x",
	      scene->name, scene->way, status);
	check(scene->wanted == ANY || line == (scene->wanted == A_LINE),
	      "%s, %s: %s", scene->name, scene->way,
	      line ? "a line is written" : "no line is written");
	if (strcmp(scene->way, "replaced") == 0)
		check(is_data_untouched(), "%s: the data is as it was",
		      scene->name);
	close(place.end);
	close(place.reading);
}

int main(int argc, char **argv)
{
	if (argc > 2)
		return speak(argv[2]);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++)
		play(argv[0], &scenes[i]);
	return 0;
}
