/* SPDX-License-Identifier: Apache-2.0 */
/* cim_systems.h - for tests that call extrinsic methods of whole systems in the simulator, as CIM-XML and back. */
#ifndef XDC_TESTS_CIM_SYSTEMS_H
#define XDC_TESTS_CIM_SYSTEMS_H

#include <stdlib.h>

#include "face/cim/method.h"
#include "two_systems.h"

#define ARENA_BYTES	(8u * 1024 * 1024)

#define P_VALUE(name, type, value) \
	"<PARAMVALUE NAME=\"" name "\" PARAMTYPE=\"" type "\"><VALUE>" value "</VALUE></PARAMVALUE>"
#define P_NUMBER(name, value)	P_VALUE(name, "uint16", value)
#define P_TEXT(name, value)	P_VALUE(name, "string", value)
#define P_LIST(name, values) \
	"<PARAMVALUE NAME=\"" name "\" PARAMTYPE=\"string\"><VALUE.ARRAY>" values "</VALUE.ARRAY></PARAMVALUE>"
#define V(value)		"<VALUE>" value "</VALUE>"
#define P_REF(name, path) \
	"<PARAMVALUE NAME=\"" name "\" PARAMTYPE=\"reference\">" path "</PARAMVALUE>"
#define P_REFS(name, paths) \
	"<PARAMVALUE NAME=\"" name "\" PARAMTYPE=\"reference\"><VALUE.REFARRAY>" paths "</VALUE.REFARRAY></PARAMVALUE>"

#define KEY(name, value) \
	"<KEYBINDING NAME=\"" name "\"><KEYVALUE VALUETYPE=\"string\">" value "</KEYVALUE></KEYBINDING>"
#define KEY_REF(name, path)	"<KEYBINDING NAME=\"" name "\">" path "</KEYBINDING>"
#define REF(class, keys) \
	"<VALUE.REFERENCE><LOCALINSTANCEPATH><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"ibm\"/>" \
	"</LOCALNAMESPACEPATH><INSTANCENAME CLASSNAME=\"" class "\">" keys "</INSTANCENAME></LOCALINSTANCEPATH>" \
	"</VALUE.REFERENCE>"
#define VOLUME_OF(system, id) \
	REF("IBMTSESS_Volume", KEY("SystemCreationClassName", "IBMTSESS_StorageSystem") KEY("SystemName", system) \
	    KEY("CreationClassName", "IBMTSESS_Volume") KEY("DeviceID", id))
#define VOLUME(id)		VOLUME_OF("2105.FA120", id)
#define FAR_VOLUME(id)		REF("IBMTSESS_RemoteVolume", KEY("InstanceID", "xdc:2105.FB230:volume:" id))
#define POOL(name)		REF("IBMTSESS_StoragePool", KEY("InstanceID", "xdc:2105.FA120:pool:" name))
#define SET_OF(class, name)	REF(class, KEY("InstanceID", "xdc:2105.FA120:set:" name))
#define RELATION(from, to) \
	REF("IBMTSESS_StorageSynchronized", KEY_REF("SystemElement", from) KEY_REF("SyncedElement", to))

#define CALL_HEAD \
	"<?xml version=\"1.0\"?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"1\" PROTOCOLVERSION=\"1.0\">" \
	"<SIMPLEREQ><METHODCALL NAME=\"%s\">%s"
#define ROOT_IBM \
	"<LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"ibm\"/></LOCALNAMESPACEPATH>"
#define ON_CLASS(class)	"<LOCALCLASSPATH>" ROOT_IBM "<CLASSNAME NAME=\"" class "\"/></LOCALCLASSPATH>"
#define ON_INSTANCE(class, keys) \
	"<LOCALINSTANCEPATH>" ROOT_IBM "<INSTANCENAME CLASSNAME=\"" class "\">" keys "</INSTANCENAME>" \
	"</LOCALINSTANCEPATH>"
#define CALL_TAIL	"</METHODCALL></SIMPLEREQ></MESSAGE></CIM>"

struct invocation {
	struct site *site;
	const char *method, *parameters;
	uint32_t returned;
	enum cim_error error;			/* CIM_OK: it returned something */
	struct fault fault;
	char answer[65536];
};

/* Of the calls to come: on what. */
static const char *on_object = ON_CLASS("IBMTSESS_AsyncPPRCService");
static enum cim_namespace on_namespace = CIM_NAMESPACE_IBM;

/* Of the calls to come: the request has taken all memory that it may have; 0: no limit of time. */
static bool is_memory_taken __attribute__((unused));
static int64_t limit_ns __attribute__((unused));

