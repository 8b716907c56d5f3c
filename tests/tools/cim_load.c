/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cim_load - a client of a CIM server for the measurements, which reads answers without looking into them, so that it
 * is quicker than any server: CIM-XML over HTTP, one request after the other on connections that stay open.
 *
 *	cim_load enumerate ADDRESS PORT NAMESPACE CLASS	EnumerateInstances, once
 *	cim_load pull ADDRESS PORT NAMESPACE CLASS MAX	OpenEnumerateInstances, and pulls of MAX each
 *	cim_load get ADDRESS PORT NAMESPACE CLASS CONNECTIONS SECONDS
 *			GetInstance of all of them in turn
 *
 * ADDRESS is an IPv4 address. Prints one JSON object: answers, objects (instances in them), bytes of bodies, seconds,
 * client_seconds (processor time of this program: well below seconds, or it was the one that was measured), and with
 * get percentiles in microseconds of how long an answer took. Exit code: 0; 1 an answer is wrong; 2 bad usage or no
 * connection.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BUFFER		(256u << 10)
#define REQUEST_MAX	(16u << 10)
#define LINE_BYTES	512u
#define CONNECTIONS_MAX	16u
#define CONTEXT_MAX	256u
#define NAMES_MAX	100000u
#define GETS_MAX	(4u << 20)
#define SECOND		INT64_C(1000000000)
#define WAIT_SECONDS	60

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("cim_load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* ---- HTTP ---- */

static const char object_tag[] = "<INSTANCE ";
#define OBJECT_TAG_LEN	(sizeof(object_tag) - 1)
#define SEAM		(OBJECT_TAG_LEN - 1)

struct connection {
	int fd;
	size_t at, end;			/* of what has come and was not taken */
	bool keep;			/* the body, else its objects are counted and it is forgotten */
	char *body;			/* what is kept */
	size_t kept, room;
	uint64_t objects, bytes;	/* of all answers so far */
	char seam[SEAM];		/* the end of the piece before */
	size_t seam_len;
	char buffer[BUFFER];
};

static struct sockaddr_in server;

static struct connection *open_connection(void)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct timeval wait = { .tv_sec = WAIT_SECONDS };
	int on = 1;

	if (!connection)
		die("no memory");
	connection->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&server, sizeof(server))) {
		perror("cim_load");
		exit(2);
	}
	setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return connection;
}

/* More of the answer, behind what is there. */
static void receive(struct connection *connection)
{
	ssize_t got;

	if (connection->at == connection->end) {
		connection->at = connection->end = 0;
	} else if (connection->end == BUFFER) {
		memmove(connection->buffer, connection->buffer + connection->at, connection->end - connection->at);
		connection->end -= connection->at;
		connection->at = 0;
	}
	got = recv(connection->fd, connection->buffer + connection->end, BUFFER - connection->end, 0);
	if (got <= 0)
		die("the connection ended within an answer");
	connection->end += (size_t)got;
}

/* Without its CR LF. */
static void take_line(struct connection *connection, char *line, size_t size)
{
	const char *begin, *lf;
	size_t len;

	for (;;) {
		begin = connection->buffer + connection->at;
		lf = memchr(begin, '\n', connection->end - connection->at);
		if (lf)
			break;
		if (connection->end - connection->at >= size)
			die("a line of the answer is too long");
		receive(connection);
	}
	len = (size_t)(lf - begin);
	connection->at += len + 1;
	if (len && begin[len - 1] == '\r')
		len--;
	if (len >= size)
		die("a line of the answer is too long");
	memcpy(line, begin, len);
	line[len] = '\0';
}

static void keep(struct connection *connection, const char *data, size_t len)
{
	while (connection->kept + len + 1 > connection->room) {
		connection->room = connection->room ? connection->room * 2 : BUFFER;
		connection->body = realloc(connection->body, connection->room);
		if (!connection->body)
			die("no memory");
	}
	memcpy(connection->body + connection->kept, data, len);
	connection->kept += len;
	connection->body[connection->kept] = '\0';
}

