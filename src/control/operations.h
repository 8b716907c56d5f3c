/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operations.h - the table of everything that can be asked of a system: its name, who may ask it, its arguments. The
 * server checks requests by it, the command line makes its usage, help and completion of it, and docs/cli-json.md is
 * tested against it; so they cannot disagree. What an operation does stands in control.h and copy/copy.h.
 */
#ifndef XDC_CONTROL_OPERATIONS_H
#define XDC_CONTROL_OPERATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "rt/fault.h"
#include "store/words.h"

/* A caller may do what its role or a lower one allows: to look; copy services; pools, volumes, paths, the service. */
enum op_role { ROLE_MONITOR, ROLE_OPERATOR, ROLE_ADMIN, ROLE_COUNT };
extern const char *const op_role_names[ROLE_COUNT];	/* "reader", "operator", "admin" */

/* What an argument looks like: parse.h has a function for each. */
enum arg_kind {
	ARG_FLAG,		/* given or not; no value */
	ARG_SESSION, ARG_LSS, ARG_SSID,
	ARG_VOLUME_ID,		/* LLVV: of a volume to be made, or of another system */
	ARG_VOLUME,		/* id or name of a volume of this system */
	ARG_POOL, ARG_NAME, ARG_PATH, ARG_SIZE,
	ARG_INTERVAL, ARG_COORDINATION, ARG_DRAIN,	/* durations, each with its range */
	ARG_SYSTEM, ARG_SUBORDINATE, ARG_REMOTE_ADDRESS,
	ARG_CACHE, ARG_PAIR_TYPE,
	ARG_JOB,
	ARG_SET, ARG_SET_KIND, ARG_SET_OF, ARG_SESSION_TYPE,
	ARG_KEEP,		/* a duration */
	ARG_SEQUENCE,		/* of a consistency group */
	ARG_VOLUME_PAIR,	/* source and target, both of this system */
	ARG_NUMBER, ARG_EVENT_LEVEL, ARG_WAIT, ARG_KEEP_JOBS,
	ARG_LIMIT_DURATION, ARG_LIMIT_COUNT, ARG_LIMIT_PERCENT,	/* or off */
	ARG_PRIORITY, ARG_PATH_LIMIT,	/* a limit: bytes a second, or none */
	ARG_SERVICE_STATE, ARG_TIMEOUT,
	ARG_MOMENT,		/* the same, or a time */
	ARG_HOLD,		/* a duration */
	ARG_KIND_COUNT
};

/* What stands for a value of the kind in usage: "LLVV", "SIZE". "" for flags. */
extern const char *const arg_kind_names[ARG_KIND_COUNT];

enum arg_use {
	USE_REQUIRED = 1,
	USE_POSITION = 2,	/* on the command line without --name, in the order of the table */
	USE_REPEATED = 4,	/* in JSON an array */
	USE_CLIENT = 8,		/* a matter of the command line alone; not in requests */
};

struct op_arg {
	const char *name;	/* of the option, with '-'; in JSON with '_' */
	enum arg_kind kind;
	unsigned use;
	const char *help;
};

/* What comes back: what was asked for, or for changes the thing as it is now, or null. */
enum op_answer { ANSWER_OBJECT, ANSWER_LIST, ANSWER_CHANGED, ANSWER_NOTHING };

#define OP_ARGS_MAX	9u
#define OP_VOLUMES_MAX	256u	/* that one command names */

struct operation {
	const char *noun, *verb;
	enum op_role role;
	enum op_answer answer;
	const char *help;		/* one sentence without full stop */
	struct op_arg args[OP_ARGS_MAX];	/* ended by a name of NULL, or full */
};

extern const struct operation operations[];
extern const unsigned operation_count;

/* What the nouns are, for help. */
struct op_noun {
	const char *name, *help;
};
extern const struct op_noun operation_nouns[];
extern const unsigned operation_noun_count;

/* The verb that is meant when none is given; NULL: one must be. */
const char *operation_noun_verb(const char *noun);

/* NULL: there is none. */
const struct operation *operation_find(const char *noun, const char *verb);

/* Its number of arguments; the one of this name (as in the table), or -1. */
unsigned operation_arg_count(const struct operation *operation);
int operation_arg_find(const struct operation *operation, const char *name);

/* Of the argument in JSON. name gets OP_NAME_MAX characters. */
#define OP_NAME_MAX	32u
void operation_arg_json_name(const struct op_arg *arg, char *name);

/* ---- one value, checked ---- */

struct arg_value {
	const char *text;	/* as given; belongs to the caller */
	uint64_t number;	/* of numbers, sizes (bytes), durations (ns), words (index) and ids */
	bool is_time;		/* ARG_MOMENT: number is a time, ns since 1970 */
	char system[XDC_SYSTEM_ID_MAX];	/* ARG_SUBORDINATE, number is the LSS */
};

/* NULL when good and *value is set, else a sentence as of parse.h. Not for ARG_FLAG. */
const char *arg_parse(enum arg_kind kind, const char *text, struct arg_value *value);

/* ---- all values of a request, checked ---- */

/* How many values each argument was given, and the first of them. */
struct op_given {
	unsigned count[OP_ARGS_MAX];
	struct arg_value *values[OP_ARGS_MAX];
};

/*
 * What can be said of values that are good one by one, whatever the system is that is asked. 0, or -1 with the fault,
 * whose object is the argument.
 */
int operation_check(const struct operation *operation, const struct op_given *given, struct fault *fault);

#endif
