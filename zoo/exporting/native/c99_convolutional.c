void zoo_window(const float *restrict window, float *restrict probabilities)
{
    zoo_blocks blocks;
    float row[ZOO_COLUMNS];
    zoo_begin(&blocks);
    for (int i = 0; i < ZOO_WINDOW; ++i) {
        zoo_read(window + i * ZOO_CHANNELS, row);
        zoo_block_1(&blocks, row);
    }
    zoo_end(&blocks);
    for (int j = 0; j < ZOO_FILTERS; ++j)
        blocks.sum[j] /= ZOO_ROWS;
    zoo_dense(&zoo_logits, blocks.sum, probabilities);
    zoo_softmax(probabilities, ZOO_CLASSES);
}
