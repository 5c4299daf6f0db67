#include "crc32c.h"

#include <string.h>

// The reflected polynomial of CRC-32C.
#define POLYNOMIAL 0x82f63b78u

static uint32_t table[256];

__attribute__((constructor)) static void make_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
        table[byte] = crc;
    }
}

uint32_t quipu_crc32c_portable(uint32_t crc, const uint8_t *bytes, size_t count) {
    crc = ~crc;
    while (count-- > 0) crc = table[(crc ^ *bytes++) & 0xff] ^ (crc >> 8);
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t with_sse42(uint32_t crc, const uint8_t *bytes, size_t count) {
    uint64_t state = (uint32_t)~crc;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        state = __builtin_ia32_crc32di(state, word);
    }
    uint32_t rest = (uint32_t)state;
    while (count-- > 0) rest = __builtin_ia32_crc32qi(rest, *bytes++);
    return ~rest;
}

uint32_t quipu_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
    // __builtin_cpu_supports reads a word that the loader filled in: cheaper than a function pointer of our own.
    if (__builtin_cpu_supports("sse4.2")) return with_sse42(crc, bytes, count);
    return quipu_crc32c_portable(crc, bytes, count);
}
#else
uint32_t quipu_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
    return quipu_crc32c_portable(crc, bytes, count);
}
#endif
