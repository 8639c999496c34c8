typedef int8_t zoo_weight;
typedef int16_t zoo_input;
typedef int32_t zoo_sum;

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

static void zoo_product(const zoo_layer *layer, const zoo_input *restrict input, float *restrict output);

/* A layer: its inputs are rounded, and its sums of integers scaled. */
static void zoo_dense(const zoo_layer *layer, const float *restrict input, float *restrict output)
{
    zoo_input rounded[ZOO_MOST_INPUTS];
    const float unit = zoo_round(input, rounded, layer->inputs);
    zoo_product(layer, rounded, output);
    for (int j = 0; j < layer->outputs; ++j)
        output[j] = layer->bias[j] + layer->scales[j] * unit * output[j];
}
