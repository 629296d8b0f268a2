// Components, their C functions, and the description that the host reads.
#ifndef APUS_CPP_PLUGIN_HPP
#define APUS_CPP_PLUGIN_HPP

#include <cstdint>
#include <deque>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "apus/cpp/operator.hpp"

namespace apus {
namespace detail {

// An operator at work: the class of the user and its frame, at addresses that do not change.
template <class T>
struct Instance {
    T subject;
    Frame frame;
};

// The functions of the ABI for one class.
template <class T>
struct Functions {
    static Instance<T> &of(void *self) { return *static_cast<Instance<T> *>(self); }

    static std::int32_t create(const apus_args *args, void **self, apus_error *slot) {
        try {
            auto instance = std::make_unique<Instance<T>>();
            instance->subject.configure(Config(*args));
            *self = instance.release();
            return APUS_OK;
        } catch (const config_error &problem) {
            return fill(slot, APUS_CONFIG, problem.what());
        } catch (const bad_record &problem) {
            return fill(slot, APUS_CONFIG, problem.what());
        } catch (const std::exception &problem) {
            return fill(slot, APUS_FATAL, problem.what());
        } catch (...) {
            return fill(slot, APUS_FATAL, "something was thrown that is no std::exception");
        }
    }

    static void destroy(void *self) { delete static_cast<Instance<T> *>(self); }

    static std::int32_t open(void *self, apus_ctx *ctx) {
        return of(self).frame.run(ctx, [self] {
            Context context(of(self).frame, UINT32_MAX);
            of(self).subject.open(context);
        });
    }

    static void close(void *self, apus_ctx *ctx) {
        of(self).frame.run(ctx, [self] { of(self).subject.close(); });
    }

    static std::int32_t process(void *self, apus_ctx *ctx, const apus_batch *batch) {
        Instance<T> &i = of(self);
        return i.frame.run(ctx, batch, [&i, batch](std::uint32_t index) {
            Context context(i.frame, index);
            i.subject.process(Record(batch, index), context);
        });
    }

    static std::int32_t process_broadcast(void *self, apus_ctx *ctx, const apus_batch *batch) {
        Instance<T> &i = of(self);
        return i.frame.run(ctx, batch, [&i, batch](std::uint32_t index) {
            Context context(i.frame, index);
            i.subject.process_broadcast(Record(batch, index), context);
        });
    }

    static std::int32_t on_timers(void *self, apus_ctx *ctx, const apus_timers *timers) {
        if constexpr (T::is_keyed) {
            Instance<T> &i = of(self);
            return i.frame.run(ctx, timers->batch, [&i, timers](std::uint32_t index) {
                Context context(i.frame, index);
                i.subject.on_timer(FiredTimer(timers, index), context);
            });
        } else {
            return APUS_UNSUPPORTED;
        }
    }

    static std::int32_t on_watermark(void *self, apus_ctx *ctx, std::int64_t time) {
        return of(self).frame.run(ctx, [self, time] {
            Context context(of(self).frame, UINT32_MAX);
            of(self).subject.on_watermark(time, context);
        });
    }
};

inline apus_str text(const std::string &s) { return {s.data(), s.size()}; }

template <class Struct>
Struct sized() {
    Struct s{};
    s.size = sizeof s;
    return s;
}

// The description of one component. Never freed: the host may read it at any time.
class ComponentTable {
public:
    template <class T>
    static const apus_component *make() {
        static const ComponentTable *const table = new ComponentTable(static_cast<T *>(nullptr));
        return &table->component_;
    }

private:
    template <class T>
    explicit ComponentTable(T *) {
        auto probe = std::make_unique<T>();
        declarations_ = std::move(probe->apus_declarations);
        declarations_.outputs[0].name = T::main_output;
        using F = Functions<T>;
        vt_ = sized<apus_operator_vt>();
        vt_.open = F::open;
        vt_.close = F::close;
        vt_.process = F::process;
        if (T::is_keyed) vt_.on_timers = F::on_timers;
        vt_.on_watermark = F::on_watermark;
        if (T::broadcast_input_count > 0) vt_.process_broadcast = F::process_broadcast;
        id_ = T::id;
        summary_ = T::summary;
        component_ = sized<apus_component>();
        component_.kind = APUS_OPERATOR;
        component_.create = F::create;
        component_.destroy = F::destroy;
        component_.vt = &vt_;
        component_.id = text(id_);
        component_.summary = text(summary_);
        component_.flags = (T::is_keyed ? APUS_KEYED : 0)
            | (T::accepts_records_without_key ? APUS_ACCEPTS_NULL_KEY : 0);
        component_.input_count = T::input_count;
        component_.broadcast_input_count = T::broadcast_input_count;
        list_all();
    }

