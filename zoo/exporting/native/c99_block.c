static void zoo_block_$place(zoo_blocks *restrict blocks, const float *restrict row)
{
    float read[$channels], features[$filters];
    if (!zoo_push(blocks->rows_$place, &blocks->filled_$place, row, &zoo_filters_$place))
        return;
    zoo_depthwise(&zoo_filters_$place, blocks->rows_$place, read);
    zoo_advance_two(blocks->rows_$place, &blocks->filled_$place, &zoo_filters_$place);
    zoo_dense(&zoo_features_$place, read, features);
    $pass_on
}
