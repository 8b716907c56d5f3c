/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators do on a box. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "box.h"
#include "copy/group.h"
#include "copy/pair.h"
#include "scenarios.h"
#include "volume/volume.h"

struct command {
	struct box *box;
	const struct box *to, *near;
	struct copy_standby_info *standby;
	unsigned volume, target, count;
	enum pair_type type;
	uint8_t session;
	enum session_type session_type;
	const struct session_start *start;
	struct copy_session_info *info;
	int64_t *shown_ns;
	struct recovery_result *result;
	const struct recovery_at *at;
	bool flag;
	int64_t hold_ns;
	int (*fn)(struct command *command, struct fault *fault);
};

static int run_command(void *arg)
{
	struct command *command = arg;
	struct fault fault = { 0 };
	int rc;

	if (!command->box->ready)
		return -ECONNABORTED;
	rc = command->fn(command, &fault);
	if (rc)
		log_line(LOG_WARNING, "command", "%s: %s; %s", fault.object, fault.message, fault.remedy);
	return rc;
}

static int command_at(struct command command, int (*fn)(struct command *command, struct fault *fault))
{
	command.fn = fn;
	return box_call(command.box, run_command, &command);
}

int box_call(struct box *box, int (*fn)(void *arg), void *arg)
{
	unsigned tries = 0;
	int rc;

	do {
		rc = sim_call(box->system, fn, arg);
	} while (rc && rc != -ECONNABORTED && scenario_try_again(&tries));
	return rc;
}

static int path(struct command *command, struct fault *fault)
{
	struct copy_path path = { .source_lss = box_lss(command->box), .target_lss = box_lss(command->to),
				  .group = command->box->group };

	snprintf(path.system, sizeof(path.system), "%s", command->to->id);
	snprintf(path.address, sizeof(path.address), "%s", command->to->address);
	return copy_path_create(command->box->copy, &path, fault);
}

int box_path(struct box *box, const struct box *to)
{
	return command_at((struct command){ .box = box, .to = to }, path);
}

static int pair(struct command *command, struct fault *fault)
{
	struct copy_pair_request request = {
		.source = command->box->volumes[command->volume], .target = command->to->volumes[command->target],
		.type = command->type, .critical = command->type == PAIR_SYNC && command->box->critical,
	};

	snprintf(request.system, sizeof(request.system), "%s", command->to->id);
	return copy_pair_create(command->box->copy, &request, fault);
}

int box_pair(struct box *box, unsigned volume, const struct box *to, unsigned target, enum pair_type type)
{
	return command_at((struct command){ .box = box, .to = to, .volume = volume, .target = target, .type = type },
			  pair);
}

static int standby(struct command *command, struct fault *fault)
{
	struct copy_standby_request request = {
		.volume = command->box->volumes[command->volume],
		.remote_volume = command->to->volumes[command->target],
	};

	snprintf(request.near_system, sizeof(request.near_system), "%s", command->near->id);
	snprintf(request.system, sizeof(request.system), "%s", command->to->id);
	return copy_standby_create(command->box->copy, &request, fault);
}

int box_standby(struct box *box, unsigned volume, const struct box *near, const struct box *far, unsigned target)
{
	return command_at((struct command){ .box = box, .volume = volume, .near = near, .to = far, .target = target },
			  standby);
}

static int take_over(struct command *command, struct fault *fault)
{
	return copy_standby_take_over(command->box->copy, command->box->volumes[command->volume], true, command->flag,
				      fault);
}

int box_standby_take_over(struct box *box, unsigned volume, bool discard)
{
	return command_at((struct command){ .box = box, .volume = volume, .flag = discard }, take_over);
}

static int standby_delete(struct command *command, struct fault *fault)
{
	return copy_standby_delete(command->box->copy, command->box->volumes[command->volume], false, fault);
}

int box_standby_delete(struct box *box, unsigned volume)
{
	return command_at((struct command){ .box = box, .volume = volume }, standby_delete);
}

static int standby_info(struct command *command, struct fault *fault)
{
	return copy_standby_get(command->box->copy, command->box->volumes[command->volume], command->standby)
		       ? 0
		       : fault_set(fault, FAULT_INVALID_PARAMETER, "", "", "there is no standby");
}

