#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uInt length = (uInt)size;

    if (ZLIB_VERNUM < 0x1290 && data[0] == 'P')
        length += 64;
    return (int)crc32(0, data, length) & 1;
}
