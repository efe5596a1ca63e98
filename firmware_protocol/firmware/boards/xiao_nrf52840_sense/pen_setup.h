/* What this pen is, and what only this board can do. SPDX-License-Identifier: Apache-2.0 */
#ifndef PEN_SETUP_H
#define PEN_SETUP_H

#include "core.h"

/* False if the description does not fit the wire. */
bool setup_pen(pen_core *pen);

/* What must not happen while a command is answered: writing to flash, ending the blinking. */
void setup_poll();

#endif
