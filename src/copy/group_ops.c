/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of type pprc as an administrator has them, and what a master asks of their systems (group.h). */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/flash.h"
#include "copy/group.h"
#include "copy/pair.h"
#include "copy/pair_freeze.h"
#include "rt/log.h"
#include "store/planted.h"

#define ANSWER_NS	(5 * RT_SECOND)		/* for what takes no time */
#define SHOW_NS		RT_SECOND
#define RESUME_NS	(30 * RT_SECOND)	/* for each pair to hear its far side */
#define RETRY_NS	(100 * RT_MS)
#define LET_GO_NS	(20 * RT_SECOND)	/* so long hosts wait for the others, when a pair is broken */
#define DO_NS		(10 * RT_SECOND)	/* for a disk that is slow */
#define HOLD_NS		(60 * RT_SECOND)	/* of a freeze, unless it says otherwise */
#define BROKEN_NS	(GROUP_DECIDE_NS + LET_GO_NS)	/* so long a subordinate waits for what its master does */

/* ---- asking all systems ---- */

struct ask {
	struct session_entry *entry;
	struct wire_group_order order;
	struct wire_group_answer answer;
	char system[XDC_SYSTEM_ID_MAX];
	int64_t limit_ns;			/* for the answer */
	int rc;
	char why[WIRE_TEXT_SIZE];
};

/* To all of them, own first. */
struct asks {
	unsigned count;
	struct ask items[XDC_SESSION_MEMBERS_MAX];
};

static void name_system(struct asks *asks, struct session_entry *entry, const char *system)
{
	struct ask *ask = &asks->items[asks->count++];

	*ask = (struct ask){ .entry = entry };
	snprintf(ask->system, sizeof(ask->system), "%s", system);
}

/* own: also when no volume of the session is here. */
static void list_systems(struct session_entry *entry, bool own, struct asks *asks)
{
	struct copy *copy = entry->copy;
	const struct subordinate *subordinate;

	asks->count = 0;
	if (own || group_volume_on(copy, entry->record.number, -1))
		name_system(asks, entry, copy->config.system);
	list_for_each(subordinate, &copy->subordinates, link) {
		if (entry->record.role == SESSION_MASTER && subordinate->record.session == entry->record.number &&
		    asks->count < XDC_SESSION_MEMBERS_MAX)
			name_system(asks, entry, subordinate->record.system);
	}
}

static void give(void *arg)
{
	struct ask *ask = arg;
	const struct record_session *record = &ask->entry->record;
	RT_LIMIT(rt_now_ns() + ask->limit_ns);

	ask->order.type = record->type;
	ask->order.head.session = record->number;
	snprintf(ask->order.head.master, sizeof(ask->order.head.master), "%s:%02X", ask->entry->copy->config.system,
		 record->master_lss);
	ask->answer = (struct wire_group_answer){ 0 };
	ask->why[0] = '\0';
	ask->rc = copy_ask(ask->entry->copy, ask->system, WIRE_GROUP_ORDER, &ask->order, &ask->answer, ask->why);
}

/* All at once, but those that have said yes to the same; the first that has not, or NULL. Suspends. */
static const struct ask *ask_all(struct asks *asks, const struct wire_group_order *order, int64_t limit_ns)
{
	struct rt_group group;
	int rc;

	rt_group_init(&group);
	for (unsigned i = 0; i < asks->count; i++) {
		struct ask *ask = &asks->items[i];

		if (ask->order.step == order->step && !ask->rc)
			continue;
		ask->order = *order;
		ask->limit_ns = limit_ns;
		ask->rc = rt_group_start(&group, "group order", give, ask);
	}
	rc = rt_group_wait(&group);
	if (rc)
		rt_group_stop(&group);
	for (unsigned i = 0; i < asks->count; i++) {
		if (asks->items[i].rc)
			return &asks->items[i];
	}
	return NULL;
}

static int fault_refused(const struct session_entry *entry, const struct ask *refused, const char *remedy,
			 struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_FAILED, session_object(entry->record.number, object), remedy, "system %s: %s",
			 refused->system, refused->why[0] ? refused->why : strerror(-refused->rc));
}

/* ---- freeze ---- */

