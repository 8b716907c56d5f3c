/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state table is what copies do.
 *
 * Goal: in each state of each type every operation answers with the code that the table says, and leaves the copy where
 * it says. Method: each state is brought about in two boxes of its own, by what an administrator and the world do; then
 * the run splits for each operation, which is given there. A state that is not reached fails the run.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/state_table_cim.h"
#include "rt/mem.h"
#include "scenarios.h"
#include "table_scene.h"

/* ---- one operation ---- */

struct trial {
	struct scene *scene;
	enum copy_verb verb;
	bool force;
	int rc;
	struct fault fault;
	struct scene_look after;
};

static int give_flash(struct trial *trial, struct copy *copy, uint16_t *volume)
{
	const struct copy_flash_request again = {
		.source = trial->scene->at->volumes[0], .target = trial->scene->volume,
	};
	const struct copy_flash_change change = { .has_priority = true, .priority = COPY_LOW };
	uint16_t target = trial->scene->volume;
	struct fault *fault = &trial->fault;
	int rc;

	switch (trial->verb) {
	case COPY_CREATE:
		return copy_flash_create(copy, &again, 1, fault);
	case COPY_RESYNC:
		return copy_flash_resync(copy, target, false, 0, fault);
	case COPY_REVERSE:
		rc = copy_flash_reverse(copy, target, volume, fault);
		if (rc)
			*volume = target;
		return rc;
	case COPY_COMMIT:
		return copy_flash_commit(copy, target, 0, fault);
	case COPY_SET:
		return copy_flash_set(copy, target, &change, fault);
	case COPY_REVERT:
		return copy_flash_revert(copy, target, 0, fault);
	default:
		return copy_flash_delete(copy, target, trial->force, fault);
	}
}

static int give_path(struct trial *trial, struct copy *copy, const struct box *other)
{
	struct copy_path path = { .source_lss = box_lss(trial->scene->at), .target_lss = box_lss(other) };

	snprintf(path.system, sizeof(path.system), "%s", other->id);
	return trial->verb == COPY_RUN ? copy_path_run(copy, &path, &trial->fault)
				       : copy_path_freeze(copy, &path, 3600 * RT_SECOND, &trial->fault);
}

static int give_pair(struct trial *trial, struct copy *copy)
{
	struct scene *scene = trial->scene;
	const struct box *other = scene->at == &scene->a ? &scene->b : &scene->a;
	const struct copy_pair_name name = copy_pair_name_of(scene->volume, "");
	const struct copy_verify_request verify = { .repair = false };
	struct copy_pair_request again = { .source = scene->volume, .target = other->volumes[0] };
	struct fault *fault = &trial->fault;

	snprintf(again.system, sizeof(again.system), "%s", other->id);
	switch (trial->verb) {
	case COPY_CREATE:
		return copy_pair_create(copy, &again, fault);
	case COPY_SUSPEND:
		return copy_pair_suspend(copy, &name, fault);
	case COPY_RESUME:
		return copy_pair_resume(copy, &name, fault);
	case COPY_GO_TO_SYNC:
		return copy_pair_go_to_sync(copy, &name, fault);
	case COPY_LEAVE_SYNC:
		return copy_pair_leave_sync(copy, &name, fault);
	case COPY_FREEZE:
	case COPY_RUN:
		return give_path(trial, copy, other);
	case COPY_FAILOVER:
		return copy_pair_failover(copy, &name, trial->force, fault);
	case COPY_FAILBACK:
		return copy_pair_failback(copy, &name, false, fault);
	case COPY_VERIFY:
		return copy_pair_verify(copy, &name, &verify, fault);
	case COPY_SET:
		return copy_pair_set_priority(copy, &name, COPY_HIGH, fault);
	default:
		return copy_pair_delete(copy, &name, trial->force, fault);
	}
}

/* Where it leaves the copy is seen before anything else happens. */
static int give(void *arg)
{
	struct trial *trial = arg;
	struct scene *scene = trial->scene;
	uint16_t volume = scene->volume;

	if (!scene->at->ready)
		return -ECONNABORTED;
	trial->rc = scene_is_flash(scene) ? give_flash(trial, scene->at->copy, &volume)
					  : give_pair(trial, scene->at->copy);
	return scene_look_here(scene, volume, &trial->after);
}

/* ---- as the table says? ---- */

/* It is on its way, and goes on with it while the operation is looked at. */
static bool moves(const struct scene *scene)
{
	const struct copy_cim_state cim = copy_cim_of_state(scene->type, scene->state);

	return (cim.progress_status >= 6 && cim.progress_status <= 8) ||
	       (scene->type == COPY_TYPE_FLASH && scene->state == COPY_STATE_FLASH_WHOLE);
}

static bool stays(const struct trial *trial, bool may_move)
{
	const struct scene *scene = trial->scene;
	const struct scene_look *after = &trial->after;

	if (after->found && after->type == scene->type && after->state == scene->state)
		return true;
	return may_move && copy_table_drifts(scene->type, scene->state) &
			   COPY_STATE_BIT(after->found ? after->state : COPY_STATE_NONE);
}

static bool goes(const struct trial *trial, const struct copy_cell *cell)
{
	const struct scene_look *after = &trial->after;

	if (!after->found)
		return cell->next & COPY_STATE_BIT(COPY_STATE_NONE);
	return after->type == cell->next_type && cell->next & COPY_STATE_BIT(after->state);
}

static bool is_refused(const struct trial *trial, enum fault_code code)
{
	return trial->rc && trial->fault.code == code && trial->fault.message[0] && trial->fault.remedy[0];
}

