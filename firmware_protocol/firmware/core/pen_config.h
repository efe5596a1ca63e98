/* What a board may change with -D: how much memory the pen takes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PEN_CONFIG_H
#define PEN_CONFIG_H

#include "pen_schema.h"

/* Most channels a sample may have. */
#ifndef PEN_MAX_CHANNELS
#define PEN_MAX_CHANNELS 16u
#endif

/* DATA frames that wait for the link: 32 of 80 ms bridge 2.5 s. */
#ifndef PEN_QUEUE_FRAMES
#define PEN_QUEUE_FRAMES 32u
#endif

/* EVENT and LOG frames that wait, and the longest payload of one. */
#ifndef PEN_QUEUE_NOTICES
#define PEN_QUEUE_NOTICES 4u
#endif
#ifndef PEN_NOTICE_BYTES
#define PEN_NOTICE_BYTES 64u
#endif

/* Largest calibration; it is held twice, the stored one and the one that arrives. */
#ifndef PEN_CAL_BYTES
#define PEN_CAL_BYTES PEN_CAL_MAX_BYTES
#endif

#define PEN_MAX_SAMPLE_BYTES (2u * PEN_MAX_CHANNELS)
/* One code byte for every 254 bytes begun, and the delimiter. */
#define PEN_MAX_SERIAL_BYTES (PEN_MAX_FRAME_BYTES + PEN_MAX_FRAME_BYTES / 254u + 2u)
/* A stretch between delimiters that is longer is no frame. */
#define PEN_MAX_STRETCH_BYTES (PEN_MAX_FRAME_BYTES + 8u)

#endif
