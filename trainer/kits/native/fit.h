/* Brings any drawing onto the reader's canvas: see fit.c. */
#ifndef FIT_H
#define FIT_H

enum { FIT_HEIGHT = 32, FIT_WIDTH = 128 };
enum fit_result { FIT_DONE, FIT_NO_PICTURE, FIT_BLANK, FIT_NO_MEMORY };

/* Fits `pixels`, width * height * channels bytes, row by row: 1 (grey), 2 (grey, alpha), 3 (RGB) or
   4 (RGBA) channels; dark on light, light on dark, or ink on a transparent ground. `canvas` gets
   white ink on black, and is untouched unless the result is FIT_DONE. Sides are at most 32768 px. */
enum fit_result fit(const unsigned char *pixels, int width, int height, int channels,
                    unsigned char canvas[FIT_HEIGHT * FIT_WIDTH]);

#endif
