/* SPDX-License-Identifier: MIT */
#include "cli/conf/config_store.h"

#include <string.h>

#include "cli/conf/config_text.h"

static enum config_scope scope_here(const struct config_store *store)
{
	return store->block < N_PROTOCOLS ? SCOPE_PROTOCOL : store->scope;
}

static bool is_allowed(const struct config_store *store,
		       const struct config_option *option)
{
	return (option->scopes & 1u << scope_here(store)) != 0;
}

/* Returns where the value of an option that may stand here goes. */
static void *member(const struct config_store *store,
		    const struct config_option *option)
{
	struct config_section *section = store->section;
	void *base = section;

	if ((option->scopes & 1u << SCOPE_PROTOCOL) != 0)
		base = store->block < N_PROTOCOLS
			       ? &section->by_protocol[store->block]
			       : &section->ranges;
	return (char *)base + option->offset;
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
	const char *text;

	if (list->n > 0 && value->n == 1)
		refuse_second(store, value->option, "", list->place,
			      value->place);
	if (list->n + 1 != value->n)
		return;
	if (list->n == 0)
		list->place = value->place;
	text = expand(store, value->text, value->place);
	*(const char **)memory_add(&store->config->memory, &list->values,
				   &list->n) = text;
}

/* A wrong name is reported once, with the first of its values. */
void config_store_value(struct config_store *store,
			const struct config_value *value)
{
	struct config_option option;

	(void)config_option_find(value->option, &option);
	if (store->n_refused > 0 ||
	    (value->n > 1 && !is_allowed(store, &option)) ||
	    !config_store_name(store, value->option, false, value->place))
		return;
	if (option.type == TYPE_LIST)
		store_list(store, member(store, &option), value);
	else
		store_text(store, member(store, &option), value);
}

static void start_block(struct config_store *store, enum protocol protocol,
			struct location place)
{
	struct config_ranges *block = &store->section->by_protocol[protocol];

	if (block->place.line != 0)
		refuse_second(store, protocol_name(protocol), "", block->place,
			      place);
	else
		block->place = place;
	store->block = protocol;
}

static void start_section(struct config_store *store, const char *kind,
			  const char *title, struct location place)
{
	struct config *config = store->config;
	const bool is_process = strcmp(kind, "process") == 0;
	struct config_section **sectionsp = is_process ? &config->processes
						       : &config->reserves;
	size_t *np = is_process ? &config->n_processes : &config->n_reserves;
	size_t i = 0;

	while (i < *np && strcmp((*sectionsp)[i].name, title) != 0)
		i++;
	if (i < *np)
		refuse_second(store, kind, title, (*sectionsp)[i].place, place);
	store->section = memory_add(&config->memory, sectionsp, np);
	store->section->name = title;
	store->section->place = place;
	store->scope = is_process ? SCOPE_PROCESS : SCOPE_RESERVE;
}

void config_store_start(struct config_store *store, const char *name,
			const char *title, struct location place)
{
	const enum protocol protocol = config_protocol_of(name);

	if (!config_store_name(store, name, true, place)) {
		store->n_refused++;
		return;
	}
	if (protocol < N_PROTOCOLS) {
		start_block(store, protocol, place);
		return;
	}
	title = title != NULL ? expand(store, title, place) : "";
	if (*title != '\0') {
		start_section(store, name, title, place);
		return;
	}
	findings_add(store->findings, SEVERITY_ERROR, place,
		     "\"%s\" needs a name: %s NAME { ... }", name, name);
	store->n_refused++;
}

void config_store_end(struct config_store *store)
{
	if (store->n_refused > 0) {
		store->n_refused--;
	} else if (store->block < N_PROTOCOLS) {
		store->block = N_PROTOCOLS;
	} else {
		store->section = &store->config->top;
		store->scope = SCOPE_TOP;
	}
}

bool config_store_name(struct config_store *store, const char *name,
		       bool is_section, struct location place)
{
	struct config_option option;

	if (store->n_refused > 0)
		return false;
	(void)config_option_find(name, &option);
	if (is_allowed(store, &option))
		return true;
	config_option_refuse(name, is_section, scope_here(store), place,
			     store->findings);
	return false;
}
