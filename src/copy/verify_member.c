/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/verify_member.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "volume/volume.h"

#define HEARD_NS	(30 * RT_SECOND)	/* the master asks more than once a second */
#define READY_NS	(20 * RT_SECOND)	/* for a pair to be sent again */
#define READY_AGAIN_NS	(200 * RT_MS)

struct verify_member {
	struct list_head link;			/* of copy->verify_members, until it is over */
	struct copy *copy;
	uint8_t session;
	uint64_t id;
	struct copy_verify_request request;
	struct rt_group fibers;			/* that compares */
	int64_t until_ns;			/* when it ends, unless the master is heard */
	bool done, over;
	struct rt_cond changed;			/* of the last one */
	uint64_t differing_blocks, repaired_blocks;
	struct fault found;			/* the first one; FAULT_NONE: there is none */
	unsigned count, index;			/* of the pairs; the one that is compared now */
	struct copy_pair_name pairs[];
};

static struct verify_member *find(struct copy *copy, uint8_t session, uint64_t id)
{
	struct verify_member *member;

	list_for_each(member, &copy->verify_members, link) {
		if (member->session == session && member->id == id)
			return member;
	}
	return NULL;
}

/* ---- comparing ---- */

/* What was found is an answer that a script has to hear of. */
static int judge(struct verify_member *member, const struct copy_pair_name *pair, struct fault *fault)
{
	struct copy_verify_info info;
	char object[64], remedy[96];

	if (!copy_pair_get_verify(member->copy, pair, &info))
		return 0;
	member->differing_blocks += info.differing_blocks;
	member->repaired_blocks += info.repaired_blocks;
	if (!info.differing_blocks || member->request.repair)
		return 0;
	snprintf(object, sizeof(object), "pair of volume %04X", pair->volume);
	snprintf(remedy, sizeof(remedy), "on %s: xdc pair verify %04X --repair sends them again",
		 member->copy->config.system, pair->volume);
	return fault_set(fault, FAULT_FAILED, object, remedy,
			 "%llu blocks of volume %04X differ at its far side, the first at byte %llu",
			 (unsigned long long)info.differing_blocks, pair->volume,
			 (unsigned long long)info.ranges[0].offset);
}

/* When its turn comes its far side may be away for a moment. */
static int wait_ready(const struct verify_member *member, const struct copy_pair_name *pair, struct fault *fault)
{
	int64_t until_ns = rt_now_ns() + READY_NS;

	while (copy_pair_may_verify(member->copy, pair, fault)) {
		if (rt_now_ns() >= until_ns || rt_sleep_until(rt_now_ns() + READY_AGAIN_NS))
			return -1;
	}
	return 0;
}

/* All are compared, whatever is found of one; the first fault is that of all. */
static void compare_all(void *arg)
{
	struct verify_member *member = arg;

	for (; member->index < member->count && !rt_cancelled(); member->index++) {
		const struct copy_pair_name *pair = &member->pairs[member->index];
		struct fault fault = { 0 };

		if (!wait_ready(member, pair, &fault) &&
		    !copy_pair_verify(member->copy, pair, &member->request, &fault) && !judge(member, pair, &fault))
			continue;
		if (!member->found.code)
			member->found = fault;
	}
	member->done = true;
}

/* ---- its life ---- */

static int wait_over(struct verify_member *member)
{
	int rc = 0;

	while (!member->over && rt_now_ns() < member->until_ns && rc != -ECANCELED) {
		RT_LIMIT(member->until_ns);
		rc = rt_cond_wait(&member->changed);
	}
	return rc;
}

static void live(void *arg)
{
	struct verify_member *member = arg;

	if (wait_over(member) == -ETIMEDOUT)
		log_line(LOG_WARNING, "verify", "session %u: its master asks no more how far the comparison is",
			 member->session);
	if (!member->over)
		list_remove(&member->link);
	member->over = true;
	rt_group_stop(&member->fibers);
	mem_free(member);
}

void verify_members_stop(struct copy *copy)
{
	rt_group_stop(&copy->verify_fibers);
}

struct count {
	struct verify_member *member;	/* NULL: only counts */
	unsigned sources;
};

static void add_volume(void *arg, const struct copy_session_volume *volume)
{
	struct count *count = arg;

	if (!volume->is_source)
		return;
	count->sources++;
	if (count->member)
		count->member->pairs[count->member->count++] = copy_pair_name_of(volume->volume, volume->system);
}

static struct verify_member *make(struct copy *copy, const struct wire_verify *order)
{
	struct count count = { 0 };
	struct verify_member *member;

	copy_session_each_volume(copy, order->session, add_volume, &count);
	member = mem_alloc_zeroed(sizeof(*member) + count.sources * sizeof(member->pairs[0]));
	if (!member)
		return NULL;
	member->copy = copy;
	member->session = order->session;
	member->id = order->id;
	member->request = (struct copy_verify_request){ .repair = order->repair, .rate_bytes = order->rate_bytes };
	member->until_ns = rt_now_ns() + HEARD_NS;
	rt_group_init(&member->fibers);
	rt_cond_init(&member->changed);
	count.member = member;
	copy_session_each_volume(copy, order->session, add_volume, &count);
	return member;
}

