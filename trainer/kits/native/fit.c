/* Brings any drawing onto the reader's canvas, 32 x 128 bytes, white ink on black: the rule of
   digit-readers (shards/canvas.py), step by step and to the last bit. C99; compile it with
   -ffp-contract=off, since a fused multiply-add rounds once where the rule rounds twice. */
#include "fit.h"

#include <math.h>
#include <stdlib.h>

static const float INK_HEIGHT = 28, INK_WIDTH = 124;
enum { RIGHT_MARGIN = 2, MAX_SIDE = 32768 };
static const double FAINT = 32;  /* of 255: a contrast under this is paper, not ink */
static const double GRAINS = 2;  /* so many times as far from the paper as its grain is ink */

typedef struct {
    float *data;
    int width, height, whole; /* whole: greys are whole numbers */
} Picture;

static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double median(float *values, int count) { /* and sorts them */
    qsort(values, count, sizeof *values, by_value);
    return ((double)values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* Copies the top, bottom, left and right side into `border`, one after another. */
static int sides(Picture p, float *border) {
    int n = 0;
    for (int x = 0; x < p.width; x++) border[n++] = p.data[x];
    for (int x = 0; x < p.width; x++) border[n++] = p.data[(size_t)(p.height - 1) * p.width + x];
    for (int y = 0; y < p.height; y++) border[n++] = p.data[(size_t)y * p.width];
    for (int y = 0; y < p.height; y++) border[n++] = p.data[(size_t)(y + 1) * p.width - 1];
    return n;
}

static void ends(Picture p, double *low, double *high) {
    size_t count = (size_t)p.width * p.height;
    *low = *high = p.data[0];
    for (size_t i = 1; i < count; i++) {
        *low = least(*low, p.data[i]);
        *high = most(*high, p.data[i]);
    }
}

/* Step 1. On a transparent ground one colour of ink is read from its alpha; any other is laid on
   white. */
static void read_grey(const unsigned char *pixels, int channels, Picture *grey, float *border) {
    size_t count = (size_t)grey->width * grey->height;
    double low = INFINITY, high = -INFINITY;
    grey->whole = channels < 3;
    for (size_t i = 0; i < count; i++, pixels += channels) {
        if (channels < 3) grey->data[i] = pixels[0];
        else grey->data[i] = 0.299 * pixels[0] + 0.587 * pixels[1] + 0.114 * pixels[2];
        if (channels % 2 == 0 && pixels[channels - 1] >= 128) {
            low = least(low, grey->data[i]);
            high = most(high, grey->data[i]);
        }
    }
    if (channels % 2) return;
    pixels -= count * channels;
    const unsigned char *alpha = pixels + channels - 1;
    Picture ground = {malloc(count * sizeof(float)), grey->width, grey->height, 1};
    if (!ground.data) { grey->width = 0; return; }
    for (size_t i = 0; i < count; i++) ground.data[i] = alpha[i * channels];
    int alone = median(border, sides(ground, border)) < 128 && !(high - low >= 32);
    for (size_t i = 0; i < count; i++) {
        float share = ground.data[i] / 255, shade = grey->data[i] - 255;
        grey->data[i] = alone ? ground.data[i] : 255 + shade * share;
    }
    grey->whole = alone;
    free(ground.data);
}

/* Step 2: takes a slope of the light out. */
static void level(Picture *grey, float *border) {
    int width = grey->width, height = grey->height, count = sides(*grey, border);
    double down = median(border + width, width) - median(border, width);
    double across = median(border + 2 * width + height, height) - median(border + 2 * width, height);
    if (down == 0 && across == 0) return;
    double middle = median(border, count), low, high;
    ends(*grey, &low, &high);
    double contrast = most(middle - low, high - middle);
    float lift = fabs(down) <= contrast / 2 ? down : 0, tilt = fabs(across) <= contrast / 2 ? across : 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float *value = &grey->data[(size_t)y * width + x];
            *value -= lift * ((y + 0.5f) / height - 0.5f);
            *value -= tilt * ((x + 0.5f) / width - 0.5f);
        }
    grey->whole = 0;
}

/* Steps 3 and 4: separates the ink from its background and crops to it, in place. */
static int crop_ink(Picture *grey, float *border) {
    int width = grey->width, count = sides(*grey, border), near = 0;
    double background = median(border, count), low, high, grain = 0;
    float paper = background;
    ends(*grey, &low, &high);
    double peak = most(background - low, high - background);
    if (peak < FAINT) return 0;
    for (int i = 0; i < count; i++) {
        float distance = fabsf(border[i] - paper);
        if (distance < (float)(peak / 2)) border[near++] = distance;
    }
    qsort(border, near, sizeof *border, by_value);
    if (near) grain = least(border[(long long)near * 9 / 10], peak / (2 * GRAINS));
    double faint = most(FAINT * peak / 255, GRAINS * grain);
    int way = high - background >= background - low ? 1 : -1;
    double limit = background + way * faint;
    limit = way * (grey->whole ? limit : (float)limit);
    int top = grey->height, bottom = 0, left = width, right = 0;
    for (int y = 0; y < grey->height; y++)
        for (int x = 0; x < width; x++)
            if (way * grey->data[(size_t)y * width + x] >= limit) {
                if (y < top) top = y;
                bottom = y;
                if (x < left) left = x;
                if (x > right) right = x;
            }
    float scale = 255 / peak, *ink = grey->data;
    for (int y = top; y <= bottom; y++)
        for (int x = left; x <= right; x++) {
            float value = grey->data[(size_t)y * width + x];
            *ink++ = way * value >= limit ? fabsf(value - paper) * scale : 0;
        }
    grey->width = right - left + 1;
    grey->height = bottom - top + 1;
    return 1;
}

/* Step 5, once down and once across: each row of `out` is the mean over a box around its centre.
   Rows become columns. `sums` has room for height + 1. */
static void box_means(Picture in, Picture out, float *sums) {
    double step = (double)in.height / out.width, half = most(step, 1) / 2;
    float scale = 2 * half;
    for (int x = 0; x < in.width; x++) {
        sums[0] = 0;
        for (int y = 0; y < in.height; y++) sums[y + 1] = sums[y] + in.data[(size_t)y * in.width + x];
        for (int i = 0; i < out.width; i++) {
            float before[2];
            for (int k = 0; k < 2; k++) {
                double edge = least(most((i + 0.5) * step + (k ? half : -half), 0), in.height);
                int row = least((int)edge, in.height - 1);
                float part = edge - row, share = in.data[(size_t)row * in.width + x] * part;
                before[k] = share + sums[row];
            }
            out.data[(size_t)x * out.width + i] = (before[1] - before[0]) / scale;
        }
    }
}

/* Step 6: scales to a peak of 255 and puts the ink in its place. */
static void place(Picture ink, unsigned char *canvas) {
    double low, high;
    ends(ink, &low, &high);
    float scale = 255 / (float)high;
    int left = FIT_WIDTH - RIGHT_MARGIN - ink.width, top = (FIT_HEIGHT - ink.height) / 2;
    for (int i = 0; i < FIT_HEIGHT * FIT_WIDTH; i++) canvas[i] = 0;
    for (int y = 0; y < ink.height; y++)
        for (int x = 0; x < ink.width; x++) {
            float value = ink.data[y * ink.width + x] * scale;
            canvas[(top + y) * FIT_WIDTH + left + x] = (unsigned char)(value + 0.5f);
        }
}

enum fit_result fit(const unsigned char *pixels, int width, int height, int channels,
                    unsigned char canvas[FIT_HEIGHT * FIT_WIDTH]) {
    if (!pixels || channels < 1 || channels > 4) return FIT_NO_PICTURE;
    if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE) return FIT_NO_PICTURE;
    float small[28 * 124];
    Picture grey = {malloc((size_t)width * height * sizeof(float)), width, height, 1};
    Picture tall = {malloc((size_t)width * 28 * sizeof(float)), 0, 0, 0};
    float *border = malloc(2 * ((size_t)width + height + 1) * sizeof(float));
    enum fit_result result = FIT_NO_MEMORY;
    if (grey.data && tall.data && border) {
        read_grey(pixels, channels, &grey, border);
        if (grey.width) {
            level(&grey, border);
            result = crop_ink(&grey, border) ? FIT_DONE : FIT_BLANK;
        }
    }
    if (result == FIT_DONE) {
        double scale = least((double)INK_HEIGHT / grey.height, (double)INK_WIDTH / grey.width);
        tall.width = most(1, (int)(grey.height * scale + 0.5));
        tall.height = grey.width;
        box_means(grey, tall, border);
        Picture done = {small, most(1, (int)(grey.width * scale + 0.5)), tall.width, 0};
        box_means(tall, done, border);
        place(done, canvas);
    }
    free(border);
    free(tall.data);
    free(grey.data);
    return result;
}
