// Operators without state as functions: a lambda is enough.
#ifndef APUS_CPP_FUNCTION_HPP
#define APUS_CPP_FUNCTION_HPP

#include <optional>
#include <type_traits>
#include <utility>

#include "apus/cpp/plugin.hpp"

namespace apus {
namespace detail {

template <class F>
class FunctionOperator : public Operator {
public:
    // Of the one operator that has a function of this type; set once, by function() below.
    static inline const char *id = "";
    static inline const char *summary = "";
    static inline std::optional<F> function;

    void configure(const Config &config) {
        if constexpr (std::is_invocable_v<F &, const Config &>) {
            handler_.emplace((*function)(config));
        } else {
            (void)config;
            handler_.emplace(*function);
        }
    }

    void process(const Record &record, Context &context) { (*handler_)(record, context); }

private:
    template <class G, bool is_factory>
    struct HandlerOf {
        using type = G;
    };
    template <class G>
    struct HandlerOf<G, true> {
        using type = std::invoke_result_t<G &, const Config &>;
    };

    std::optional<typename HandlerOf<F, std::is_invocable_v<F &, const Config &>>::type> handler_;
};

}  // namespace detail

// An operator that is a function of (const Record &, Context &); or of (const Config &), which
// returns such a function.
//
//     apus::function("upper", "upper case", [](const apus::Record &r, apus::Context &c) {
//         c.emit(upper(r.value()));
//     })
template <class F>
const apus_component *function(const char *id, const char *summary, F f) {
    using Subject = detail::FunctionOperator<F>;
    Subject::id = id;
    Subject::summary = summary;
    if (!Subject::function) Subject::function.emplace(std::move(f));
    return component<Subject>();
}

}  // namespace apus

#endif
