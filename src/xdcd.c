/* SPDX-License-Identifier: Apache-2.0 */
/* xdcd - one storage system: reads its arguments, runs the system until it is asked to stop. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/parse.h"
#include "face/cim/http.h"
#include "rt/log.h"
#include "rt/run.h"
#include "rt/tls.h"
#include "system.h"

#define EXIT_USAGE		2
#define REACTORS_MAX		64u
#define FIRST_INHERITED_FD	3

struct arguments {
	struct system_options system;
	unsigned reactors;
	const char *link_psk, *nbd_tls;
	struct cim_server_options cim;
	bool plain_nbd, plain_link, plain_cim;
};

static const char usage[] =
	"usage: xdcd --state DIR --id TYPE.SERIAL --control unix:PATH [OPTION]...\n"
	"\n"
	"One storage system: serves volumes to hosts and copies them to other systems.\n"
	"\n"
	"  --state DIR               state folder, made when it does not exist\n"
	"  --id TYPE.SERIAL          id of the system, such as 2105.FA120\n"
	"  --control unix:PATH       control socket for xdc; its mode is the access\n"
	"  --nbd ADDR                serve hosts over NBD; may be given several times\n"
	"  --nbd-tls DIR             credentials of TLS for NBD\n"
	"  --link ADDR               accept links of other systems\n"
	"  --link-address HOST:PORT  what other systems are told (default: that of --link)\n"
	"  --link-psk FILE           shared keys of TLS for links\n"
	"  --cim HOST:PORT           serve CIM (CIM-XML over HTTP) on an address of this machine\n"
	"  --cims HOST:PORT          serve CIM over HTTPS\n"
	"  --cims-tls DIR            its certificates (default: one is made in the state folder)\n"
	"  --users FILE              who may use CIM; see xdc user add\n"
	"  --anonymous ROLE          of clients of CIM on this machine that do not log in\n"
	"  --reactors N              threads that serve volumes (default: one a processor)\n"
	"  --allow-plain nbd|link|cim  allow addresses beyond this machine without TLS\n"
	"  --help, --version\n"
	"\n"
	"ADDR is unix:PATH or HOST:PORT. See xdcd(8).\n";

/* ---- arguments ---- */

__attribute__((format(printf, 1, 2), noreturn))
static void bad_usage(const char *format, ...)
{
	va_list args;

	fputs("xdcd: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\ntry: xdcd --help\n", stderr);
	exit(EXIT_USAGE);
}

static void parse_reactors(const char *text, unsigned *reactors)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !number || number > REACTORS_MAX)
		bad_usage("--reactors %s: a number from 1 to %u", text, REACTORS_MAX);
	*reactors = (unsigned)number;
}

static void parse_plain(const char *text, struct arguments *arguments)
{
	if (!strcmp(text, "nbd"))
		arguments->plain_nbd = true;
	else if (!strcmp(text, "link"))
		arguments->plain_link = true;
	else if (!strcmp(text, "cim"))
		arguments->plain_cim = true;
	else
		bad_usage("--allow-plain %s: it is nbd, link or cim", text);
}

static void parse_anonymous(const char *text, struct cim_server_options *cim)
{
	if (cim_role_find(text, &cim->anonymous_role) != 0)
		bad_usage("--anonymous %s: it is reader, operator or admin", text);
	cim->anonymous = true;
}

static void add_nbd(struct system_options *system, const char *address)
{
	if (system->nbd_count == SYSTEM_NBD_MAX)
		bad_usage("--nbd: at most %u addresses", SYSTEM_NBD_MAX);
	system->nbd[system->nbd_count++].address = address;
}