int box_standby_info(struct box *box, unsigned volume, struct copy_standby_info *info)
{
	return command_at((struct command){ .box = box, .volume = volume, .standby = info }, standby_info);
}

/* With the system of this box, or its only one. */
static struct copy_pair_name pair_of(const struct command *command)
{
	return copy_pair_name_of(command->box->volumes[command->volume], command->to ? command->to->id : "");
}

static int resume(struct command *command, struct fault *fault)
{
	const struct copy_pair_name name = pair_of(command);

	return copy_pair_resume(command->box->copy, &name, fault);
}

int box_pair_resume(struct box *box, unsigned volume, const struct box *to)
{
	return command_at((struct command){ .box = box, .volume = volume, .to = to }, resume);
}

static int freeze(struct command *command, struct fault *fault)
{
	struct copy_path path = { .source_lss = box_lss(command->box), .target_lss = box_lss(command->to) };

	snprintf(path.system, sizeof(path.system), "%s", command->to->id);
	if (!command->flag)
		return copy_path_run(command->box->copy, &path, fault);
	return copy_path_freeze(command->box->copy, &path, command->hold_ns, fault);
}

int box_pair_freeze(struct box *box, const struct box *to, int64_t hold_ns)
{
	return command_at((struct command){ .box = box, .to = to, .flag = true, .hold_ns = hold_ns }, freeze);
}

int box_pair_run(struct box *box, const struct box *to)
{
	return command_at((struct command){ .box = box, .to = to }, freeze);
}

static bool is_suspended_by(const struct box *box, unsigned volume, enum pair_reason reason)
{
	const struct pair *pair;

	if (!box->ready || !sim_is_running(box->system))
		return false;
	pair = pair_first_of(box->copy, box->volumes[volume]);
	while (pair && pair->record.type != PAIR_SYNC)
		pair = pair_next_of(pair);
	return pair && pair->record.state == PAIR_SUSPENDED && pair->record.reason == reason;
}

bool box_is_frozen_by_command(const struct box *box, unsigned volume)
{
	return is_suspended_by(box, volume, PAIR_REASON_FREEZE);
}

bool box_is_frozen(const struct box *box, unsigned volume)
{
	return box_is_frozen_by_command(box, volume) || is_suspended_by(box, volume, PAIR_REASON_GROUP);
}

static int failover(struct command *command, struct fault *fault)
{
	const struct copy_pair_name name = pair_of(command);

	return copy_pair_failover(command->box->copy, &name, false, fault);
}

int box_pair_failover(struct box *box, unsigned volume, const struct box *source)
{
	return command_at((struct command){ .box = box, .volume = volume, .to = source }, failover);
}

bool box_is_full_duplex(const struct box *box, unsigned volume, const struct box *far)
{
	const struct pair *pair;

	if (!box->ready || !sim_is_running(box->system) || !far->ready || !sim_is_running(far->system))
		return false;
	pair = pair_find(box->copy, box->volumes[volume], far->id);
	return pair && pair->record.state == PAIR_FULL_DUPLEX &&
	       !memcmp(pair->agreed_boot_id, far->copy->far_boot_id, sizeof(pair->agreed_boot_id));
}

static int session_open(struct command *command, struct fault *fault)
{
	return copy_session_open(command->box->copy, command->session, box_lss(command->box),
				 command->session_type, fault);
}

int box_session_open(struct box *box, uint8_t session)
{
	return command_at((struct command){ .box = box, .session = session }, session_open);
}

int box_session_open_as(struct box *box, uint8_t session, enum session_type type)
{
	return command_at((struct command){ .box = box, .session = session, .session_type = type }, session_open);
}

static int session_freeze(struct command *command, struct fault *fault)
{
	return copy_session_freeze(command->box->copy, command->session, command->hold_ns, fault);
}

int box_session_freeze(struct box *box, uint8_t session, int64_t hold_ns)
{
	return command_at((struct command){ .box = box, .session = session, .hold_ns = hold_ns }, session_freeze);
}