static int check_pairs(const struct verify_member *member, struct fault *fault)
{
	for (unsigned i = 0; i < member->count; i++) {
		if (copy_pair_may_verify(member->copy, &member->pairs[i], fault))
			return -1;
	}
	return 0;
}

static int begin(struct copy *copy, const struct wire_verify *order, struct fault *fault)
{
	struct verify_member *member;
	char object[64];
	int rc;

	if (find(copy, order->session, order->id))
		return 0;
	member = make(copy, order);
	rc = member ? check_pairs(member, fault) : 0;
	if (rc) {
		mem_free(member);
		return rc;
	}
	snprintf(object, sizeof(object), "session %u", order->session);
	if (!member || rt_group_start(&copy->verify_fibers, "verify session", live, member)) {
		mem_free(member);
		return fault_set(fault, FAULT_FAILED, object, "try again", "no memory");
	}
	list_add_last(&copy->verify_members, &member->link);
	if (!rt_group_start(&member->fibers, "verify pairs", compare_all, member))
		return 0;
	member->until_ns = 0;
	rt_cond_wake_all(&member->changed);
	return fault_set(fault, FAULT_FAILED, object, "try again", "no memory");
}

/* ---- how far it is ---- */

/* In bytes of the volumes; each was looked at once when all are through. */
static void add_progress(const struct verify_member *member, unsigned index, struct wire_verify_report *report)
{
	const struct copy_config *config = &member->copy->config;
	const struct volume *volume = config->find_volume(config->find_arg, member->pairs[index].volume);
	uint64_t size = volume ? volume_size(volume) : 0;
	struct copy_verify_info info;

	report->total_bytes += size;
	if (index < member->index)
		report->done_bytes += size;
	if (index != member->index || !copy_pair_get_verify(member->copy, &member->pairs[index], &info) ||
	    info.state != VERIFY_RUNNING)
		return;
	report->done_bytes += info.looked_bytes < size ? info.looked_bytes : size;
	report->waits = info.waits;
}

static void fill_report(const struct verify_member *member, struct wire_verify_report *report)
{
	report->done = member->done;
	report->volumes = member->count;
	report->differing_blocks = member->differing_blocks;
	report->repaired_blocks = member->repaired_blocks;
	for (unsigned i = 0; i < member->count; i++)
		add_progress(member, i, report);
	report->code = (uint16_t)member->found.code;
	snprintf(report->object, sizeof(report->object), "%s", member->found.object);
	snprintf(report->message, sizeof(report->message), "%s", member->found.message);
	snprintf(report->remedy, sizeof(report->remedy), "%s", member->found.remedy);
}

static int check_master(struct copy *copy, const char *master, const struct wire_verify *order, struct fault *fault)
{
	struct copy_session_info info;
	char object[64];

	snprintf(object, sizeof(object), "session %u", order->session);
	if (copy_session_get(copy, order->session, &info))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc session list",
				 "there is no such session here");
	if (strcmp(master, copy->config.system) != 0 && strcmp(master, info.master) != 0)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc session show",
				 "system %s is not its master", master);
	return 0;
}

int verify_member_step(struct copy *copy, const char *master, const struct wire_verify *order,
		       struct wire_verify_report *report, struct fault *fault)
{
	struct verify_member *member;
	char object[64];

	memcpy(report->boot_id, copy->config.boot_id, WIRE_ID_SIZE);
	if (check_master(copy, master, order, fault))
		return -1;
	if (order->step == WIRE_VERIFY_BEGIN && begin(copy, order, fault))
		return -1;
	member = find(copy, order->session, order->id);
	if (member && order->step == WIRE_VERIFY_END) {
		list_remove(&member->link);
		member->over = true;
		rt_cond_wake_all(&member->changed);
		return 0;
	}
	snprintf(object, sizeof(object), "session %u", order->session);
	if (!member)
		return order->step == WIRE_VERIFY_END ? 0 :
			fault_set(fault, FAULT_FAILED, object, "repeat the command",
				  "its pairs are not compared any more: xdcd was restarted");
	member->until_ns = rt_now_ns() + HEARD_NS;
	fill_report(member, report);
	return 0;
}

int verify_on_session(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_verify *order = request;
	struct fault fault;
	int error;

	if (!order->session || !order->id || order->step < WIRE_VERIFY_BEGIN || order->step > WIRE_VERIFY_END)
		return copy_refuse(why, -EINVAL, "no such step of a comparison");
	if (!verify_member_step(arg, peer->system, order, reply, &fault))
		return 0;
	error = fault.code == FAULT_IN_USE ? -EBUSY : fault.code == FAULT_INVALID_PARAMETER ? -EINVAL : -EIO;
	return copy_refuse(why, error, "%s: %.120s; %.100s", fault.object, fault.message, fault.remedy);
}
