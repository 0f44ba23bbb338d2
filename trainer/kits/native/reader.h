/* Reads numbers of 1 to 5 digits with reader.onnx, and checks answers with checker.onnx. */
#ifndef READER_H
#define READER_H

enum { MAX_DIGITS = 5, ASK_AGAIN = 0, RIGHT = 1, WRONG = -1 };

/* `text` keeps leading zeros. `count` is how many digits were seen: unless they are 1 to 5, `text`
   is empty, `value` -1 and `confidence` 0. Confidences are probabilities, 0 to 1. */
typedef struct {
    char text[MAX_DIGITS + 1];
    int value, count;
    float confidence, digit_confidences[MAX_DIGITS];
} Reading;

/* `probability`: that the drawing shows exactly the expected answer. `value`: what is read, -1
   where that is no number of 1 to 5 digits; `reading_probability`: how probable that is. */
typedef struct {
    int verdict, value;
    float probability, reading_probability;
} Answer;

typedef struct Model Model;

/* Opens a reader.onnx or a checker.onnx on one thread; NULL where it is none, with the reason in
   `model_error()`. A model serves one thread at a time. */
Model *model_open(const char *path);
void model_close(Model *model);
const char *model_error(void);

/* Both take a canvas as `fit` makes it, and return 1, or 0 with the reason in `model_error()`:
   where the model is of the other kind, or `expected` is not 1 to 5 digits as text. */
int model_read(Model *reader, const unsigned char canvas[32 * 128], Reading *reading);
int model_check(Model *checker, const unsigned char canvas[32 * 128], const char *expected, Answer *answer);

#endif