static int session_break(struct command *command, struct fault *fault)
{
	struct session_entry *entry = session_entry_find(command->box->copy, command->session);

	return entry ? group_freeze(entry, true, 0, fault) : -ENOENT;
}

int box_session_break(struct box *box, uint8_t session)
{
	return command_at((struct command){ .box = box, .session = session }, session_break);
}

static int keep_turn(struct command *command, struct fault *fault)
{
	struct pair *pair = pair_first_of(command->box->copy, command->box->volumes[command->volume]);
	int rc;

	(void)fault;
	if (!pair)
		return -ENOENT;
	pair_pin(pair);
	rc = pair_begin_change(pair);
	if (!rc) {
		rc = rt_sleep_until(rt_now_ns() + command->hold_ns);
		pair_end_change(pair);
	}
	pair_unpin(pair);
	return rc;
}

int box_keep_turn(struct box *box, unsigned volume, int64_t keep_ns)
{
	return command_at((struct command){ .box = box, .volume = volume, .hold_ns = keep_ns }, keep_turn);
}

static int flash(struct command *command, struct fault *fault)
{
	const struct copy_flash_request request = {
		.source = command->box->volumes[command->volume], .target = command->box->volumes[command->target],
		.record = true, .no_copy = command->flag, .priority = COPY_LOW,
	};

	return copy_flash_create(command->box->copy, &request, 1, fault);
}

int box_flash(struct box *box, unsigned source, unsigned target, bool no_copy)
{
	return command_at((struct command){ .box = box, .volume = source, .target = target, .flag = no_copy }, flash);
}

/* What failed, or was ended here before and not made anew. */
static int flash_again(struct command *command, struct fault *fault)
{
	uint16_t target = command->box->volumes[command->target];
	struct copy *copy = command->box->copy;
	struct record_flash record;
	bool there = copy_flash_get(copy, target, &record);

	if (there && record.state != FLASH_FAILED)
		return 0;
	if (there && copy_flash_delete(copy, target, true, fault))
		return -1;
	return flash(command, fault);
}

int box_flash_again(struct box *box, unsigned source, unsigned target)
{
	const struct command again = { .box = box, .volume = source, .target = target, .flag = true };

	return command_at(again, flash_again);
}

static int session_flash(struct command *command, struct fault *fault)
{
	return copy_session_flash(command->box->copy, command->session, fault);
}

int box_session_flash(struct box *box, uint8_t session)
{
	return command_at((struct command){ .box = box, .session = session }, session_flash);
}

static int flash_together(struct command *command, struct fault *fault)
{
	struct box *box = command->box;

	return copy_flashes_resync(box->copy, &box->volumes[command->target], command->count, 10 * RT_SECOND, fault);
}

int box_flash_together(struct box *box, unsigned target, unsigned count)
{
	return command_at((struct command){ .box = box, .target = target, .count = count }, flash_together);
}

static int session_run(struct command *command, struct fault *fault)
{
	return copy_session_run(command->box->copy, command->session, fault);
}

int box_session_run(struct box *box, uint8_t session)
{
	return command_at((struct command){ .box = box, .session = session }, session_run);
}

static int session_resume(struct command *command, struct fault *fault)
{
	const struct session_start start = { .session = command->session };

	return copy_session_resume(command->box->copy, &start, fault);
}

int box_session_resume(struct box *box, uint8_t session)
{
	return command_at((struct command){ .box = box, .session = session }, session_resume);
}

static int fracture(struct command *command, struct fault *fault)
{
	struct box *box = command->box;

	return copy_pairs_fracture(box->copy, "set", box->volumes, box->volume_count, 10 * RT_SECOND, fault);
}

int box_fracture(struct box *box)
{
	return command_at((struct command){ .box = box }, fracture);
}

bool box_pairs_go_on(const struct box *box, unsigned volume)
{
	const struct pair *pair;

	if (!box->ready || !sim_is_running(box->system))
		return false;
	pair = pair_first_of(box->copy, box->volumes[volume]);
	while (pair && !pair_rests(pair))
		pair = pair_next_of(pair);
	return !pair;
}

bool box_session_breaks(const struct box *box, uint8_t session)
{
	const struct session_entry *entry;

	if (!box->ready || !sim_is_running(box->system))
		return false;
	entry = session_entry_find(box->copy, session);
	return entry && entry->breaking;
}

