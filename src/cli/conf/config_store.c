/* SPDX-License-Identifier: MIT */
#include "cli/conf/config_store.h"

#include <string.h>

#include "cli/conf/config_variable.h"

/* The protocol of this name, or N_CONFIG_PROTOCOLS. */
static enum config_protocol protocol_of(const char *name)
{
	enum config_protocol protocol = CONFIG_TCP;

	while (protocol < N_CONFIG_PROTOCOLS &&
	       strcmp(config_protocol_name(protocol), name) != 0)
		protocol++;
	return protocol;
}

static enum config_scope scope_in(const struct config_store *store,
				  const char *block)
{
	return protocol_of(block) < N_CONFIG_PROTOCOLS ? SCOPE_PROTOCOL
						       : store->scope;
}

static struct config_options *options_around(const struct config_store *store)
{
	struct config *config = store->config;

	return store->scope == SCOPE_PROCESS
		? &config->processes[config->n_processes - 1].options
		: &config->defaults;
}

/* Where an option has its value that may stand in this block. */
static void *member(const struct config_store *store, const char *block,
		    const struct config_option *option)
{
	struct config *config = store->config;
	struct config_options *options = options_around(store);
	const enum config_protocol protocol = protocol_of(block);
	void *part = config;

	if (option->part == PART_RANGES)
		part = protocol < N_CONFIG_PROTOCOLS
			? &options->by_protocol[protocol] : &options->ranges;
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
		     "\"%s%s%s\" stands twice; first at %s:%d", name,
		     *title != '\0' ? " " : "",
		     findings_quote(title, strlen(title)).text, first.file,
		     first.line);
}

static const char *expand(struct config_store *store, const char *text,
			  struct location place)
{
	return config_variable_expand(&store->config->memory, text, place,
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
	const char **values = (const char **)list->values;

	if (list->n > 0 && value->n == 1)
		refuse_second(store, value->option, "", list->place,
			      value->place);
	if (list->n + 1 != value->n)
		return;
	values = memory_grow(&store->config->memory, values, list->n,
			     sizeof(*values));
	if (values == NULL)
		return;
	if (list->n == 0)
		list->place = value->place;
	values[list->n++] = expand(store, value->text, value->place);
	list->values = values;
}

/* What is wrong with a name is told once, with the first of its values. */
void config_store_value(struct config_store *store,
			const struct config_value *value)
{
	const enum config_scope scope = scope_in(store, value->block);
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
		store_list(store, member(store, value->block, &option), value);
	} else {
		store_text(store, member(store, value->block, &option), value);
	}
}

static void start_block(struct config_store *store, const char *name,
			struct location place)
{
	struct config_ranges *block =
		&options_around(store)->by_protocol[protocol_of(name)];

	if (block->place.line != 0)
		refuse_second(store, name, "", block->place, place);
	else
		block->place = place;
}

static bool start_process(struct config_store *store, const char *title,
			  struct location place)
{
	struct config *config = store->config;
	struct config_process *processes = config->processes;
	size_t i = 0;

	while (i < config->n_processes && strcmp(processes[i].name, title) != 0)
		i++;
	if (i < config->n_processes)
		refuse_second(store, "process", title, processes[i].place,
			      place);
	processes = memory_grow(&config->memory, processes, config->n_processes,
				sizeof(*processes));
	if (processes == NULL)
		return false;
	processes[config->n_processes++] =
		(struct config_process){ .name = title, .place = place };
	config->processes = processes;
	store->scope = SCOPE_PROCESS;
	return true;
}

static bool start_reserve(struct config_store *store, const char *title,
			  struct location place)
{
	struct config *config = store->config;
	struct config_reserve *reserves = config->reserves;
	size_t i = 0;

	while (i < config->n_reserves && strcmp(reserves[i].name, title) != 0)
		i++;
	if (i < config->n_reserves)
		refuse_second(store, "reserve", title, reserves[i].place,
			      place);
	reserves = memory_grow(&config->memory, reserves, config->n_reserves,
			       sizeof(*reserves));
	if (reserves == NULL)
		return false;
	reserves[config->n_reserves++] =
		(struct config_reserve){ .name = title, .place = place };
	config->reserves = reserves;
	store->scope = SCOPE_RESERVE;
	return true;
}

/* Returns false if the section is to be passed over. */
static bool start(struct config_store *store, const char *name,
		  const char *title, struct location place)
{
	if (store->n_refused > 0 ||
	    !config_option_check(name, true, store->scope, place,
				 store->findings))
		return false;
	if (protocol_of(name) < N_CONFIG_PROTOCOLS) {
		start_block(store, name, place);
		return true;
	}
	title = title != NULL ? expand(store, title, place) : NULL;
	if (title != NULL && *title != '\0')
		return strcmp(name, "process") == 0
			? start_process(store, title, place)
			: start_reserve(store, title, place);
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

void config_store_end(struct config_store *store, const char *name)
{
	if (store->n_refused > 0)
		store->n_refused--;
	else if (protocol_of(name) == N_CONFIG_PROTOCOLS)
		store->scope = SCOPE_TOP;
}

bool config_store_name(struct config_store *store, const char *block,
		       const char *name, struct location place)
{
	return store->n_refused == 0 &&
	       config_option_check(name, false, scope_in(store, block), place,
				   store->findings);
}
