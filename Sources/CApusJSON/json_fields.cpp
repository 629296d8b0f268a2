// The document is parsed into simdjson's tree, so that every mistake in it is found. The tree has
// no text of numbers, objects and arrays; that is found by walking, next to the tree, the index of
// tokens from which the tree was built: one offset for each bracket, comma, colon, number, word,
// and opening quote.

#include <simdjson.h>

#include <new>

#include "CApusJSON.h"

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

static_assert(APUS_JSON_PADDING >= simdjson::SIMDJSON_PADDING, "simdjson reads further");

constexpr size_t smallest_capacity = 4096;

const char *reason(simdjson::error_code error) {
    switch (error) {
    case simdjson::CAPACITY: return "JSON document too large";
    case simdjson::MEMALLOC: return "no memory to parse the JSON document";
    case simdjson::DEPTH_ERROR: return "JSON nested more than 1024 deep";
    case simdjson::STRING_ERROR: return "not JSON: a string with a wrong escape";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR: return "not JSON: a word that is not true, false or null";
    case simdjson::NUMBER_ERROR: return "a malformed number, or one beyond 64 bits";
    case simdjson::UTF8_ERROR: return "not UTF-8";
    case simdjson::EMPTY: return "not JSON: nothing but white space";
    case simdjson::UNESCAPED_CHARS: return "not JSON: a control character in a string";
    case simdjson::UNCLOSED_STRING: return "not JSON: a string without end";
    default: return "not JSON: braces, brackets, commas, colons or values out of place";
    }
}

// An element of the tree, and the number of its first token.
struct place {
    element value;
    size_t token;
};

// A parsed document.
struct tokens {
    const uint8_t *document;
    const uint32_t *offsets;

    uint8_t kind(size_t token) const { return document[offsets[token]]; }

    // The number of the last token of the value that begins with a token.
    size_t last(size_t token) const {
        if (kind(token) != '{' && kind(token) != '[') return token;
        size_t depth = 0;
        for (;; token++) {
            uint8_t byte = kind(token);
            if (byte == '{' || byte == '[') depth++;
            if ((byte == '}' || byte == ']') && --depth == 0) return token;
        }
    }

    // Goes from an object to the value of one of its keys.
    bool descend(place &at, const apus_json_text &key) const {
        simdjson::dom::object object;
        if (at.value.get_object().get(object)) return false;
        // Key, colon, value, comma or brace; key, colon, ...
        size_t token = at.token + 1;
        for (auto field = object.begin(); field != object.end(); ++field) {
            std::string_view name = field.key();
            if (name.size() == key.length && memcmp(name.data(), key.bytes, key.length) == 0) {
                at = {field.value(), token + 2};
                return true;
            }
            token = last(token + 2) + 2;
        }
        return false;
    }

    // The text of a value that is not a string.
    void text(size_t token, apus_json_field &result) const {
        size_t end_token = last(token);
        size_t begin = offsets[token];
        size_t end = offsets[end_token] + 1;
        if (end_token == token) {
            // A number or a word ends before the next token, which there is: the object's brace.
            end = offsets[token + 1];
            while (end > begin + 1 && document[end - 1] <= ' ') end--;
        }
        result.bytes = document + begin;
        result.length = end - begin;
    }

    // Where a member is, or goes.
    void find(const apus_json_path &path, element root, apus_json_place &result) const {
        place at{root, 0};
        for (size_t depth = 0; depth < path.count; depth++) {
            result.depth = static_cast<uint32_t>(depth);
            if (!at.value.is_object()) {
                result.kind = APUS_JSON_BLOCKED;
                return;
            }
            if (descend(at, path.keys[depth])) continue;
            // Behind the last member: before the brace, and before the blanks in front of it.
            size_t brace = last(at.token);
            result.kind = APUS_JSON_ABSENT;
            result.is_first = brace == at.token + 1;
            result.begin = result.end =
                result.is_first ? offsets[at.token] + 1 : trimmed(offsets[brace]);
            return;
        }
        result.kind = APUS_JSON_FOUND;
        result.depth = static_cast<uint32_t>(path.count);
        size_t end_token = last(at.token);
        result.begin = offsets[at.token];
        result.end = end_token == at.token ? trimmed(offsets[end_token + 1])
                                           : offsets[end_token] + 1;
    }

