// Makes asynchronous calls, and completes them as it should not. The answer is the record.
#include "base.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace {

const apus_async_api *async = nullptr;

struct Question {
    uint64_t token;
    uint64_t n;
    std::string value;
};

// The thread that answers, and what waits for it.
struct Worker {
    std::mutex lock;
    std::condition_variable bell;
    std::deque<Question> waiting;
    bool is_over = false;
    std::thread thread;
    std::string complaint;
    uint64_t events = 0;
    bool was_late = false;
    std::thread flood;
};

struct AsyncInstance : Instance {
    std::shared_ptr<Worker> worker = std::make_shared<Worker>();
};

int32_t misbehave(Call &) {
    return APUS_OK;
}

int32_t answer(uint64_t instance, const Question &question) {
    apus_result result = {};
    result.value = {
        reinterpret_cast<const uint8_t *>(question.value.data()), question.value.size()};
    result.ts = APUS_NO_TIME;
    return async->complete(instance, question.token, APUS_OK, &result, 1);
}

// What is done for the record that `at` names; the others are answered as they should be.
void answer_oddly(
    const std::string &act, uint64_t instance, Worker &worker, const Question &question) {
    auto complain = [&](const char *text) {
        std::lock_guard<std::mutex> guard(worker.lock);
        worker.complaint = text;
    };
    if (act == "never") return;
    if (act == "late" && !worker.was_late) {
        worker.was_late = true;
        usleep(1'500'000);
        if (answer(instance, question) != APUS_STALE) complain("a late answer was accepted");
        return;
    }
    if (act == "forged") {
        std::mt19937_64 random(question.n);
        for (int n = 0; n < 10'000; n++) {
            Question forged = question;
            forged.token = random();
            if (answer(instance, forged) != APUS_STALE) complain("a forged token was accepted");
            forged.token = question.token;
            if (answer(instance + 1 + random() % 1000, forged) != APUS_STALE) {
                complain("a token of another instance was accepted");
            }
        }
    }
    if (act == "crowd") {
        std::vector<std::thread> crowd;
        std::atomic<int> accepted{0};
        for (int n = 0; n < 64; n++) {
            crowd.emplace_back([&] { accepted += answer(instance, question) == APUS_OK; });
        }
        for (auto &one : crowd) one.join();
        if (accepted != 1) complain("an answer of 64 was not accepted exactly once");
        return;
    }
    if (answer(instance, question) != APUS_OK) complain("a right answer was refused");
    if (act == "twice" && answer(instance, question) != APUS_STALE) {
        complain("a second answer was accepted");
    }
    if (act == "flood") {
        worker.flood = std::thread([instance] {
            for (int n = 0; n < 1'000'000; n++) async->post(instance, 7);
        });
    }
}

void work(std::shared_ptr<Worker> worker, uint64_t instance, std::string act, uint64_t at) {
    for (;;) {
        Question question;
        {
            std::unique_lock<std::mutex> guard(worker->lock);
            worker->bell.wait(guard, [&] { return worker->is_over || !worker->waiting.empty(); });
            if (worker->waiting.empty()) break;
            question = std::move(worker->waiting.front());
            worker->waiting.pop_front();
        }
        if (question.n == at) answer_oddly(act, instance, *worker, question);
        else answer(instance, question);
        // When it is over, nobody waits for this thread: it goes on with what is stale by then.
    }
    if (act != "after-close") return;
    for (;;) {
        Question question = {1, 0, "too late"};
        answer(instance, question);
        async->post(instance, 1);
        the_host->log(instance, APUS_LOG_INFO, "still here", 10);
        usleep(100);
    }
}

int32_t create_async(const apus_args *args, void **self, apus_error *error) {
    async = static_cast<const apus_async_api *>(the_host->get_extension(APUS_ASYNC));
    if (!async) return apus_fail(error, APUS_CONFIG, "needs " APUS_ASYNC);
    void *base = nullptr;
    int32_t rc = create(args, &base, error);
    if (rc != APUS_OK) return rc;
    auto *made = new AsyncInstance;
    static_cast<Instance &>(*made) = *static_cast<Instance *>(base);
    delete static_cast<Instance *>(base);
    *self = made;
    return APUS_OK;
}

void destroy_async(void *self) {
    delete static_cast<AsyncInstance *>(self);
}

int32_t open_async(void *self, apus_ctx *) {
    auto *own = static_cast<AsyncInstance *>(self);
    own->worker->thread = std::thread(work, own->worker, own->number, own->act, own->at);
    return APUS_OK;
}

void close_async(void *self, apus_ctx *) {
    auto *own = static_cast<AsyncInstance *>(self);
    {
        std::lock_guard<std::mutex> guard(own->worker->lock);
        own->worker->is_over = true;
    }
    own->worker->bell.notify_all();
    if (own->worker->flood.joinable()) own->worker->flood.join();
    if (own->act == "after-close") own->worker->thread.detach();
    else own->worker->thread.join();
}

int32_t process_async(void *self, apus_ctx *ctx, const apus_batch *batch) {
    auto *own = static_cast<AsyncInstance *>(self);
    Worker &worker = *own->worker;
    for (uint32_t i = ctx->at; i < batch->count; i++) {
        {
            std::lock_guard<std::mutex> guard(worker.lock);
            if (!worker.complaint.empty()) {
                return apus_fail(ctx->error, APUS_FATAL, worker.complaint.c_str());
            }
        }
        const uint8_t *value;
        uint32_t len;
        apus_value(batch, i, &value, &len);
        Question question = {0, 0, std::string(reinterpret_cast<const char *>(value), len)};
        question.n = number_of(question.value, "n");
        int32_t rc = async->begin(ctx, i, 0, 0, &question.token);
        if (rc == APUS_LIMIT) return apus_at(ctx, i, APUS_YIELD);
        if (rc != APUS_OK) return apus_at(ctx, i, rc);
        if (own->act == "at-once") {
            if (answer(own->number, question) == APUS_OK) continue;
            return apus_fail(ctx->error, APUS_FATAL, "an answer at once was refused");
        }
        std::lock_guard<std::mutex> guard(worker.lock);
        worker.waiting.push_back(question);
        worker.bell.notify_one();
    }
    return APUS_OK;
}

int32_t on_event(void *self, apus_ctx *ctx, uint64_t event) {
    auto *own = static_cast<AsyncInstance *>(self);
    if (event != 7) return apus_fail(ctx->error, APUS_FATAL, "an event that nobody has posted");
    if (++own->worker->events > 20'000) {
        return apus_fail(ctx->error, APUS_FATAL, "events are not put together");
    }
    return APUS_OK;
}

void make_asynchronous() {
    component.create = create_async;
    component.destroy = destroy_async;
    component.flags |= APUS_ASYNCHRONOUS;
    functions.open = open_async;
    functions.close = close_async;
    functions.process = process_async;
    functions.on_watermark = nullptr;
    functions.on_event = on_event;
    (void)&misbehave, (void)open_instance, (void)close_instance, (void)process;
}
[[maybe_unused]] const bool is_changed = (make_asynchronous(), true);

}  // namespace
