/* SPDX-License-Identifier: Apache-2.0 */
/* "xdc cim call": one method, by hand, of a system that serves CIM over HTTP. */
#include "cli/cim_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/http.h"
#include "face/cim/users.h"

#define DEFAULT_URL	"http://127.0.0.1:5988"
#define ARENA_BYTES_MAX	(512u * 1024 * 1024)	/* an answer of 24 MiB as a tree */
#define BODY_BYTES_MAX	(16u * 1024 * 1024)
#define JOB_STARTED	4096

static void put_request(struct xml_text *text, const struct cim_call_words *call)
{
	xml_put(text, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\">"
		      "<MESSAGE ID=\"1\" PROTOCOLVERSION=\"1.0\"><SIMPLEREQ><METHODCALL");
	xml_put_attribute(text, "NAME", call->method->name);
	xml_put(text, ">");
	xml_put_path_local(text, call->object);
	for (unsigned i = 0; i < call->method->parameter_count; i++) {
		const struct cim_schema_parameter *parameter = &call->method->parameters[i];

		if (call->in[i].is_null)
			continue;
		xml_put(text, "<PARAMVALUE");
		xml_put_attribute(text, "NAME", parameter->name);
		xml_put_attribute(text, "PARAMTYPE", parameter->type == CIM_TYPE_REFERENCE ? "reference" :
				  cim_type_name(parameter->type));
		xml_put(text, ">");
		xml_put_value(text, &call->in[i]);
		xml_put(text, "</PARAMVALUE>");
	}
	xml_put(text, "</METHODCALL></SIMPLEREQ></MESSAGE></CIM>");
	xml_put_bytes(text, "", 1);
}

/* ---- who asks ---- */

static char *encode_base64(struct cim_arena *arena, const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(text), used = 0;
	char *out = arena_take(arena, len / 3 * 4 + 5);

	for (size_t i = 0; out && i < len; i += 3) {
		uint32_t bits = (uint32_t)(uint8_t)text[i] << 16;

		if (i + 1 < len)
			bits |= (uint32_t)(uint8_t)text[i + 1] << 8;
		if (i + 2 < len)
			bits |= (uint8_t)text[i + 2];
		out[used++] = digits[bits >> 18];
		out[used++] = digits[bits >> 12 & 63];
		out[used++] = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		out[used++] = i + 2 < len ? digits[bits & 63] : '=';
	}
	return out;
}

/* NULL after a message. */
static const char *make_headers(struct cim_call_words *call)
{
	const char *headers = arena_print(&call->arena, "Content-Type: application/xml; charset=\"utf-8\"\r\n"
					  "CIMOperation: MethodCall\r\nCIMMethod: %s\r\nCIMObject: %s:%s\r\n",
					  call->method->name, cim_schema_namespaces[call->object->ns],
					  call->object->class->name);
	char password[CIM_PASSWORD_MAX], *login;
	int error;

	if (!headers || !call->user)
		return headers;
	error = cli_read_password(call->password_file, password);
	if (error) {
		cli_complain(FAULT_INVALID_PARAMETER, "password", "type it, or give --password-file FILE", "%s",
			     strerrordesc_np(error));
		return NULL;
	}
	login = arena_print(&call->arena, "%s:%s", call->user, password);
	login = login ? encode_base64(&call->arena, login) : NULL;
	return login ? arena_print(&call->arena, "%sAuthorization: Basic %s\r\n", headers, login) : NULL;
}

/* ---- there and back ---- */

static bool check_status(const struct cim_call_words *call, unsigned status)
{
	if (status == 200)
		return true;
	if (status == 401 && call->user)
		cli_complain(FAULT_FAILED, call->url, "xdc user add NAME --role ROLE --users FILE",
			     "it does not know the user %s with this password", call->user);
	else if (status == 401)
		cli_complain(FAULT_FAILED, call->url, "--user NAME", "it wants to know who asks");
	else
		cli_complain(FAULT_FAILED, call->url, "look at its log", "it answers with the HTTP status %u", status);
	return false;
}

/* NULL after a message. */
static const struct xml_node *read_tree(struct cim_call_words *call, FILE *in)
{
	struct xml_reader *reader = xml_reader_create(&call->arena);
	const struct xml_node *root = NULL;
	char bytes[16384];
	size_t got;
	int rc = reader ? 0 : -1;

	while (rc == 0 && (got = fread(bytes, 1, sizeof(bytes), in)) > 0)
		rc = xml_reader_feed(reader, bytes, got);
	if (rc == 0)
		rc = xml_reader_end(reader, &root);
	xml_reader_free(reader);
	if (rc == 0)
		return root;
	cli_complain(FAULT_FAILED, call->url, "look at its log", "its answer is not whole, or no XML");
	return NULL;
}

/* NULL after a message. */
static json_t *ask(struct cim_call_words *call)
{
	const char *headers = make_headers(call);
	const struct xml_node *root = NULL;
	struct xml_text request;
	unsigned status = 0;
	FILE *in = NULL;

	xml_text_init(&request, BODY_BYTES_MAX);
	put_request(&request, call);
	if (headers && !request.failed)
		in = cli_http_post(call->url, headers, request.bytes, &status);
	xml_text_free(&request);
	if (in && check_status(call, status))
		root = read_tree(call, in);
	if (in)
		fclose(in);
	return root ? cim_call_read_answer(call, root) : NULL;
}

static enum cli_exit show(const struct cim_call_words *call, const json_t *answer, bool json)
{
	json_int_t code = json_integer_value(json_object_get(answer, "return_code"));

	if (json)
		cli_print_json(stdout, answer);
	else
		cim_call_print(call, answer);
	return code == 0 || code == JOB_STARTED ? CLI_DONE : CLI_REFUSED;
}

enum cli_exit cli_cim_call(const struct cli_options *options)
{
	struct cim_call_words call = { .url = DEFAULT_URL, .exit = CLI_REFUSED };
	json_t *answer = NULL;

	arena_init(&call.arena, ARENA_BYTES_MAX);
	if (cim_call_parse(&call, options->words + 2, options->word_count - 2))
		answer = ask(&call);
	if (answer)
		call.exit = show(&call, answer, options->json);
	json_decref(answer);
	arena_free(&call.arena);
	return call.exit;
}