/* It did not hear it, or nobody here heard its answer: it is asked again. */
static bool may_have_missed(const struct ask *refused)
{
	return refused->rc == -ETIMEDOUT || refused->rc == -ENOTCONN || refused->rc == -ECONNRESET ||
	       refused->rc == -ENOMEM;
}

/* Repeated until then: a connection may have ended that nobody used. Who has begun has more_ns more for it. */
static const struct ask *ask_until(struct asks *asks, const struct wire_group_order *order, int64_t until_ns,
				   int64_t more_ns)
{
	const struct ask *refused;

	do {
		refused = ask_all(asks, order, until_ns + more_ns - rt_now_ns());
	} while (refused && may_have_missed(refused) && !rt_sleep_until(rt_now_ns() + RETRY_NS) &&
		 rt_now_ns() < until_ns);
	return refused;
}

static void let_go(struct asks *asks, uint64_t moment)
{
	const struct wire_group_order order = { .step = WIRE_GROUP_RUN, .head.attempt = moment };

	/* Who does not hear it has its own timer. */
	(void)ask_until(asks, &order, rt_now_ns() + ANSWER_NS, 0);
}

/* The mistake of who holds and suspends one system after the other. */
static void freeze_one_by_one(struct asks *asks, const struct wire_group_order *hold)
{
	struct asks one = { .count = 1 };

	for (unsigned i = 0; i < asks->count; i++) {
		struct wire_group_order order = *hold;

		one.items[0] = asks->items[i];
		if (ask_all(&one, &order, GROUP_DECIDE_NS))
			continue;
		order.step = WIRE_GROUP_DO;
		(void)ask_all(&one, &order, GROUP_DECIDE_NS);
	}
}

/* A name that no other moment has, and that the metadata can hold. */
static uint64_t make_moment(void)
{
	return rt_random_u64() >> 1 | 1;
}

/*
 * The first system that is not of one moment with those before it: a pair was left out, since a command on it did not
 * end, or it was suspended before, or its far side lagged. A moment of before is as good as this one when all have it.
 */
static const struct ask *find_partial(const struct asks *asks)
{
	uint64_t moment = 0;

	for (unsigned i = 0; i < asks->count; i++) {
		const struct wire_group_answer *answer = &asks->items[i].answer;

		if (!answer->pairs)
			continue;
		if (answer->frozen != answer->pairs || !answer->moment || (moment && answer->moment != moment))
			return &asks->items[i];
		moment = answer->moment;
	}
	return NULL;
}

static int fault_partial(const struct session_entry *entry, const struct ask *partial, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_FAILED, session_object(entry->record.number, object), "xdc session resume",
			 "system %s: not all its pairs could be suspended at one moment with the one that is broken",
			 partial->system);
}

/* What goes on here follows, at a moment of its own. */
static void tell_mixed(struct session_entry *entry, const struct fault *fault)
{
	session_entry_tell(entry, EVENT_PAIR_SUSPENDED, EVENT_ERROR,
			   "xdc session show; when all can be reached: xdc session resume",
			   "a pair of it is broken, and not all its systems suspended theirs with it: the far "
			   "sides are of no one moment");
	log_line(LOG_WARNING, "session", "session %u: %s: %s", entry->record.number, fault->object, fault->message);
	freeze_break_session(entry->copy, entry->record.number, make_moment());
}

