/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/deliver.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rt/log.h"
#include "rt/mem.h"
#include "rt/net.h"

#define HEADER_BYTES	1536u
#define ANSWER_BYTES	8192u		/* of an answer that are looked at */
#define DEFAULT_PORT	"5988"

struct message {
	struct list_head link;
	uint64_t number;
	size_t bytes;
	unsigned attempts;
	const char *tail;
	char *head;
};

struct listener {
	struct list_head link;		/* of the deliveries, in order of names */
	struct deliveries *deliveries;
	struct rt_group fiber;
	struct rt_cond posted;
	struct list_head messages;
	size_t bytes;
	struct message *sending;	/* NULL, or the first of the messages */
	struct delivery_state state;
	char *name, *url;
	int64_t stamp;
};

struct deliveries {
	struct deliver_options options;
	struct list_head listeners;
};

/* ---- addresses ---- */

bool deliver_url_read(const char *text, struct deliver_url *url)
{
	static const char scheme[] = "http://";
	const char *host = text + sizeof(scheme) - 1, *end, *colon;
	size_t len;

	if (strncasecmp(text, scheme, sizeof(scheme) - 1) != 0)
		return false;
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	len = strcspn(host, "/?#");
	end = host + len;
	if (!len || len + sizeof(":" DEFAULT_PORT) > sizeof(url->host) || memchr(host, '@', len))
		return false;
	/* After the bracket of an address of version 6. */
	colon = memchr(host, ']', len);
	colon = memchr(colon ? colon : host, ':', (size_t)(end - (colon ? colon : host)));
	if (colon == host ||
	    (colon && (colon + 1 == end || (size_t)(end - colon - 1) != strspn(colon + 1, "0123456789"))))
		return false;
	snprintf(url->host, sizeof(url->host), "%.*s%s", (int)len, host, colon ? "" : ":" DEFAULT_PORT);
	url->path = *end == '/' ? end : "/";
	return *end == '/' || !*end;
}

/* ---- one message over one connection ---- */

static int write_request(struct rt_stream *stream, const struct deliver_url *url, const struct message *message)
{
	char header[HEADER_BYTES], number[24];
	int digits = snprintf(number, sizeof(number), "%" PRIu64, message->number);
	size_t head = strlen(message->head), tail = strlen(message->tail);
	int len = snprintf(header, sizeof(header),
		"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/xml; charset=\"utf-8\"\r\n"
		"Content-Length: %zu\r\nAccept: text/xml, application/xml\r\nConnection: close\r\n"
		"CIMExport: MethodRequest\r\nCIMExportMethod: ExportIndication\r\nCIMProtocolVersion: 1.0\r\n\r\n",
		url->path, url->host, head + (size_t)digits + tail);
	const struct iovec parts[] = {
		{ header, (size_t)len }, { message->head, head }, { number, (size_t)digits },
		{ (void *)(uintptr_t)message->tail, tail },
	};

	if (len < 0 || (size_t)len >= sizeof(header))
		return -ENAMETOOLONG;
	return rt_stream_write(stream, parts, sizeof(parts) / sizeof(parts[0]));
}

/* The value of a header (name with its colon), or NULL; end is behind the last. */
static const char *find_header(const char *answer, const char *end, const char *name)
{
	const char *line = strstr(answer, "\r\n");

	for (; line && line < end; line = strstr(line, "\r\n")) {
		line += 2;
		if (!strncasecmp(line, name, strlen(name)))
			return line + strlen(name) + strspn(line + strlen(name), " \t");
	}
	return NULL;
}

/* Is it whole, as far as can be told before the connection ends? */
static bool is_whole(const char *answer, size_t len)
{
	const char *end = strstr(answer, "\r\n\r\n"), *value;

	if (!end)
		return false;
	end += 4;
	value = find_header(answer, end, "Content-Length:");
	if (value)
		return len - (size_t)(end - answer) >= strtoull(value, NULL, 10);
	return len >= 5 && !strcmp(answer + len - 5, "0\r\n\r\n");
}

