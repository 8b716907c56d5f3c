/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of sessions is what sessions do.
 *
 * Goal: however a session stands, every operation answers with the code that the table says, and leaves it where the
 * table says. Method: as scenario `table`, with the sides of a session in place of the ends of a copy. What a command
 * names besides the session may be refused: then the fault names that.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/session_entry.h"
#include "rt/mem.h"
#include "scenarios.h"
#include "table_scene.h"

#define PATIENCE_NS	(120 * RT_SECOND)

struct place {
	struct scene scene;
	enum session_type type;
	enum session_standing standing;
};

static bool is_far_side(enum session_standing standing)
{
	return standing >= STANDING_NO_FAR;
}

/* ---- how it stands ---- */

/* In the box: this side of it. */
static void look_here(const struct place *place, enum session_type *type, enum session_standing *standing)
{
	struct session_view view;
	bool far = is_far_side(place->standing);

	session_look(place->scene.at->copy, SCENE_SESSION, &view);
	*type = view.facts.record ? session_type_of_code(view.facts.record->type) : SESSION_XDC;
	*standing = session_table_of(&view.facts, far ? SESSION_DO_RECOVER : SESSION_DO_OPEN);
}

static bool stands(struct place *place, enum session_standing wanted)
{
	enum session_type type;
	enum session_standing standing = STANDING_COUNT;

	if (place->scene.at->ready && sim_is_running(place->scene.at->system))
		look_here(place, &type, &standing);
	return standing == wanted;
}

static int wait_for(struct place *place)
{
	int64_t until_ns = rt_now_ns() + PATIENCE_NS;

	while (!stands(place, place->standing)) {
		if (rt_now_ns() > until_ns)
			return -ETIMEDOUT;
		if (rt_sleep_until(rt_now_ns() + RT_MS))
			return -ECANCELED;
	}
	return 0;
}

/* ---- the way there ---- */

/* Of the master that is there, or was. */
static bool record_is(const struct scene *scene, bool (*holds)(const struct record_session *record))
{
	const struct session_entry *entry;

	if (!scene->a.ready || !sim_is_running(scene->a.system))
		return false;
	entry = session_entry_find(scene->a.copy, SCENE_SESSION);
	return entry && holds(&entry->record);
}

static bool has_plan(const struct record_session *record)
{
	return record->swap_system[0];
}

static bool swap_has_begun(const struct scene *scene)
{
	return record_is(scene, has_plan);
}

static bool has_no_way_back(const struct record_session *record)
{
	return record->state == SESSION_SWAPPING;
}

static bool swap_goes_on(const struct scene *scene)
{
	return record_is(scene, has_no_way_back);
}

static void kill_master(struct scene *scene)
{
	box_crash(&scene->a, SIM_DEATH);
}

static int begin_swap(struct scene *scene)
{
	int rc = scene_interrupt(scene, scene_give_swap, swap_has_begun, kill_master);

	return rc ? rc : box_boot(&scene->a);
}

/* Refused, since the other side is not reached. */
static int suspend_half(struct scene *scene)
{
	int rc = box_session_pause(&scene->a, SCENE_SESSION, false);

	scene_cut_link(scene);
	return rc ? rc : box_session_pause(&scene->a, SCENE_SESSION, true) ? 0 : -EPROTO;
}

static int resume_half(struct scene *scene)
{
	int rc = box_session_pause(&scene->a, SCENE_SESSION, true);

	scene_cut_link(scene);
	return rc ? rc : box_session_resume(&scene->a, SCENE_SESSION) ? 0 : -EPROTO;
}

static int end_and_recover(struct scene *scene)
{
	int rc = box_session_terminate(&scene->a, SCENE_SESSION, true);

	return rc ? rc : scene_fail_over(scene);
}

static int give_add(void *arg)
{
	const struct box *box = arg;
	struct fault fault;

	return copy_session_add(box->copy, SCENE_SESSION, box->volumes, 1, &fault);
}

/* At a, as source and master. */
static int make_led(struct place *place)
{
	struct scene *scene = &place->scene;
	int rc = scene_pair_to_end(scene, PAIR_ASYNC, place->standing > STANDING_OPEN);

	if (rc)
		return rc;
	switch (place->standing) {
	case STANDING_OPEN:
		rc = box_session_open(&scene->a, SCENE_SESSION);
		return rc ? rc : box_call(&scene->a, give_add, &scene->a);
	case STANDING_ELSEWHERE:
		return scene_give_swap(scene);
	case STANDING_PAUSED:
		return box_session_pause(&scene->a, SCENE_SESSION, false);
	case STANDING_SUSPENDING:
		return suspend_half(scene);
	case STANDING_PAUSED_CONSISTENT:
		return box_session_pause(&scene->a, SCENE_SESSION, true);
	case STANDING_RESUMING:
		return resume_half(scene);
	case STANDING_SWAP_BEGUN:
		return begin_swap(scene);
	case STANDING_SWAPPING:
		return scene_interrupt(scene, scene_give_swap, swap_goes_on, scene_cut_link);
	case STANDING_OVER:
		return scene_fail_over(scene);
	case STANDING_TAKEN_OVER:
		return end_and_recover(scene);
	default:
		return 0;
	}
}

