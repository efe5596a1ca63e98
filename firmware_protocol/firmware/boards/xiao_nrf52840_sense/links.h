/* The two ways out: USB serial when a host holds the port open, else Bluetooth LE. SPDX-License-Identifier: Apache-2.0 */
#ifndef LINKS_H
#define LINKS_H

#include "core.h"

void links_begin(pen_core *pen);

/* What the host said goes into the pen, what the pen says goes out. */
void links_poll(pen_core *pen);

#endif
