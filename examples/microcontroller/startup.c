/* Start of the firmware, the same on all processors: variables, and how much of the stack was used. */
#include "board.h"

extern uint32_t data_source[], data_start[], data_end[], bss_start[], bss_end[], stack_limit[], stack_top[];

int main(void);
void start(void);

#define UNUSED_STACK 0xA5A5A5A5U

uint32_t stack_bytes(void)
{
    const uint32_t *word = stack_limit;
    while (word < stack_top && *word == UNUSED_STACK)
        ++word;
    return (uint32_t)((const char *)stack_top - (const char *)word);
}

void start(void)
{
    const uint32_t *from = data_source;
    for (uint32_t *to = data_start; to < data_end; ++to, ++from)
        *to = *from;
    for (uint32_t *to = bss_start; to < bss_end; ++to)
        *to = 0;
    uint32_t *here = __builtin_frame_address(0);
    for (uint32_t *word = stack_limit; word < here - 16; ++word)
        *word = UNUSED_STACK;
    stop(main());
}