    // The end without the blanks before it.
    size_t trimmed(size_t end) const {
        while (end > 0 && document[end - 1] <= ' ') end--;
        return end;
    }

    void read(const place &at, apus_json_field &result) const {
        switch (at.value.type()) {
        case element_type::NULL_VALUE: result.kind = APUS_JSON_NULL; return;
        case element_type::STRING: {
            std::string_view string;
            if (at.value.get_string().get(string)) return;
            result.kind = APUS_JSON_STRING;
            result.bytes = reinterpret_cast<const uint8_t *>(string.data());
            result.length = string.size();
            return;
        }
        case element_type::INT64:
        case element_type::UINT64: result.kind = APUS_JSON_INTEGER; break;
        case element_type::DOUBLE: result.kind = APUS_JSON_NUMBER; break;
        case element_type::BOOL: result.kind = APUS_JSON_BOOL; break;
        case element_type::OBJECT: result.kind = APUS_JSON_OBJECT; break;
        case element_type::ARRAY: result.kind = APUS_JSON_ARRAY; break;
        }
        text(at.token, result);
    }
};

}  // namespace

struct apus_json_parser {
    simdjson::dom::parser parser;
    simdjson::dom::document tree;

    // Grows in powers of two, so that slowly growing documents do not allocate each time.
    simdjson::error_code reserve(size_t length) {
        if (tree.capacity() >= length && parser.capacity() >= length) return simdjson::SUCCESS;
        size_t capacity = smallest_capacity;
        while (capacity < length) capacity *= 2;
        if (auto error = parser.allocate(capacity, simdjson::DEFAULT_MAX_DEPTH)) return error;
        return tree.allocate(capacity);
    }
};

apus_json_parser *apus_json_create(void) {
    return new (std::nothrow) apus_json_parser;
}

void apus_json_destroy(apus_json_parser *parser) {
    delete parser;
}

const char *apus_json_fields(
    apus_json_parser *self, const uint8_t *document, size_t length, size_t readable,
    const apus_json_path *paths, size_t path_count, apus_json_field *results) {
    if (length > UINT32_MAX / 2) return reason(simdjson::CAPACITY);
    if (auto error = self->reserve(length)) return reason(error);
    bool is_padded = readable >= length + APUS_JSON_PADDING;
    element root;
    if (auto error = self->parser.parse_into_document(self->tree, document, length, !is_padded)
                         .get(root)) {
        return reason(error);
    }
    if (!root.is_object()) return "JSON, but not an object";
    tokens index{document, self->parser.implementation->structural_indexes.get()};
    for (size_t i = 0; i < path_count; i++) {
        results[i] = {APUS_JSON_MISSING, nullptr, 0};
        place at{root, 0};
        bool found = true;
        for (size_t k = 0; found && k < paths[i].count; k++) {
            found = index.descend(at, paths[i].keys[k]);
        }
        if (found) index.read(at, results[i]);
    }
    return nullptr;
}

void apus_json_find(
    const apus_json_parser *self, const uint8_t *document, const apus_json_path *path,
    apus_json_place *result) {
    *result = {0, 0, 0, false, APUS_JSON_BLOCKED};
    tokens index{document, self->parser.implementation->structural_indexes.get()};
    index.find(*path, self->tree.root(), *result);
}

bool apus_json_is_utf8(const uint8_t *bytes, size_t length) {
    return length == 0 || simdjson::validate_utf8(reinterpret_cast<const char *>(bytes), length);
}
