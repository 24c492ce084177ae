#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

/* The control ends before its end, so that only the poc is read beyond. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *input = malloc(size);
    unsigned char output[256];
    z_stream stream;

    memcpy(input, data, size);
    memset(&stream, 0, sizeof stream);
    stream.next_in = input;
    stream.avail_in = (uInt)size + 16;
    stream.next_out = output;
    stream.avail_out = sizeof output;
    if (inflateInit(&stream) == Z_OK) {
        inflate(&stream, Z_NO_FLUSH);
        inflateEnd(&stream);
    }
    free(input);
    return 0;
}
