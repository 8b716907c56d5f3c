/* SPDX-License-Identifier: Apache-2.0 */
#include "table_scene.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/flash.h"
#include "copy/pair.h"
#include "copy/practice.h"
#include "scenarios.h"

#define VOLUME_BYTES	(2u << 20)
#define BLOCKS		(VOLUME_BYTES / XDC_BLOCK_SIZE)
#define SLOW_BYTES	4096u			/* a second: a copy takes minutes */
#define PATIENCE_NS	(60 * RT_SECOND)
#define LOOK_NS		(RT_MS / 10)

/* ---- looking at it ---- */

bool scene_is_flash(const struct scene *scene)
{
	return scene->type >= COPY_TYPE_FLASH;
}

struct flash_search {
	uint16_t target;
	struct scene_look *look;
};

static void match(void *arg, const struct copy_flash_info *info)
{
	struct flash_search *search = arg;

	if (info->record.target == search->target)
		*search->look = (struct scene_look){ true, info->copy_type, info->copy_state };
}

int scene_look_here(const struct scene *scene, uint16_t volume, struct scene_look *look)
{
	struct copy *copy = scene->at->copy;
	const struct copy_pair_name name = copy_pair_name_of(volume, "");
	struct copy_pair_info info;
	struct fault fault;

	*look = (struct scene_look){ 0 };
	if (scene_is_flash(scene)) {
		return copy_flash_each(copy, match, &(struct flash_search){ volume, look }, &fault);
	} else if (copy_pair_get(copy, &name, &info)) {
		*look = (struct scene_look){ true, info.copy_type, info.copy_state };
	}
	return 0;
}

struct look_order {
	struct scene *scene;
	struct scene_look *look;
};

static int look_there(void *arg)
{
	struct look_order *order = arg;

	if (!order->scene->at->ready)
		return -ECONNABORTED;
	return scene_look_here(order->scene, order->scene->volume, order->look);
}

int scene_look(struct scene *scene, struct scene_look *look)
{
	struct look_order order = { scene, look };

	return sim_call(scene->at->system, look_there, &order);
}

static int wait_ns(int64_t ns)
{
	return rt_sleep_until(rt_now_ns() + ns);
}

/* Until it is in this state: of its own, or of the way there. */
static int wait_for(struct scene *scene, enum copy_state state)
{
	int64_t until_ns = rt_now_ns() + PATIENCE_NS;
	struct scene_look look;
	int rc;

	for (;;) {
		rc = scene_look(scene, &look);
		if (rc || (look.found && look.state == state))
			return rc;
		if (rt_now_ns() > until_ns)
			return -ETIMEDOUT;
		rc = wait_ns(LOOK_NS);
		if (rc)
			return rc;
	}
}

/* The pair at this end, on the way there. */
static int wait_at(struct scene *scene, struct box *at, enum copy_state state)
{
	struct box *wanted = scene->at;
	uint16_t volume = scene->volume;
	enum copy_type type = scene->type;
	int rc;

	scene->type = COPY_TYPE_ASYNC;
	scene->at = at;
	scene->volume = at->volumes[0];
	rc = wait_for(scene, state);
	scene->type = type;
	scene->at = wanted;
	scene->volume = volume;
	return rc;
}

/* ---- what is done in a box ---- */

struct order {
	struct scene *scene;
	struct box *box;
	int (*fn)(struct order *order, struct copy *copy, struct fault *fault);
	uint64_t limit_bytes;
};

static int carry_out(void *arg)
{
	struct order *order = arg;
	struct fault fault = { 0 };
	int rc;

	if (!order->box->ready)
		return -ECONNABORTED;
	rc = order->fn(order, order->box->copy, &fault);
	if (rc)
		log_line(LOG_WARNING, "command", "%s: %s; %s", fault.object, fault.message, fault.remedy);
	return rc;
}

static int do_at(struct order order, int (*fn)(struct order *order, struct copy *copy, struct fault *fault))
{
	order.fn = fn;
	return sim_call(order.box->system, carry_out, &order);
}

static struct copy_pair_name pair_of(const struct order *order)
{
	return copy_pair_name_of(order->box->volumes[0], "");
}

