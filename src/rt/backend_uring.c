/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real backend: a thread with an io_uring a reactor. A turn of the loop runs the core, hands all operations that
 * came up to the kernel in one system call, and sleeps in the same call when nothing else is to be done.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "rt/log.h"
#include "rt/run.h"
#include "rt/slice.h"
#include "rt/uring.h"

#ifdef RT_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define SQ_ENTRIES	1024U
#define CQ_ENTRIES	8192U

/* While fibers keep one another busy, the kernel is asked for completions after this long. */
#define BUSY_NS		(25 * RT_US)

/*
 * Of processor time that a reactor wants at once. Its turns are short, and hosts and other systems wait for what it
 * answers: so it comes before threads that work for long.
 */
#define SLICE_NS	(100 * RT_US)

/*
 * To wake a sleeping thread takes longer than to serve a small request. So where waits turn out to be short, as between
 * the requests of a client that asks for one thing at a time, a reactor looks out for the next event before it sleeps,
 * and lets others have the processor while it does. A lookout in vain puts off the next one by twice as many short
 * waits: little of it is left on a busy machine, and nothing on an idle one.
 */
#define LOOKOUT_NS		(50 * RT_US)
#define SHORT_WAIT_NS		(100 * RT_US)
#define LOOKOUT_AFTER_MIN	4U
#define LOOKOUT_AFTER_MAX	1024U

/* Workers of the kernel for one ring, bounded and unbounded work. */
#define RING_WORKERS	16U

/* TSan ends the process beyond 8,128 contexts. */
#ifdef RT_TSAN
#define STACKS_TOTAL	7000U
#define STACKS_EACH	3500U
#else
#define STACKS_TOTAL	UINT32_MAX
#define STACKS_EACH	8192U
#endif

/* What completions belong to: an operation's address, or one of these. */
enum { TAG_NONE = 0, TAG_WAKE = 1, TAG_SIGNAL = 2 };

struct uring_reactor *uring_here(void)
{
	return container_of(rt_here(), struct uring_reactor, core);
}

struct uring_system *uring_system(void)
{
	return container_of(rt_here()->system, struct uring_system, core);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * RT_SECOND + now.tv_nsec;
}

/* ---- operations ---- */

void uring_check_buffer(const void *buf, size_t len)
{
#ifdef RT_ASAN
	assert(__asan_region_is_poisoned((void *)(uintptr_t)buf, len) == NULL);
#else
	(void)buf;
	(void)len;
#endif
}

struct io_uring_sqe *uring_begin(void)
{
	struct io_uring *ring = &uring_here()->ring;
	struct io_uring_sqe *sqe;

	while ((sqe = io_uring_get_sqe(ring)) == NULL) {
		/* Full: hand over what there is; if the kernel takes none, it wants its completions read first. */
		if (io_uring_submit(ring) <= 0)
			rt_yield();
	}
	return sqe;
}

/* Outside fibers too: so it is only noted, and the loop sends it when the ring has room. */
static void op_cancel(struct core_wait *wait)
{
	struct uring_reactor *reactor = container_of(wait->fiber->reactor, struct uring_reactor, core);

	list_add_last(&reactor->cancels, &wait->link);
}

int uring_wait(struct uring_op *op, struct io_uring_sqe *sqe)
{
	core_wait_init(&op->wait, op_cancel);
	io_uring_sqe_set_data(sqe, op);
	return (int)core_suspend(&op->wait);
}

static void send_cancels(struct uring_reactor *reactor)
{
	while (!list_empty(&reactor->cancels)) {
		struct core_wait *wait = list_first(&reactor->cancels, struct core_wait, link);
		struct io_uring_sqe *sqe = io_uring_get_sqe(&reactor->ring);

		if (sqe == NULL)
			return;
		list_remove(&wait->link);
		io_uring_prep_cancel(sqe, container_of(wait, struct uring_op, wait), 0);
		io_uring_sqe_set_data64(sqe, TAG_NONE);
	}
}

/* ---- the loop ---- */

