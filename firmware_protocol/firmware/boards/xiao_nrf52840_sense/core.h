/* The core is C, this sketch is C++. SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_H
#define CORE_H

extern "C" {
#include "src/core/pen_carrier.h"
#include "src/core/pen_core.h"
}

#endif