static int limit(struct order *order, struct copy *copy, struct fault *fault)
{
	const struct box *other = order->box == &order->scene->a ? &order->scene->b : &order->scene->a;
	struct copy_path path = { .source_lss = box_lss(order->box), .target_lss = box_lss(other) };
	const struct copy_path_change change = { .sets_limit = true, .limit_bytes = order->limit_bytes };

	snprintf(path.system, sizeof(path.system), "%s", other->id);
	return copy_path_set(copy, &path, &change, fault);
}

static int suspend(struct order *order, struct copy *copy, struct fault *fault)
{
	const struct copy_pair_name name = pair_of(order);

	return copy_pair_suspend(copy, &name, fault);
}

static int leave_sync(struct order *order, struct copy *copy, struct fault *fault)
{
	const struct copy_pair_name name = pair_of(order);

	return copy_pair_leave_sync(copy, &name, fault);
}

static int delete(struct order *order, struct copy *copy, struct fault *fault)
{
	const struct copy_pair_name name = pair_of(order);

	return copy_pair_delete(copy, &name, true, fault);
}

static int add(struct order *order, struct copy *copy, struct fault *fault)
{
	return copy_session_add(copy, SCENE_SESSION, order->box->volumes, 1, fault);
}

static int leave_session(struct order *order, struct copy *copy, struct fault *fault)
{
	return copy_session_remove(copy, SCENE_SESSION, order->box->volumes, 1, fault);
}

static int swap(struct order *order, struct copy *copy, struct fault *fault)
{
	(void)order;
	return copy_session_swap(copy, SCENE_SESSION, fault);
}

static int fill(struct box *box, unsigned volume)
{
	uint8_t data[XDC_BLOCK_SIZE];
	int rc = 0;

	memset(data, 1 + (int)sim_random_below(sim_world(), 255), sizeof(data));
	for (uint64_t block = 0; block < BLOCKS && !rc; block += 64)
		rc = box_write_many(box, volume, block, 64, data, 0);
	return rc;
}

/* ---- pairs ---- */

static enum pair_type pair_type_of(enum copy_type type)
{
	return type == COPY_TYPE_SYNC ? PAIR_SYNC : type == COPY_TYPE_GLOBAL_COPY ? PAIR_GLOBAL_COPY : PAIR_ASYNC;
}

void scene_add_boxes(struct scene *scene, unsigned number)
{
	enum cache_mode cache = scene->state == COPY_STATE_WRITES_LOST ? CACHE_WRITEBACK : CACHE_DIRECT;
	unsigned reactors = 1 + (unsigned)sim_random_below(sim_world(), 2);
	char name[16];

	snprintf(name, sizeof(name), "a%u", number);
	box_init(&scene->a, name, "2105.A1", reactors, 0x1500, 2, VOLUME_BYTES, cache);
	snprintf(name, sizeof(name), "b%u", number);
	box_init(&scene->b, name, "2105.B1", reactors, 0x2500, 2, VOLUME_BYTES, cache);
	scene->a.critical = scene->state == COPY_STATE_REFUSING;
	scene->at = &scene->a;
	scene->volume = scene->a.volumes[0];
}

static int boot_two(struct scene *scene)
{
	int rc = box_boot(&scene->b);

	if (!rc)
		rc = box_boot(&scene->a);
	if (!rc)
		rc = box_path(&scene->a, &scene->b);
	return rc ? rc : box_path(&scene->b, &scene->a);
}

static int join(struct scene *scene)
{
	const struct session_start start = { .session = SCENE_SESSION, .master_lss = box_lss(&scene->a) };
	int rc = box_session_open(&scene->a, SCENE_SESSION);

	if (!rc)
		rc = do_at((struct order){ .scene = scene, .box = &scene->a }, add);
	return rc ? rc : box_session_start(&scene->a, &start);
}

static int set_slow(struct scene *scene)
{
	return do_at((struct order){ .scene = scene, .box = &scene->a, .limit_bytes = SLOW_BYTES }, limit);
}

