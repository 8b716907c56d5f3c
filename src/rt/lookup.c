/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/lookup.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rt/mem.h"
#include "rt/uring.h"

#define TEXT_MAX	272U		/* host, port and what stands between */
#define STACK_BYTES	((size_t)512 * 1024)

static const char unix_prefix[] = "unix:";

static bool is_unix(const char *text)
{
	return strncmp(text, unix_prefix, strlen(unix_prefix)) == 0;
}

static int split_host_port(const char *text, char host[256], char port[16])
{
	const char *colon = strrchr(text, ':'), *begin = text, *end = colon;

	if (colon == NULL || colon == text || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return -EINVAL;
	if (text[0] == '[') {
		if (colon[-1] != ']')
			return -EINVAL;
		begin++;
		end--;
	} else if (memchr(text, ':', (size_t)(colon - text)) != NULL) {
		return -EINVAL;
	}
	if (end <= begin || end - begin >= 256 || colon[1] == '\0' || strlen(colon + 1) > 5)
		return -EINVAL;
	snprintf(host, 256, "%.*s", (int)(end - begin), begin);
	snprintf(port, 16, "%s", colon + 1);
	return 0;
}

static int errno_of_lookup(int code)
{
	switch (code) {
	case 0:
		return 0;
	case EAI_MEMORY:
		return -ENOMEM;
	case EAI_SYSTEM:
		return -errno;
	case EAI_NONAME:
	case EAI_SERVICE:
		return -EINVAL;
	default:
		return -EHOSTUNREACH;
	}
}

static int look_up_tcp(const char *text, int flags, struct lookup *out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags }, *found, *at;
	char host[256], port[16];
	int rc = split_host_port(text, host, port);

	if (rc == 0)
		rc = errno_of_lookup(getaddrinfo(host, port, &hints, &found));
	if (rc != 0)
		return rc;
	for (at = found; at != NULL && out->count < LOOKUP_ADDRESSES_MAX; at = at->ai_next) {
		if (at->ai_addrlen > sizeof(out->addresses[0]))
			continue;
		memcpy(&out->addresses[out->count], at->ai_addr, at->ai_addrlen);
		out->lengths[out->count++] = at->ai_addrlen;
	}
	freeaddrinfo(found);
	return out->count > 0 ? 0 : -EHOSTUNREACH;
}

static int look_up_unix(const char *path, struct lookup *out)
{
	struct sockaddr_un *local = &out->addresses[0].local;
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(local->sun_path))
		return -EINVAL;
	local->sun_family = AF_UNIX;
	memcpy(local->sun_path, path, len + 1);
	out->lengths[0] = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	out->count = 1;
	return 0;
}

static int look_up(const char *text, int flags, struct lookup *out)
{
	*out = (struct lookup){ 0 };
	return is_unix(text) ? look_up_unix(text + strlen(unix_prefix), out) : look_up_tcp(text, flags, out);
}

int lookup_to_listen(const char *text, struct lookup *out)
{
	return look_up(text, AI_PASSIVE, out);
}

/* ---- names: on a thread of their own, which nobody waits for ---- */

/* Belongs to the fiber and the thread together; the last of them frees it. */
struct name_job {
	char text[TEXT_MAX];
	struct lookup found;
	int result;
	int ended;			/* an eventfd; the thread writes it when found and result are there */
	bool has_ended;			/* atomic */
	unsigned users;			/* atomic */
};

static unsigned thread_count;		/* atomic; threads outlive the system that asked */

static void leave_job(struct name_job *job)
{
	if (__atomic_sub_fetch(&job->users, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	if (job->ended >= 0)
		close(job->ended);
	mem_free(job);
}

static void *name_thread(void *arg)
{
	struct name_job *job = arg;
	uint64_t one = 1;
	ssize_t put;

	job->result = look_up(job->text, 0, &job->found);
	__atomic_store_n(&job->has_ended, true, __ATOMIC_RELEASE);
	put = write(job->ended, &one, sizeof(one));
	assert(put == (ssize_t)sizeof(one));
	leave_job(job);
	__atomic_sub_fetch(&thread_count, 1, __ATOMIC_RELAXED);
	return NULL;
}

static int start_thread(struct name_job *job)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int rc;

	if (__atomic_add_fetch(&thread_count, 1, __ATOMIC_RELAXED) > LOOKUP_THREADS_MAX) {
		rc = EAGAIN;
	} else {
		pthread_attr_init(&attributes);
		pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
		pthread_attr_setstacksize(&attributes, STACK_BYTES);
		rc = pthread_create(&thread, &attributes, name_thread, job);
		pthread_attr_destroy(&attributes);
	}
	if (rc != 0)
		__atomic_sub_fetch(&thread_count, 1, __ATOMIC_RELAXED);
	return -rc;
}

static int wait_for_name(struct name_job *job, struct lookup *out)
{
	struct io_uring_sqe *sqe = uring_begin();
	struct uring_op op;
	uint64_t count;
	int rc;

	io_uring_prep_read(sqe, job->ended, &count, sizeof(count), 0);
	rc = uring_wait(&op, sqe);
	if (!__atomic_load_n(&job->has_ended, __ATOMIC_ACQUIRE))
		return rc < 0 ? rc : -EIO;
	*out = job->found;
	return job->result;
}

static int look_up_name(const char *text, struct lookup *out)
{
	struct name_job *job = mem_alloc_zeroed(sizeof(*job));
	int rc = -ENOMEM;

	if (job == NULL)
		return rc;
	snprintf(job->text, sizeof(job->text), "%s", text);
	job->users = 2;
	job->ended = eventfd(0, EFD_CLOEXEC);
	rc = job->ended < 0 ? -errno : start_thread(job);
	if (rc == 0)
		rc = wait_for_name(job, out);
	else
		job->users = 1;
	leave_job(job);
	return rc;
}

int lookup_to_connect(const char *text, struct lookup *out)
{
	char host[256], port[16];
	int rc = look_up(text, AI_NUMERICHOST, out);

	/* No number, but with the form of an address: a name. */
	if (rc != -EINVAL || is_unix(text) || split_host_port(text, host, port) != 0)
		return rc;
	return look_up_name(text, out);
}
