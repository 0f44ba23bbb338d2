/* reader.onnx and checker.onnx in the C API of onnxruntime. */
#include "reader.h"

#include <onnxruntime_c_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 32 * 128, READING = 3 + 2 * MAX_DIGITS, ANSWER = 4 };

struct Model {
    OrtEnv *env;
    OrtSession *session;
    OrtMemoryInfo *memory;
    size_t inputs;
};

static const char NEITHER[] = "neither a reader.onnx nor a checker.onnx";
static const OrtApi *ort;
static char reason[256];

static int fail(const char *why) {
    snprintf(reason, sizeof reason, "%s", why);
    return 0;
}

static int ok(OrtStatus *status) {
    if (!status) return 1;
    fail(ort->GetErrorMessage(status));
    ort->ReleaseStatus(status);
    return 0;
}

const char *model_error(void) { return reason; }

static OrtValue *tensor(Model *model, float *data, const int64_t *shape, size_t rank) {
    OrtValue *value = NULL;
    size_t bytes = sizeof(float);
    for (size_t i = 0; i < rank; i++) bytes *= (size_t)shape[i];
    ok(ort->CreateTensorWithDataAsOrtValue(model->memory, data, bytes, shape, rank,
                                           ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &value));
    return value;
}

/* Whether the model put out `count` floats. */
static int is_floats(const OrtValue *value, size_t count) {
    OrtTensorTypeAndShapeInfo *info = NULL;
    enum ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    size_t found = 0;
    int done = ok(ort->GetTensorTypeAndShape(value, &info)) && ok(ort->GetTensorElementType(info, &type)) &&
               ok(ort->GetTensorShapeElementCount(info, &found));
    if (info) ort->ReleaseTensorTypeAndShapeInfo(info);
    if (done && (type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || found != count)) return fail(NEITHER);
    return done;
}

/* Runs the model; `expected` is NULL for a reader. */
static int run(Model *model, const unsigned char *canvas, float *expected, const char *output,
               float *out, size_t count) {
    float image[PIXELS], *found;
    for (int i = 0; i < PIXELS; i++) image[i] = canvas[i] / 255.0f;
    const char *names[] = {"image", "expected"};
    OrtValue *in[] = {tensor(model, image, (int64_t[]){1, 1, 32, 128}, 4), NULL}, *result = NULL;
    const OrtValue *const *inputs = (const OrtValue *const *)in;
    if (expected) in[1] = tensor(model, expected, (int64_t[]){1, MAX_DIGITS}, 2);
    int done = in[0] && (!expected || in[1]) &&
               ok(ort->Run(model->session, NULL, names, inputs, model->inputs, &output, 1, &result)) &&
               is_floats(result, count) &&
               ok(ort->GetTensorMutableData(result, (void **)&found));
    if (done) memcpy(out, found, count * sizeof *out);
    ort->ReleaseValue(result);
    ort->ReleaseValue(in[1]);
    ort->ReleaseValue(in[0]);
    return done;
}

Model *model_open(const char *path) {
    ort = OrtGetApiBase()->GetApi(ORT_API_VERSION);
    Model *model = calloc(1, sizeof *model);
    OrtSessionOptions *options = NULL;
    size_t outputs = 0;
    int done = ort && model ? 1 : fail("onnxruntime is older than its header");
    done = done && ok(ort->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "reader", &model->env)) &&
           ok(ort->CreateSessionOptions(&options)) && ok(ort->SetIntraOpNumThreads(options, 1)) &&
           ok(ort->CreateSession(model->env, path, options, &model->session)) &&
           ok(ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &model->memory)) &&
           ok(ort->SessionGetInputCount(model->session, &model->inputs)) &&
           ok(ort->SessionGetOutputCount(model->session, &outputs));
    if (options) ort->ReleaseSessionOptions(options);
    if (done && outputs == 1 && model->inputs <= 2) return model;
    if (done) fail(NEITHER);
    model_close(model);
    return NULL;
}

void model_close(Model *model) {
    if (model && model->memory) ort->ReleaseMemoryInfo(model->memory);
    if (model && model->session) ort->ReleaseSession(model->session);
    if (model && model->env) ort->ReleaseEnv(model->env);
    free(model);
}

int model_read(Model *reader, const unsigned char canvas[PIXELS], Reading *reading) {
    float out[READING];
    if (reader->inputs != 1) return fail("this model is a checker, not a reader");
    if (!run(reader, canvas, NULL, "reading", out, READING)) return 0;
    if (!(out[0] >= -1 && out[0] <= 99999 && out[2] >= 0 && out[2] <= 128)) return fail(NEITHER);
    memset(reading, 0, sizeof *reading);
    reading->value = (int)out[0];
    reading->confidence = out[1];
    reading->count = (int)out[2];
    for (int i = 0; i < reading->count && reading->count <= MAX_DIGITS; i++) {
        if (!(out[3 + i] >= 0 && out[3 + i] <= 9)) return fail(NEITHER);
        reading->text[i] = (char)('0' + (int)out[3 + i]);
        reading->digit_confidences[i] = out[3 + MAX_DIGITS + i];
    }
    return 1;
}

int model_check(Model *checker, const unsigned char canvas[PIXELS], const char *expected, Answer *answer) {
    float digits[MAX_DIGITS] = {-1, -1, -1, -1, -1}, out[ANSWER];
    size_t count = strlen(expected);
    if (checker->inputs != 2) return fail("this model is a reader, not a checker");
    if (count < 1 || count > MAX_DIGITS || strspn(expected, "0123456789") != count)
        return fail("the expected answer must be 1 to 5 digits");
    for (size_t i = 0; i < count; i++) digits[i] = (float)(expected[i] - '0');
    if (!run(checker, canvas, digits, "answer", out, ANSWER)) return 0;
    if (!(out[0] >= WRONG && out[0] <= RIGHT)) return fail(NEITHER);
    *answer = (Answer){(int)out[0], (int)out[3], out[1], out[2]};
    return 1;
}