/* Both boxes, and the pair between them. */
static int pair_up(struct scene *scene, enum pair_type type, bool slow, bool in_session)
{
	int rc = boot_two(scene);

	if (!rc)
		rc = fill(&scene->a, 0);
	if (!rc)
		rc = box_flush(&scene->a, 0);
	if (!rc && slow)
		rc = set_slow(scene);
	if (!rc)
		rc = box_pair(&scene->a, 0, &scene->b, 0, type);
	return !rc && in_session ? join(scene) : rc;
}

static int wait_group(struct scene *scene)
{
	int64_t until_ns = rt_now_ns() + PATIENCE_NS, shown_ns;
	struct copy_session_info info = { 0 };
	int rc = 0;

	while (!rc && !(info.sequence && info.joined)) {
		rc = rt_now_ns() > until_ns ? -ETIMEDOUT : box_session_info(&scene->a, SCENE_SESSION, &info, &shown_ns);
		if (!rc)
			rc = wait_ns(RT_MS);
	}
	return rc;
}

int scene_pair_to_end(struct scene *scene, enum pair_type type, bool in_session)
{
	int rc = pair_up(scene, type, false, in_session);

	if (!rc)
		rc = wait_at(scene, &scene->a, type == PAIR_SYNC ? COPY_STATE_FULL_DUPLEX : COPY_STATE_FOLLOWING);
	return !rc && in_session ? wait_group(scene) : rc;
}

static int begin_resync(struct scene *scene)
{
	int rc = do_at((struct order){ .scene = scene, .box = &scene->a }, suspend);

	if (!rc)
		rc = set_slow(scene);
	if (!rc)
		rc = fill(&scene->a, 0);
	return rc ? rc : box_pair_resume(&scene->a, 0, &scene->b);
}

static int boot_again(struct box *box, enum sim_crash how)
{
	box_crash(box, how);
	return box_boot(box);
}

static int boot_without(struct box *box)
{
	box->away[0] = true;
	return boot_again(box, SIM_DEATH);
}

int scene_fail_over(struct scene *scene)
{
	struct recovery_result result;

	if (scene->type != COPY_TYPE_SESSION)
		return box_pair_failover(&scene->b, 0, NULL);
	return box_session_recover(&scene->b, SCENE_SESSION, false, &result);
}

/* Others than synchronous ones are held with a session. */
static int freeze_session(struct scene *scene, bool run)
{
	int rc = box_session_open_as(&scene->a, SCENE_SESSION, SESSION_PPRC);

	if (!rc)
		rc = do_at((struct order){ .scene = scene, .box = &scene->a }, add);
	if (!rc)
		rc = box_session_freeze(&scene->a, SCENE_SESSION, 3600 * RT_SECOND);
	if (!rc && run)
		rc = box_session_run(&scene->a, SCENE_SESSION);
	/* What is left of it is the pair's own state. */
	return !rc && run ? do_at((struct order){ .scene = scene, .box = &scene->a }, leave_session) : rc;
}

static int freeze(struct scene *scene, bool run)
{
	int rc;

	if (scene->type == COPY_TYPE_ASYNC || (scene->type == COPY_TYPE_GLOBAL_COPY && !run))
		return freeze_session(scene, run);
	rc = box_pair_freeze(&scene->a, &scene->b, 3600 * RT_SECOND);

	return !rc && run ? box_pair_run(&scene->a, &scene->b) : rc;
}

/* ---- a source that has given its volume away, and a target that lacks a part of a group ---- */

struct background {
	struct rt_group group;
	struct scene *scene;
	int (*fn)(struct scene *scene);
	bool ended;
};

static void run_background(void *arg)
{
	struct background *background = arg;

	(void)!background->fn(background->scene);
	background->ended = true;
}

static const struct pair *pair_at(const struct box *box)
{
	return box->ready && sim_is_running(box->system) ? pair_first_of(box->copy, box->volumes[0]) : NULL;
}

bool scene_is_away(const struct scene *scene)
{
	const struct pair *pair = pair_at(scene->at);

	return pair && pair->record.state == PAIR_TARGET_SUSPENDED;
}

