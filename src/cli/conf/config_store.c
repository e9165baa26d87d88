/* SPDX-License-Identifier: MIT */
#include "cli/conf/config_store.h"

#include <string.h>

#include "cli/conf/config_text.h"

static enum config_scope scope_here(const struct config_store *store)
{
	return store->block < N_PROTOCOLS ? SCOPE_PROTOCOL : store->scope;
}

static struct config_options *options_around(const struct config_store *store)
{
	struct config *config = store->config;

	return store->scope == SCOPE_PROCESS
		       ? &config->processes[config->n_processes - 1].options
		       : &config->defaults;
}

/* Returns the member of struct config for an option that may stand here. */
static void *member(const struct config_store *store,
		    const struct config_option *option)
{
	struct config *config = store->config;
	struct config_options *options = options_around(store);
	void *part = config;

	if (option->part == PART_RANGES)
		part = store->block < N_PROTOCOLS
			       ? &options->by_protocol[store->block]
			       : &options->ranges;
	else if (option->part == PART_OPTIONS)
		part = options;
	else if (option->part == PART_PROCESS)
		part = &config->processes[config->n_processes - 1];
	else if (option->part == PART_RESERVE)
		part = &config->reserves[config->n_reserves - 1];
	return (char *)part + option->offset;
}

static void refuse_second(struct config_store *store, const char *name,
			  const char *title, struct location first,
			  struct location place)
{
	findings_add(store->findings, SEVERITY_ERROR, place,
		     "\"%s%s%s\" is given twice; first at %s:%d", name,
		     *title != '\0' ? " " : "", findings_quote_text(title).text,
		     first.file, first.line);
}

static const char *expand(struct config_store *store, const char *text,
			  struct location place)
{
	return config_text_expand(&store->config->memory, text, place,
				  store->findings);
}

static void store_text(struct config_store *store, struct config_text *text,
		       const struct config_value *value)
{
	if (value->n == 2)
		findings_add(store->findings, SEVERITY_ERROR, value->place,
			     "\"%s\" takes one value, not a list",
			     value->option);
	else if (text->value != NULL && value->n == 1)
		refuse_second(store, value->option, "", text->place,
			      value->place);
	else if (text->value == NULL)
		*text = (struct config_text){
			expand(store, value->text, value->place), value->place
		};
}

static void store_list(struct config_store *store, struct config_list *list,
		       const struct config_value *value)
{
	const char *text, **slot;

	if (list->n > 0 && value->n == 1)
		refuse_second(store, value->option, "", list->place,
			      value->place);
	if (list->n + 1 != value->n)
		return;
	text = expand(store, value->text, value->place);
	slot = (const char **)memory_add(&store->config->memory, &list->values,
					 &list->n);
	if (slot == NULL)
		return;
	*slot = text;
	if (list->n == 1)
		list->place = value->place;
}

/* A wrong name is reported once, with the first of its values. */
void config_store_value(struct config_store *store,
			const struct config_value *value)
{
	const enum config_scope scope = scope_here(store);
	struct config_option option = { .scopes = 0 };
	const size_t index = config_option_find(value->option);

	if (store->n_refused > 0)
		return;
	if (index < N_CONFIG_OPTIONS)
		option = config_option(index);
	if ((option.scopes & 1u << scope) == 0) {
		if (value->n == 1)
			config_option_check(value->option, false, scope,
					    value->place, store->findings);
	} else if (option.type == TYPE_LIST) {
		store_list(store, member(store, &option), value);
	} else {
		store_text(store, member(store, &option), value);
	}
}

static void start_block(struct config_store *store, enum protocol protocol,
			struct location place)
{
	struct config_ranges *block =
		&options_around(store)->by_protocol[protocol];

	if (block->place.line != 0)
		refuse_second(store, protocol_name(protocol), "", block->place,
			      place);
	else
		block->place = place;
	store->block = protocol;
}

/* Sections begin with their head. Returns the one of this name, or NULL. */
static const struct config_head *find_head(const void *sections, size_t n,
					   size_t size, const char *name)
{
	const char *bytes = sections;

	for (size_t i = 0; i < n; i++) {
		const struct config_head *head = (const void *)(bytes +
								i * size);

		if (strcmp(head->name, name) == 0)
			return head;
	}
	return NULL;
}

static bool start_section(struct config_store *store, const char *kind,
			  const struct config_head *head)
{
	struct config *config = store->config;
	const bool is_process = strcmp(kind, "process") == 0;
	void *first = config->reserves, *arrayp = &config->reserves, *section;
	size_t *np = &config->n_reserves, size = sizeof(*config->reserves);
	const struct config_head *same;

	if (is_process) {
		first = config->processes;
		arrayp = &config->processes;
		np = &config->n_processes;
		size = sizeof(*config->processes);
	}
	same = find_head(first, *np, size, head->name);
	if (same != NULL)
		refuse_second(store, kind, head->name, same->place,
			      head->place);
	section = memory_add_to(&config->memory, arrayp, np, size);
	if (section == NULL)
		return false;
	memcpy(section, head, sizeof(*head));
	store->scope = is_process ? SCOPE_PROCESS : SCOPE_RESERVE;
	return true;
}

/* Returns false if the section is to be passed over. */
static bool start(struct config_store *store, const char *name,
		  const char *title, struct location place)
{
	const enum protocol protocol = config_protocol_of(name);

	if (store->n_refused > 0 ||
	    !config_option_check(name, true, scope_here(store), place,
				 store->findings))
		return false;
	if (protocol < N_PROTOCOLS) {
		start_block(store, protocol, place);
		return true;
	}
	title = title != NULL ? expand(store, title, place) : NULL;
	if (title != NULL && *title != '\0')
		return start_section(store, name,
				     &(struct config_head){ title, place });
	findings_add(store->findings, SEVERITY_ERROR, place,
		     "\"%s\" needs a name: %s NAME { ... }", name, name);
	return false;
}

void config_store_start(struct config_store *store, const char *name,
			const char *title, struct location place)
{
	if (!start(store, name, title, place))
		store->n_refused++;
}

void config_store_end(struct config_store *store)
{
	if (store->n_refused > 0)
		store->n_refused--;
	else if (store->block < N_PROTOCOLS)
		store->block = N_PROTOCOLS;
	else
		store->scope = SCOPE_TOP;
}

bool config_store_name(struct config_store *store, const char *name,
		       struct location place)
{
	return store->n_refused == 0 &&
	       config_option_check(name, false, scope_here(store), place,
				   store->findings);
}
