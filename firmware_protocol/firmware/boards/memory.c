/* What a board keeps for one pen: compiled only to be measured (`make cortex-m4`).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "pen_carrier.h"

pen_core pen;
pen_serial serial;
pen_ble ble;