static bool is_as_said(const struct trial *trial, const struct copy_cell *cell)
{
	bool moving = moves(trial->scene);

	switch (cell->answer) {
	case COPY_DONE:
		return !trial->rc && goes(trial, cell);
	case COPY_DONE_HERE:
		return (!trial->rc || is_refused(trial, FAULT_FAILED)) && goes(trial, cell);
	case COPY_NOTHING:
		return !trial->rc && stays(trial, moving);
	case COPY_ASKS:
		scenario_count(trial->rc ? "asked and refused" : "asked and done", 1);
		return trial->rc ? is_refused(trial, FAULT_FAILED) && stays(trial, moving)
				 : goes(trial, cell) || (trial->verb == COPY_VERIFY && stays(trial, moving));
	case COPY_FORCED:
		return trial->force ? !trial->rc && goes(trial, cell)
				    : is_refused(trial, cell->code) && stays(trial, moving);
	default:
		return is_refused(trial, cell->code) && stays(trial, moving);
	}
}

static void judge(const struct trial *trial, const struct copy_cell *cell)
{
	const struct scene *scene = trial->scene;
	const struct scene_look *after = &trial->after;

	scenario_count("operations given", 1);
	if (is_as_said(trial, cell))
		return;
	scenario_wrong("%s, %s: %s%s answers %d (%s) and leaves it %s, %s", copy_type_names[scene->type],
		       copy_state_names[scene->state], copy_verb_names[trial->verb], trial->force ? " --force" : "",
		       trial->rc ? (int)trial->fault.code : 0, trial->rc ? trial->fault.message : "",
		       after->found ? copy_type_names[after->type] : "no copy",
		       after->found ? copy_state_names[after->state] : "none");
}

static int try_one(struct scene *scene, enum copy_verb verb, bool force)
{
	const struct copy_cell cell = copy_table_cell(scene->type, scene->state, verb);
	struct trial trial = { .scene = scene, .verb = verb, .force = force };
	int rc = sim_call(scene->at->system, give, &trial);

	if (rc)
		sim_fail(sim_world(), "%s of %s, %s: %d", copy_verb_names[verb], copy_type_names[scene->type],
			 copy_state_names[scene->state], rc);
	else
		judge(&trial, &cell);
	return rc;
}

/* True in a branch, which ends here. */
static bool try_all(struct scene *scene)
{
	for (enum copy_verb verb = 0; verb < COPY_VERB_COUNT; verb++) {
		enum copy_answer answer = copy_table_cell(scene->type, scene->state, verb).answer;

		for (unsigned force = 0; force < 1u + (answer == COPY_FORCED); force++) {
			if (answer == COPY_NO_VERB || !scenario_branch())
				continue;
			(void)!try_one(scene, verb, force);
			return true;
		}
	}
	return false;
}

/* ---- every state ---- */

/* 1: this is a branch, and its end. */
static int go_through(struct scene *scene, enum copy_type type, enum copy_state state)
{
	struct scene_look look = { 0 };
	int rc;

	*scene = (struct scene){ .type = type, .state = state };
	rc = scene_make(scene);
	if (!rc)
		rc = scene_look(scene, &look);
	if (rc || !look.found || look.type != type || look.state != state) {
		sim_fail(sim_world(), "%s does not become %s (%d), it is %s, %s", copy_type_names[type],
			 copy_state_names[state], rc, look.found ? copy_type_names[look.type] : "no copy",
			 look.found ? copy_state_names[look.state] : "none");
		return rc ? rc : -EPROTO;
	}
	scenario_count("states reached", 1);
	if (try_all(scene))
		return 1;
	box_crash(&scene->a, SIM_DEATH);
	box_crash(&scene->b, SIM_DEATH);
	return 0;
}

/* A world has no room for the boxes of all states: each seed has a part of them, and eight in a row have all. */
static const char *const parts[] = {
	"part 1 of 8", "part 2 of 8", "part 3 of 8", "part 4 of 8", "part 5 of 8", "part 6 of 8", "part 7 of 8",
	"part 8 of 8",
};
#define PARTS	(sizeof(parts) / sizeof(parts[0]))

static int run_part(struct scene *scene)
{
	unsigned part = (unsigned)(scenario_seed() % PARTS), number = 0;
	int rc = 0;

	for (enum copy_type type = 0; type < COPY_TYPE_COUNT && !rc; type++) {
		for (enum copy_state state = COPY_STATE_NONE + 1; state < COPY_STATE_COUNT && !rc; state++) {
			if (copy_table_has(type, state) && number++ % PARTS == part)
				rc = go_through(scene, type, state);
		}
	}
	if (!rc)
		scenario_count(parts[part], 1);
	return rc == 1 ? 0 : rc;
}

static int run_table(void *arg)
{
	struct scene *scene = mem_alloc_zeroed(sizeof(*scene));
	int rc;

	(void)arg;
	if (!scene)
		return -ENOMEM;
	rc = run_part(scene);
	mem_free(scene);
	return rc;
}

static const char *const must_happen[] = {
	"states reached", "operations given", "asked and done", "asked and refused",
	"part 1 of 8", "part 2 of 8", "part 3 of 8", "part 4 of 8", "part 5 of 8", "part 6 of 8", "part 7 of 8",
	"part 8 of 8", NULL
};

const struct scenario scenario_table = {
	.name = "table",
	.about = "every operation on every type of copy, in every state, answers and ends as the state table says",
	.until_ns = 36000 * RT_SECOND,
	.run = run_table,
	.must_happen = must_happen,
};
