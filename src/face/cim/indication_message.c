/* SPDX-License-Identifier: Apache-2.0 */
/* An indication as an instance, and the message that it becomes. */
#include "face/cim/indication_round.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "face/cim/discovery.h"
#include "face/cim/query_asked.h"
#include "rt/door.h"
#include "rt/mem.h"

#define MESSAGE_BYTES_MAX	(512u * 1024)

/* ---- messages ---- */

static const char begin[] =
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.3\"><MESSAGE ID=\"";
static const char middle[] =
	"\" PROTOCOLVERSION=\"1.0\"><SIMPLEEXPREQ><EXPMETHODCALL NAME=\"ExportIndication\">"
	"<EXPPARAMVALUE NAME=\"NewIndication\">";
static const char before_number[] = "<PROPERTY NAME=\"SequenceNumber\" TYPE=\"sint64\"><VALUE>";

static void put_indication(struct cim_arena *arena, struct xml_text *text, const struct query *query,
			   const struct cim_instance *indication)
{
	static const char instance_end[] = "</INSTANCE>";
	const char *names[128];
	struct cim_instance_wishes wishes = { .properties = { .given = true, .names = names } };
	struct cim_instance_form form;

	/* The number comes last: deliver.h has it. */
	for (unsigned i = 0; i < indication->class->property_count && wishes.properties.count < 128; i++) {
		const struct cim_schema_property *property = indication->class->properties[i];

		if (strcmp(property->name, "SequenceNumber") != 0 && query_selects(query, property))
			names[wishes.properties.count++] = property->name;
	}
	if (!cim_instance_form_make(arena, indication->class, &wishes, &form))
		return;
	xml_put_instance(text, indication, &form);
	if (!text->failed)
		text->used -= sizeof(instance_end) - 1;
}

/* NULL: no memory, or too long. */
static char *make_head(struct indication_round *round, const struct query *query,
		       const struct cim_instance *indication)
{
	struct xml_text text;
	char id[24];

	snprintf(id, sizeof(id), "%" PRIu64, round->next_identifier);
	xml_text_init(&text, MESSAGE_BYTES_MAX);
	xml_put(&text, begin);
	xml_put(&text, id);
	xml_put(&text, middle);
	put_indication(&round->now, &text, query, indication);
	xml_put(&text, before_number);
	xml_put_bytes(&text, "", 1);
	if (!text.failed && !round->now.failed)
		return text.bytes;
	xml_text_free(&text);
	return NULL;
}

/* To the listener of the watch. The values that differ from watch to watch are set here. */
static bool post(struct indication_round *round, const struct indication_watch *watch,
		 const struct cim_instance *indication)
{
	struct indication_message *message = &round->messages[round->message_count];

	cim_set_text(cim_instance_value(indication, "IndicationFilterName"), watch->filter);
	cim_set_text(cim_instance_value(indication, "SequenceContext"), watch->context);
	cim_set_text(cim_instance_value(indication, "IndicationIdentifier"),
		     arena_print(&round->now, "xdc:%s:%" PRIu64, watch->context, round->next_identifier++));
	message->listener = watch->listener;
	message->head = make_head(round, &watch->query, indication);
	round->failed = !message->head;
	if (message->head)
		round->message_count++;
	return round->message_count < INDICATION_MESSAGES_MAX || round->hand_over(round);
}

static struct cim_instance *begin_indication(struct indication_round *round, const char *class, int64_t wall_ns)
{
	struct cim_instance *indication = cim_instance_new(&round->now, CIM_NAMESPACE_INTEROP,
							   cim_schema_find_any_class(class));

	if (indication)
		cim_set_time(cim_instance_value(indication, "IndicationTime"), wall_ns);
	return indication;
}

/* ---- changes ---- */

/* An instance as the text that an embedded object is. */
static const char *embed(struct cim_arena *arena, const struct cim_instance *instance)
{
	struct xml_text text;
	const char *copy;

	xml_text_init(&text, MESSAGE_BYTES_MAX);
	xml_put_instance(&text, instance, NULL);
	copy = text.failed ? NULL : arena_copy_bytes(arena, text.bytes, text.used);
	xml_text_free(&text);
	if (!copy)
		arena->failed = true;
	return copy;
}

