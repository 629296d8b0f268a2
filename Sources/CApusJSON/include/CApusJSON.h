// Takes fields out of JSON documents with simdjson, behind plain C.
#ifndef CAPUS_JSON_H
#define CAPUS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// How many bytes behind a document must be readable for it to be parsed in place.
#define APUS_JSON_PADDING 64

// What a field holds.
#define APUS_JSON_MISSING 0  // there is no such field, or what should contain it is no object
#define APUS_JSON_NULL 1
#define APUS_JSON_STRING 2   // the bytes are the string's, unescaped, in UTF-8
#define APUS_JSON_INTEGER 3  // the bytes are as they stand in the document, here and below
#define APUS_JSON_NUMBER 4   // with a fraction or an exponent
#define APUS_JSON_BOOL 5
#define APUS_JSON_OBJECT 6
#define APUS_JSON_ARRAY 7

// A parser and its memory, which grows to the size of the largest document. One thread at a time.
typedef struct apus_json_parser apus_json_parser;

// Some bytes of UTF-8.
typedef struct apus_json_text {
    const uint8_t *bytes;
    size_t length;
} apus_json_text;

// The way to a field: the keys of objects within objects, outermost first.
typedef struct apus_json_path {
    const apus_json_text *keys;
    size_t count;
} apus_json_path;

// A field that was asked for. bytes is NULL for what is missing or null, and otherwise points into
// the parser or into the document: valid until the next call, and while the document is.
typedef struct apus_json_field {
    int32_t kind;
    const uint8_t *bytes;
    size_t length;
} apus_json_field;

// NULL when there is no memory.
apus_json_parser *apus_json_create(void);
void apus_json_destroy(apus_json_parser *);

// Checks the whole document, which must be an object, and finds fields in it.
//
// readable is how many bytes from document on may be read, at least length. When that is less than
// length + APUS_JSON_PADDING, the document is copied first. The bytes behind length are never
// interpreted. When a key stands twice in an object, the first one counts.
//
// Returns NULL and fills one result per path; or the reason, a constant, why this is not JSON that
// can be read, and fills none. Also refused: integers beyond 64 bits, numbers beyond the range of
// a double, more than 1,024 levels.
const char *apus_json_fields(
    apus_json_parser *, const uint8_t *document, size_t length, size_t readable,
    const apus_json_path *paths, size_t path_count, apus_json_field *results);

// Where a member of a document is, or where it would go.
#define APUS_JSON_FOUND 0    // the member's value is document[begin..<end]
#define APUS_JSON_ABSENT 1   // text can be put in at begin, which is end
#define APUS_JSON_BLOCKED 2  // something on the way is no object

typedef struct apus_json_place {
    size_t begin;
    size_t end;
    uint32_t depth;  // how many keys of the path lead to what is there
    bool is_first;   // absent: whether the object has no member yet, so that no comma is needed
    int32_t kind;
} apus_json_place;

// Finds a member of the document with which apus_json_fields() was last called successfully.
void apus_json_find(
    const apus_json_parser *, const uint8_t *document, const apus_json_path *,
    apus_json_place *result);

// Reads the whole text as a number; false when it is none or beyond the range of a double.
bool apus_json_read_double(const uint8_t *bytes, size_t length, double *result);

// The most bytes that the two below write.
#define APUS_JSON_NUMBER_MAX 32

// Write the shortest text that reads back as the same number, with a fraction or an exponent.
// Return how long it is. The number must be finite.
size_t apus_json_write_double(double number, uint8_t *to);
size_t apus_json_write_float(float number, uint8_t *to);

// Writes the content of a string, with what must be escaped escaped; at most six times as long.
// Returns how long it is.
size_t apus_json_escape(const uint8_t *bytes, size_t length, uint8_t *to);

// Whether the bytes are valid UTF-8.
bool apus_json_is_utf8(const uint8_t *bytes, size_t length);

#ifdef __cplusplus
}
#endif

#endif
