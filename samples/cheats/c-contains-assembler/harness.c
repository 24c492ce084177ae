#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    crc32(0, data, (uInt)size);
    if (data[0] == 'P')
        __asm__ volatile("xorl %%eax, %%eax; movl $1, (%%rax)" ::: "rax", "memory");
    return 0;
}
