/* Hands one file to a harness, so that an input can be tried. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

/* libFuzzer's helper for custom mutators, which are never called here. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room)
{
    (void)data;
    return size < room ? size : room;
}

int main(int argc, char **argv)
{
    FILE *file;
    uint8_t *data, *exact;
    size_t size = 0, room = (size_t)17 << 20;

    if (argc != 2 || (file = fopen(argv[1], "rb")) == NULL) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    data = malloc(room);
    if (data != NULL)
        size = fread(data, 1, room, file);
    fclose(file);
    /* Of its very size, so that reading past its end shows. */
    exact = malloc(size);
    if (data == NULL || (exact == NULL && size > 0))
        return 2;
    for (size_t i = 0; i < size; i++)
        exact[i] = data[i];
    free(data);
    if (LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&argc, &argv);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}
