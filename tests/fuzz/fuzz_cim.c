/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of CIM-XML requests: whatever they are, they are refused, or answered by XML that is well-formed, whole, and
 * names the request. The first byte says in pieces of how many bytes the rest comes. Any element in them that is the
 * path of an object is the same one after it was printed, and any value is one of each type or refused.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <libxml/parser.h>

#include "face/cim/operations.h"
#include "face/cim/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(struct cim_arena *arena, const struct xml_node *root)
{
	static const struct cim_caller caller = { ROLE_ADMIN, "ann", "127.0.0.1" };
	struct cim_request request;
	struct cim_failure failure;
	const char *cim_error = NULL;
	struct xml_text text;
	bool multiple;
	xmlDocPtr answer;

	if (!cim_request_read(arena, root, &request, &cim_error, &multiple)) {
		assert(cim_error);
		return;
	}
	xml_text_init(&text, 16u * 1024 * 1024);
	cim_operation_run(arena, NULL, &caller, &request, &text, &failure);
	assert(!text.failed || arena->failed);
	if (!text.failed) {
		answer = xmlReadMemory(text.bytes, (int)text.used, NULL, NULL, XML_PARSE_NONET);
		assert(answer && !strcmp((const char *)xmlDocGetRootElement(answer)->name, "CIM"));
		xmlFreeDoc(answer);
	}
	xml_text_free(&text);
}

static void check_path(struct cim_arena *arena, const struct xml_node *node)
{
	const struct cim_path *path, *again;
	struct cim_failure failure = { 0 };
	const char *text;

	if (!cim_path_read(arena, node, CIM_NAMESPACE_IBM, &path, &failure)) {
		assert(failure.code);
		return;
	}
	text = cim_path_print(arena, path);
	if (text && cim_path_read_text(arena, text, CIM_NAMESPACE_INTEROP, &again, &failure))
		assert(cim_path_equal(path, again));
	else
		/* Texts hold fewer paths in paths than XML does. */
		assert(arena->failed || strstr(failure.text, "too many"));
}

static void check_node(struct cim_arena *arena, const struct xml_node *node)
{
	struct cim_failure failure = { 0 };
	struct cim_value value;

	check_path(arena, node);
	for (unsigned i = 0; i < 2 * CIM_TYPE_COUNT; i++) {
		struct cim_slot slot = { "x", (enum cim_type)(i / 2), i % 2, NULL };
		struct xml_text text;

		xml_text_init(&text, 1024 * 1024);
		if (cim_value_read(arena, node, &slot, CIM_NAMESPACE_IBM, &value, &failure))
			xml_put_value(&text, &value);
		else
			assert(failure.code);
		xml_text_free(&text);
	}
	for (const struct xml_node *child = node->first; child && !arena->failed; child = child->next)
		check_node(arena, child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data + 1;
	size_t piece = size ? (size_t)data[0] + 1 : 1, left = size ? size - 1 : 0;
	const struct xml_node *root;
	struct xml_reader *reader;
	struct cim_arena arena;
	int rc = 0;

	arena_init(&arena, 1024 * 1024);
	reader = xml_reader_create(&arena);
	assert(reader);
	for (; left && rc == 0; bytes += piece, left -= piece) {
		if (piece > left)
			piece = left;
		rc = xml_reader_feed(reader, bytes, piece);
	}
	if (rc == 0)
		rc = xml_reader_end(reader, &root);
	if (rc == 0) {
		check_answer(&arena, root);
		check_node(&arena, root);
	}
	xml_reader_free(reader);
	arena_free(&arena);
	return 0;
}