int scene_interrupt(struct scene *scene, int (*fn)(struct scene *scene), bool (*holds)(const struct scene *scene),
		     void (*cut)(struct scene *scene))
{
	struct background background = { .scene = scene, .fn = fn };
	int64_t until_ns = rt_now_ns() + 4 * PATIENCE_NS;
	int rc;

	rt_group_init(&background.group);
	rc = rt_group_start(&background.group, "command", run_background, &background);
	while (!rc && !holds(scene) && rt_now_ns() < until_ns && !background.ended)
		rc = wait_ns(10 * RT_US);
	if (!rc && !holds(scene))
		rc = -ETIMEDOUT;
	cut(scene);
	while (!rc && !background.ended && rt_now_ns() < until_ns)
		rc = wait_ns(RT_MS);
	rt_group_stop(&background.group);
	return rc;
}

void scene_cut_link(struct scene *scene)
{
	sim_cut(scene->a.system, scene->b.system);
}

int scene_give_swap(struct scene *scene)
{
	return do_at((struct order){ .scene = scene, .box = &scene->a }, swap);
}

int scene_give_return(struct scene *scene)
{
	return box_session_return(&scene->b, SCENE_SESSION);
}

/* By a swap at the source that was; by a return at the far side, which was recovered and sends back. */
static int give_away(struct scene *scene)
{
	int rc = scene_pair_to_end(scene, PAIR_ASYNC, true);

	if (rc || scene->type == COPY_TYPE_ASYNC)
		return rc ? rc : scene_interrupt(scene, scene_give_swap, scene_is_away, scene_cut_link);
	scene->at = &scene->b;
	scene->volume = scene->b.volumes[0];
	rc = scene_fail_over(scene);
	if (!rc)
		rc = box_session_failback(&scene->b, SCENE_SESSION, false);
	if (!rc)
		rc = wait_at(scene, &scene->b, COPY_STATE_FOLLOWING);
	return rc ? rc : scene_interrupt(scene, scene_give_return, scene_is_away, scene_cut_link);
}

#define JOURNALS	"state/journals"

static int note_file(void *arg, const char *name)
{
	snprintf(arg, 80, JOURNALS "/%s", name);
	return 0;
}

/* The journal is offline after the next start. */
static int remove_journal(struct order *order, struct copy *copy, struct fault *fault)
{
	char path[80];
	int rc;

	(void)order;
	(void)copy;
	(void)fault;
	do {
		path[0] = '\0';
		rc = rt_path_list(JOURNALS, note_file, path);
		if (!rc && path[0])
			rc = rt_path_unlink(path);
	} while (!rc && path[0]);
	return rc ? rc : rt_path_sync_folder(JOURNALS);
}

static int tear(struct scene *scene)
{
	int rc = scene_pair_to_end(scene, PAIR_ASYNC, true);

	if (!rc)
		rc = do_at((struct order){ .scene = scene, .box = &scene->b }, remove_journal);
	box_crash(&scene->a, SIM_DEATH);
	if (!rc)
		rc = boot_again(&scene->b, SIM_DEATH);
	return rc ? rc : box_session_terminate(&scene->b, SCENE_SESSION, true);
}

/* ---- each state of a pair ---- */

static int make_source(struct scene *scene)
{
	enum pair_type type = pair_type_of(scene->type);
	bool in_session = scene->type == COPY_TYPE_SESSION || scene->state == COPY_STATE_REMOVED;
	uint8_t data[XDC_BLOCK_SIZE] = { 1 };
	int rc;

	if (scene->state == COPY_STATE_FIRST_COPY)
		return pair_up(scene, type, true, in_session);
	if (scene->state == COPY_STATE_SPLIT && scene->type == COPY_TYPE_GLOBAL_COPY)
		type = PAIR_SYNC;
	rc = scene_pair_to_end(scene, type, in_session);
	if (rc)
		return rc;
	switch (scene->state) {
	case COPY_STATE_FOLLOWING:
	case COPY_STATE_FULL_DUPLEX:
		return 0;
	case COPY_STATE_RESYNC:
		return begin_resync(scene);
	case COPY_STATE_REFUSING:
	case COPY_STATE_INTERRUPTED:
		box_crash(&scene->b, SIM_DEATH);
		(void)!box_write(&scene->a, 0, 0, data, 0);
		return 0;
	case COPY_STATE_SUSPENDED:
		return do_at((struct order){ .scene = scene, .box = &scene->a }, suspend);
	case COPY_STATE_FROZEN:
		return freeze(scene, false);
	case COPY_STATE_SPLIT:
		rc = freeze(scene, true);
		return rc || scene->type != COPY_TYPE_GLOBAL_COPY
			? rc : do_at((struct order){ .scene = scene, .box = &scene->a }, leave_sync);
	case COPY_STATE_PAUSED:
		return box_session_pause(&scene->a, SCENE_SESSION, true);
	case COPY_STATE_REMOVED:
		return do_at((struct order){ .scene = scene, .box = &scene->a }, leave_session);
	case COPY_STATE_DIVERGED:
		return scene_fail_over(scene);
	case COPY_STATE_WRITES_LOST:
		rc = box_write(&scene->a, 0, 0, data, 0);
		return rc ? rc : boot_again(&scene->a, SIM_POWER_LOSS);
	case COPY_STATE_COPY_ANEW:
		rc = do_at((struct order){ .scene = scene, .box = &scene->b }, delete);
		return rc ? rc : boot_again(&scene->b, SIM_DEATH);
	case COPY_STATE_OFFLINE:
		return boot_without(&scene->a);
	default:
		return -EOPNOTSUPP;
	}
}

