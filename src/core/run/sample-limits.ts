// How much may be kept as samples.

export const MAX_SAMPLES_OF_SINK = 50;
/** Of one sample: its request with its files. */
export const MAX_SAMPLE_BYTES = 4 * 2 ** 20;
/** Of all samples. */
export const MAX_SAMPLES_BYTES = 256 * 2 ** 20;