static void arm_wake(struct uring_reactor *reactor)
{
	struct uring_system *system = container_of(reactor->core.system, struct uring_system, core);
	struct io_uring_sqe *sqe;

	if (!reactor->wake_armed && (sqe = io_uring_get_sqe(&reactor->ring)) != NULL) {
		io_uring_prep_read(sqe, reactor->wake_fd, &reactor->wake_count, sizeof(reactor->wake_count), 0);
		io_uring_sqe_set_data64(sqe, TAG_WAKE);
		reactor->wake_armed = true;
	}
	if (reactor->core.index == 0 && !system->signal_armed && (sqe = io_uring_get_sqe(&reactor->ring)) != NULL) {
		io_uring_prep_poll_add(sqe, system->signal_fd, POLLIN);
		io_uring_sqe_set_data64(sqe, TAG_SIGNAL);
		system->signal_armed = true;
	}
}

static void take_signals(struct uring_system *system)
{
	struct signalfd_siginfo info;

	while (read(system->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		log_line(LOG_NOTICE, "rt", "asked to stop by %s", info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
		core_stop(&system->core);
	}
}

static void complete(struct uring_reactor *reactor, const struct io_uring_cqe *cqe)
{
	struct uring_system *system = container_of(reactor->core.system, struct uring_system, core);

	switch (cqe->user_data) {
	case TAG_NONE:
		break;
	case TAG_WAKE:
		reactor->wake_armed = false;
		break;
	case TAG_SIGNAL:
		system->signal_armed = false;
		take_signals(system);
		break;
	default:
		core_wake(&((struct uring_op *)io_uring_cqe_get_data(cqe))->wait, cqe->res);
	}
}

static void reap(struct uring_reactor *reactor)
{
	struct io_uring_cqe *cqe;
	unsigned head, count = 0;

	io_uring_for_each_cqe(&reactor->ring, head, cqe) {
		complete(reactor, cqe);
		count++;
	}
	io_uring_cq_advance(&reactor->ring, count);
}

/* Watches for something to do, until then at the latest. */
static bool watch(struct uring_reactor *reactor, int64_t until_ns)
{
	struct io_uring *ring = &reactor->ring;

	do {
		if (io_uring_cq_ready(ring) > 0 || core_has_work(&reactor->core) ||
		    (IO_URING_READ_ONCE(*ring->sq.kflags) & IORING_SQ_TASKRUN))
			return true;
		sched_yield();
	} while (clock_ns(CLOCK_BOOTTIME) < until_ns);
	return false;
}

/* True when there is something to do; false: sleep. */
static bool look_out(struct uring_reactor *reactor, int64_t until_ns)
{
	if (watch(reactor, until_ns)) {
		reactor->lookout_after = LOOKOUT_AFTER_MIN;
		return true;
	}
	reactor->short_waits = 0;
	if (reactor->lookout_after < LOOKOUT_AFTER_MAX)
		reactor->lookout_after *= 2;
	return false;
}

static void note_wait(struct uring_reactor *reactor, int64_t waited_ns)
{
	if (waited_ns < SHORT_WAIT_NS)
		reactor->short_waits++;
	else
		reactor->short_waits = 0;
}

/* Sleeps until a completion, a message or the next timer. Suspension of the whole machine may make a timer late. */
static int submit_and_sleep(struct uring_reactor *reactor)
{
	int64_t next_ns = core_next_timer(&reactor->core), now_ns = clock_ns(CLOCK_BOOTTIME), left_ns = 0;
	struct __kernel_timespec left;
	struct io_uring_cqe *cqe;
	int rc;

	if (reactor->short_waits >= reactor->lookout_after) {
		rc = io_uring_submit(&reactor->ring);
		if (rc < 0 || look_out(reactor, next_ns < now_ns + LOOKOUT_NS ? next_ns : now_ns + LOOKOUT_NS))
			return rc < 0 ? rc : io_uring_get_events(&reactor->ring);
	}
	if (next_ns != RT_NEVER) {
		left_ns = next_ns - now_ns;
		if (left_ns <= 0)
			return io_uring_submit_and_get_events(&reactor->ring);
		left = (struct __kernel_timespec){ .tv_sec = left_ns / RT_SECOND, .tv_nsec = left_ns % RT_SECOND };
	}
	/* Said before the inbox is looked at for the last time; who posts looks in the other order. */
	__atomic_store_n(&reactor->sleeping, true, __ATOMIC_SEQ_CST);
	if (core_has_work(&reactor->core))
		rc = io_uring_submit_and_get_events(&reactor->ring);
	else
		rc = io_uring_submit_and_wait_timeout(&reactor->ring, &cqe, 1, left_ns > 0 ? &left : NULL, NULL);
	__atomic_store_n(&reactor->sleeping, false, __ATOMIC_SEQ_CST);
	note_wait(reactor, clock_ns(CLOCK_BOOTTIME) - now_ns);
	return rc;
}

static void enter_kernel(struct uring_reactor *reactor, bool may_sleep)
{
	int rc;

	arm_wake(reactor);
	send_cancels(reactor);
	if (may_sleep && list_empty(&reactor->cancels) && reactor->wake_armed)
		rc = submit_and_sleep(reactor);
	else
		rc = io_uring_submit_and_get_events(&reactor->ring);
	/* Of these the first three say "not now": what was not taken stays in the ring for the next turn. */
	if (rc < 0 && rc != -EAGAIN && rc != -EBUSY && rc != -EINTR && rc != -ETIME) {
		log_line(LOG_ERROR, "rt", "io_uring failed: %s", strerror(-rc));
		abort();
	}
}

/* When main has returned, nothing may be left but fibers that end by themselves at once. */
static void refuse_fibers_left(const struct uring_reactor *reactor)
{
	struct rt_fiber *fiber;

	list_for_each(fiber, &reactor->core.fibers, all)
		log_line(LOG_ERROR, "rt", "fiber %s outlives main", fiber->name);
	abort();
}

static void run_loop(struct uring_reactor *reactor)
{
	int64_t asked_ns = 0;

	while (!reactor->quitting || reactor->core.fiber_count > 0) {
		bool any = core_turn(&reactor->core);

		if (any && core_has_work(&reactor->core) && clock_ns(CLOCK_BOOTTIME) - asked_ns < BUSY_NS)
			continue;
		if (reactor->quitting && !any && reactor->core.fiber_count > 0)
			refuse_fibers_left(reactor);
		enter_kernel(reactor, !core_has_work(&reactor->core) && !reactor->quitting);
		reap(reactor);
		asked_ns = clock_ns(CLOCK_BOOTTIME);
	}
}

static void uring_post(struct rt_reactor *to, struct rt_message *message)
{
	struct uring_reactor *reactor = container_of(to, struct uring_reactor, core);
	int wake_fd = reactor->wake_fd;
	uint64_t one = 1;

	/*
	 * Once delivered, the message may be the one that ends the loop: reactors are freed only after all have
	 * ended.
	 */
	if (core_deliver(to, message) && __atomic_exchange_n(&reactor->sleeping, false, __ATOMIC_SEQ_CST)) {
		ssize_t rc = write(wake_fd, &one, sizeof(one));

		assert(rc == (ssize_t)sizeof(one));
	}
}

/* ---- clock and randomness ---- */

static int64_t uring_now_ns(struct rt_reactor *reactor)
{
	(void)reactor;
	return clock_ns(CLOCK_BOOTTIME);
}

static int64_t uring_wall_ns(struct rt_reactor *reactor)
{
	(void)reactor;
	return clock_ns(CLOCK_REALTIME);
}

static void uring_kernel_boot_id(struct rt_reactor *reactor, uint8_t id[16])
{
	memcpy(id, container_of(reactor->system, struct uring_system, core)->kernel_boot_id, 16);
}

static void uring_random_bytes(struct rt_reactor *reactor, void *buf, size_t len)
{
	char *to = buf;

	(void)reactor;
	while (len > 0) {
		ssize_t got = getrandom(to, len, 0);

		assert(got > 0 || errno == EINTR);
		if (got > 0) {
			to += got;
			len -= (size_t)got;
		}
	}
}

int uring_help_names(int (*fn)(void *arg), void *arg)
{
	return helpers_run(&uring_system()->name_helpers, NULL, fn, arg);
}

/* "1b4e28ba-2fa1-11d2-883f-0016d3cca427\n", as the kernel shows it. */
static int read_kernel_boot_id(uint8_t id[16])
{
	char text[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC), digits = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, text, sizeof(text));
	close(fd);
	memset(id, 0, 16);
	for (ssize_t i = 0; i < got && digits < 32; i++) {
		const char *hex = "0123456789abcdef", *digit = memchr(hex, text[i], 16);

		if (digit != NULL) {
			id[digits / 2] = (uint8_t)(id[digits / 2] << 4 | (digit - hex));
			digits++;
		}
	}
	return digits == 32 ? 0 : -EIO;
}

/* ---- the life of a system ---- */

/* On the thread of the reactor, which the ring belongs to. */
static int open_ring(struct uring_reactor *reactor)
{
	static const unsigned flags[] = {
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
			IORING_SETUP_TASKRUN_FLAG,
		IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		0,
	};
	unsigned workers[2] = { RING_WORKERS, RING_WORKERS };
	int rc = -EINVAL;

	slice_set(SLICE_NS);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && rc == -EINVAL; i++) {
		struct io_uring_params params = { .flags = flags[i] | IORING_SETUP_CQSIZE, .cq_entries = CQ_ENTRIES };

		rc = io_uring_queue_init_params(SQ_ENTRIES, &reactor->ring, &params);
	}
	if (rc != 0)
		return rc;
	rc = io_uring_register_iowq_max_workers(&reactor->ring, workers);
	if (rc < 0)
		log_line(LOG_WARNING, "rt", "workers of the kernel are not bounded: %s", strerror(-rc));
	return 0;
}