/* At b, as far side. */
static int make_far(struct place *place)
{
	struct scene *scene = &place->scene;
	int rc = scene_pair_to_end(scene, PAIR_ASYNC, place->standing != STANDING_NO_FAR);

	scene->at = &scene->b;
	scene->volume = scene->b.volumes[0];
	if (rc || place->standing <= STANDING_FAR)
		return rc;
	rc = scene_fail_over(scene);
	if (!rc && place->standing > STANDING_RECOVERED)
		rc = box_session_failback(&scene->b, SCENE_SESSION, false);
	return rc || place->standing < STANDING_RETURNING
		? rc : scene_interrupt(scene, scene_give_return, scene_is_away, scene_cut_link);
}

/* Together with its master at a, b is a subordinate. */
static int start_group(struct place *place)
{
	struct scene *scene = &place->scene;
	struct session_start start = { .session = SCENE_SESSION, .master_lss = box_lss(&scene->a) };
	int rc = 0;

	if (place->standing == STANDING_ELSEWHERE) {
		start.subordinate_count = 1;
		start.subordinates[0].lss = box_lss(&scene->b);
		snprintf(start.subordinates[0].system, sizeof(start.subordinates[0].system), "%s", scene->b.id);
		rc = box_session_open_as(&scene->b, SCENE_SESSION, place->type);
		scene->at = &scene->b;
	}
	return rc ? rc : box_session_start(&scene->a, &start);
}

static int make_group(struct place *place)
{
	bool held = place->standing == STANDING_HELD || place->standing == STANDING_RUNNING_HELD;
	struct scene *scene = &place->scene;
	int rc = scene_pair_to_end(scene, PAIR_SYNC, false);

	if (!rc && place->type == SESSION_FLASHCOPY)
		rc = box_flash(&scene->a, 0, 1, true);
	if (!rc)
		rc = box_session_open_as(&scene->a, SCENE_SESSION, place->type);
	if (!rc)
		rc = box_call(&scene->a, give_add, &scene->a);
	if (!rc && place->standing != STANDING_OPEN && place->standing != STANDING_HELD)
		rc = start_group(place);
	return !rc && held ? box_session_freeze(&scene->a, SCENE_SESSION, 3600 * RT_SECOND) : rc;
}

static int make(struct place *place)
{
	int rc;

	scene_add_boxes(&place->scene, (unsigned)place->type * STANDING_COUNT + (unsigned)place->standing);
	if (place->type != SESSION_XDC) {
		rc = make_group(place);
	} else if (is_far_side(place->standing) || place->standing == STANDING_OF_FAR) {
		rc = make_far(place);
	} else {
		rc = make_led(place);
	}
	return rc ? rc : wait_for(place);
}

/* Whether there is a way that takes no more than two boxes, and no chance. */
static bool is_made(enum session_type type, enum session_standing standing)
{
	if (type != SESSION_XDC && is_far_side(standing))
		return false;
	return session_table_has(type, standing) && standing != STANDING_PAUSING && standing != STANDING_FAR_OVER;
}

/* ---- one operation ---- */

struct trial {
	struct place *place;
	enum session_verb verb;
	bool force;
	int rc;
	struct fault fault;
	enum session_type type;			/* after it */
	enum session_standing after;
};

static int give_verify(struct copy *copy, struct fault *fault)
{
	const struct copy_verify_request request = { .repair = false };
	struct session_verify *verify;

	if (copy_session_verify_begin(copy, SCENE_SESSION, &request, &verify, fault))
		return -1;
	copy_session_verify_end(verify);
	return 0;
}

/* On an LSS of its own, which nothing else is on. */
static int give_close(struct trial *trial, struct copy *copy, uint8_t lss)
{
	struct fault ignored;

	if (session_entry_find(copy, SCENE_SESSION))
		(void)!copy_session_open(copy, SCENE_SESSION, lss, trial->place->type, &ignored);
	return copy_session_close(copy, SCENE_SESSION, lss, &trial->fault);
}

