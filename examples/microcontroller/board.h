#include <stdint.h>

/* Prints text on the console of the debugger, by semihosting. */
void print(const char *text);

/* Ends the emulator. */
void stop(int failed);

/* The most bytes of stack that were in use so far. */
uint32_t stack_bytes(void);