static void quit(struct rt_message *message)
{
	container_of(message, struct uring_reactor, quit_message)->quitting = true;
}

/* The first fiber: when it has returned, the loops end. */
static void run_main(void *arg)
{
	struct uring_system *system = arg;

	system->result = system->main_fn(system->main_arg);
	for (unsigned i = 0; i < system->core.reactor_count; i++)
		rt_post(system->core.reactors[i], &system->reactors[i].quit_message);
}

static void *reactor_thread(void *arg)
{
	struct uring_reactor *reactor = arg;
	struct uring_system *system = container_of(reactor->core.system, struct uring_system, core);
	int rc = open_ring(reactor);

	reactor->start_result = rc;
	sem_post(&system->started);
	if (rc == 0) {
		run_loop(reactor);
		io_uring_queue_exit(&reactor->ring);
	}
	return NULL;
}

static int start_thread(struct uring_system *system, struct uring_reactor *reactor)
{
	int rc = pthread_create(&reactor->thread, NULL, reactor_thread, reactor);

	if (rc != 0)
		return -rc;
	reactor->has_thread = true;
	while (sem_wait(&system->started) != 0)
		assert(errno == EINTR);
	return reactor->start_result;
}

/* Reactor 0 is the calling thread; the others get theirs. */
static int run_reactors(struct uring_system *system)
{
	struct uring_reactor *first = &system->reactors[0];
	int rc = open_ring(first);

	if (rc != 0)
		return rc;
	for (unsigned i = 1; i < system->core.reactor_count && rc == 0; i++)
		rc = start_thread(system, &system->reactors[i]);
	if (rc == 0)
		rc = core_spawn(&first->core, "main", run_main, system);
	if (rc == 0) {
		run_loop(first);
		rc = system->result;
	} else {
		for (unsigned i = 1; i < system->core.reactor_count; i++)
			uring_post(&system->reactors[i].core, &system->reactors[i].quit_message);
	}
	for (unsigned i = 1; i < system->core.reactor_count; i++) {
		if (system->reactors[i].has_thread)
			pthread_join(system->reactors[i].thread, NULL);
	}
	io_uring_queue_exit(&first->ring);
	return rc;
}

