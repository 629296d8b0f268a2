// Has threads of its own that do what they should not.
#include "base.h"

#include <thread>

namespace {

int32_t misbehave(Call &call) {
    const std::string act = call.self->act;
    const uint64_t number = call.self->number;
    if (act == "log-for-ever") {
        // Not joined in close, as the contract asks: goes on until the process ends.
        std::thread([number] {
            for (;;) {
                the_host->log(number, APUS_LOG_INFO, "I am still here", 15);
                usleep(100);
            }
        }).detach();
    }
    if (act == "busy") {
        for (int n = 0; n < 2; n++) {
            std::thread([] {
                volatile uint64_t count = 0;
                for (;;) count = count + 1;
            }).detach();
        }
    }
    if (act == "throw") {
        std::thread([] { throw 1; }).join();
    }
    if (act == "self-after-destroy") {
        Instance *self = call.self;
        std::thread([self] {
            for (;;) {
                if (self->act.size() > 1000) leave_marker("/dev/null");
                usleep(100);
            }
        }).detach();
    }
    return APUS_OK;
}

}  // namespace
