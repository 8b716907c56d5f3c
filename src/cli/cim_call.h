/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cim_call.h - what the files of "xdc cim call" share: a call as it was typed, its request, its answer. All its memory
 * is in the arena.
 */
#ifndef XDC_CLI_CIM_CALL_H
#define XDC_CLI_CIM_CALL_H

#include "cli/cli.h"
#include "face/cim/path.h"

struct cim_call_words {
	struct cim_arena arena;
	const char *url, *user, *password_file;
	const char *object_text, *method_text;
	const struct cim_path *object;
	const struct cim_schema_method *method;
	struct cim_value *in;		/* one a parameter; NULL: not given */
	enum cli_exit exit;		/* after a message */
};

/* The words behind "cim call". false after a message, and ->exit. */
bool cim_call_parse(struct cim_call_words *call, const char *const *words, unsigned count);

/* "LSS (string), Operation (uint16), ...": what the method takes. */
const char *cim_call_signature(struct cim_call_words *call);

/*
 * Of the root of a good answer: {"method", "return_code", "return_name", "out": {NAME: VALUE}} as a new reference; NULL
 * after a message.
 */
json_t *cim_call_read_answer(struct cim_call_words *call, const struct xml_node *root);
void cim_call_print(const struct cim_call_words *call, const json_t *answer);

#endif