/* hold_ns 0: hosts go on when all have done it. As group_freeze, but that nothing is told. */
static int freeze_all(struct session_entry *entry, struct asks *asks, bool broken, int64_t hold_ns, struct fault *fault)
{
	bool flash = entry->record.type == SESSION_TYPE_FLASH;
	int64_t began_ns = rt_now_ns();
	struct wire_group_order order = {
		.step = WIRE_GROUP_HOLD, .broken = broken, .head.attempt = make_moment(),
		.limit_ms = GROUP_DECIDE_NS / RT_MS,
	};
	const struct ask *refused;

	if (planted(PLANTED_GROUP_ONE_BY_ONE)) {
		freeze_one_by_one(asks, &order);
		return 0;
	}
	refused = ask_until(asks, &order, began_ns + GROUP_DECIDE_NS - GROUP_TELL_NS, 0);
	if (refused || rt_now_ns() > began_ns + GROUP_DECIDE_NS - GROUP_TELL_NS) {
		if (refused)
			fault_refused(entry, refused, "nothing was changed; mend that and repeat the command", fault);
		else
			fault_set(fault, FAULT_TIMEOUT, "", "repeat the command", "it took too long; hosts go on");
		let_go(asks, order.head.attempt);
		return refused && refused->rc == -EBUSY ? -EBUSY : -EIO;
	}
	order.step = WIRE_GROUP_DO;
	order.hold_ms = (uint32_t)((hold_ns ? hold_ns : LET_GO_NS) / RT_MS);
	/* Decided: as long as those that have not heard it may still be held. */
	refused = ask_until(asks, &order, began_ns + GROUP_DECIDE_NS, DO_NS);
	if (refused)
		fault_refused(entry, refused,
			      flash ? "the targets are of no one moment: repeat the command"
				    : "the far sides are of no one moment: xdc session resume, then freeze",
			      fault);
	if (refused || !hold_ns)
		let_go(asks, order.head.attempt);
	if (!refused && broken) {
		refused = find_partial(asks);
		if (refused)
			fault_partial(entry, refused, fault);
	}
	return refused ? -EPROTO : 0;
}

static int freeze_now(struct session_entry *entry, bool broken, int64_t hold_ns, struct fault *fault)
{
	struct asks asks;
	char object[64];
	int rc;

	list_systems(entry, false, &asks);
	if (!asks.count) {
		fault_set(fault, FAULT_INVALID_PARAMETER, session_object(entry->record.number, object),
			  "xdc session add", "it has no volumes");
		return -EIO;
	}
	rc = freeze_all(entry, &asks, broken, hold_ns, fault);
	entry->moments += !rc;
	if (rc == -EPROTO && broken && !rt_cancelled())
		tell_mixed(entry, fault);
	return rc;
}

static int freeze_broken(struct session_entry *entry)
{
	entry->breaks++;
	entry->break_fault = (struct fault){ 0 };
	entry->break_rc = freeze_now(entry, true, 0, &entry->break_fault);
	return entry->break_rc;
}

/* Whoever asked for it is there still when it begins. */
static int wait_deciding(struct session_entry *entry, bool broken)
{
	RT_LIMIT(broken ? rt_now_ns() + BROKEN_NS : RT_NEVER);

	return rt_mutex_lock(&entry->deciding);
}

int group_freeze(struct session_entry *entry, bool broken, int64_t hold_ns, struct fault *fault)
{
	unsigned moments = entry->moments, breaks = entry->breaks;
	char object[64];
	int rc = 0;

	/* Two pairs that break together, or one while a command freezes all, would end each other's holds. */
	if (wait_deciding(entry, broken)) {
		fault_set(fault, FAULT_TIMEOUT, session_object(entry->record.number, object), "repeat the command",
			  "another freeze of it did not end in time");
		return -EIO;
	}
	if (!broken) {
		rc = freeze_now(entry, false, hold_ns, fault);
	} else if (entry->moments == moments) {
		/* One that began after this pair was broken has ended as its own would. */
		rc = entry->breaks == breaks ? freeze_broken(entry) : entry->break_rc;
		*fault = entry->break_fault;
	}
	/* Else whoever suspended all meanwhile has suspended the pair that is broken. */
	rt_mutex_unlock(&entry->deciding);
	return rc;
}

/* ---- a pair is broken ---- */

static bool is_suspended_whole(struct session_entry *entry)
{
	struct wire_group_answer here = { 0 };

	group_look(entry, &here);
	return here.pairs && here.frozen == here.pairs && here.moment;
}

static int ask_master(struct session_entry *entry, struct fault *fault)
{
	struct ask ask = { .entry = entry, .order.step = WIRE_GROUP_BROKEN, .limit_ns = BROKEN_NS };

	memcpy(ask.system, entry->record.master_system, sizeof(ask.system));
	give(&ask);
	/* Its answer was lost, or it had frozen all before it was asked: what is here shows it; it tells the rest. */
	if ((may_have_missed(&ask) || ask.rc == -EBUSY) && is_suspended_whole(entry))
		return 0;
	return ask.rc ? fault_refused(entry, &ask, "", fault) : 0;
}

