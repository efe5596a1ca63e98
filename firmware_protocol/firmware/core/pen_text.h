/* Two checks on bytes that came from elsewhere.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PEN_TEXT_H
#define PEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Well-formed UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
bool pen_is_utf8(const uint8_t *bytes, size_t size);

/* A calibration blob that ends with its own CRC-32. */
bool pen_is_sealed(const uint8_t *stored, size_t size);

#endif
