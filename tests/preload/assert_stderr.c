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
static int replace(void)
{
	close(STDERR_FILENO);
	if (open(DATA_FILE, O_RDWR | O_CREAT | O_TRUNC, 0600) != STDERR_FILENO)
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
	return must(-poll(&poll_end, 1, 0), "no line in the program's pipe");
}

static int limit_file(void)
{
	const struct rlimit limit = { FILE_LIMIT, FILE_LIMIT };

	must(setrlimit(RLIMIT_FSIZE, &limit), "RLIMIT_FSIZE");
	return use_up();
}

/* A signal that came before is the program's own, and comes once. */
static int keep_pending(bool to_process)
{
	const struct timespec at_once = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	must(to_process ? kill(getpid(), SIGPIPE) : raise(SIGPIPE), "signal");
	if (use_up())
		return 1;
	must(sigtimedwait(&set, NULL, &at_once), "the pending signal");
	return must(-sigtimedwait(&set, NULL, &at_once) - 1, "no second one");
}

static int keep_pending_of_thread(void)
{
	return keep_pending(false);
}

static int keep_pending_of_process(void)
{
	return keep_pending(true);
}

/* How the program comes to a line; "start" comes before main(). */
static const struct {
	const char *name;
	int (*speak)(void);
} ways[] = {
	{ "call", use_up },
	{ "replaced", replace },
	{ "reopened", reopen },
	{ "moved", move_to_pipe },
	{ "limited", limit_file },
	{ "pending", keep_pending_of_thread },
	{ "pending for the process", keep_pending_of_process },
};

static int speak(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (strcmp(ways[i].name, name) == 0)
			return ways[i].speak();
	return strcmp(name, "start") == 0 ? 0 : 2;
}

/* --- where standard error may be ------------------------------------------ */

/* What the program gets as 2, and where its lines can be read; -1 = nowhere. */
struct location {
	int end, reading;
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
	return (struct location){ ends[1], ends[0] };
}

static struct location make_socket(void)
{
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
	     "socketpair");
	return (struct location){ ends[1], ends[0] };
}

static struct location make_file(void)
{
	const char bytes[FILE_LIMIT] = { 0 };
	const int fd = must(
		open("log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND,
		     0600),
		"log");

	must((int)write(fd, bytes, sizeof(bytes)), "log");
	return (struct location){ fd, open("log", O_RDONLY | O_CLOEXEC) };
}

static struct location make_null(void)
{
	return (struct location){ open("/dev/null", O_RDWR | O_CLOEXEC), -1 };
}

static struct location make_none(void)
{
	return (struct location){ -1, -1 };
}

static struct location make_terminal(void)
{
	const int master = must(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC),
				"posix_openpt");

	must(grantpt(master) | unlockpt(master), "unlockpt");
	return (struct location){
		must(open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC),
		     "terminal"),
		master,
	};
}

enum state {
	OPEN,
	UNREAD,
	FULL, /* of a terminal the line discipline takes some, when it runs */
	ALMOST_FULL, /* room for less than a line */
	STOPPED,
	BACKGROUND, /* who writes is stopped: "TOSTOP" in termios(3) */
};

static void change(struct location *place, enum state state)
{
	struct termios settings;
	char bytes[16];

	if (state == FULL || state == ALMOST_FULL)
		fill(place->end);
	if (state == ALMOST_FULL)
		must((int)read(place->reading, bytes, sizeof(bytes)),
		     "terminal");
	if (state == STOPPED)
		must(tcflow(place->end, TCOOFF), "TCOOFF");
	if (state == UNREAD) {
		close(place->reading);
		place->reading = -1;
	}
	if (state == BACKGROUND) {
		must(tcgetattr(place->end, &settings), "tcgetattr");
		settings.c_lflag |= TOSTOP;
		must(tcsetattr(place->end, TCSANOW, &settings), "tcsetattr");
	}
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

static int run(const char *self, const char *way, const struct location *place,
	       bool background)
{
	const int child = must(fork(), "fork");
	int status;

	if (child == 0) {
		if (place->end < 0)
			close(STDERR_FILENO);
		else
			dup2(place->end, STDERR_FILENO);
		if (background)
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

/* "reopened" opens the same file anew as 2; "replaced" and "moved" another. */
static const struct scene {
	const char *name;
	struct location (*make)(void);
	enum state state;
	enum wanted wanted;
	const char *ways; /* with a comma between */
} scenes[] = {
	{ "a pipe", make_pipe, OPEN, A_LINE, "start,call" },
	{ "an unread pipe", make_pipe, UNREAD, NO_LINE,
	  "start,call,pending,pending for the process" },
	{ "a full pipe", make_pipe, FULL, NO_LINE, "start,call" },
	{ "a socket", make_socket, OPEN, A_LINE, "start,call" },
	{ "an unread socket", make_socket, UNREAD, NO_LINE, "start,call" },
	{ "a full socket", make_socket, FULL, NO_LINE, "start,call" },
	{ "a file", make_file, OPEN, A_LINE, "start,call,reopened" },
	{ "a file at its limit", make_file, OPEN, NO_LINE, "limited" },
	{ "a terminal", make_terminal, OPEN, A_LINE, "start,call,reopened" },
	{ "a stopped terminal", make_terminal, STOPPED, NO_LINE, "start,call" },
	{ "a full terminal", make_terminal, FULL, ANY, "start,call" },
	{ "an almost full terminal", make_terminal, ALMOST_FULL, ANY,
	  "start,call" },
	{ "a terminal of others", make_terminal, BACKGROUND, A_LINE,
	  "start,call" },
	{ "/dev/null", make_null, OPEN, NO_LINE, "call" },
	{ "nothing", make_none, OPEN, NO_LINE, "start,call,replaced" },
	{ "a pipe", make_pipe, OPEN, NO_LINE, "replaced,moved" },
	{ "a file", make_file, OPEN, NO_LINE, "replaced" },
	{ "a terminal", make_terminal, OPEN, NO_LINE, "replaced" },
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

static void play(const char *self, const struct scene *scene, const char *way)
{
	struct location place = scene->make();

	change(&place, scene->state);

	const int status = run(self, way, &place, scene->state == BACKGROUND);
	const bool line = has_line(&place);

	check(status == 0, "%s, %s: ends as without Berth, status 0x%x",
	      scene->name, way, status);
	check(scene->wanted == ANY || line == (scene->wanted == A_LINE),
	      "%s, %s: %s", scene->name, way,
	      line ? "a line is written" : "no line is written");
	if (strcmp(way, "replaced") == 0)
		check(is_data_untouched(), "%s: the data is as it was",
		      scene->name);
	close(place.end);
	close(place.reading);
}

int main(int argc, char **argv)
{
	if (argc > 2)
		return speak(argv[2]);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
		char ways_left[64], *left = ways_left;

		strcpy(ways_left, scenes[i].ways);
		for (char *way; (way = strsep(&left, ",")) != NULL;)
			play(argv[0], &scenes[i], way);
	}
	return 0;
}
