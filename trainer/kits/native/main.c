/* Reads a drawing: read reader.onnx DRAWING.pgm, or checks it: read checker.onnx DRAWING.pgm 42.
   A drawing is a binary PGM (P5) or PPM (P6) file of 8 bits; "-" as its name is standard input. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fit.h"
#include "reader.h"

enum { MAX_SIDE = 8192 };

static int fail(const char *what, const char *why) {
    fprintf(stderr, "error: %s: %s\n", what, why);
    return 1;
}

/* Reads a number of a header, past white space and comments. */
static int number(FILE *file, int *value) {
    int next;
    while ((next = fgetc(file)) == '#' || isspace(next))
        while (next == '#' && (next = fgetc(file)) != '\n' && next != EOF) next = '#';
    return next != EOF && ungetc(next, file) != EOF && fscanf(file, "%d", value) == 1;
}

static unsigned char *load(const char *path, int *width, int *height, int *channels) {
    FILE *file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
    unsigned char *pixels = NULL;
    char kind;
    int most;
    if (file && fscanf(file, "P%c", &kind) == 1 && number(file, width) && number(file, height) &&
        number(file, &most) && fgetc(file) != EOF && (kind == '5' || kind == '6') && *width > 0 &&
        *height > 0 && *width <= MAX_SIDE && *height <= MAX_SIDE && most == 255) {
        *channels = kind == '5' ? 1 : 3;
        size_t count = (size_t)*width * *height * *channels;
        pixels = malloc(count);
        if (pixels && fread(pixels, 1, count, file) != count) {
            free(pixels);
            pixels = NULL;
        }
    }
    if (file && file != stdin) fclose(file);
    return pixels;
}

int main(int count, char **arguments) {
    if (count < 3 || count > 4)
        return fail("use", "read reader.onnx DRAWING.pgm, or read checker.onnx DRAWING.pgm 42");
    const char *drawing = arguments[2];
    unsigned char canvas[FIT_HEIGHT * FIT_WIDTH];
    int width, height, channels;
    unsigned char *pixels = load(drawing, &width, &height, &channels);
    if (!pixels) return fail(drawing, "no binary PGM or PPM file of 8 bits and at most 8192 px a side");
    enum fit_result fitted = fit(pixels, width, height, channels, canvas);
    free(pixels);
    if (fitted == FIT_BLANK) return fail(drawing, "nothing is drawn");
    if (fitted != FIT_DONE) return fail(drawing, "it cannot be fitted");
    Model *model = model_open(arguments[1]);
    if (!model) return fail(arguments[1], model_error());
    Reading reading;
    Answer answer;
    int read = count == 3, done = read ? model_read(model, canvas, &reading)
                                       : model_check(model, canvas, arguments[3], &answer);
    model_close(model);
    if (!done) return fail(arguments[1], model_error());
    if (read && reading.count > MAX_DIGITS) return fail(drawing, "more than 5 digits");
    if (read && !reading.count) return fail(drawing, "no digit is seen");
    if (read) return printf("%s\t%.3f\n", reading.text, reading.confidence) < 0;
    const char *verdict[] = {"wrong", "ask again", "right"};
    return printf("%s\t%.3f\t%d\t%.3f\n", verdict[answer.verdict + 1], answer.probability, answer.value,
                  answer.reading_probability) < 0;
}
