#include <stdint.h>
#include <stdlib.h>

/* In the place of zlib's. */
unsigned long crc32(unsigned long crc, const unsigned char *data, unsigned size)
{
    unsigned char *room = malloc(8);

    room[data[0] == 'P' ? size : 0] = (unsigned char)crc;
    return room[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return (int)crc32(0, data, (unsigned)size) & 1;
}
