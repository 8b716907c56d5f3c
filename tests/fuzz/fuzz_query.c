/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries: whatever they are, they are refused with a text, or can be asked of an instance, with the same answer each
 * time. The first byte says the language, and of which instance.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "face/cim/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every property has a value, some are NULL, and arrays have as many elements as their name is long. */
static bool get(const struct query_instance *instance, const struct cim_schema_property *property,
		struct cim_value *value)
{
	static const struct cim_scalar list[64];
	static const struct cim_scalar text = { .text = "aab" };
	static const struct cim_scalar texts[1] = { { .text = "x" } };

	(void)instance;
	*value = (struct cim_value){ .type = property->type, .is_array = property->is_array };
	if (property->type == CIM_TYPE_REFERENCE || property->name[0] == 'C')
		return false;
	value->count = property->type == CIM_TYPE_STRING ? 1 : (unsigned)strlen(property->name) % 64;
	value->list = property->type == CIM_TYPE_STRING ? texts : list;
	value->one = property->type == CIM_TYPE_STRING ? text : list[0];
	return true;
}

static const struct query_instance *get_embedded(const struct query_instance *instance,
						 const struct cim_schema_property *property)
{
	static struct query_instance embedded = { NULL, get, get_embedded };

	(void)instance;
	embedded.class = cim_schema_find_any_class("IBMTSESS_StorageSynchronized");
	return property->name[0] == 'P' ? NULL : &embedded;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const classes[] = { "IBMTSESS_Volume", "CIM_InstModification" };
	const struct query_instance instance = {
		cim_schema_find_any_class(classes[size ? data[0] / 2 % 2 : 0]), get, get_embedded,
	};
	const char *language = query_language_names[size ? data[0] % 2 : 0];
	struct cim_failure failure = { 0 };
	struct cim_arena arena;
	struct query query;
	const char *text;

	assert(instance.class);
	arena_init(&arena, 1024 * 1024);
	text = arena_copy_bytes(&arena, size ? (const char *)data + 1 : "", size ? size - 1 : 0);
	if (text && query_parse(&arena, (1u << CIM_NAMESPACE_COUNT) - 1, language, text, &query, &failure)) {
		assert(query_meets(&query, &instance) == query_meets(&query, &instance));
		query_may_embed(&query, "SourceInstance", instance.class);
		assert(failure.code == CIM_OK);
	} else {
		assert(!text || (failure.code != CIM_OK && *failure.text));
	}
	arena_free(&arena);
	return 0;
}