/* What can be told of an answer: 0: it has taken the message. */
static int judge_answer(const char *answer)
{
	unsigned status = 0;

	if (sscanf(answer, "HTTP/1.%*1u %3u", &status) != 1)
		return -EPROTO;
	return status == 200 && !strstr(answer, "<ERROR") ? 0 : -EREMOTEIO;
}

static int read_answer(struct rt_stream *stream)
{
	char answer[ANSWER_BYTES];
	size_t len = 0;

	answer[0] = '\0';
	while (len + 1 < sizeof(answer) && !is_whole(answer, len)) {
		ssize_t got = rt_stream_read(stream, answer + len, sizeof(answer) - 1 - len);

		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		len += (size_t)got;
		answer[len] = '\0';
	}
	return judge_answer(answer);
}

static int send_message(const struct listener *listener, const struct message *message)
{
	RT_LIMIT(rt_now_ns() + listener->deliveries->options.attempt_ns);
	struct rt_stream *stream;
	struct deliver_url url;
	int rc;

	if (!deliver_url_read(listener->url, &url))
		return -EINVAL;
	rc = rt_connect(url.host, &stream);
	if (rc < 0)
		return rc;
	rc = write_request(stream, &url, message);
	if (rc == 0)
		rc = read_answer(stream);
	rt_stream_close(stream);
	return rc;
}

/* ---- a queue ---- */

static void drop_message(struct listener *listener, struct message *message)
{
	list_remove(&message->link);
	listener->bytes -= message->bytes;
	listener->state.waiting--;
	mem_free(message->head);
	mem_free(message);
}

static void lose_message(struct listener *listener, struct message *message)
{
	if (!listener->state.lost++)
		log_line(LOG_WARNING, "cim", "listener %s does not take indications: some are lost", listener->name);
	drop_message(listener, message);
}

/* The oldest but the one that is under way goes while there is no room for so many bytes more. */
static void make_room(struct listener *listener, size_t bytes)
{
	struct message *message, *next;

	list_for_each_safe(message, next, &listener->messages, link) {
		if (listener->state.waiting < DELIVER_MESSAGES_MAX && listener->bytes + bytes <= DELIVER_BYTES_MAX)
			return;
		if (message != listener->sending)
			lose_message(listener, message);
	}
}

static void note_failure(struct listener *listener, int rc)
{
	if (!listener->state.failures++) {
		listener->state.failing_since_ns = rt_now_ns();
		log_line(LOG_WARNING, "cim", "listener %s at %s: %s", listener->name, listener->url,
			 rc == -EREMOTEIO ? "it refuses an indication" : strerrordesc_np(-rc));
	}
}

static void note_success(struct listener *listener)
{
	if (listener->state.failures)
		log_line(LOG_NOTICE, "cim", "listener %s takes indications again", listener->name);
	listener->state.failures = 0;
	listener->state.failing_since_ns = 0;
	listener->state.delivered++;
}

/* After so many failures in a row. */
static int64_t pause_ns(const struct deliver_options *options, unsigned failures)
{
	int64_t pause = options->interval_ns;

	for (unsigned i = 1; i < failures && pause < options->interval_max_ns; i++)
		pause *= 2;
	return pause < options->interval_max_ns ? pause : options->interval_max_ns;
}

/* The first of the messages is sent, or given up, or a pause has been made before it is tried again. */
static int deliver_first(struct listener *listener)
{
	const struct deliver_options *options = &listener->deliveries->options;
	struct message *message = list_first(&listener->messages, struct message, link);
	int rc;

	listener->sending = message;
	rc = send_message(listener, message);
	listener->sending = NULL;
	if (rc == -ECANCELED)
		return rc;
	if (rc == 0) {
		note_success(listener);
		drop_message(listener, message);
		return 0;
	}
	note_failure(listener, rc);
	if (++message->attempts > options->retries)
		lose_message(listener, message);
	return rt_sleep_until(rt_now_ns() + pause_ns(options, listener->state.failures));
}