/* Starts of instances, also those that lie across two pieces. */
static void count_objects(struct connection *connection, const char *data, size_t len)
{
	const char *end = data + len, *at = data;
	char seam[2 * SEAM];
	size_t head = len < SEAM ? len : SEAM, joined = connection->seam_len + head;

	memcpy(seam, connection->seam, connection->seam_len);
	memcpy(seam + connection->seam_len, data, head);
	if (memmem(seam, joined, object_tag, OBJECT_TAG_LEN))
		connection->objects++;
	while ((at = memmem(at, (size_t)(end - at), object_tag, OBJECT_TAG_LEN)) != NULL) {
		connection->objects++;
		at += OBJECT_TAG_LEN;
	}
	/* The last that came, for the next piece: shorter than a tag, so that none is counted twice. */
	if (len >= SEAM) {
		memcpy(connection->seam, end - SEAM, SEAM);
		connection->seam_len = SEAM;
	} else {
		connection->seam_len = joined < SEAM ? joined : SEAM;
		memcpy(connection->seam, seam + joined - connection->seam_len, connection->seam_len);
	}
}

static void take_body(struct connection *connection, uint64_t len)
{
	while (len) {
		size_t piece = connection->end - connection->at;

		if (piece == 0) {
			receive(connection);
			continue;
		}
		if (piece > len)
			piece = (size_t)len;
		if (connection->keep)
			keep(connection, connection->buffer + connection->at, piece);
		count_objects(connection, connection->buffer + connection->at, piece);
		connection->at += piece;
		connection->bytes += piece;
		len -= piece;
	}
}

static void take_chunks(struct connection *connection)
{
	char line[LINE_BYTES], *end;
	uint64_t len;

	do {
		take_line(connection, line, sizeof(line));
		len = strtoull(line, &end, 16);
		if (end == line || (*end && *end != ';'))
			die("a chunk of '%s'", line);
		take_body(connection, len);
		take_line(connection, line, sizeof(line));
		if (*line)
			die("a chunk is longer than it says, or there are trailers");
	} while (len);
}

static void take_answer(struct connection *connection)
{
	char line[LINE_BYTES];
	bool chunked = false;
	uint64_t len = 0;

	connection->kept = 0;
	connection->seam_len = 0;
	take_line(connection, line, sizeof(line));
	if (strncmp(line, "HTTP/1.1 200 ", 13) != 0)
		die("%s", line);
	for (;;) {
		take_line(connection, line, sizeof(line));
		if (!*line)
			break;
		if (!strncasecmp(line, "Content-Length:", 15))
			len = strtoull(line + 15, NULL, 10);
		else if (!strcasecmp(line, "Transfer-Encoding: chunked"))
			chunked = true;
	}
	if (chunked)
		take_chunks(connection);
	else
		take_body(connection, len);
}

/* ---- CIM-XML ---- */

static const char *namespace_name, *class_name;

/* "root/ibm" as a local path. */
static size_t write_namespace(char *text, size_t size)
{
	size_t len = 0;

	for (const char *at = namespace_name; *at; ) {
		size_t part = strcspn(at, "/");

		len += (size_t)snprintf(text + len, size - len, "<NAMESPACE NAME=\"%.*s\"/>", (int)part, at);
		if (len >= size)
			die("the namespace is too long");
		at += part + (at[part] == '/');
	}
	return len;
}

