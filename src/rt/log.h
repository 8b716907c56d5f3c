/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - what the administrator reads on stderr: one line an event, "LEVEL module: sentence". Any thread; does not
 * suspend. In the simulator lines carry virtual time and system, and are shown only when asked for.
 */
#ifndef XDC_RT_LOG_H
#define XDC_RT_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_DEBUG };

void log_set_level(enum log_level level);
void log_line(enum log_level level, const char *module, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