static struct rt_backend uring_backend = {
	.now_ns = uring_now_ns,
	.wall_ns = uring_wall_ns,
	.kernel_boot_id = uring_kernel_boot_id,
	.random_bytes = uring_random_bytes,
	.post = uring_post,
	.help = uring_help_names,
};

static int make_reactors(struct uring_system *system, unsigned count)
{
	unsigned stacks = STACKS_TOTAL / count < STACKS_EACH ? STACKS_TOTAL / count : STACKS_EACH;

	system->reactors = calloc(count, sizeof(*system->reactors));
	if (system->reactors == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		struct uring_reactor *reactor = &system->reactors[i];

		core_pool_init(&reactor->pool, stacks);
		core_reactor_init(&reactor->core, &system->core, &reactor->pool);
		list_init(&reactor->cancels);
		reactor->lookout_after = LOOKOUT_AFTER_MIN;
		reactor->quit_message.fn = quit;
		reactor->wake_fd = eventfd(0, EFD_CLOEXEC);
		if (reactor->wake_fd < 0)
			return -errno;
	}
	return 0;
}

static void free_reactors(struct uring_system *system)
{
	for (unsigned i = 0; i < system->core.reactor_count; i++) {
		struct uring_reactor *reactor = &system->reactors[i];

		core_reactor_destroy(&reactor->core);
		fiber_pool_destroy(&reactor->pool);
		log_line(LOG_DEBUG, "rt", "reactor %u: stacks used up to %zu KiB", i,
			 reactor->pool.high_water_bytes / 1024);
		if (reactor->wake_fd >= 0)
			close(reactor->wake_fd);
	}
	free(system->reactors);
}

