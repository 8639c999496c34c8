/* Encodes a patch: three planes of ZOO_SIZE by ZOO_SIZE values in [0, 1], red, green, blue; writes ZOO_CODE values. */
void zoo_encode(const float *rgb, float *code);