static int make_target(struct scene *scene)
{
	enum pair_type type = pair_type_of(scene->type);
	bool in_session = scene->type == COPY_TYPE_SESSION;
	int rc;

	if (scene->state == COPY_STATE_TARGET_FIRST_COPY)
		return pair_up(scene, type, true, in_session);
	if (scene->state == COPY_STATE_TARGET_TORN)
		return tear(scene);
	rc = scene_pair_to_end(scene, type, in_session);
	if (rc)
		return rc;
	switch (scene->state) {
	case COPY_STATE_TARGET:
		return type == PAIR_SYNC ? begin_resync(scene) : 0;
	case COPY_STATE_TARGET_FULL_DUPLEX:
		return 0;
	case COPY_STATE_FAILED_OVER:
		return scene_fail_over(scene);
	case COPY_STATE_TARGET_OFFLINE:
		return boot_without(&scene->b);
	default:
		return -EOPNOTSUPP;
	}
}

static int make_pair(struct scene *scene)
{
	int rc;

	if (scene->state == COPY_STATE_TARGET_AWAY) {
		rc = give_away(scene);
	} else if (scene->state < COPY_STATE_TARGET_FIRST_COPY) {
		rc = make_source(scene);
	} else {
		rc = make_target(scene);
		scene->at = &scene->b;
		scene->volume = scene->b.volumes[0];
	}
	return rc ? rc : wait_for(scene, scene->state);
}

/* ---- FlashCopies ---- */

static struct flash *flash_at(const struct scene *scene)
{
	if (!scene->at->ready || !sim_is_running(scene->at->system))
		return NULL;
	return flash_find_target(scene->at->copy, scene->volume);
}

static struct copy_flash_request request_of(const struct scene *scene)
{
	return (struct copy_flash_request){
		.source = scene->a.volumes[0], .target = scene->a.volumes[1],
		.no_copy = scene->type == COPY_TYPE_FLASH_NO_COPY || scene->state == COPY_STATE_FLASH_IDLE ||
			   scene->state == COPY_STATE_FLASH_RESTORING,
		.persistent = scene->type == COPY_TYPE_FLASH_PERSISTENT,
		.record = scene->type == COPY_TYPE_FLASH_RECORD,
		.revertible = scene->state == COPY_STATE_FLASH_REVERTIBLE,
		.priority = COPY_LOW,
	};
}

static int create(struct order *order, struct copy *copy, struct fault *fault)
{
	const struct copy_flash_request request = request_of(order->scene);

	return copy_flash_create(copy, &request, 1, fault);
}

static int reverse(struct order *order, struct copy *copy, struct fault *fault)
{
	return copy_flash_reverse(copy, order->scene->a.volumes[1], &order->scene->volume, fault);
}

static int withdraw(struct order *order, struct copy *copy, struct fault *fault)
{
	return copy_flash_delete(copy, order->scene->volume, true, fault);
}