static int give_far(struct trial *trial, struct copy *copy)
{
	struct recovery_result result;

	switch (trial->verb) {
	case SESSION_DO_PRACTICE:
		return copy_session_practice(copy, SCENE_SESSION, NULL, NULL, &trial->fault);
	case SESSION_DO_RECOVER:
		return copy_session_recover(copy, SCENE_SESSION, NULL, false, &result, &trial->fault);
	case SESSION_DO_FAILBACK:
		return copy_session_failback(copy, SCENE_SESSION, false, &trial->fault);
	default:
		return copy_session_return(copy, SCENE_SESSION, &trial->fault);
	}
}

static int give_volumes(struct trial *trial, struct copy *copy)
{
	const struct box *box = trial->place->scene.at;
	uint8_t lss = (uint8_t)(box_lss(box) + 1);

	switch (trial->verb) {
	case SESSION_DO_OPEN:
		return copy_session_open(copy, SCENE_SESSION, lss, trial->place->type, &trial->fault);
	case SESSION_DO_CLOSE:
		return give_close(trial, copy, lss);
	case SESSION_DO_ADD:
		return copy_session_add(copy, SCENE_SESSION, box->volumes, 1, &trial->fault);
	default:
		return copy_session_remove(copy, SCENE_SESSION, box->volumes, 1, &trial->fault);
	}
}

static int give_command(struct trial *trial, struct copy *copy)
{
	const struct session_start start = {
		.session = SCENE_SESSION, .master_lss = box_lss(trial->place->scene.at),
	};
	struct fault *fault = &trial->fault;

	switch (trial->verb) {
	case SESSION_DO_START:
		return copy_session_start(copy, &start, fault);
	case SESSION_DO_PAUSE:
	case SESSION_DO_PAUSE_CONSISTENT:
		return copy_session_pause(copy, SCENE_SESSION, trial->verb == SESSION_DO_PAUSE_CONSISTENT, fault);
	case SESSION_DO_RESUME:
		return copy_session_resume(copy, &start, fault);
	case SESSION_DO_FREEZE:
		return copy_session_freeze(copy, SCENE_SESSION, 3600 * RT_SECOND, fault);
	case SESSION_DO_RUN:
		return copy_session_run(copy, SCENE_SESSION, fault);
	case SESSION_DO_FLASH:
		return copy_session_flash(copy, SCENE_SESSION, fault);
	case SESSION_DO_VERIFY:
		return give_verify(copy, fault);
	case SESSION_DO_SWAP:
		return copy_session_swap(copy, SCENE_SESSION, fault);
	default:
		return copy_session_terminate(copy, SCENE_SESSION, trial->force, fault);
	}
}

/* Where it leaves the session is seen before anything else happens. */
static int give(void *arg)
{
	struct trial *trial = arg;
	struct copy *copy = trial->place->scene.at->copy;

	if (!trial->place->scene.at->ready)
		return -ECONNABORTED;
	if (trial->verb >= SESSION_DO_PRACTICE)
		trial->rc = give_far(trial, copy);
	else
		trial->rc = trial->verb <= SESSION_DO_REMOVE ? give_volumes(trial, copy) : give_command(trial, copy);
	look_here(trial->place, &trial->type, &trial->after);
	return 0;
}

/* ---- as the table says? ---- */

static bool stays(const struct trial *trial)
{
	return trial->after == trial->place->standing && trial->type == trial->place->type;
}

static bool goes(const struct trial *trial, const struct copy_cell *cell)
{
	/* It is open on another LSS still. */
	if (trial->verb == SESSION_DO_CLOSE)
		return stays(trial);
	return cell->next & STANDING_BIT(trial->after) && trial->type == cell->next_type;
}

static bool is_refused(const struct trial *trial)
{
	return trial->rc && trial->fault.code && trial->fault.message[0] && trial->fault.remedy[0];
}

/* For what it names besides the session. */
static bool is_of_another(const struct trial *trial)
{
	return is_refused(trial) && strncmp(trial->fault.object, "session", 7) != 0;
}

/* One that is refused in the middle stands between here and there: it, or the opposite one, does the rest. */
static bool is_halfway(const struct trial *trial)
{
	uint64_t halfway = 0;

	if (trial->verb == SESSION_DO_PAUSE_CONSISTENT)
		halfway = STANDING_BIT(STANDING_PAUSED) | STANDING_BIT(STANDING_SUSPENDING);
	else if (trial->verb == SESSION_DO_RESUME || trial->verb == SESSION_DO_TERMINATE)
		halfway = STANDING_BIT(STANDING_RESUMING) | STANDING_BIT(STANDING_PAUSED_CONSISTENT) |
			  STANDING_BIT(STANDING_PAUSED);
	else if (trial->verb == SESSION_DO_SWAP)
		halfway = STANDING_BIT(STANDING_SWAP_BEGUN) | STANDING_BIT(STANDING_SWAPPING);
	return halfway & STANDING_BIT(trial->after);
}

