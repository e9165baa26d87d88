/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A policy file in a folder of its own. What an image is does not matter here:
 * it is one byte, repeated.
 */

#include "place_here.h"

#define IMAGE_SIZE 300000u

static struct policy_file file;
static char image[IMAGE_SIZE];

static void setup(void)
{
	make_place("policy");
}

static void teardown(void)
{
	policy_file_close(&file);
	remove_place();
}

static inline int open_file(enum policy_open how)
{
	return policy_file_open(&place, how, &file, NULL);
}

static inline void make(void)
{
	cr_assert_eq(open_file(POLICY_CREATE), 0);
	cr_assert_not_null(file.preamble);
}

static inline int publish(char byte, size_t size, uint64_t *editionp)
{
	const struct policy_load load = { .image = image, .size = size };

	memset(image, byte, sizeof(image));
	return policy_file_load(&place, &load, editionp, NULL);
}

static inline int publish_none(uint64_t *editionp)
{
	const struct policy_load load = { .image = NULL };

	return policy_file_load(&place, &load, editionp, NULL);
}

static inline uint64_t publish_ok(char byte)
{
	uint64_t edition = 0;

	cr_assert_eq(publish(byte, IMAGE_SIZE, &edition), 0);
	return edition;
}

static inline uint64_t unpublish(void)
{
	uint64_t edition = 1;

	cr_assert_eq(publish_none(&edition), 0);
	return edition;
}

/* The image that policy_file_image() has found, and its size. */
static const void *found_image;
static size_t found_size;

static inline int follow(uint64_t edition)
{
	return policy_file_image(&file, edition, &found_image, &found_size);
}

static inline const char *image_of(uint64_t edition)
{
	cr_assert_eq(follow(edition), 0);
	return found_image;
}

static inline bool slot_is(uint64_t edition, char byte, size_t size)
{
	const char *slot = image_of(edition);

	for (size_t i = 0; i < size; i++)
		if (slot[i] != byte)
			return false;
	return true;
}

static inline void assert_in_force(uint64_t edition, char byte)
{
	cr_assert_eq(policy_file_edition(&file), edition);
	cr_assert_eq(edition % 2, 1);
	cr_assert(slot_is(edition, byte, IMAGE_SIZE));
}
