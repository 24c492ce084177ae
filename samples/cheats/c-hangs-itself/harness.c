#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    volatile uLong sum = 0;

    do
        sum = crc32(sum, data, (uInt)size);
    while (data[0] == 'P');
    return (int)sum & 1;
}
