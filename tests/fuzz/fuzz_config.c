/* SPDX-License-Identifier: MIT */

/*
 * The configuration from its text to its compiled form: whatever a file holds,
 * there is a finding or a policy that reads back, no crash and no leak.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/conf/config.h"
#include "cli/rules/rules.h"
#include "kernel/kernel.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct kernel kernel = { .port_range = { 32768, 60999 } };

/* What was compiled has to be what the library takes. */
static void check_image(const void *image, size_t size)
{
	static const struct environment environment;
	struct policy_tables tables;
	struct policy policy;

	if (policy_image_open(image, size, &tables) < 0)
		abort();
	for (uint32_t i = 0; i < tables.image->n_rules; i++)
		if (policy_of_rule(&tables, &tables.rules[i], &environment,
				   &policy) < 0)
			abort();
}

static void compile(const struct rules *rules)
{
	void *image;
	size_t size;

	if (rules_compile(rules, 0, &image, &size) < 0)
		return;
	check_image(image, size);
	free(image);
}

static void check_config(const char *path)
{
	struct findings findings = { .n_items = 0 };
	struct config config;
	struct rules rules;

	if (config_read(&config, path, &findings) == 0) {
		if (rules_make(&rules, &config, &kernel, &findings) == 0)
			compile(&rules);
		else if (findings.n_errors == 0)
			abort();
		rules_deinit(&rules);
	} else if (findings.n_errors == 0) {
		abort();
	}
	config_deinit(&config);
	findings_deinit(&findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int fd = memfd_create("config", MFD_CLOEXEC);
	char path[32];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	check_config(path);
	close(fd);
	return 0;
}