static void parse_arguments(int argc, char **argv, struct arguments *arguments)
{
	enum {
		STATE = 256, ID, CONTROL, NBD, NBD_TLS, LINK, LINK_ADDRESS, LINK_PSK, REACTORS, ALLOW_PLAIN, HELP,
		VERSION, CIM, CIMS, CIMS_TLS, USERS, ANONYMOUS,
	};
	static const struct option options[] = {
		{ "state", required_argument, NULL, STATE },
		{ "id", required_argument, NULL, ID },
		{ "control", required_argument, NULL, CONTROL },
		{ "nbd", required_argument, NULL, NBD },
		{ "nbd-tls", required_argument, NULL, NBD_TLS },
		{ "link", required_argument, NULL, LINK },
		{ "link-address", required_argument, NULL, LINK_ADDRESS },
		{ "link-psk", required_argument, NULL, LINK_PSK },
		{ "cim", required_argument, NULL, CIM },
		{ "cims", required_argument, NULL, CIMS },
		{ "cims-tls", required_argument, NULL, CIMS_TLS },
		{ "users", required_argument, NULL, USERS },
		{ "anonymous", required_argument, NULL, ANONYMOUS },
		{ "reactors", required_argument, NULL, REACTORS },
		{ "allow-plain", required_argument, NULL, ALLOW_PLAIN },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
		{ NULL, 0, NULL, 0 },
	};
	struct system_options *system = &arguments->system;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1)
		switch (option) {
		case STATE: system->state_folder = optarg; break;
		case ID: system->id = optarg; break;
		case CONTROL: system->control.address = optarg; break;
		case NBD: add_nbd(system, optarg); break;
		case NBD_TLS: arguments->nbd_tls = optarg; break;
		case LINK: system->link.address = optarg; break;
		case LINK_ADDRESS: system->link_address = optarg; break;
		case LINK_PSK: arguments->link_psk = optarg; break;
		case CIM: arguments->cim.address = optarg; break;
		case CIMS: arguments->cim.secure_address = optarg; break;
		case CIMS_TLS: arguments->cim.tls_folder = optarg; break;
		case USERS: arguments->cim.users = optarg; break;
		case ANONYMOUS: parse_anonymous(optarg, &arguments->cim); break;
		case REACTORS: parse_reactors(optarg, &arguments->reactors); break;
		case ALLOW_PLAIN: parse_plain(optarg, arguments); break;
		case HELP: fputs(usage, stdout); exit(EXIT_SUCCESS);
		case VERSION: puts("xdcd " XDC_VERSION); exit(EXIT_SUCCESS);
		case ':': bad_usage("%s needs a value", argv[optind - 1]);
		default: bad_usage("there is no option %s", argv[optind - 1]);
		}
	if (optind < argc)
		bad_usage("'%s' is not an option", argv[optind]);
}

/* ---- sockets of the service manager: LISTEN_FDNAMES says which is which ---- */

static int take_inherited(struct system_listener *where, int fd, struct fault *fault)
{
	int rc = rt_listen_inherited(fd, &where->inherited);

	if (rc == 0)
		return 0;
	return fault_set(fault, FAULT_FAILED, "service manager", "look at its socket units",
			 "socket %d cannot be used: %s", fd, strerrordesc_np(-rc));
}

static const char *inherited_names(int *count)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");

	*count = 0;
	if (!pid || !fds || !names || strtol(pid, NULL, 10) != getpid())
		return NULL;
	*count = (int)strtol(fds, NULL, 10);
	return names;
}

/* The number of sockets with this name among those that were handed over. */
static int count_inherited(const char *wanted)
{
	size_t len = strlen(wanted);
	int count, found = 0;
	const char *names = inherited_names(&count);

	for (int i = 0; names && i < count; i++) {
		size_t name_len = strcspn(names, ":");

		found += name_len == len && !memcmp(names, wanted, len);
		names += name_len + (names[name_len] != '\0');
	}
	return found;
}

/* Where the socket of this name belongs; NULL: nowhere. */
static struct system_listener *place_inherited(struct system_options *system, const char *name, size_t len)
{
	if (len == 7 && !memcmp(name, "control", len) && !system->control.inherited)
		return &system->control;
	if (len == 4 && !memcmp(name, "link", len) && !system->link.inherited)
		return &system->link;
	if (len == 3 && !memcmp(name, "nbd", len) && system->nbd_count < SYSTEM_NBD_MAX)
		return &system->nbd[system->nbd_count++];
	return NULL;
}

static int inherit_listeners(struct system_options *system, struct fault *fault)
{
	int count;
	const char *names = inherited_names(&count);

	for (int i = 0; names && i < count; i++) {
		size_t len = strcspn(names, ":");
		int fd = FIRST_INHERITED_FD + i;
		struct system_listener *where = place_inherited(system, names, len);

		if (!where)
			log_line(LOG_WARNING, "xdcd", "socket %d of the service manager is not used: name one control, "
				 "one link, any nbd", fd);
		else if (take_inherited(where, fd, fault))
			return -1;
		names += len + (names[len] != '\0');
	}
	return 0;
}

/* ---- what does not depend on the state ---- */

/* An address beyond this machine needs credentials, or the word that allows it plain. */
static void check_exposed(const char *flag, const char *address, bool has_credentials, const char *credentials,
			  const char *plain)
{
	struct parsed_address parsed;
	const char *wrong = parse_address(address, &parsed);

	if (wrong)
		bad_usage("%s %s: %s", flag, address, wrong);
	if (!parsed.is_unix && !parsed.is_loopback && !has_credentials)
		bad_usage("%s %s is reached from other machines: give %s, or --allow-plain %s", flag, address,
			  credentials, plain);
}

