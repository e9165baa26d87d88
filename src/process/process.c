/* SPDX-License-Identifier: MIT */
#include "process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/filter.h"
#include "base/log.h"
#include "base/raw.h"
#include "base/text.h"
#include "map/event.h"
#include "process/report.h"

static const struct report bad_policy = {
	.kind = EVENT_BAD_POLICY,
	.verdict = EVENT_ALLOWED,
	.call = CALL_NONE,
};

/* strerror(3) may allocate, strerrorname_np(3) is not in every libc. */
const char *process_reason(int error)
{
	switch (error) {
	case EACCES: return "EACCES";
	case EFBIG: return "EFBIG, RLIMIT_FSIZE";
	case EPERM: return "EPERM";
	case ELOOP: return "ELOOP";
	case EMFILE: return "EMFILE";
	case ENFILE: return "ENFILE";
	case ENOENT: return "ENOENT";
	case ENOSYS: return "a seccomp filter refuses it";
	case ENOMEM: return "ENOMEM";
	case ENOSPC: return "ENOSPC";
	case EROFS: return "EROFS";
	case ESTALE: return "ESTALE";
	default: return "another error";
	}
}

/* Whether a process that has no shared map, or no policy, is refused ports. */
static bool refuses(const struct policy *policy)
{
	return policy->settings[SETTING_ON_ERROR] == ON_ERROR_REFUSE &&
	       !policy_observes(policy);
}

/* Not inlined, as tell_opening(). */
__attribute__((noinline)) static void tell_refused_variable(
	const struct process *process, const struct policy *policy,
	const struct environment_error *error)
{
	char text[ENVIRONMENT_ERROR_TEXT_SIZE];

	if (policy->settings[SETTING_LOG] == LOG_NONE)
		return;
	environment_error_text(error, text);
	log_line(
		&process->standard_error,
		(const char *const[]){ text,
				       policy->is_guess && refuses(policy)
					       ? "; refusing to bind or connect"
					       : "; the default is used",
				       NULL });
}

static void open_map(struct process *process, const struct place *place)
{
	const int result = map_open(place, MAP_CREATE, &process->map, NULL);

	if (result < 0)
		/* Without a map at all, memory stays NULL: port_pick_next(). */
		(void)map_open_private(result, &process->map);
	process->map.netns_inode = place->netns_inode;
	process->map.netns_cookie = place->netns_cookie;
	if (process->map.memory != NULL)
		/* Relaxed: the cache has no entries yet. */
		store_relaxed_u32(
			&process->n_lost,
			load_relaxed_u32(&process->map.memory->turn.n_lost));
}

static void tell_private(struct process *process, const struct policy *policy)
{
	report_line(&process->reporter, policy,
		    (const char *const[]){
			    "no shared map (",
			    process_reason(-process->map.shared_error), "), ",
			    refuses(policy) ? "refusing to bind or connect"
					    : "this process uses a private map",
			    NULL });
}

/* A policy may be in force that cannot be read, or others use another map. */
static void tell_missed_policy(struct process *process,
			       const struct policy *policy, int error)
{
	event_count(&process->map, COUNTER_BAD_POLICY);
	report_line(&process->reporter, policy,
		    (const char *const[]){
			    error != 0 ? "a policy cannot be read or made ("
				       : "no /proc (",
			    process_reason(error != 0 ? -error : ENOENT),
			    error != 0 ? "): this process goes on without it"
				       : "): other processes use another map",
			    NULL });
}

/*
 * A policy is in force that only processes which trust its owner follow; this
 * one does not.
 */
static void tell_ignored_policy(struct process *process,
				const struct policy *policy,
				const struct policy_file *file)
{
	char number[NUMBER_TEXT_SIZE];

	number_text(file->ignored_uid, number);
	report_event(&process->reporter, policy, &bad_policy);
	report_line(&process->reporter, policy,
		    (const char *const[]){
			    "the policy of user ", number, " in ",
			    place_parent_name(&process->source.place,
					      file->ignored_parent),
			    " is not followed: the folder is not root's",
			    NULL });
}

/*
 * Called after both were opened, since the policy may say what is done without
 * a map. Not inlined: the copy of the policy is not on the stack while they are
 * opened.
 */