bool box_holds_hosts(const struct box *box)
{
	return box->ready && sim_is_running(box->system) && !list_empty(&box->copy->freezes);
}

static int session_add(struct command *command, struct fault *fault)
{
	struct box *box = command->box;
	int rc = 0;

	/* One by one: a command that failed may have done half of its work, and is given again. */
	for (unsigned i = 0; i + command->volume < box->volume_count && !rc; i++) {
		rc = copy_session_add(box->copy, command->session, &box->volumes[i], 1, fault);
		if (rc && strstr(fault->message, "already"))
			rc = 0;
	}
	return rc;
}

int box_session_add_but(struct box *box, uint8_t session, unsigned left_out)
{
	return command_at((struct command){ .box = box, .session = session, .volume = left_out }, session_add);
}

int box_session_add(struct box *box, uint8_t session)
{
	return box_session_add_but(box, session, 0);
}

static int start(struct command *command, struct fault *fault)
{
	return copy_session_start(command->box->copy, command->start, fault);
}

int box_session_start(struct box *box, const struct session_start *how)
{
	return command_at((struct command){ .box = box, .start = how }, start);
}

static int info(struct command *command, struct fault *fault)
{
	/*
	 * Clocks of two machines have nothing to do with one another; ages are the same everywhere. The age is taken
	 * first, then others are asked for what they have.
	 */
	int64_t now_ns = sim_now_ns(sim_world());

	if (copy_session_get(command->box->copy, command->session, command->info))
		return fault_set(fault, FAULT_INVALID_PARAMETER, "session", "", "not known");
	*command->shown_ns = command->info->rpo_ns < 0 ? 0 : now_ns - command->info->rpo_ns;
	return 0;
}

int box_session_info(struct box *box, uint8_t session, struct copy_session_info *out, int64_t *shown_ns)
{
	return command_at((struct command){ .box = box, .session = session, .info = out, .shown_ns = shown_ns }, info);
}

static int session_pause(struct command *command, struct fault *fault)
{
	return copy_session_pause(command->box->copy, command->session, command->flag, fault);
}

int box_session_pause(struct box *box, uint8_t session, bool consistent)
{
	return command_at((struct command){ .box = box, .session = session, .flag = consistent }, session_pause);
}

static int terminate(struct command *command, struct fault *fault)
{
	return copy_session_terminate(command->box->copy, command->session, command->flag, fault);
}

int box_session_terminate(struct box *box, uint8_t session, bool force)
{
	return command_at((struct command){ .box = box, .session = session, .flag = force }, terminate);
}

static int recover(struct command *command, struct fault *fault)
{
	return copy_session_recover(command->box->copy, command->session, NULL, command->flag, command->result, fault);
}

int box_session_recover(struct box *box, uint8_t session, bool force, struct recovery_result *result)
{
	return command_at((struct command){ .box = box, .session = session, .flag = force, .result = result }, recover);
}

static int practice(struct command *command, struct fault *fault)
{
	return copy_session_practice(command->box->copy, command->session, NULL, command->at, fault);
}

int box_session_practice(struct box *box, uint8_t session, const struct recovery_at *at)
{
	return command_at((struct command){ .box = box, .session = session, .at = at }, practice);
}

static int unpractice(struct command *command, struct fault *fault)
{
	return copy_session_unpractice(command->box->copy, command->session, fault);
}

int box_session_unpractice(struct box *box, uint8_t session)
{
	return command_at((struct command){ .box = box, .session = session }, unpractice);
}

static int failback(struct command *command, struct fault *fault)
{
	return copy_session_failback(command->box->copy, command->session, command->flag, fault);
}

int box_session_failback(struct box *box, uint8_t session, bool discard)
{
	return command_at((struct command){ .box = box, .session = session, .flag = discard }, failback);
}

static int session_return(struct command *command, struct fault *fault)
{
	return copy_session_return(command->box->copy, command->session, fault);
}

int box_session_return(struct box *box, uint8_t session)
{
	return command_at((struct command){ .box = box, .session = session }, session_return);
}