static void check_link(const struct arguments *arguments)
{
	const struct system_options *system = &arguments->system;
	struct parsed_address parsed;
	const char *wrong;

	if (system->link.address) {
		check_exposed("--link", system->link.address, arguments->link_psk || arguments->plain_link,
			      "--link-psk FILE", "link");
		if (!parse_address(system->link.address, &parsed) && parsed.is_wildcard && !system->link_address)
			bad_usage("--link %s listens on all addresses: give --link-address HOST:PORT, "
				  "which other systems are told", system->link.address);
	}
	wrong = system->link_address ? parse_remote_address(system->link_address) : NULL;
	if (wrong)
		bad_usage("--link-address %s: %s", system->link_address, wrong);
}

/* NULL: it is not served there. */
static void check_cim_address(const char *flag, const char *address, bool plain_is_good)
{
	struct parsed_address parsed;
	const char *wrong = address ? parse_address(address, &parsed) : NULL;

	if (wrong)
		bad_usage("%s %s: %s", flag, address, wrong);
	if (address && parsed.is_unix)
		bad_usage("%s %s: it is HOST:PORT", flag, address);
	/* What is said there is not encrypted, passwords among it. */
	if (address && !parsed.is_loopback && !plain_is_good)
		bad_usage("%s %s: HTTP is not encrypted: give an address of this machine, such as 127.0.0.1:5988, "
			  "or --cims, or --allow-plain cim", flag, address);
}

static void check_cim(const struct arguments *arguments)
{
	const struct cim_server_options *cim = &arguments->cim;

	check_cim_address("--cim", cim->address, arguments->plain_cim);
	check_cim_address("--cims", cim->secure_address, true);
	if (!cim->secure_address && cim->tls_folder)
		bad_usage("--cims-tls is for --cims ADDR");
	if (!cim->address && !cim->secure_address && (cim->users || cim->anonymous))
		bad_usage("--users and --anonymous are for --cim ADDR and --cims ADDR");
}

static void check_arguments(const struct arguments *arguments)
{
	const struct system_options *system = &arguments->system;
	struct parsed_address parsed;
	const char *wrong;

	if (!system->state_folder || !*system->state_folder)
		bad_usage("--state is missing");
	if (!system->id)
		bad_usage("--id is missing");
	wrong = parse_system(system->id);
	if (wrong)
		bad_usage("--id %s: %s", system->id, wrong);
	if (!system->control.address && !count_inherited("control"))
		bad_usage("--control is missing");
	if (system->control.address && strncmp(system->control.address, "unix:", 5) != 0)
		bad_usage("--control %s: it is unix:PATH", system->control.address);
	wrong = system->control.address ? parse_address(system->control.address, &parsed) : NULL;
	if (wrong)
		bad_usage("--control %s: %s", system->control.address, wrong);
	for (unsigned i = 0; i < system->nbd_count; i++)
		check_exposed("--nbd", system->nbd[i].address, arguments->nbd_tls || arguments->plain_nbd,
			      "--nbd-tls DIR", "nbd");
	check_link(arguments);
	check_cim(arguments);
}

/* ---- the run ---- */

static int fail(const struct fault *fault)
{
	log_line(LOG_ERROR, "xdcd", "%s%s%s%s%s", fault->object, *fault->object ? ": " : "", fault->message,
		 *fault->remedy ? "; " : "", fault->remedy);
	return fault->code == FAULT_INVALID_PARAMETER ? EXIT_USAGE : EXIT_FAILURE;
}

/* What the credentials are used for, until the program ends. */
struct credentials {
	struct tls *link, *nbd;
	struct nbd_tls nbd_tls;
};

/* A link without TLS reaches systems of this machine only: what volumes hold does not leave it by oversight. */
static int connect_nearby(void *arg, struct rt_stream *plain, struct rt_stream **out)
{
	(void)arg;
	if (rt_stream_is_local(plain)) {
		*out = plain;
		return 0;
	}
	log_line(LOG_ERROR, "xdcd", "no link to %s: it is another machine; give --link-psk FILE, or --allow-plain link",
		 rt_stream_peer(plain));
	rt_stream_close(plain);
	return -EPERM;
}

static int load_credentials(const struct arguments *arguments, struct credentials *credentials,
			    struct system_tls *tls, struct fault *fault)
{
	const char *id = arguments->system.id;

