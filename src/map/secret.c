/* SPDX-License-Identifier: MIT */
#include "map/secret.h"

#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/clock.h"
#include "base/raw.h"
#include "map/siphash.h"

/* getrandom(2): a request of up to this size is always filled completely. */
#define CHUNK 256u

/* What makes one result differ from all others under the same AT_RANDOM. */
struct moment {
	struct timespec time;
	uint64_t address;
	uint64_t pid;
	uint64_t index;		/* of the word that is computed from it */
};

static void fill_by_hash(unsigned char *bytes, size_t n_bytes)
{
	struct moment moment = {
		.address = (uintptr_t)bytes, .pid = (uint64_t)raw_getpid(),
	};
	/* getauxval(3): 16 random bytes of this process. */
	const uintptr_t seed = getauxval(AT_RANDOM);
	struct siphash_key key = { 0, 0 };

	clock_read(CLOCK_REALTIME, &moment.time);
	if (seed != 0)
		memcpy(&key, (const void *)seed, sizeof(key));
	for (size_t done = 0; done < n_bytes; done += sizeof(uint64_t)) {
		const size_t left = n_bytes - done;
		/* The result of a keyed hash does not disclose its key. */
		const uint64_t word = siphash_2_4(&key, &moment,
						  sizeof(moment));

		memcpy(bytes + done, &word,
		       left < sizeof(word) ? left : sizeof(word));
		moment.index++;
	}
}

void secret_fill(void *bytes, size_t n_bytes)
{
	unsigned char *at = bytes;

	while (n_bytes > 0) {
		const size_t chunk = n_bytes < CHUNK ? n_bytes : CHUNK;

		if (raw_syscall(SYS_getrandom, (long)at, (long)chunk,
				GRND_NONBLOCK, 0, 0, 0) != (long)chunk) {
			fill_by_hash(at, n_bytes);
			return;
		}
		at += chunk;
		n_bytes -= chunk;
	}
}
