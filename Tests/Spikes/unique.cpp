// A function-local static of an inline function: STB_GNU_UNIQUE with g++, unless told otherwise.
inline int &counter() {
    static int value = 0;
    return value;
}

extern "C" __attribute__((visibility("default"))) int spike_value() { return ++counter(); }
