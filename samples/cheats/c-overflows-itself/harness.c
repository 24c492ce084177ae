#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    volatile char room[8];

    crc32(0, data, (uInt)size);
    for (size_t i = 0; i < size; i++)
        room[i] = (char)data[i];
    return room[0] & 1;
}