    void list_all() {
        auto &d = declarations_;
        component_.outputs = list(ports_, d.outputs, component_.output_count, port);
        component_.states = list(states_, d.states, component_.state_count, state);
        component_.timers = list(timers_, d.timers, component_.timer_count, timer);
        component_.counters = list(counters_, d.metrics, component_.counter_count, counter);
        component_.broadcasts =
            list(broadcasts_, d.broadcasts, component_.broadcast_count, state);
        component_.operator_states = list(
            operator_states_, d.operator_states, component_.operator_state_count, operator_state);
    }

    template <class Struct>
    struct Rows {
        std::vector<Struct> rows;
        std::vector<const Struct *> pointers;
    };

    template <class Struct, class Decl>
    static const Struct *const *list(Rows<Struct> &to, const std::vector<Decl> &from,
        std::uint32_t &count, Struct (*make)(const Decl &)) {
        for (const Decl &decl : from) to.rows.push_back(make(decl));
        for (const Struct &row : to.rows) to.pointers.push_back(&row);
        count = static_cast<std::uint32_t>(from.size());
        return to.pointers.data();
    }

    static apus_port port(const NamedDecl &decl) {
        auto row = sized<apus_port>();
        row.name = text(decl.name);
        row.summary = text(decl.summary);
        return row;
    }

    static apus_counter_decl counter(const NamedDecl &decl) {
        auto row = sized<apus_counter_decl>();
        row.name = text(decl.name);
        row.summary = text(decl.summary);
        return row;
    }

    static apus_timer_decl timer(const NamedDecl &decl) {
        auto row = sized<apus_timer_decl>();
        row.domain = static_cast<std::uint32_t>(decl.domain);
        row.name = text(decl.name);
        return row;
    }

    template <class Row>
    static Row versioned(const StateDecl &decl) {
        auto row = sized<Row>();
        row.name = text(decl.name);
        row.schema_version = decl.version;
        row.schema = text(decl.options.schema_);
        row.min_readable = decl.migrate ? decl.oldest : 0;
        row.renamed_from = text(decl.options.renamed_from_);
        row.migrate = decl.migrate;
        return row;
    }

    static apus_state_decl state(const StateDecl &decl) {
        auto row = versioned<apus_state_decl>(decl);
        row.kind = decl.kind;
        row.fixed_len = decl.fixed;
        row.migration_flags = decl.goes_back ? APUS_MIGRATES_BACK : 0;
        return row;
    }

    static apus_operator_state_decl operator_state(const StateDecl &decl) {
        auto row = versioned<apus_operator_state_decl>(decl);
        row.redistribution = decl.kind;
        return row;
    }

    Declarations declarations_;
    std::string id_, summary_;
    apus_operator_vt vt_{};
    apus_component component_{};
    Rows<apus_port> ports_;
    Rows<apus_state_decl> states_, broadcasts_;
    Rows<apus_timer_decl> timers_;
    Rows<apus_counter_decl> counters_;
    Rows<apus_operator_state_decl> operator_states_;
};

// The description of a plugin, made when it is first asked for. Never freed, as above.
struct PluginTable {
    std::string id, version, vendor;
    std::vector<const apus_component *> components;
    apus_plugin plugin{};

    PluginTable(const char *name, const char *release, const char *maker,
        std::vector<const apus_component *> list)
        : id(name), version(release), vendor(maker), components(std::move(list)) {
        plugin.size = sizeof plugin;
        plugin.abi_minor = APUS_ABI_MINOR;
        plugin.abi_minor_floor = APUS_ABI_MINOR_FLOOR;
        plugin.id = text(id);
        plugin.version = text(version);
        plugin.vendor = text(vendor);
        plugin.component_count = static_cast<std::uint32_t>(components.size());
        plugin.components = components.data();
    }
};

// The entry function: `make` lists the components.
template <class Make>
const apus_plugin *describe(const apus_host *with, apus_error *slot, Make make) {
    host = with;
    try {
        static const PluginTable *const table = make();
        return &table->plugin;
    } catch (const std::exception &problem) {
        fill(slot, APUS_FATAL, problem.what());
    } catch (...) {
        fill(slot, APUS_FATAL, "something was thrown that is no std::exception");
    }
    return nullptr;
}

}  // namespace detail

// An operator as part of a plugin.
template <class T>
const apus_component *component() {
    return detail::ComponentTable::make<T>();
}

}  // namespace apus

// The one function that the host looks for, and the note that it reads before: once, in one file.
#define APUS_PLUGIN(id, version, vendor, ...)                                                \
    APUS_PLUGIN_NOTE(APUS_LANGUAGE_CXX, 0);                                                  \
    APUS_EXPORT const apus_plugin *apus_plugin_v0(const apus_host *host, apus_error *error) { \
        return ::apus::detail::describe(host, error, [] {                                    \
            return new ::apus::detail::PluginTable(id, version, vendor, {__VA_ARGS__});      \
        });                                                                                  \
    }

#endif