static struct cim_instance *make_change(struct indication_round *round, const struct cim_instance *before,
					const struct cim_instance *now, const char *const *changed, unsigned count)
{
	const struct cim_instance *source = now ? now : before;
	const char *class = !before ? "CIM_InstCreation" : now ? "CIM_InstModification" : "CIM_InstDeletion";
	struct cim_instance *indication = begin_indication(round, class, door_wall_ns());
	const struct cim_path *path = cim_instance_path(&round->now, source);

	if (!indication || !path)
		return NULL;
	cim_set_number(cim_instance_value(indication, "PerceivedSeverity"), 2);
	cim_set_text(cim_instance_value(indication, "SourceInstanceModelPath"), cim_path_print(&round->now, path));
	cim_set_text(cim_instance_value(indication, "SourceInstanceHost"), cim_engine_host(round->engine));
	if (before && now)
		cim_set_texts(&round->now, cim_instance_value(indication, "ChangedPropertyNames"), changed, count);
	return round->now.failed ? NULL : indication;
}

/* Once somebody wants it. */
static bool embed_all(struct indication_round *round, const struct cim_asked *indication)
{
	struct cim_value *source = cim_instance_value(indication->instance, "SourceInstance");

	if (!source->is_null)
		return true;
	cim_set_text(source, embed(&round->now, indication->source->instance));
	if (indication->previous)
		cim_set_text(cim_instance_value(indication->instance, "PreviousInstance"),
			     embed(&round->now, indication->previous->instance));
	return !round->now.failed;
}

static bool meets(const struct indication_watch *watch, enum cim_namespace ns, const struct cim_asked *indication)
{
	return watch->namespaces >> ns & 1 && query_meets(&watch->query, &indication->asked);
}

bool indication_tell_change(struct indication_round *round, const struct cim_instance *before,
			    const struct cim_instance *now, const char *const *changed, unsigned count)
{
	struct cim_asked of_before = cim_asked_make(before), of_now = cim_asked_make(now), indication;
	struct cim_instance *made = make_change(round, before, now, changed, count);
	bool going_on = true;

	if (!made) {
		round->failed = true;
		return true;
	}
	indication = cim_asked_make(made);
	indication.source = now ? &of_now : &of_before;
	indication.previous = before && now ? &of_before : NULL;
	for (unsigned i = 0; i < round->watch_count && going_on; i++) {
		if (!meets(&round->watches[i], (now ? now : before)->ns, &indication))
			continue;
		if (embed_all(round, &indication))
			going_on = post(round, &round->watches[i], made);
		else
			round->failed = true;
	}
	return going_on;
}

/* ---- events ---- */

/* PerceivedSeverity: 2 Information, 3 Degraded/Warning, 5 Major. */
static const uint16_t severities[EVENT_LEVEL_COUNT] = { [EVENT_INFO] = 2, [EVENT_WARNING] = 3, [EVENT_ERROR] = 5 };

/*
 * AlertType: 1 Other, 2 Communications, 3 Quality of Service, 4 Processing Error, 5 Device, 7 Model Change.
 * ProbableCause: 1 Other, 24 I/O Device Error, 30 Loss of Signal, 35 Performance Degraded,
 * 44 Resource at or Nearing Capacity, 50 Storage Capacity Problem, 52 Threshold Crossed, 59 Previous Alert Cleared,
 * 81 Sync Loss or Mismatch, 88 Loss of Redundancy, 110 Element Reinitialized, 122 Information Missing.
 */
