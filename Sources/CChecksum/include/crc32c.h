// CRC-32C (Castagnoli, RFC 3720 appendix B.4). In C because Swift cannot reach the SSE4.2 / ARMv8 instruction
// without it, and Debian 12 has no library that offers it. Falls back to a table where the processor has none.
#ifndef QUIPU_CRC32C_H
#define QUIPU_CRC32C_H
#include <stddef.h>
#include <stdint.h>
uint32_t quipu_crc32c(uint32_t crc, const uint8_t *bytes, size_t count);
/// The table-driven fallback, for the tests.
uint32_t quipu_crc32c_portable(uint32_t crc, const uint8_t *bytes, size_t count);
#endif