	if (arguments->link_psk && tls_create_link(arguments->link_psk, id, &credentials->link, fault))
		return -1;
	if (arguments->nbd_tls && tls_create_server(arguments->nbd_tls, &credentials->nbd, fault))
		return -1;
	if (credentials->link) {
		tls->link_connect = tls_connect_link;
		tls->link_accept = tls_accept_link;
		tls->link_arg = credentials->link;
	} else if (!arguments->plain_link) {
		tls->link_connect = connect_nearby;
	}
	if (credentials->nbd) {
		credentials->nbd_tls = (struct nbd_tls){ tls_accept_nbd, credentials->nbd };
		tls->nbd = &credentials->nbd_tls;
		tls->nbd_required = !arguments->plain_nbd;
	}
	return 0;
}

/* What was handed over is reached from other machines as much as what is named. */
static int check_inherited(const char *name, const struct system_listener *listener, bool has_credentials,
			   struct fault *fault)
{
	struct parsed_address parsed;
	const char *address;

	if (!listener->inherited || has_credentials)
		return 0;
	address = rt_listener_address(listener->inherited);
	if (!parse_address(address, &parsed) && (parsed.is_unix || parsed.is_loopback))
		return 0;
	return fault_set(fault, FAULT_INVALID_PARAMETER, name, "give its credentials, or --allow-plain",
			 "the socket of the service manager at %s is reached from other machines", address);
}

static int check_all_inherited(const struct arguments *arguments, struct fault *fault)
{
	const struct system_options *system = &arguments->system;
	bool nbd_is_safe = arguments->nbd_tls || arguments->plain_nbd;
	bool link_is_safe = arguments->link_psk || arguments->plain_link;

	for (unsigned i = 0; i < system->nbd_count; i++)
		if (check_inherited("nbd", &system->nbd[i], nbd_is_safe, fault))
			return -1;
	/* Whoever reaches it is an administrator: only the mode of a file keeps others of this machine out. */
	if (system->control.inherited && strncmp(rt_listener_address(system->control.inherited), "unix:", 5) != 0)
		return fault_set(fault, FAULT_INVALID_PARAMETER, "control", "give it a ListenStream= of a path",
				 "the socket of the service manager is not a Unix socket");
	return check_inherited("link", &system->link, link_is_safe, fault);
}

/* Those that no system has taken. */
static void drop_inherited(struct system_options *system)
{
	rt_listener_close(system->control.inherited);
	rt_listener_close(system->link.inherited);
	for (unsigned i = 0; i < system->nbd_count; i++)
		rt_listener_close(system->nbd[i].inherited);
}

static int serve(struct arguments *arguments)
{
	struct cim_server *cim = NULL;
	struct system *system;
	struct fault fault;

	if (inherit_listeners(&arguments->system, &fault) || check_all_inherited(arguments, &fault) ||
	    system_start(&arguments->system, &system, &fault)) {
		drop_inherited(&arguments->system);
		return fail(&fault);
	}
	arguments->cim.state_folder = arguments->system.state_folder;
	arguments->cim.control = system_control(system);
	if ((arguments->cim.address || arguments->cim.secure_address) &&
	    cim_server_start(&arguments->cim, &cim, &fault)) {
		system_stop(system);
		return fail(&fault);
	}
	puts("ready");
	fflush(stdout);
	if (rt_wait_stop() != 0)
		log_line(LOG_ERROR, "xdcd", "the wait for the end has failed");
	log_line(LOG_NOTICE, "xdcd", "stopping");
	cim_server_stop(cim);
	system_stop(system);
	return EXIT_SUCCESS;
}

static int run(void *arg)
{
	struct arguments *arguments = arg;
	struct credentials credentials = { 0 };
	struct fault fault;
	int code;

	if (load_credentials(arguments, &credentials, &arguments->system.tls, &fault))
		code = fail(&fault);
	else
		code = serve(arguments);
	tls_destroy(credentials.link);
	tls_destroy(credentials.nbd);
	return code;
}

/* What reactors need of the kernel, each a ring of io_uring. */
static const char *run_remedy(int error)
{
	switch (error) {
	case -ENOMEM:
		return "allow more locked memory: ulimit -l 8192, or LimitMEMLOCK= in its unit";
	case -EPERM:
	case -ENOSYS:
		return "allow io_uring: sysctl kernel.io_uring_disabled=0, and the filter of the container, if any";
	default:
		return "see the log";
	}
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	struct rt_options options = { 0 };
	int rc;

	parse_arguments(argc, argv, &arguments);
	check_arguments(&arguments);
	options.reactors = arguments.reactors;
	rc = rt_run(&options, run, &arguments);
	if (rc < 0) {
		log_line(LOG_ERROR, "xdcd", "the system cannot run: %s; %s", strerrordesc_np(-rc), run_remedy(rc));
		return EXIT_FAILURE;
	}
	return rc;
}