/* The relation has failed after the next start. */
static int remove_map(struct order *order, struct copy *copy, struct fault *fault)
{
	char path[FLASH_PATH_MAX];
	struct flash *flash = flash_at(order->scene);

	(void)fault;
	if (!flash)
		return -ENOENT;
	flash_map_path(copy, flash->record.map, "map", path);
	return rt_path_unlink(path);
}

static int give_withdraw(struct scene *scene)
{
	return do_at((struct order){ .scene = scene, .box = &scene->a }, withdraw);
}

static bool is_withdrawing(const struct scene *scene)
{
	const struct flash *flash = flash_at(scene);

	return flash && flash->record.state == FLASH_WITHDRAWING;
}

static void kill_source_box(struct scene *scene)
{
	box_crash(&scene->a, SIM_DEATH);
}

/* What is copied takes long. */
static int flash_slowly(struct scene *scene)
{
	const struct sim_disk_state slow = { .slower = 200 };
	int rc = box_boot(&scene->a);

	scene->volume = scene->a.volumes[1];
	if (!rc)
		rc = fill(&scene->a, 0);
	if (!rc && scene->state != COPY_STATE_FLASH_WHOLE)
		sim_set_disk(scene->a.system, "pool/", &slow);
	return rc ? rc : do_at((struct order){ .scene = scene, .box = &scene->a }, create);
}

/* Of one whose target has a block of its own. */
static int restore(struct scene *scene)
{
	uint8_t data[XDC_BLOCK_SIZE] = { 7 };
	int rc = box_write(&scene->a, 1, 0, data, 0);

	return rc ? rc : do_at((struct order){ .scene = scene, .box = &scene->a }, reverse);
}

static int make_flash(struct scene *scene)
{
	int rc = flash_slowly(scene);

	if (rc)
		return rc;
	switch (scene->state) {
	case COPY_STATE_FLASH_COPYING:
	case COPY_STATE_FLASH_IDLE:
	case COPY_STATE_FLASH_REVERTIBLE:
		return 0;
	case COPY_STATE_FLASH_WHOLE:
		/* The others come to it by themselves. */
		if (scene->type == COPY_TYPE_FLASH || scene->type == COPY_TYPE_FLASH_NO_COPY)
			rc = fill(&scene->a, 1);
		return rc;
	case COPY_STATE_FLASH_RESTORING:
		return restore(scene);
	case COPY_STATE_FLASH_FAILED:
		rc = do_at((struct order){ .scene = scene, .box = &scene->a }, remove_map);
		return rc ? rc : boot_again(&scene->a, SIM_DEATH);
	case COPY_STATE_FLASH_WITHDRAWING:
		rc = scene_interrupt(scene, give_withdraw, is_withdrawing, kill_source_box);
		scene->a.away[1] = true;
		return rc ? rc : box_boot(&scene->a);
	case COPY_STATE_FLASH_OFFLINE:
		return boot_without(&scene->a);
	default:
		return -EOPNOTSUPP;
	}
}

/* At the far side of a session. */
static int make_practice(struct scene *scene)
{
	int rc = scene_pair_to_end(scene, PAIR_ASYNC, true);

	if (!rc)
		rc = box_session_practice(&scene->b, SCENE_SESSION, NULL);
	scene->at = &scene->b;
	scene->volume = scene->b.volumes[0] | 0x80;
	if (rc)
		return rc;
	switch (scene->state) {
	case COPY_STATE_FLASH_IDLE:
		return 0;
	case COPY_STATE_FLASH_WHOLE:
		return fill(&scene->b, box_practice_of(0));
	case COPY_STATE_FLASH_FAILED:
		rc = do_at((struct order){ .scene = scene, .box = &scene->b }, remove_map);
		return rc ? rc : boot_again(&scene->b, SIM_DEATH);
	case COPY_STATE_FLASH_OFFLINE:
		return boot_without(&scene->b);
	default:
		return -EOPNOTSUPP;
	}
}

int scene_make(struct scene *scene)
{
	int rc;

	scene_add_boxes(scene, (unsigned)scene->type * COPY_STATE_COUNT + (unsigned)scene->state);
	if (!scene_is_flash(scene))
		return make_pair(scene);
	rc = scene->type == COPY_TYPE_FLASH_PRACTICE ? make_practice(scene) : make_flash(scene);
	return rc ? rc : wait_for(scene, scene->state);
}
