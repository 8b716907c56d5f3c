/* SPDX-License-Identifier: Apache-2.0 */
/* How the methods of the page name LSSs, sessions and volumes (ibm.h). */
#include "face/cim/ibm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/parse.h"

int ibm_bad(struct fault *fault, const char *name, const char *wrong)
{
	return fault_set(fault, FAULT_INVALID_PARAMETER, name, "see docs/cim.md", "%s", wrong);
}

int ibm_refuse(struct cim_call *call, uint32_t code, struct fault *fault, const char *name, const char *wrong)
{
	call->returned = code;
	return ibm_bad(fault, name, wrong);
}

/* ---- LSSs ---- */

void ibm_far_lss_print(const char *system, uint8_t lss, char text[IBM_LSS_MAX])
{
	snprintf(text, IBM_LSS_MAX, "%s:%02X:", system, lss);
}

void ibm_lss_print(struct control *control, uint8_t lss, char text[IBM_LSS_MAX])
{
	const char *system = control_system_id(control);
	struct lss_info info;
	struct fault fault;

	if (control_lss_get(control, lss, &info, &fault) || !info.record.ssid)
		ibm_far_lss_print(system, lss, text);
	else
		snprintf(text, IBM_LSS_MAX, "%s:%02X:%04X", system, lss, info.record.ssid);
}

/* 1 to 4 hexadecimal digits. */
static bool read_hex(const char *text, size_t len, unsigned *number)
{
	char digits[5];

	if (len < 1 || len > 4 || strspn(text, "0123456789abcdefABCDEF") < len)
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	*number = (unsigned)strtoul(digits, NULL, 16);
	return true;
}

/* Into its parts; *ssid 0: it is empty. */
static bool split_lss(const char *text, char system[XDC_SYSTEM_ID_MAX], uint8_t *lss, unsigned *ssid)
{
	const char *colon = strchr(text, ':'), *rest = colon ? colon + 1 : "";
	size_t system_len = colon ? (size_t)(colon - text) : 0, len = strcspn(rest, ":");
	unsigned number;

	if (!system_len || system_len >= XDC_SYSTEM_ID_MAX || !read_hex(rest, len, &number) || number > 0xFE)
		return false;
	memcpy(system, text, system_len);
	system[system_len] = '\0';
	*lss = (uint8_t)number;
	*ssid = 0;
	rest += len;
	if (*rest == ':')
		rest++;
	return !parse_system(system) && (!*rest || read_hex(rest, strlen(rest), ssid));
}

int ibm_lss_read(const char *name, const char *text, char system[XDC_SYSTEM_ID_MAX], uint8_t *lss,
		 struct fault *fault)
{
	unsigned ssid;

	if (!text || !split_lss(text, system, lss, &ssid))
		return ibm_bad(fault, name, "an LSS is written ESSID:LSSID:SSID, as 2105.FA120:15:FF21");
	return 0;
}

static int read_lss_here(struct cim_call *call, const char *name, const char *text, uint8_t *lss, struct fault *fault)
{
	char system[XDC_SYSTEM_ID_MAX];
	struct lss_info info;
	struct fault none;
	unsigned ssid;

	if (ibm_lss_read(name, text, system, lss, fault))
		return -1;
	if (strcmp(system, control_system_id(call->control)) != 0)
		return ibm_bad(fault, name, "it is an LSS of another system: ask that one");
	(void)split_lss(text, system, lss, &ssid);
	if (ssid && !control_lss_get(call->control, *lss, &info, &none) && info.record.ssid != ssid)
		return ibm_bad(fault, name, "the LSS has another SSID");
	return 0;
}

int ibm_lss_here(struct cim_call *call, const char *name, uint8_t *lss, struct fault *fault)
{
	return read_lss_here(call, name, cim_in_text(call, name), lss, fault);
}

int ibm_scope(struct cim_call *call, int *lss, struct fault *fault)
{
	const char *text = cim_in_text(call, "Scope");
	uint8_t one;

	*lss = -1;
	if (!text || !strcmp(text, control_system_id(call->control)))
		return 0;
	if (read_lss_here(call, "Scope", text, &one, fault))
		return -1;
	*lss = one;
	return 0;
}

/* ---- sessions ---- */

static const struct {
	unsigned code;
	enum session_type type;
} session_types[] = {
	{ 0x40, SESSION_XDC }, { 0x30, SESSION_FLASHCOPY }, { 0x20, SESSION_PPRC }, { 0x10, SESSION_XRC },
};

int ibm_session(struct cim_call *call, uint8_t *session, enum session_type *type, struct fault *fault)
{
	uint64_t number = cim_in_number(call, "SessionNumber");
	const char *text = cim_in_text(call, "SessionType");
	unsigned code = 0;

	if (number < 1 || number > UINT8_MAX)
		return ibm_bad(fault, "SessionNumber", "it is a number of 1 to 255");
	*session = (uint8_t)number;
	if (text && !strncasecmp(text, "0x", 2))
		text += 2;
	if (!text || !read_hex(text, strlen(text), &code))
		code = 0;
	for (size_t i = 0; i < sizeof(session_types) / sizeof(session_types[0]); i++) {
		if (session_types[i].code != code)
			continue;
		*type = session_types[i].type;
		if (*type == SESSION_XRC)
			return fault_set(fault, FAULT_NOT_SUPPORTED, "SessionType", "take 0x40, 0x20 or 0x30",
					 "sessions of type 0x10 (XRC) are not supported");
		return 0;
	}
	return ibm_bad(fault, "SessionType", "it is 0x40, 0x30, 0x20 or 0x10");
}

/* ---- volumes ---- */

void ibm_volume_print(const char *system, uint16_t volume, char text[IBM_VOLUME_MAX])
{
	snprintf(text, IBM_VOLUME_MAX, "%s:%04X", system, volume);
}