/* Asks one operation, whose parameters are XML, and takes the answer. */
static void ask(struct connection *connection, const char *operation, const char *parameters)
{
	char path[REQUEST_MAX / 4], body[REQUEST_MAX], head[LINE_BYTES];
	size_t len;
	int head_len;

	write_namespace(path, sizeof(path));
	len = (size_t)snprintf(body, sizeof(body),
		"<?xml version=\"1.0\"?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\">"
		"<MESSAGE ID=\"7\" PROTOCOLVERSION=\"1.0\"><SIMPLEREQ><IMETHODCALL NAME=\"%s\"><LOCALNAMESPACEPATH>%s"
		"</LOCALNAMESPACEPATH>%s</IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>", operation, path, parameters);
	head_len = snprintf(head, sizeof(head), "POST /cimom HTTP/1.1\r\nHost: xdc\r\nCIMOperation: MethodCall\r\n"
		"Content-Type: application/xml; charset=\"utf-8\"\r\nContent-Length: %zu\r\n\r\n", len);
	if (len >= sizeof(body))
		die("the request is too long");
	if (send(connection->fd, head, (size_t)head_len, MSG_MORE | MSG_NOSIGNAL) != head_len ||
	    send(connection->fd, body, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("the connection ended");
	take_answer(connection);
}

/* The value of an out parameter, in the body that was kept. */
static size_t find_out(const struct connection *connection, const char *name, const char **value)
{
	char tag[LINE_BYTES];
	const char *from;

	snprintf(tag, sizeof(tag), "<PARAMVALUE NAME=\"%s\"", name);
	from = connection->kept ? strstr(connection->body, tag) : NULL;
	from = from ? strstr(from, "<VALUE>") : NULL;
	if (!from)
		die("an answer without %s", name);
	*value = from + strlen("<VALUE>");
	return strcspn(*value, "<");
}

/* ---- what is measured ---- */

static void enumerate(struct connection *connection)
{
	char parameters[REQUEST_MAX / 2];

	snprintf(parameters, sizeof(parameters), "<IPARAMVALUE NAME=\"ClassName\">"
		 "<CLASSNAME NAME=\"%s\"/></IPARAMVALUE>"
		 "<IPARAMVALUE NAME=\"LocalOnly\"><VALUE>FALSE</VALUE></IPARAMVALUE>", class_name);
	ask(connection, "EnumerateInstances", parameters);
}

/* How many answers it took. Bodies are kept, as a client would have to: the context of the next pull is in them. */
static uint64_t pull(struct connection *connection, unsigned long max)
{
	char parameters[REQUEST_MAX / 2];
	const char *value;
	size_t len;
	uint64_t answers = 1;

	connection->keep = true;
	snprintf(parameters, sizeof(parameters), "<IPARAMVALUE NAME=\"ClassName\">"
		 "<CLASSNAME NAME=\"%s\"/></IPARAMVALUE>"
		 "<IPARAMVALUE NAME=\"MaxObjectCount\"><VALUE>%lu</VALUE></IPARAMVALUE>", class_name, max);
	ask(connection, "OpenEnumerateInstances", parameters);
	while (find_out(connection, "EndOfSequence", &value) && *value != 'T') {
		len = find_out(connection, "EnumerationContext", &value);
		snprintf(parameters, sizeof(parameters), "<IPARAMVALUE NAME=\"EnumerationContext\"><VALUE>%.*s</VALUE>"
			 "</IPARAMVALUE><IPARAMVALUE NAME=\"MaxObjectCount\"><VALUE>%lu</VALUE></IPARAMVALUE>",
			 (int)len, value, max);
		ask(connection, "PullInstancesWithPath", parameters);
		answers++;
	}
	return answers;
}

static const char name_begin[] = "<INSTANCENAME ", name_end[] = "</INSTANCENAME>";

/* Names of instances, each as the parameter InstanceName of GetInstance. No key of theirs is a reference. */
static char *names[NAMES_MAX];
static size_t name_count;

static void read_names(struct connection *connection)
{
	char parameters[REQUEST_MAX / 2];
	const char *at, *end;

	connection->keep = true;
	snprintf(parameters, sizeof(parameters), "<IPARAMVALUE NAME=\"ClassName\">"
		 "<CLASSNAME NAME=\"%s\"/></IPARAMVALUE>",
		 class_name);
	ask(connection, "EnumerateInstanceNames", parameters);
	at = connection->kept ? strstr(connection->body, name_begin) : NULL;
	for (; at && name_count < NAMES_MAX; at = strstr(end, name_begin)) {
		end = strstr(at, name_end);
		if (!end)
			die("a name without end");
		end += strlen(name_end);
		if (asprintf(&names[name_count++], "<IPARAMVALUE NAME=\"InstanceName\">%.*s</IPARAMVALUE>",
			     (int)(end - at), at) < 0)
			die("no memory");
	}
	connection->keep = false;
	if (!name_count)
		die("there are no instances");
}

/* One connection of get, on a thread of its own. */
struct getter {
	pthread_t thread;
	struct connection *connection;
	size_t next;			/* name to ask for */
	int64_t until_ns;
	float *us;			/* of each answer */
	size_t count;
};

static void *get_instances(void *arg)
{
	struct getter *getter = arg;
	int64_t began_ns, now = now_ns();

	while (now < getter->until_ns && getter->count < GETS_MAX) {
		began_ns = now;
		ask(getter->connection, "GetInstance", names[getter->next++ % name_count]);
		now = now_ns();
		getter->us[getter->count++] = (float)(now - began_ns) / 1000;
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void print_percentiles(const struct getter *getters, unsigned connections, size_t count)
{
	float *us = malloc(count * sizeof(*us));
	size_t at = 0;

	if (!us)
		die("no memory");
	for (unsigned i = 0; i < connections; i++) {
		memcpy(us + at, getters[i].us, getters[i].count * sizeof(*us));
		at += getters[i].count;
	}
	qsort(us, count, sizeof(*us), compare);
	printf(", \"us\": {\"p50\": %.1f, \"p99\": %.1f, \"max\": %.1f}", (double)us[count / 2],
	       (double)us[count * 99 / 100], (double)us[count - 1]);
	free(us);
}

static double processor_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct tally {
	uint64_t answers, objects, bytes;
	double seconds, client_seconds;
};

/* The object that is printed, without its end. */
static void print_tally(const struct tally *tally)
{
	printf("{\"answers\": %" PRIu64 ", \"objects\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"seconds\": %.4f, "
	       "\"client_seconds\": %.4f", tally->answers, tally->objects, tally->bytes, tally->seconds,
	       tally->client_seconds);
}

/* One run of all instances; max 0: in one answer. */
static void measure_all(struct connection *connection, unsigned long max)
{
	struct tally tally = { .answers = 1 };
	double began_processor = processor_seconds();
	int64_t began_ns = now_ns();

	if (max)
		tally.answers = pull(connection, max);
	else
		enumerate(connection);
	tally.seconds = (double)(now_ns() - began_ns) / SECOND;
	tally.client_seconds = processor_seconds() - began_processor;
	tally.objects = connection->objects;
	tally.bytes = connection->bytes;
	if (!tally.objects)
		die("there are no instances in the answer");
	print_tally(&tally);
	printf("}\n");
}

static void measure_gets(struct connection *connection, unsigned connections, unsigned seconds)
{
	static struct getter getters[CONNECTIONS_MAX];
	struct tally tally = { 0 };
	double began_processor;
	int64_t began_ns;

	read_names(connection);
	close(connection->fd);
	for (unsigned i = 0; i < connections; i++) {
		getters[i].connection = open_connection();
		getters[i].next = name_count / connections * i;
		getters[i].us = malloc(GETS_MAX * sizeof(float));
		if (!getters[i].us)
			die("no memory");
	}
	began_processor = processor_seconds();
	began_ns = now_ns();
	for (unsigned i = 0; i < connections; i++) {
		getters[i].until_ns = began_ns + seconds * SECOND;
		if (pthread_create(&getters[i].thread, NULL, get_instances, &getters[i]))
			die("no thread");
	}
	for (unsigned i = 0; i < connections; i++) {
		pthread_join(getters[i].thread, NULL);
		tally.answers += getters[i].count;
		tally.objects += getters[i].connection->objects;
		tally.bytes += getters[i].connection->bytes;
	}
	tally.seconds = (double)(now_ns() - began_ns) / SECOND;
	tally.client_seconds = processor_seconds() - began_processor;
	if (tally.objects != tally.answers)
		die("%" PRIu64 " answers with %" PRIu64 " instances", tally.answers, tally.objects);
	print_tally(&tally);
	print_percentiles(getters, connections, tally.answers);
	printf("}\n");
}

/* ---- arguments ---- */

static unsigned long number_of(const char *text, unsigned long max)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !number || number > max) {
		fprintf(stderr, "cim_load: %s: a number from 1 to %lu\n", text, max);
		exit(2);
	}
	return number;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int wanted = !strcmp(verb, "enumerate") ? 6 : !strcmp(verb, "pull") ? 7 : !strcmp(verb, "get") ? 8 : 0;

	server.sin_family = AF_INET;
	if (argc != wanted || inet_pton(AF_INET, argv[2], &server.sin_addr) != 1) {
		fprintf(stderr, "usage: cim_load enumerate|pull|get ADDRESS PORT NAMESPACE CLASS [NUMBER]...\n");
		return 2;
	}
	server.sin_port = htons((uint16_t)number_of(argv[3], UINT16_MAX));
	namespace_name = argv[4];
	class_name = argv[5];
	if (wanted == 8)
		measure_gets(open_connection(), (unsigned)number_of(argv[6], CONNECTIONS_MAX),
			     (unsigned)number_of(argv[7], 3600));
	else
		measure_all(open_connection(), wanted == 7 ? number_of(argv[6], UINT32_MAX) : 0);
	return 0;
}
