/* A layer, in numbers that its products need no rounding for. */
static void zoo_dense(const zoo_layer *layer, const zoo_input *restrict input, zoo_value *restrict output)
{
    zoo_product(layer, input, output);
}