static inline const struct xml_node *read_xml(struct cim_arena *arena, const char *text)
{
	struct xml_reader *reader = xml_reader_create(arena);
	const struct xml_node *root;

	CHECK(reader);
	CHECK_EQUAL(xml_reader_feed(reader, text, strlen(text)), 0);
	CHECK_EQUAL(xml_reader_end(reader, &root), 0);
	xml_reader_free(reader);
	return root;
}

static inline void answer_invocation(struct invocation *invocation, struct cim_arena *arena,
				     const struct cim_request *request)
{
	static const struct cim_caller caller = { ROLE_ADMIN, "ann", "127.0.0.1" };
	struct cim_failure failure = { 0 };
	struct cim_call call;
	struct xml_text text;

	xml_text_init(&text, sizeof(invocation->answer) - 1);
	if (cim_call_read(arena, request, on_namespace, &call, &failure)) {
		call.control = system_control(invocation->site->system);
		call.caller = &caller;
		while (is_memory_taken && arena_take(arena, 16))
			;
		arena->failed = false;
		{
			RT_LIMIT(limit_ns ? rt_now_ns() + limit_ns : RT_NEVER);
			cim_call_run(&call);
		}
		cim_call_answer(&call, request, &text);
		invocation->returned = call.returned;
		invocation->fault = call.fault;
		CHECK(!text.failed);
	} else {
		xml_put_error(&text, request, &failure);
	}
	invocation->error = failure.code;
	cim_call_end(&call);
	memcpy(invocation->answer, text.bytes, text.used);
	invocation->answer[text.used] = '\0';
	xml_text_free(&text);
}

static inline int invoke_there(void *arg)
{
	struct invocation *invocation = arg;
	struct cim_request request;
	struct cim_arena arena;
	struct xml_text text;
	const char *error;
	bool multiple;
	char head[2048];

	arena_init(&arena, ARENA_BYTES);
	xml_text_init(&text, 1u << 20);
	snprintf(head, sizeof(head), CALL_HEAD, invocation->method, on_object);
	xml_put(&text, head);
	xml_put(&text, invocation->parameters);
	xml_put_bytes(&text, CALL_TAIL, sizeof(CALL_TAIL));
	CHECK(cim_request_read(&arena, read_xml(&arena, text.bytes), &request, &error, &multiple));
	answer_invocation(invocation, &arena, &request);
	xml_text_free(&text);
	arena_free(&arena);
	return 0;
}

static struct invocation invocation;

/* What the method returns. */
static inline uint32_t invoke(struct site *site, const char *method, const char *parameters)
{
	invocation = (struct invocation){ .site = site, .method = method, .parameters = parameters };
	CHECK_EQUAL(sim_call(site->sim, invoke_there, &invocation), 0);
	return invocation.returned;
}

static inline void expect_code(int line, struct site *site, const char *method, const char *parameters, uint32_t code)
{
	uint32_t returned = invoke(site, method, parameters);

	if (returned == code && invocation.error == CIM_OK)
		return;
	fprintf(stderr, "%s %s\n%s\nreturns %u, not %u: %s: %s\n", method, parameters, invocation.answer, returned,
		code, invocation.fault.object, invocation.fault.message);
	check_failed(__FILE__, line, method);
}
#define RETURNS(site, method, parameters, code)	expect_code(__LINE__, site, method, parameters, code)

static inline void expect_answer(int line, const char *part)
{
	if (strstr(invocation.answer, part))
		return;
	fprintf(stderr, "%s\nlacks %s\n", invocation.answer, part);
	check_failed(__FILE__, line, part);
}
#define ANSWERS(part)	expect_answer(__LINE__, part)

static inline int write_volume(void *arg)
{
	struct attachment attachment;
	const uint64_t word = 1;

	(void)arg;
	CHECK_EQUAL(control_attach(system_control(a.system), "1500", &attachment), 0);
	CHECK_EQUAL(volume_write(attachment.volume, &word, sizeof(word), 0, 0), 0);
	control_detach(system_control(a.system), 0x1500);
	return 0;
}

/* Session 1 is in the middle of a group, and its far side is not heard any more. */
static inline void cut_session(void)
{
	static const char show[] = "{\"op\":\"session show\",\"args\":{\"session\":\"1\"}}";

	await(&a, show, "\"joined_count\":1");
	sim_cut(a.sim, b.sim);
	CHECK_EQUAL(sim_call(a.sim, write_volume, NULL), 0);
	await(&a, show, "\"phase\":\"drain\"");
}

#endif
