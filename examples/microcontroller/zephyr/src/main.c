/* Prints what the person who carries the board does, with the accelerometer that the board calls accel0. */
#include <zephyr/device.h>
#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>

#include "zoo_stream.h"

static zoo_stream stream;

int main(void)
{
    const struct device *const accelerometer = DEVICE_DT_GET(DT_ALIAS(accel0));
    const char *shown = NULL;
    if (!device_is_ready(accelerometer)) {
        printk("no accelerometer\n");
        return 0;
    }
    zoo_stream_init(&stream);
    for (;; k_msleep(20)) {
        struct sensor_value values[3];
        float sample[ZOO_CHANNELS];
        if (sensor_sample_fetch(accelerometer) < 0 ||
            sensor_channel_get(accelerometer, SENSOR_CHAN_ACCEL_XYZ, values) < 0)
            continue;
        for (int i = 0; i < 3; ++i)
            sample[i] = (float)sensor_value_to_double(&values[i]);
        if (zoo_stream_push(&stream, (double)k_uptime_get() / 1000.0, sample) == 0 ||
            zoo_text(&stream.prediction) == shown)
            continue;
        shown = zoo_text(&stream.prediction);
        printk("%s\n", shown);
    }
}
