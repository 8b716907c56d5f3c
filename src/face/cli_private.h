/* SPDX-License-Identifier: Apache-2.0 */
/* cli_private.h - a request that is checked, and the functions that carry it out. */
#ifndef XDC_FACE_CLI_PRIVATE_H
#define XDC_FACE_CLI_PRIVATE_H

#include <jansson.h>

#include "control/control.h"
#include "control/operations.h"

struct cli_request {
	struct control *control;
	const struct operation *operation;
	struct op_given given;
	struct arg_value *items;			/* memory of all values */
	unsigned items_used;
};

/*
 * Carries a request out: 0, and *result (a new reference) is the result or NULL for null; else -1 with the fault. No
 * memory on the way to JSON is an error of the request although the thing is done: cli_out_of_memory.
 */
typedef int cli_fn(const struct cli_request *request, json_t **result, struct fault *fault);

struct cli_binding {
	const char *noun, *verb;
	cli_fn *fn;
};
/* Ended by NULL. */
extern const struct cli_binding cli_bindings_store[], cli_bindings_copy[], cli_bindings_session[];
extern const struct cli_binding cli_bindings_recovery[], cli_bindings_job[], cli_bindings_set[];
extern const struct cli_binding cli_bindings_verify[], cli_bindings_flash[], cli_bindings_standby[];
extern const struct cli_binding cli_bindings_system[];

/* ---- values (cli_values.c) ---- */

/* Values by the name of the argument, which the operation has (asserted). NULL: not given. */
const struct arg_value *cli_value(const struct cli_request *request, const char *name);
const char *cli_text(const struct cli_request *request, const char *name);
uint64_t cli_number(const struct cli_request *request, const char *name);	/* 0 when not given */
bool cli_given(const struct cli_request *request, const char *name);
unsigned cli_count(const struct cli_request *request, const char *name, const struct arg_value **values);

int cli_out_of_memory(struct fault *fault);

/* *result = json, or out of memory when that is NULL. */
int cli_answer(json_t *json, json_t **result, struct fault *fault);

/* Takes the item into the list; a list of which an item is missing becomes NULL. */
void cli_append(json_t **list, json_t *item);

/* Texts and numbers as they stand in results; NULL only without memory. */
json_t *cli_hex(unsigned number, unsigned digits);
json_t *cli_wall(int64_t wall_ns);				/* null when 0 */
json_t *cli_bytes(const uint8_t *bytes, unsigned count);	/* hexadecimal */
json_t *cli_uuid(const uint8_t uuid[16]);
json_t *cli_text_or_null(const char *text);			/* null when NULL or empty */
json_t *cli_errno(int error);					/* null when 0 */
json_t *cli_known(bool is_known, int64_t number);		/* null when it is not */

/* ---- things as they are ---- */

/* What hosts did (cli_store.c). */
json_t *cli_counters(const struct volume_counters *counters);

/* The number of the session of a request, and its answer: the session as it is (cli_session.c). */
uint8_t cli_session(const struct cli_request *request);
int cli_session_show(const struct cli_request *request, json_t **result, struct fault *fault);

/* The session after a command that may have ended it here: its state is null then. */
int cli_session_after(const struct cli_request *request, json_t **result, struct fault *fault);

/* The id of the volume that the argument named volume names. 0, or -1 with the fault (cli_store.c). */
int cli_find_volume(const struct cli_request *request, uint16_t *id, struct fault *fault);

/* The pair that the arguments named volume and to name, and a pair as it is now (cli_copy.c). */
int cli_find_pair(const struct cli_request *request, struct copy_pair_name *pair, struct fault *fault);
int cli_answer_pair(const struct cli_request *request, const struct copy_pair_name *pair, json_t **result,
		    struct fault *fault);

/* Commands that may be given to a copy as it is now, by the state table (cli_flash.c). */
json_t *cli_allowed(enum copy_type type, enum copy_state state);

/* The job of this number as it is now (cli_job.c). */
int cli_answer_job(const struct cli_request *request, uint64_t number, json_t **result, struct fault *fault);

/* What a comparison has found; null when there was none (cli_verify.c). */
json_t *cli_verify_json(const struct copy_verify_info *info);

#endif