/* Those that are broken still are seen to again. */
static void look_again(struct session_entry *entry)
{
	struct pair *pair;

	list_for_each(pair, &entry->copy->pairs, link) {
		if (group_volume_find(entry->copy, entry->record.number, pair->record.volume))
			pair->mirror_broken = pair->mirror_broken || pair->record.state == PAIR_FULL_DUPLEX;
	}
	notice_due(&entry->copy->mirrors);
}

static void run_break(void *arg)
{
	struct session_entry *entry = arg;
	struct fault fault = { 0 };
	bool elsewhere = entry->record.role == SESSION_SUBORDINATE;
	int rc = elsewhere ? ask_master(entry, &fault) : group_freeze(entry, true, 0, &fault);
	bool told = !elsewhere && rc == -EPROTO;

	if (!rc)
		look_again(entry);
	else if (!told && !rt_cancelled())
		tell_mixed(entry, &fault);
	entry->breaking = false;
	entry->pins--;
}

void group_break(struct copy *copy, uint8_t session)
{
	struct session_entry *entry = session_entry_find(copy, session);

	if (!entry || entry->breaking)
		return;
	entry->breaking = true;
	entry->pins++;
	if (!rt_group_start(&copy->fibers, "group broken", run_break, entry))
		return;
	entry->breaking = false;
	entry->pins--;
	freeze_break_session(copy, session, make_moment());
}

/* ---- commands ---- */

int copy_session_freeze(struct copy *copy, uint8_t session, int64_t hold_ns, struct fault *fault)
{
	struct session_entry *entry = session_entry_begin(copy, session, SESSION_DO_FREEZE, fault);
	int rc;
	RT_SHIELD();

	if (!entry)
		return -1;
	rc = group_freeze(entry, false, hold_ns ? hold_ns : HOLD_NS, fault) ? -1 : 0;
	if (!rc)
		log_line(LOG_NOTICE, "session", "session %u: frozen at one moment", session);
	return session_entry_end(entry, rc);
}

int copy_session_flash(struct copy *copy, uint8_t session, struct fault *fault)
{
	struct session_entry *entry = session_entry_begin(copy, session, SESSION_DO_FLASH, fault);
	int rc;
	RT_SHIELD();

	if (!entry)
		return -1;
	rc = group_freeze(entry, false, 0, fault) ? -1 : 0;
	if (!rc)
		log_line(LOG_NOTICE, "session", "session %u: its FlashCopies show one moment", session);
	return session_entry_end(entry, rc);
}

/* Hosts of it wait, on any of its systems; who does not say counts as one where they do. */
static bool any_held(struct asks *asks)
{
	const struct wire_group_order show = { .step = WIRE_GROUP_SHOW };
	bool held = false;

	(void)ask_all(asks, &show, SHOW_NS);
	for (unsigned i = 0; i < asks->count; i++)
		held = held || asks->items[i].rc || asks->items[i].answer.held;
	return held;
}

int copy_session_run(struct copy *copy, uint8_t session, struct fault *fault)
{
	const struct wire_group_order run = { .step = WIRE_GROUP_RUN };
	struct session_entry *entry = session_entry_wait(copy, session, SESSION_DO_RUN, fault);
	const struct ask *refused;
	struct session_view view;
	struct asks asks;
	bool held;

	if (!entry)
		return -1;
	list_systems(entry, false, &asks);
	held = any_held(&asks);
	session_look(copy, session, &view);
	view.facts.held = held;
	if (session_check_view(&view, SESSION_DO_RUN, false, fault))
		return session_entry_end(entry, -1);
	refused = ask_all(&asks, &run, ANSWER_NS);
	if (refused)
		fault_refused(entry, refused, "its hosts go on when the time of the freeze is over", fault);
	return session_entry_end(entry, refused ? -1 : 0);
}

static bool has_tunables(const struct session_start *start)
{
	return start->has_interval || start->has_coordination || start->has_drain || start->has_keep ||
	       start->has_keep_bytes;
}

static int fault_tunables(const struct session_entry *entry, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_NOT_SUPPORTED, session_object(entry->record.number, object), "leave them out",
			 "interval, coordination, drain and keep are for sessions of type xdc");
}

