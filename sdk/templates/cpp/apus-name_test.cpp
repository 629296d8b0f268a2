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
    host.feed("bob", "a record", seconds(130));
    host.feed("ann", "a record", seconds(110));
    assert((host.map<std::int64_t, std::int64_t>("counts", "ann")[1] == 2));
    host.watermark(seconds(120));  // the minute of ann's records is over
    assert((host.values("main") == Strings{"ann,2"}));
    host.end();
    assert((host.values("main") == Strings{"ann,2", "bob,1"}) && host.key_count("counts") == 0);
    host.feed("eve", "a record", std::nullopt);
    assert(host.rejected().size() == 1);
    std::puts("apus-name: all tests passed");
}
