$head
// $arithmetic
#ifndef ZOO_MODEL_H
#define ZOO_MODEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

$facts

$declarations

#ifdef __cplusplus
}
#endif

#endif