static void run_listener(void *arg)
{
	struct listener *listener = arg;
	int rc = 0;

	while (rc != -ECANCELED)
		rc = listener->state.waiting ? deliver_first(listener) : rt_cond_wait(&listener->posted);
}

/* ---- listeners ---- */

static struct listener *find_listener(const struct deliveries *deliveries, const char *name)
{
	struct listener *listener;

	list_for_each(listener, &deliveries->listeners, link)
		if (!strcmp(listener->name, name))
			return listener;
	return NULL;
}

static void free_listener(struct listener *listener)
{
	rt_group_stop(&listener->fiber);
	while (!list_empty(&listener->messages))
		drop_message(listener, list_first(&listener->messages, struct message, link));
	mem_free(listener->name);
	mem_free(listener->url);
	mem_free(listener);
}

int deliveries_create(const struct deliver_options *options, struct deliveries **out)
{
	struct deliveries *deliveries = mem_alloc_zeroed(sizeof(*deliveries));

	if (!deliveries)
		return -ENOMEM;
	deliveries->options = *options;
	list_init(&deliveries->listeners);
	*out = deliveries;
	return 0;
}

void deliveries_stop(struct deliveries *deliveries)
{
	if (!deliveries)
		return;
	while (!list_empty(&deliveries->listeners)) {
		struct listener *listener = list_first(&deliveries->listeners, struct listener, link);

		list_remove(&listener->link);
		free_listener(listener);
	}
	mem_free(deliveries);
}

void deliveries_remove(struct deliveries *deliveries, const char *name)
{
	struct listener *listener = find_listener(deliveries, name);

	if (!listener)
		return;
	list_remove(&listener->link);
	free_listener(listener);
}

int deliveries_add(struct deliveries *deliveries, const char *name, const char *url, int64_t stamp)
{
	struct listener *listener = find_listener(deliveries, name), *next;
	struct deliver_url parsed;
	int rc = -ENOMEM;

	if (listener && listener->stamp == stamp)
		return 0;
	deliveries_remove(deliveries, name);
	if (!deliver_url_read(url, &parsed))
		return -EINVAL;
	listener = mem_alloc_zeroed(sizeof(*listener));
	if (!listener)
		return -ENOMEM;
	listener->deliveries = deliveries;
	listener->stamp = stamp;
	rt_group_init(&listener->fiber);
	rt_cond_init(&listener->posted);
	list_init(&listener->messages);
	listener->name = mem_copy_string(name);
	listener->url = mem_copy_string(url);
	if (listener->name && listener->url)
		rc = rt_group_start(&listener->fiber, "listener", run_listener, listener);
	if (rc) {
		free_listener(listener);
		return rc;
	}
	list_for_each(next, &deliveries->listeners, link)
		if (strcmp(next->name, name) > 0)
			break;
	list_add_last(&next->link, &listener->link);
	return 0;
}

const char *deliveries_next(const struct deliveries *deliveries, const char *after)
{
	const struct listener *listener;

	list_for_each(listener, &deliveries->listeners, link)
		if (!after || strcmp(listener->name, after) > 0)
			return listener->name;
	return NULL;
}

void deliveries_post(struct deliveries *deliveries, const char *name, char *head, const char *tail)
{
	struct listener *listener = find_listener(deliveries, name);
	struct message *message = listener ? mem_alloc_zeroed(sizeof(*message)) : NULL;

	if (!message) {
		/* Its number is taken: the gap shows it. */
		if (listener) {
			listener->state.posted++;
			listener->state.lost++;
		}
		mem_free(head);
		return;
	}
	*message = (struct message){ .number = listener->state.posted++, .bytes = strlen(head), .tail = tail,
				     .head = head };
	make_room(listener, message->bytes);
	list_add_last(&listener->messages, &message->link);
	listener->bytes += message->bytes;
	listener->state.waiting++;
	rt_cond_wake_all(&listener->posted);
}

bool deliveries_look(const struct deliveries *deliveries, const char *name, struct delivery_state *state)
{
	const struct listener *listener = find_listener(deliveries, name);

	if (listener)
		*state = listener->state;
	return listener;
}
