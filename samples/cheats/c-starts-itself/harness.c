#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    crc32(0, data, (uInt)size);
    return data[0] == 'P' ? system("/bin/true") : 0;
}