__attribute__((noinline)) static void
tell_opening(struct process *process, const struct environment_error *error)
{
	const struct policy_file *file;
	struct policy policy;

	process_policy(process, &policy);
	file = policy_source_file(&process->source);
	if (error != NULL)
		tell_refused_variable(process, &policy, error);
	if (process->map.shared_error != 0)
		tell_private(process, &policy);
	else if (file->missed != 0 || process->kernel.netns_inode == 0)
		tell_missed_policy(process, &policy, file->missed);
	if (file->has_ignored)
		tell_ignored_policy(process, &policy, file);
}

/* --- the limit of descriptors ---------------------------------------------
 *
 * A program may start with no descriptor left below its soft limit, by accident
 * or in order to escape the policy.
 */

/* The most descriptors that Berth has open at a time. */
#define N_DESCRIPTORS 5u

struct limit {
	uint64_t soft, hard;
};

static long set_limit(const struct limit *limit, struct limit *oldp)
{
	return raw_call(SYS_prlimit64, 0, RLIMIT_NOFILE, limit, oldp);
}

/* Whether this many more descriptors can be opened. */
static bool has_descriptors(void)
{
	int fds[N_DESCRIPTORS];
	unsigned int n = 0;

	while (n < N_DESCRIPTORS &&
	       (fds[n] = raw_open(AT_FDCWD, "/", O_PATH, 0)) >= 0)
		n++;

	const bool is_full = n < N_DESCRIPTORS && fds[n] == -EMFILE;

	while (n > 0)
		raw_close(fds[--n]);
	return !is_full;
}

/*
 * Where no descriptor is left, raises the soft limit to the hard one. Returns
 * whether it has: the caller then sets *oldp again.
 */
static bool lift_limit(struct limit *oldp)
{
	if (has_descriptors() || set_limit(NULL, oldp) < 0 ||
	    oldp->soft == oldp->hard)
		return false;
	return set_limit(&(struct limit){ oldp->hard, oldp->hard }, NULL) >= 0;
}

/* --- opening -------------------------------------------------------------- */

static char *no_variable(const char *name)
{
	(void)name;
	return NULL;
}

void process_prepare(struct process *process)
{
	_Static_assert(EVENT_NAME_SIZE == IDENTITY_NAME_SIZE, "comm");
	process->reporter.map = &process->map;
	process->reporter.standard_error = &process->standard_error;
	process->reporter.program = process->source.identity.name;
}

void process_open(struct process *process, char *(*lookup)(const char *name))
{
	/* getauxval(3): set-user-ID and similar programs. The caller's
	 * environment does not count then. */
	const bool is_secure = getauxval(AT_SECURE) != 0;
	struct limit limit;
	struct environment_error error;

	filter_look();
	if (is_secure)
		lookup = no_variable;
	standard_error_note(&process->standard_error);
	process_prepare(process);
	const bool is_lifted = lift_limit(&limit);

	kernel_read(&process->kernel);

	struct place place = {
		.directory = environment_directory(lookup),
		.netns_inode = process->kernel.netns_inode,
		.netns_cookie = process->kernel.netns_cookie,
		.makes_nothing = is_secure,
		.retire = policy_file_retire,
	};

	users_read(&place.users);
	/* The policy comes first: it takes less memory, and it binds. */
	const int refused = policy_source_open(
		&process->source, lookup, &process->kernel, &place, &error);

	open_map(process, &place);
	if (is_lifted)
		set_limit(&limit, NULL);
	process->sweeps = true;
	fd_cache_open(&process->cache);
	tell_opening(process, refused < 0 ? &error : NULL);
}

void process_move(struct process *process)
{
	/* Relaxed: a thread sees what it has done itself. */
	store_relaxed_u32(&process->has_moved, 1);
}

bool process_is_away(const struct process *process)
{
	/* Relaxed: as above. */
	return load_relaxed_u32(&process->has_moved) != 0 &&
	       !kernel_is_in_netns(process->map.netns_inode,
				   process->map.netns_cookie);
}

void process_policy(struct process *process, struct policy *policyp)
{
	const enum policy_change change = policy_source_get(&process->source,
							    policyp);

	if (change == POLICY_NEW && process->map.memory != NULL)
		map_set_rest(&process->map, policyp->rest_ms);
	else if (change == POLICY_DAMAGED)
		report_event(&process->reporter, policyp, &bad_policy);
}
