#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

static XML_Parser parsers[2];
static int which;

static void start(void *with, const XML_Char *name, const XML_Char **attributes)
{
    (void)with;
    (void)name;
    (void)attributes;
    XML_ParserFree(parsers[which]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parsers[0] = XML_ParserCreate(NULL);
    parsers[1] = XML_ParserCreate(NULL);
    which = data[1] & 1;
    XML_SetElementHandler(parsers[1], start, NULL);
    XML_Parse(parsers[1], (const char *)data, (int)size, 1);
    return 0;
}
