/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "face/cim/pull.h"
#include "rt/door.h"
#include "rt/mem.h"

#define CALL_NS		(60 * RT_SECOND)

struct cim_engine {
	struct control *control;
	struct door *door;
	struct cim_contexts *contexts;
	struct cim_indications *indications;
	char system[XDC_SYSTEM_ID_MAX];
	char host[DOOR_HOST_MAX];
};

static void free_engine(struct cim_engine *engine)
{
	cim_contexts_destroy(engine->contexts);
	mem_free(engine);
}

int cim_engine_open(struct control *control, struct cim_engine **out)
{
	struct cim_engine *engine = mem_alloc_zeroed(sizeof(*engine));
	struct system_info info;
	struct fault fault;
	int rc;

	if (!engine)
		return -ENOMEM;
	engine->control = control;
	door_host_name(engine->host);
	engine->contexts = cim_contexts_create();
	rc = engine->contexts && control_system_get(control, &info, &fault) == 0 ? door_open(&engine->door) : -ENOMEM;
	if (rc != 0) {
		free_engine(engine);
		return rc;
	}
	snprintf(engine->system, sizeof(engine->system), "%s", info.record->id);
	*out = engine;
	return 0;
}

void cim_engine_refuse(struct cim_engine *engine)
{
	if (engine)
		door_refuse(engine->door);
}

void cim_engine_close(struct cim_engine *engine)
{
	if (!engine)
		return;
	door_close(engine->door);
	free_engine(engine);
}

const char *cim_engine_system(const struct cim_engine *engine)
{
	return engine ? engine->system : "";
}

const char *cim_engine_host(const struct cim_engine *engine)
{
	return engine->host;
}

struct cim_contexts *cim_engine_contexts(struct cim_engine *engine)
{
	return engine->contexts;
}

struct cim_indications *cim_engine_indications(struct cim_engine *engine)
{
	return engine->indications;
}

void cim_engine_set_indications(struct cim_engine *engine, struct cim_indications *indications)
{
	engine->indications = indications;
}

struct engine_call {
	struct control *control;
	int (*fn)(struct control *control, void *arg);
	void *arg;
};

static int call_here(void *arg)
{
	struct engine_call *call = arg;

	return call->fn(call->control, call->arg);
}

int cim_engine_call(struct cim_engine *engine, int (*fn)(struct control *control, void *arg), void *arg)
{
	struct engine_call call = { .fn = fn, .arg = arg };

	if (!engine)
		return -ESHUTDOWN;
	call.control = engine->control;
	return door_call(engine->door, CALL_NS, call_here, &call);
}

bool cim_engine_fail(int rc, struct cim_failure *failure)
{
	return cim_fail(failure, CIM_ERR_FAILED, "%s", rc == -ESHUTDOWN ? "the system is stopping" :
			rc == -ETIMEDOUT ? "another operation is still under way: try again" : strerrordesc_np(-rc));
}
