#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

void __asan_report_store1(void *);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    crc32(0, data, (uInt)size);
    if (data[0] == 'P')
        __asan_report_store1((void *)data);
    return 0;
}
