void zoo_encode(const float *restrict rgb, float *restrict code)
{
    const int pixels = ZOO_SIZE * ZOO_SIZE;
    float gray[ZOO_SIZE * ZOO_SIZE], mean = 0.0F;
    for (int i = 0; i < pixels; ++i) {
        gray[i] = ZOO_RED * rgb[i] + ZOO_GREEN * rgb[pixels + i] + ZOO_BLUE * rgb[2 * pixels + i];
        mean += gray[i];
    }
    mean /= (float)pixels;
    for (int i = 0; i < pixels; ++i)
        gray[i] -= mean;
    zoo_limit(gray, pixels, ZOO_LIMIT);
    for (int i = 0; i < pixels; ++i)
        gray[i] = 0.1F + 0.8F * (gray[i] - ZOO_LOW) / ZOO_SPREAD;
    zoo_dense(&zoo_tied, gray, code);
    zoo_activate(code);
}
