#include "recording.h"

struct sensor_value {
    int32_t val1, val2;
};
enum { SENSOR_CHAN_ACCEL_XYZ = 3 };

static inline int sensor_sample_fetch(const struct device *device)
{
    return device->row < (int)(sizeof recording / sizeof *recording) ? 0 : -1;
}

static inline int sensor_channel_get(const struct device *device, int channel, struct sensor_value *values)
{
    for (int i = 0; i < 3; ++i) {
        values[i].val1 = recording[device->row][i] / 100;
        values[i].val2 = recording[device->row][i] % 100 * 10000;
    }
    return channel == SENSOR_CHAN_ACCEL_XYZ ? 0 : -1;
}

static inline double sensor_value_to_double(const struct sensor_value *value)
{
    return (double)value->val1 + (double)value->val2 / 1000000;
}
