/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slice.h - how soon a thread gets a processor when others want it too, private to the real backend. A thread that asks
 * for a short slice is let in before those with longer ones when it wakes, and has to leave again as soon.
 */
#ifndef XDC_RT_SLICE_H
#define XDC_RT_SLICE_H

#include <stdint.h>

/*
 * Of the calling thread and those that it makes from here on; 0: what the kernel thinks right. Only a wish: kernels
 * before Linux 6.12 take no notice of it.
 */
void slice_set(int64_t slice_ns);

#endif