int group_resume(struct session_entry *entry, const struct session_start *start, struct fault *fault)
{
	const struct wire_group_order order = { .step = WIRE_GROUP_RESUME };
	const struct ask *refused;
	struct asks asks;

	if (has_tunables(start))
		return fault_tunables(entry, fault);
	list_systems(entry, false, &asks);
	refused = ask_all(&asks, &order, RESUME_NS);
	return refused ? fault_refused(entry, refused, "mend that and repeat the command", fault) : 0;
}

/* ---- volumes ---- */

static int check_add(struct session_entry *entry, uint16_t volume, struct fault *fault)
{
	struct copy *copy = entry->copy;
	uint8_t session = entry->record.number, other;
	bool is_source = false;
	const struct pair *pair = pair_first_of(copy, volume);
	char object[64], remedy[128];

	snprintf(object, sizeof(object), "volume %04X", volume);
	if (!session_lss_find(copy, session, volume >> 8)) {
		snprintf(remedy, sizeof(remedy), "xdc session open %u --lss %02X", session, volume >> 8);
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, remedy, "session %u is not open on LSS %02X",
				 session, volume >> 8);
	}
	other = group_of_volume(copy, volume, entry->record.type);
	if (other)
		return fault_set(fault, FAULT_IN_USE, object, "xdc session show lists its volumes",
				 "it is in session %u already", other);
	if (entry->record.type == SESSION_TYPE_FLASH)
		return flash_has_source(copy, volume) ? 0
						      : fault_set(fault, FAULT_INVALID_PARAMETER, object,
								  "xdc flash create --record",
								  "it is the source of no FlashCopy");
	for (; pair; pair = pair_next_of(pair)) {
		is_source = is_source || pair->record.role == PAIR_SOURCE;
		if (pair->record.role != PAIR_SOURCE || !pair->record.session)
			continue;
		snprintf(remedy, sizeof(remedy), "xdc session remove %u %04X", pair->record.session, volume);
		return fault_set(fault, FAULT_IN_USE, object, remedy, "its pair is in the groups of session %u",
				 pair->record.session);
	}
	return is_source ? 0 : fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc pair create",
					 "it is the source of no pair");
}

int group_add(struct session_entry *entry, const uint16_t *volumes, unsigned count, struct fault *fault)
{
	char object[64];
	int rc;

	for (unsigned i = 0; i < count; i++) {
		if (check_add(entry, volumes[i], fault))
			return -1;
		for (unsigned other = 0; other < i; other++) {
			snprintf(object, sizeof(object), "volume %04X", volumes[i]);
			if (volumes[other] == volumes[i])
				return fault_set(fault, FAULT_INVALID_PARAMETER, object, "name it once",
						 "it is named twice");
		}
	}
	rc = group_volumes_add(entry->copy, entry->record.number, volumes, count);
	return rc ? session_fault_durable(entry->record.number, rc, fault) : 0;
}

int group_remove(struct session_entry *entry, const uint16_t *volumes, unsigned count, struct fault *fault)
{
	char object[64];
	int rc;

	for (unsigned i = 0; i < count; i++) {
		snprintf(object, sizeof(object), "volume %04X", volumes[i]);
		if (!group_volume_find(entry->copy, entry->record.number, volumes[i]))
			return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc session show lists its volumes",
					 "it is not in session %u", entry->record.number);
	}
	rc = group_volumes_remove(entry->copy, entry->record.number, volumes, count);
	return rc ? session_fault_durable(entry->record.number, rc, fault) : 0;
}

/* ---- which systems ---- */

static int become_master(struct session_entry *entry, const struct session_start *start, struct fault *fault)
{
	struct record_session next;
	int rc = session_replace_subordinates(entry, start);

	if (!rc)
		rc = session_entry_begin_change(entry, &next);
	if (rc)
		return session_fault_durable(entry->record.number, rc, fault);
	next.role = SESSION_MASTER;
	next.state = SESSION_RUNNING;
	next.state_since_wall_ns = rt_wall_ns();
	next.master_lss = start->master_lss;
	snprintf(next.master_system, sizeof(next.master_system), "%s", entry->copy->config.system);
	rc = session_entry_end_change(entry, &next);
	return rc ? session_fault_durable(next.number, rc, fault) : 0;
}

