// Tests of apus-name in a host in memory, whose clock the test sets: `make test`.
#undef NDEBUG
#include "apus-name.hpp"

#include <cassert>
#include <cstdio>

#include "apus/test.hpp"

using apus::seconds;
using Strings = std::vector<std::string>;

int main() {
    apus::test::Harness<ApusNameOperator> host;
    host.feed("ann", "a record", seconds(100));
    host.feed("bob", "a record", seconds(110));
    host.feed("ann", "a record", seconds(120));
    assert(host.sum("count", "ann") == 2);
    host.watermark(seconds(170));  // bob has been silent for a minute, ann has not
    assert((host.values("main") == Strings{"bob,1"}));
    host.end();
    assert((host.values("main") == Strings{"bob,1", "ann,2"}));
    host.feed("eve", "a record", std::nullopt);
    assert(host.rejected().size() == 1);
    std::puts("apus-name: all tests passed");
}
