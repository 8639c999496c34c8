typedef int8_t zoo_weight;
typedef int16_t zoo_input;
typedef int32_t zoo_sum;
typedef float zoo_value;

/* A layer: output = scale * (input * weights) + bias, weights[input][output], with a scale for each output. */
typedef struct {
    const zoo_weight *weights;
    const float *scales, *bias;
    int inputs, outputs;
} zoo_layer;

static inline float zoo_scaled(const zoo_layer *layer, int column, float sum)
{
    return layer->scales[column] * sum;
}

/* Rounds the inputs of a layer to 16 bits, so that the largest sum of products fits into 32. Returns the unit. */
static float zoo_round(const float *restrict input, int16_t *restrict rounded, int count)
{
    const float most = count > 516 ? 16909320.0F / (float)count : 32767.0F;
    float largest = 1e-30F;
    for (int i = 0; i < count; ++i) {
        const float size = input[i] > 0.0F ? input[i] : -input[i];
        largest = size > largest ? size : largest;
    }
    for (int i = 0; i < count; ++i) {
        float value = input[i] * (most / largest);
        value = value > -most ? value : -most;
        value = value < most ? value : most;
        rounded[i] = (int16_t)(value + (value < 0.0F ? -0.5F : 0.5F));
    }
    return largest / most;
}

/* The sum itself, which waits for the unit of the inputs. */
static inline float zoo_output(const zoo_layer *layer, int column, int32_t sum)
{
    (void)layer;
    (void)column;
    return (float)sum;
}