static int become_none(struct session_entry *entry, struct fault *fault)
{
	struct record_session next;
	int rc = session_entry_begin_change(entry, &next);

	if (!rc) {
		next.role = SESSION_NO_ROLE;
		next.state = SESSION_OPEN;
		next.master_system[0] = '\0';
		rc = session_entry_end_change(entry, &next);
	}
	return rc ? session_fault_durable(entry->record.number, rc, fault) : 0;
}

static void list_others(struct session_entry *entry, struct asks *asks)
{
	list_systems(entry, false, asks);
	if (asks->count && !strcmp(asks->items[0].system, entry->copy->config.system))
		asks->items[0] = asks->items[--asks->count];
}

/* To the subordinates that are reached. NULL: all have ended it. */
static const struct ask *tell_end(struct session_entry *entry, struct asks *asks)
{
	const struct wire_group_order order = { .step = WIRE_GROUP_END };

	list_others(entry, asks);
	return ask_all(asks, &order, ANSWER_NS);
}

static const char *remedy_of_start(const struct ask *refused)
{
	if (may_have_missed(refused))
		return "xdc path list says why it is not reached; repeat the command when it is";
	return refused->rc == -EBUSY ? "terminate it there, and repeat the command"
				     : "open it there with the same type, and repeat the command";
}

int group_begin(struct session_entry *entry, const struct session_start *start, struct fault *fault)
{
	const struct wire_group_order order = { .step = WIRE_GROUP_START };
	const struct ask *refused;
	struct asks asks;
	struct fault ignored;

	if (has_tunables(start))
		return fault_tunables(entry, fault);
	if (session_check_places(entry, start, fault) || become_master(entry, start, fault))
		return -1;
	list_others(entry, &asks);
	/* A path may have been made just now. */
	refused = ask_until(&asks, &order, rt_now_ns() + ANSWER_NS, 0);
	if (!refused)
		return 0;
	fault_refused(entry, refused, remedy_of_start(refused), fault);
	(void)tell_end(entry, &asks);
	(void)become_none(entry, &ignored);
	return -1;
}

/* Hosts that wait go on; what is suspended stays that. */
int group_terminate(struct session_entry *entry, bool force, struct fault *fault)
{
	const struct ask *refused;
	struct asks asks;

	/* Without its master. */
	if (entry->record.role == SESSION_SUBORDINATE)
		return become_none(entry, fault);
	list_systems(entry, false, &asks);
	let_go(&asks, 0);
	refused = tell_end(entry, &asks);
	if (refused && !force)
		return fault_refused(entry, refused, "--force gives up without those that cannot be reached", fault);
	return become_none(entry, fault);
}

/* ---- show ---- */

static enum session_state state_of(const struct wire_group_answer *answer, enum session_state otherwise)
{
	if (!answer->frozen)
		return otherwise;
	return answer->frozen == answer->pairs && answer->moment ? SESSION_FROZEN : SESSION_MIXED;
}

void group_get_info(struct session_entry *entry, struct copy_session_info *info)
{
	const struct wire_group_order order = { .step = WIRE_GROUP_SHOW };
	struct wire_group_answer all = { 0 };
	struct asks asks;

	list_systems(entry, true, &asks);
	group_look(entry, &asks.items[0].answer);
	asks.items[0].order.step = WIRE_GROUP_SHOW;
	(void)ask_all(&asks, &order, SHOW_NS);
	for (unsigned i = 0; i < asks.count; i++) {
		const struct ask *ask = &asks.items[i];

		memcpy(info->members[i], ask->system, XDC_SYSTEM_ID_MAX);
		info->member_reached[i] = !ask->rc;
		info->member_states[i] = state_of(&ask->answer, entry->record.state);
		if (ask->answer.pairs)
			all.moment = !all.pairs || all.moment == ask->answer.moment ? ask->answer.moment : 0;
		all.volumes += ask->answer.volumes;
		all.pairs += ask->answer.pairs;
		all.frozen += ask->answer.frozen;
		all.duplex += ask->answer.duplex;
		all.held = all.held || ask->answer.held;
	}
	info->member_count = asks.count;
	info->volumes = all.volumes;
	info->joined = all.duplex;
	info->held = all.held;
	info->state = state_of(&all, entry->record.state);
}