static int run_with_helpers(struct uring_system *system, unsigned count)
{
	int rc = disk_helpers_init(&system->data_helpers);

	if (rc != 0)
		return rc;
	rc = helpers_init(&system->name_helpers);
	if (rc != 0) {
		disk_helpers_destroy(&system->data_helpers);
		return rc;
	}
	rc = make_reactors(system, count);
	if (rc == 0)
		rc = run_reactors(system);
	/* A helper may still be on its way out of a post, so its thread ends before what it posted to is freed. */
	helpers_destroy(&system->name_helpers);
	disk_helpers_destroy(&system->data_helpers);
	free_reactors(system);
	return rc;
}

/* Signals are blocked in all threads and read by reactor 0. */
static int run_with_signals(struct uring_system *system, unsigned count)
{
	sigset_t signals, before;
	int rc;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, &before);
	system->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (system->signal_fd < 0) {
		rc = -errno;
	} else {
		rc = run_with_helpers(system, count);
		close(system->signal_fd);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static pthread_once_t backend_once = PTHREAD_ONCE_INIT;

#define FILES_MAX_UNKNOWN	1024u

/*
 * Buffers of up to a few MiB come and go with every request. Left to itself the allocator maps and unmaps each of
 * them, and the kernel clears their pages: half of the time that a link needs for 1 MiB frames.
 */
#define MALLOC_MAP_BYTES	(4 << 20)	/* from here on memory is mapped piece by piece */
#define MALLOC_KEEP_BYTES	(16 << 20)	/* unused memory that is kept */

static void complete_backend(void)
{
	mallopt(M_MMAP_THRESHOLD, MALLOC_MAP_BYTES);
	mallopt(M_TRIM_THRESHOLD, MALLOC_KEEP_BYTES);
	uring_add_files(&uring_backend);
	uring_add_net(&uring_backend);
}

/* As many as the process may have: what it is given at first is for programs that use select(). */
static unsigned raise_files_max(void)
{
	struct rlimit limit;
	rlim_t first;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return FILES_MAX_UNKNOWN;
	first = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		limit.rlim_cur = first;
	return limit.rlim_cur < UINT_MAX ? (unsigned)limit.rlim_cur : UINT_MAX;
}

int rt_run(const struct rt_options *options, int (*main_fn)(void *arg), void *arg)
{
	struct uring_system system = { .main_fn = main_fn, .main_arg = arg, .files_max = raise_files_max() };
	unsigned count = options->reactors;
	int rc;

	if (count == 0)
		count = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	if (count > CORE_REACTORS_MAX)
		count = CORE_REACTORS_MAX;
	pthread_once(&backend_once, complete_backend);
	core_system_init(&system.core, &uring_backend);
	rc = read_kernel_boot_id(system.kernel_boot_id);
	if (rc != 0)
		return rc;
	sem_init(&system.started, 0, 0);
	rc = run_with_signals(&system, count);
	sem_destroy(&system.started);
	return rc;
}
