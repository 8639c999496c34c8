typedef int8_t zoo_weight;
typedef int16_t zoo_input, zoo_value;
typedef int32_t zoo_sum;

/* A layer in integers: output = (factor * (input * weights)) / 2^shift + bias, weights[input][output]. States, of 15
   binary places, lose `drop` of them where a layer reads them next to its input. The cells of an LSTM have `places`. */
typedef struct {
    const zoo_weight *weights;
    const int32_t *factors, *bias;
    int inputs, outputs, shift, drop, places;
} zoo_layer;

static inline int16_t zoo_limited(int32_t value)
{
    return (int16_t)(value > 32767 ? 32767 : value < -32768 ? -32768 : value);
}

/* value / 2^places, rounded. Shifts of negative numbers keep their sign, with all compilers known. */
static inline int32_t zoo_shifted(int32_t value, int places)
{
    return places == 0 ? value : (value + (1 << (places - 1))) >> places;
}

static inline int16_t zoo_output(const zoo_layer *layer, int column, int32_t sum)
{
    const int64_t half = (int64_t)1 << (layer->shift - 1);
    const int64_t value = ((int64_t)layer->factors[column] * sum + half) >> layer->shift;
    const int64_t total = value + layer->bias[column];
    return (int16_t)(total > 32767 ? 32767 : total < -32768 ? -32768 : total);
}
