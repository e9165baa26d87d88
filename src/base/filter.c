/* SPDX-License-Identifier: MIT */
#include "base/filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include "base/bpf.h"
#include "base/raw.h"
#include "base/raw_file.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

struct filter {
	const struct filter *older;
	size_t length;
	struct sock_filter code[];
};

#define FILTER_SIZE_MAX \
	(sizeof(struct filter) + BPF_LENGTH_MAX * sizeof(struct sock_filter))

atomic_u32 filter_watch;

static bool is_inherited; /* written at the start, before any hook reads it */

static atomic_pointer newest;  /* struct filter; NULL = none */
static atomic_u32 n_undecided; /* calls between begin and end */
static atomic_u32 is_strict;
/* There was no memory for a copy of a filter */
static atomic_u32 is_lost;

/* proc(5): every kernel that has seccomp filters shows this line. */
static bool look_at_line(const char *line, void *context)
{
	static const char name[] = "Seccomp:\t";
	char *modep = context; /* '0' = no filter */

	if (strncmp(line, name, sizeof(name) - 1) != 0)
		return true;
	*modep = line[sizeof(name) - 1];
	return false;
}

void filter_look(void)
{
	char mode = '0';

	is_inherited = raw_each_line("/proc/self/status", look_at_line, &mode) <
			       0 ||
		       mode != '0';
}

bool filter_is_inherited(void)
{
	return is_inherited;
}

static bool strict_allows(long number)
{
	return number == SYS_read || number == SYS_write || number == SYS_exit;
}

static bool is_harmless(uint32_t verdict)
{
	const uint32_t action = verdict & SECCOMP_RET_ACTION_FULL;

	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

bool filter_allows(long number, const long arguments[6])
{
	struct seccomp_data data = {
		.nr = (int)number,
		.arch = ARCHITECTURE,
		/* Only has to tell filters from other objects, so an estimate
		 * is enough. */
		.instruction_pointer = (uintptr_t)raw_syscall,
	};

	/* Acquire: what decide() stored is seen by the loads below. */
	if (load_acquire_u32(&n_undecided) != 0)
		return false;
	/* Relaxed, both: ordered by the acquire above. */
	if (load_relaxed_u32(&is_lost) != 0 ||
	    (load_relaxed_u32(&is_strict) != 0 && !strict_allows(number)))
		return false;
	for (int i = 0; i < 6; i++)
		data.args[i] = (unsigned long)arguments[i];

	/* Acquire: the filter's code is read after this, by this thread. */
	const struct filter *filter = load_acquire_pointer(&newest);

	for (; filter != NULL; filter = filter->older)
		if (!is_harmless(bpf_run(filter->code, filter->length, &data)))
			return false;
	return true;
}

struct filter *filter_begin(void)
{
	struct filter *copy = raw_map_private(FILTER_SIZE_MAX);

	/* Release, both: stored before the program's call, for a signal handler
	 * and for other threads that the filter will hold for. */
	add_release_u32(&n_undecided, 1);
	store_release_u32(&filter_watch, 1);
	return copy;
}

static void decide(void)
{
	/* Release: all stores before are seen by a thread that reads 0 here. */
	add_release_u32(&n_undecided, UINT32_MAX);
}

/* Unmaps the pages behind the first n bytes, if the filter allows this. */
static void trim(struct filter *copy, size_t n_bytes)
{
	const size_t page = getauxval(AT_PAGESZ);
	const size_t kept = (n_bytes + page - 1) / page * page;

	if (copy != NULL && kept < FILTER_SIZE_MAX)
		raw_unmap((char *)copy + kept, FILTER_SIZE_MAX - kept);
}

static void publish(struct filter *copy)
{
	/* Relaxed: the compare-and-swap decides. */
	const void *older = load_relaxed_pointer(&newest);

	do
		copy->older = older;
	/* Acq_rel: the copy is complete before any thread runs it. */
	while (!swap_if_acq_rel_pointer(&newest, &older, copy));
}

void filter_end(struct filter *copy, const struct sock_fprog *program,
		bool succeeded)
{
	size_t n_bytes = 0;

	if (succeeded && program == NULL) {
		/* Relaxed: ordered by decide(). */
		store_relaxed_u32(&is_strict, 1);
	} else if (succeeded && copy != NULL &&
		   program->len <= BPF_LENGTH_MAX) {
		copy->length = program->len;
		n_bytes = copy->length * sizeof(*copy->code);
		memcpy(copy->code, program->filter, n_bytes);
		n_bytes += sizeof(*copy);
		publish(copy);
	} else if (succeeded) {
		/* Relaxed: ordered by decide(). */
		store_relaxed_u32(&is_lost, 1);
	}
	decide();
	trim(copy, n_bytes);
}
