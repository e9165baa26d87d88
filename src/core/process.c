/* SPDX-License-Identifier: MIT */
#include "core/process.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/raw.h"
#include "core/counter.h"
#include "core/endpoint.h"
#include "core/report.h"
#include "core/socket.h"
#include "core/space.h"

/* strerror(3) may allocate, strerrorname_np(3) is not in every libc. */
static const char *reason(int error)
{
	switch (error) {
	case EACCES: return "EACCES";
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

static void open_policy(struct process *process, char *(*lookup)(const char *),
			const struct arena_place *place)
{
	struct environment_error error;
	char text[ENVIRONMENT_ERROR_TEXT_SIZE];
	struct policy policy;

	if (policy_source_open(&process->source, lookup, &process->kernel,
			       place, &error) == 0)
		return;
	process_policy(process, &policy);
	if (policy.settings[SETTING_LOG] == LOG_NONE)
		return;
	environment_error_text(&error, text);
	log_line((const char *const[]){
		text, policy_refuses_all(&policy) &&
		      policy.settings[SETTING_MODE] == MODE_ENFORCE
			? "; refusing to bind or connect"
			: "; the default is kept", NULL });
}

static void open_arena(struct process *process, const struct arena_place *place)
{
	const int result = arena_open(place, ARENA_CREATE, &process->arena,
				      NULL);

	if (result < 0)
		/* Without a map at all, memory stays NULL: port_pick_next(). */
		(void)arena_open_private(result, &process->arena);
}

/* After both, since a policy may say what is done without an arena. */
static void tell_private(struct process *process)
{
	struct policy policy;

	process_policy(process, &policy);
	if (process->arena.shared_error == 0)
		return;
	report_line(process, &policy, (const char *const[]){
		"no shared arena (", reason(-process->arena.shared_error),
		"), ", policy.settings[SETTING_ON_ERROR] == ON_ERROR_REFUSE &&
		       policy.settings[SETTING_MODE] == MODE_ENFORCE
			? "refusing to bind or connect"
			: "this process is on its own",
		NULL });
}

/* Without the shared arena, that is told, and says it all. */
static void tell_missed_policy(struct process *process)
{
	const int error = process->source.file.missed;
	struct policy policy;

	if (process->arena.shared_error != 0 ||
	    (error == 0 && process->kernel.netns_inode != 0))
		return;
	process_policy(process, &policy);
	counter_add(&process->arena, COUNTER_BAD_POLICY);
	report_line(process, &policy, (const char *const[]){
		error != 0 ? "a policy cannot be read or made (" : "no /proc (",
		reason(error != 0 ? -error : ENOENT),
		error != 0 ? "): this process does without it"
			   : "): this process keeps to those without it",
		NULL });
}

void process_open(struct process *process, char *(*lookup)(const char *name))
{
	kernel_read(&process->kernel);

	const struct arena_place place = {
		.directory = environment_directory(lookup),
		.netns_inode = process->kernel.netns_inode,
		.netns_cookie = process->kernel.netns_cookie,
	};

	open_arena(process, &place);
	process->sweeps = true;
	fd_cache_open(&process->cache);
	open_policy(process, lookup, &place);
	tell_private(process);
	tell_missed_policy(process);
}

void process_policy(struct process *process, struct policy *policyp)
{
	const enum policy_change change =
		policy_source_get(&process->source, policyp);
	const struct report report = {
		.kind = EVENT_BAD_POLICY, .verdict = EVENT_ALLOWED,
		.call = CALL_NONE,
	};

	if (change == POLICY_NEW && process->arena.memory != NULL)
		arena_set_rest(&process->arena, policyp->rest_ms);
	else if (change == POLICY_DAMAGED)
		report_event(process, policyp, &report);
}

void process_release(struct process *process, const struct fd_facts *facts)
{
	if (process->arena.memory == NULL ||
	    !fd_cache_holds(&process->cache, facts))
		return;
	if (facts->copied &&
	    fd_cache_find_copy(&process->cache, -1, facts) >= 0)
		return;

	const struct lease lease = {
		.space = (enum space)facts->space,
		.use = (enum use)facts->use,
		.port = facts->port,
		.plane = facts->plane,
	};

	ledger_release(&process->arena, &lease,
		       facts->rests ? clock_now_ms() : 0);
}

void process_hold(struct process *process, const struct lease *lease,
		  struct fd_facts *factsp)
{
	fd_cache_begin(&process->cache);
	factsp->has_port = 1;
	factsp->port = lease->port;
	factsp->use = lease->use & 3;
	factsp->plane = lease->plane & 1023;
	/* Relaxed: of this process, which has just been told. */
	factsp->generation =
		load_relaxed_u32(&process->cache.generation) & 255;
}

void process_end(struct process *process)
{
	if (!fd_cache_own(&process->cache))
		return;

	/* Relaxed: what another thread enters now is the sweep's to find. */
	const uint32_t n_used = load_relaxed_u32(&process->cache.n_used);

	for (uint32_t fd = 0; fd < n_used; fd++) {
		const struct fd_facts facts =
			fd_cache_take(&process->cache, (int)fd);

		process_release(process, &facts);
	}
}

static bool same_lease(const struct fd_facts *a, const struct fd_facts *b)
{
	return a->use == b->use && a->space == b->space &&
	       a->port == b->port && a->plane == b->plane;
}

void process_doubt(struct process *process, int fd)
{
	const struct fd_facts now = fd_cache_get(&process->cache, fd);
	struct fd_facts doubted = now;

	doubted.doubted = 1;
	if (now.known)
		(void)fd_cache_replace(&process->cache, fd, now, doubted);
}

bool process_enter(struct process *process, int fd, struct fd_facts facts)
{
	if ((uint32_t)fd >= process->cache.n_fds)
		return false;

	const struct fd_facts now = fd_cache_get(&process->cache, fd);

	/* What a vfork child would displace its parent still holds. */
	if (now.use != USE_FREE && !same_lease(&now, &facts) &&
	    !fd_cache_own(&process->cache)) {
		process_doubt(process, fd);
		return false;
	}

	const struct fd_facts old = fd_cache_put(&process->cache, fd, facts);

	if (!same_lease(&old, &facts))
		process_release(process, &old);
	return true;
}

void process_drop_port(struct process *process, int fd, struct fd_facts *factsp)
{
	if (factsp->loose)
		socket_unpin(fd);
	factsp->has_port = 0;
	factsp->loose = 0;
	factsp->connecting = 0;
	factsp->use = USE_FREE;
	process_enter(process, fd, *factsp);
}

static int ask_kind(int fd, struct fd_facts *factsp)
{
	int domain = 0, type = 0, protocol = 0;
	int result = raw_get_int_option(fd, SOL_SOCKET, SO_DOMAIN, &domain);

	if (result == 0)
		result = raw_get_int_option(fd, SOL_SOCKET, SO_TYPE, &type);
	if (result == 0)
		result = raw_get_int_option(fd, SOL_SOCKET, SO_PROTOCOL,
					    &protocol);
	if (result < 0)
		return result;

	*factsp = socket_facts(domain, type, protocol);
	return 0;
}

/* What another descriptor of the same socket has come to know meanwhile. */
static void adopt_copy(const struct process *process, int fd,
		       struct fd_facts *factsp)
{
	const int copy = fd_cache_find_copy(&process->cache, fd, factsp);

	if (copy >= 0)
		*factsp = fd_cache_get(&process->cache, copy);
}

/* The kernel, or a filter, does not say what a descriptor is. */
static int tell_unknown(struct process *process, int result)
{
	struct policy policy;

	/* No socket, or no descriptor: nothing to assign a port to. */
	if (result == -EBADF || result == -ENOTSOCK)
		return result;
	process_policy(process, &policy);
	counter_add(&process->arena, raw_is_filtered(result)
			? COUNTER_FILTERED : COUNTER_PIN_IGNORED);
	report_line(process, &policy, (const char *const[]){
		"cannot look at a socket (", reason(-result),
		"): it is left alone", NULL });
	return result;
}

int process_ask(struct process *process, int fd, struct fd_facts *factsp)
{
	const struct fd_facts old = fd_cache_get(&process->cache, fd);
	struct endpoint local;
	int result = ask_kind(fd, factsp);

	if (result < 0)
		return tell_unknown(process, result);
	factsp->copied = old.copied;
	if (factsp->covered) {
		result = socket_local(fd, &local);
		if (result < 0)
			return tell_unknown(process, result);
		factsp->has_port = local.port != 0;
		factsp->has_address = !endpoint_is_wildcard(&local);
		factsp->port = local.port;
		/* Whether it was named, nobody can tell. */
		factsp->loose = factsp->has_port;
		factsp->own_range = socket_has_own_range(fd, local.port);
	}
	const unsigned int own_range = factsp->own_range;

	if (old.known && old.has_port && factsp->has_port &&
	    old.space == factsp->space && old.port == factsp->port)
		*factsp = old;
	else if (old.copied && factsp->has_port)
		adopt_copy(process, fd, factsp);
	factsp->own_range = own_range & 1;
	factsp->doubted = 0;
	process_enter(process, fd, *factsp);
	return 0;
}

int process_facts(struct process *process, int fd, struct fd_facts *factsp)
{
	*factsp = fd_cache_get(&process->cache, fd);
	return factsp->known && !factsp->doubted
		? 0 : process_ask(process, fd, factsp);
}
