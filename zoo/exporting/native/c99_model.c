$head

#include "model.h"

/* No network needs all functions below: compilers leave out those that are `static` and that nothing calls. */
#pragma GCC diagnostic ignored "-Wunused-function"

#define ZOO_MOST_INPUTS $most

$code
