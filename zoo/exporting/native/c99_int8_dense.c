/* A layer: its inputs are rounded, and its sums of integers scaled. */
static void zoo_dense(const zoo_layer *layer, const float *restrict input, float *restrict output)
{
    zoo_input rounded[ZOO_MOST_INPUTS];
    const float unit = zoo_round(input, rounded, layer->inputs);
    zoo_product(layer, rounded, output);
    for (int j = 0; j < layer->outputs; ++j)
        output[j] = layer->bias[j] + layer->scales[j] * unit * output[j];
}