static bool is_as_said(const struct trial *trial, const struct copy_cell *cell)
{
	switch (cell->answer) {
	case COPY_DONE:
		return trial->rc ? is_of_another(trial) && stays(trial) : goes(trial, cell);
	case COPY_ASKS:
		scenario_count(trial->rc ? "asked and refused" : "asked and done", 1);
		return trial->rc ? is_refused(trial) && (stays(trial) || is_halfway(trial)) : goes(trial, cell);
	case COPY_FORCED:
		if (trial->force)
			return trial->rc ? is_refused(trial) && stays(trial) : goes(trial, cell);
		return is_refused(trial) && trial->fault.code == cell->code && stays(trial);
	default:
		return is_refused(trial) && trial->fault.code == cell->code && stays(trial);
	}
}

static int try_one(struct place *place, enum session_verb verb, bool force)
{
	const struct copy_cell cell = session_table_cell(place->type, place->standing, verb);
	struct trial trial = { .place = place, .verb = verb, .force = force };
	int rc = sim_call(place->scene.at->system, give, &trial);

	if (rc) {
		sim_fail(sim_world(), "%s of %s, %s: %d", session_verb_names[verb], session_type_names[place->type],
			 session_standing_names[place->standing], rc);
		return rc;
	}
	scenario_count("operations given", 1);
	if (!is_as_said(&trial, &cell))
		scenario_wrong("%s, %s: %s%s answers %d (%s: %s) and leaves it %s, %s",
			       session_type_names[place->type], session_standing_names[place->standing],
			       session_verb_names[verb], force ? " --force" : "",
			       trial.rc ? (int)trial.fault.code : 0, trial.rc ? trial.fault.object : "",
			       trial.rc ? trial.fault.message : "", session_type_names[trial.type],
			       session_standing_names[trial.after]);
	return 0;
}

/* True in a branch, which ends here. */
static bool try_all(struct place *place)
{
	for (enum session_verb verb = 0; verb < SESSION_VERB_COUNT; verb++) {
		enum copy_answer answer = session_table_cell(place->type, place->standing, verb).answer;

		for (unsigned force = 0; force < 1u + (answer == COPY_FORCED); force++) {
			if (answer == COPY_NO_VERB || !scenario_branch())
				continue;
			(void)!try_one(place, verb, force);
			return true;
		}
	}
	return false;
}

/* ---- however it stands ---- */

/* 1: this is a branch, and its end. */
static int go_through(struct place *place)
{
	int rc = make(place);

	if (rc) {
		sim_fail(sim_world(), "a session of type %s does not become %s: %d", session_type_names[place->type],
			 session_standing_names[place->standing], rc);
		return rc;
	}
	scenario_count("standings reached", 1);
	if (try_all(place))
		return 1;
	box_crash(&place->scene.a, SIM_DEATH);
	box_crash(&place->scene.b, SIM_DEATH);
	return 0;
}

/* As scenario `table`: each seed has a part, and three in a row have all. */
static const char *const parts[] = { "part 1 of 3", "part 2 of 3", "part 3 of 3" };
#define PARTS	(sizeof(parts) / sizeof(parts[0]))

static int run_part(struct place *place)
{
	static const enum session_type types[] = { SESSION_XDC, SESSION_PPRC, SESSION_FLASHCOPY };
	unsigned part = (unsigned)(scenario_seed() % PARTS), number = 0;
	int rc = 0;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && !rc; i++) {
		for (enum session_standing standing = 0; standing < STANDING_COUNT && !rc; standing++) {
			if (!is_made(types[i], standing) || number++ % PARTS != part)
				continue;
			*place = (struct place){
				.scene.type = COPY_TYPE_SESSION, .type = types[i], .standing = standing,
			};
			rc = go_through(place);
		}
	}
	if (!rc)
		scenario_count(parts[part], 1);
	return rc == 1 ? 0 : rc;
}

static int run_session_table(void *arg)
{
	struct place *place = mem_alloc_zeroed(sizeof(*place));
	int rc;

	(void)arg;
	if (!place)
		return -ENOMEM;
	rc = run_part(place);
	mem_free(place);
	return rc;
}

static const char *const must_happen[] = {
	"standings reached", "operations given", "asked and done", "asked and refused",
	"part 1 of 3", "part 2 of 3", "part 3 of 3", NULL
};

const struct scenario scenario_session_table = {
	.name = "session-table",
	.about = "every operation on every session, however it stands, answers and ends as the table of sessions says",
	.until_ns = 36000 * RT_SECOND,
	.run = run_session_table,
	.must_happen = must_happen,
};