#define CAUSE_CLEARED	59
static const struct {
	uint16_t type, cause;
} kinds[EVENT_KIND_COUNT] = {
	[EVENT_CHANGE] = { 7, 1 }, [EVENT_SYSTEM_STARTED] = { 7, 110 }, [EVENT_SYSTEM_STOPPED] = { 7, 1 },
	[EVENT_PAIR_SUSPENDED] = { 3, 88 }, [EVENT_PAIR_RESUMED] = { 3, 59 }, [EVENT_PAIR_COPIED] = { 3, 59 },
	[EVENT_PAIR_RESYNCED] = { 3, 59 }, [EVENT_SESSION_STARTED] = { 7, 1 }, [EVENT_SESSION_PAUSED] = { 7, 1 },
	[EVENT_SESSION_ENDED] = { 7, 1 }, [EVENT_SESSION_FATAL] = { 3, 88 }, [EVENT_SESSION_RECOVERED] = { 7, 1 },
	[EVENT_FAR_RECOVERED] = { 7, 1 }, [EVENT_CG_FAILING] = { 3, 35 }, [EVENT_CG_FORMED] = { 3, 59 },
	[EVENT_RPO_HIGH] = { 3, 52 }, [EVENT_RPO_NORMAL] = { 3, 59 }, [EVENT_JOURNAL_FULL] = { 3, 44 },
	[EVENT_JOURNAL_ROOM] = { 3, 59 }, [EVENT_POOL_FULL] = { 5, 50 }, [EVENT_POOL_ROOM] = { 5, 59 },
	[EVENT_VOLUME_SYNC_FAILED] = { 5, 24 }, [EVENT_VOLUME_WRITES_LOST] = { 5, 122 },
	[EVENT_LINK_LOST] = { 2, 30 }, [EVENT_LINK_RETURNED] = { 2, 59 }, [EVENT_FAR_RESTARTED] = { 2, 1 },
	[EVENT_FLASH_FAILED] = { 5, 24 }, [EVENT_JOB_FAILED] = { 4, 1 }, [EVENT_SERVICE_STATE] = { 7, 1 },
	[EVENT_PAIR_DIFFERS] = { 3, 81 }, [EVENT_POINTS_DROPPED] = { 3, 44 }, [EVENT_PAIR_DUPLEX] = { 3, 59 },
};

static void set_cause(const struct cim_instance *alert, const struct record_event *event)
{
	cim_set_number(cim_instance_value(alert, "AlertType"), kinds[event->kind].type ? kinds[event->kind].type : 1);
	cim_set_number(cim_instance_value(alert, "PerceivedSeverity"), severities[event->level]);
	cim_set_number(cim_instance_value(alert, "ProbableCause"), kinds[event->kind].cause);
	cim_set_text(cim_instance_value(alert, "ProbableCauseDescription"), event->text);
	cim_set_number(cim_instance_value(alert, "Trending"), kinds[event->kind].cause == CAUSE_CLEARED ? 3 : 1);
}

static void set_system(struct indication_round *round, const struct cim_instance *alert)
{
	cim_set_text(cim_instance_value(alert, "SystemCreationClassName"), DISCOVERY_SYSTEM_CLASS);
	cim_set_text(cim_instance_value(alert, "SystemName"), cim_engine_system(round->engine));
	cim_set_text(cim_instance_value(alert, "ProviderName"), "xdc");
	cim_set_text(cim_instance_value(alert, "OwningEntity"), "xdc");
}

static struct cim_instance *make_alert(struct indication_round *round, const struct record_event *event)
{
	struct cim_instance *alert = begin_indication(round, "CIM_AlertIndication", event->at_wall_ns);
	const char *remedies[] = { event->remedy };

	if (!alert)
		return NULL;
	set_cause(alert, event);
	set_system(round, alert);
	cim_set_text(cim_instance_value(alert, "Description"), event->object);
	/* An object of xdc is named, as an administrator names it: 1 Other. */
	cim_set_text(cim_instance_value(alert, "AlertingManagedElement"), event->object);
	cim_set_number(cim_instance_value(alert, "AlertingElementFormat"), 1);
	cim_set_text(cim_instance_value(alert, "OtherAlertingElementFormat"), "xdc");
	cim_set_texts(&round->now, cim_instance_value(alert, "RecommendedActions"), remedies, *event->remedy ? 1 : 0);
	cim_set_text(cim_instance_value(alert, "EventID"), event_kind_names[event->kind]);
	cim_set_time(cim_instance_value(alert, "EventTime"), event->at_wall_ns);
	cim_set_text(cim_instance_value(alert, "MessageID"), arena_print(&round->now, "xdc:%" PRIu64, event->number));
	cim_set_text(cim_instance_value(alert, "Message"), *event->remedy ?
		     arena_print(&round->now, "%s: %s; try: %s", event->object, event->text, event->remedy) :
		     arena_print(&round->now, "%s: %s", event->object, event->text));
	return round->now.failed ? NULL : alert;
}

bool indication_tell_event(struct indication_round *round, const struct record_event *event)
{
	struct cim_instance *alert;
	struct cim_asked asked;
	bool going_on = true;

	arena_reset(&round->now);
	alert = make_alert(round, event);
	if (!alert) {
		round->failed = true;
		return true;
	}
	asked = cim_asked_make(alert);
	for (unsigned i = 0; i < round->watch_count && going_on; i++)
		if (query_meets(&round->watches[i].query, &asked.asked))
			going_on = post(round, &round->watches[i], alert);
	return going_on;
}
