#include "CRocksDB.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <rocksdb/utilities/checkpoint.h>

#include "mapped_files.h"
#include "store_settings.h"

namespace {

// Drops what the owner says is over.
class Expiry final : public rocksdb::CompactionFilter {
  public:
    Expiry(bool (*drops)(void *, apus_slice, apus_slice), void *context)
        : drops_(drops), context_(context) {}

    const char *Name() const override { return "apus.expiry"; }

    bool Filter(
        int, const rocksdb::Slice &key, const rocksdb::Slice &value, std::string *,
        bool *) const override {
        return drops_(context_, apus::bytes(key), apus::bytes(value));
    }

  private:
    bool (*drops_)(void *, apus_slice, apus_slice);
    void *context_;
};

// As that of other threads in the background; see CApusShims.h.
constexpr int background_nice = 5;

// Remembers the error that keeps RocksDB from working, until the database is opened again.
class ErrorNote final : public rocksdb::EventListener {
  public:
    // On the thread of the compaction, which gets what task threads leave of the processors.
    void OnCompactionBegin(rocksdb::DB *, const rocksdb::CompactionJobInfo &) override {
        setpriority(PRIO_PROCESS, gettid(), background_nice);
    }

    void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status *status) override {
        std::lock_guard<std::mutex> lock(mutex_);
        message_ = status->ToString();
    }

    // RocksDB 7.8 recovers from a full disk only by half: it says that all is well, still thinks
    // that it is stopped, and the next ingestion fails an assertion. open_again() does it instead.
    void OnErrorRecoveryBegin(
        rocksdb::BackgroundErrorReason, rocksdb::Status, bool *is_automatic) override {
        *is_automatic = false;
    }

    void forget() {
        std::lock_guard<std::mutex> lock(mutex_);
        message_.clear();
    }

    std::string message() {
        std::lock_guard<std::mutex> lock(mutex_);
        return message_;
    }

  private:
    std::mutex mutex_;
    std::string message_;
};

// RocksDB's log of events, which goes nowhere: when one write to the file of its own logger fails,
// as on a full disk, the next one fails an assertion and ends the process.
class NoLog final : public rocksdb::Logger {
  public:
    using rocksdb::Logger::Logv;
    void Logv(const char *, va_list) override {}
};

}  // namespace

struct apus_store {
    std::string path;
    // Before the database, which uses them to its end.
    std::shared_ptr<apus::MappedFiles> files;
    std::unique_ptr<rocksdb::Env> env;
    rocksdb::Options settings;
    std::shared_ptr<rocksdb::Cache> cache;
    std::unique_ptr<Expiry> expiry;
    std::shared_ptr<ErrorNote> note;
    // Held shared by whoever uses the database, alone by whoever replaces it.
    std::shared_mutex gate;
    // NULL after an error from which it could not be opened again.
    std::unique_ptr<rocksdb::DB> database;
    // One ingestion at a time; guards the flag.
    std::mutex ingesting;
    bool has_failed = false;
};

struct apus_lookup {
    apus_lookup(apus_store *store, size_t count)
        : gate(store->gate), slices(count), values(count), statuses(count) {}

    // First: what is pinned has to be given back before the database may be replaced.
    std::shared_lock<std::shared_mutex> gate;
    std::vector<rocksdb::PinnableSlice> slices;
    std::vector<apus_slice> values;
    std::vector<rocksdb::Status> statuses;
};

struct apus_scan {
    explicit apus_scan(apus_store *store) : gate(store->gate) {}

    std::shared_lock<std::shared_mutex> gate;
    rocksdb::Slice to;
    std::unique_ptr<rocksdb::Iterator> iterator;
};

void apus_store_free_message(char *message) { free(message); }

char *apus_store_open(
    const char *path, const apus_store_options *options, apus_store **result) {
    std::unique_ptr<apus_store> store(new apus_store);
    store->cache = rocksdb::NewLRUCache(options->block_cache_byte_count);
    store->note = std::make_shared<ErrorNote>();
    rocksdb::Options settings = apus::database_settings(*options, store->cache);
    if (options->drops) {
        store->expiry.reset(new Expiry(options->drops, options->context));
        settings.compaction_filter = store->expiry.get();
    }
    settings.listeners.push_back(store->note);
    settings.info_log = std::make_shared<NoLog>();
    store->path = path;
    if (options->maps_files) {
        store->files =
            std::make_shared<apus::MappedFiles>(rocksdb::Env::Default()->GetFileSystem());
        store->env = rocksdb::NewCompositeEnv(store->files);
        settings.env = store->env.get();
    }
    store->settings = settings;
    store->settings.create_if_missing = false;
    rocksdb::DB *database = nullptr;
    rocksdb::Status status = rocksdb::DB::Open(settings, path, &database);
    if (!status.ok()) return apus::message(status);
    store->database.reset(database);
    *result = store.release();
    return nullptr;
}

void apus_store_close(apus_store *store) { delete store; }

char *apus_store_destroy(const char *path) {
    return apus::message(rocksdb::DestroyDB(path, rocksdb::Options()));
}

// What happened when there is no database any more.
static rocksdb::Status gone() {
    return rocksdb::Status::IOError("an earlier error closed it, and it cannot be opened again");
}

// Opens the database anew. All entries that were ingested are there; what a failed ingestion or
// compaction left behind is forgotten. RocksDB's own way, Resume(), gives up after an error in
// the database's own files, and fails assertions after some others.
static rocksdb::Status open_again(apus_store *store) {
    std::unique_lock<std::shared_mutex> gate(store->gate);
    store->database.reset();
    store->note->forget();
    rocksdb::DB *database = nullptr;
    rocksdb::Status status = rocksdb::DB::Open(store->settings, store->path, &database);
    if (status.ok()) store->database.reset(database);
    return status;
}

char *apus_store_get(
    apus_store *store, const apus_slice *keys, size_t count, apus_lookup **result) {
    std::unique_ptr<apus_lookup> lookup(new apus_lookup(store, count));
    if (!store->database) return apus::message(gone());
    std::vector<rocksdb::Slice> slices(count);
    for (size_t i = 0; i < count; i++) slices[i] = apus::slice(keys[i]);
    store->database->MultiGet(
        rocksdb::ReadOptions(), store->database->DefaultColumnFamily(), count, slices.data(),
        lookup->slices.data(), lookup->statuses.data());
    for (size_t i = 0; i < count; i++) {
        const rocksdb::Status &status = lookup->statuses[i];
        if (status.ok()) {
            lookup->values[i] = apus::bytes(lookup->slices[i]);
        } else if (status.IsNotFound()) {
            lookup->values[i] = apus_slice{nullptr, 0};
        } else {
            return apus::message(status);
        }
    }
    *result = lookup.release();
    return nullptr;
}

const apus_slice *apus_lookup_values(const apus_lookup *lookup) { return lookup->values.data(); }

void apus_lookup_destroy(apus_lookup *lookup) { delete lookup; }

apus_scan *apus_store_scan(apus_store *store, apus_slice from, apus_slice to, size_t read_ahead) {
    std::unique_ptr<apus_scan> scan(new apus_scan(store));
    if (!store->database) return scan.release();
    scan->to = apus::slice(to);
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &scan->to;
    if (read_ahead) {
        options.readahead_size = read_ahead;
        options.fill_cache = false;
    }
    scan->iterator.reset(store->database->NewIterator(options));
    scan->iterator->Seek(apus::slice(from));
    return scan.release();
}

bool apus_scan_entry(const apus_scan *scan, apus_slice *key, apus_slice *value) {
    if (!scan->iterator || !scan->iterator->Valid()) return false;
    *key = apus::bytes(scan->iterator->key());
    *value = apus::bytes(scan->iterator->value());
    return true;
}

void apus_scan_next(apus_scan *scan) { scan->iterator->Next(); }

char *apus_scan_message(const apus_scan *scan) {
    return apus::message(scan->iterator ? scan->iterator->status() : gone());
}

void apus_scan_destroy(apus_scan *scan) { delete scan; }

// Makes good what an earlier error has left; the caller has `ingesting`.
static rocksdb::Status recover(apus_store *store) {
    if (!store->has_failed && store->note->message().empty()) return rocksdb::Status::OK();
    rocksdb::Status status = open_again(store);
    store->has_failed = !status.ok();
    return status;
}

char *apus_store_ingest(apus_store *store, const char *const *paths, size_t count) {
    std::lock_guard<std::mutex> alone(store->ingesting);
    rocksdb::Status recovered = recover(store);
    if (!recovered.ok()) return apus::message(recovered);
    rocksdb::IngestExternalFileOptions options;
    options.move_files = true;
    // The age of a file's entries is kept in the manifest; the file stays as it was written.
    options.write_global_seqno = false;
    std::shared_lock<std::shared_mutex> gate(store->gate);
    rocksdb::Status status = store->database->IngestExternalFile(
        std::vector<std::string>(paths, paths + count), options);
    store->has_failed = !status.ok();
    return apus::message(status);
}

char *apus_store_checkpoint(apus_store *store, const char *directory) {
    std::lock_guard<std::mutex> alone(store->ingesting);
    rocksdb::Status recovered = recover(store);
    if (!recovered.ok()) return apus::message(recovered);
    std::shared_lock<std::shared_mutex> gate(store->gate);
    rocksdb::Checkpoint *maker = nullptr;
    rocksdb::Status status = rocksdb::Checkpoint::Create(store->database.get(), &maker);
    std::unique_ptr<rocksdb::Checkpoint> owner(maker);
    // The limit keeps it from flushing write buffers, of which there are none.
    if (status.ok()) status = maker->CreateCheckpoint(directory, UINT64_MAX);
    return apus::message(status);
}

char *apus_store_compact(apus_store *store) {
    std::shared_lock<std::shared_mutex> gate(store->gate);
    if (!store->database) return apus::message(gone());
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    return apus::message(store->database->CompactRange(options, nullptr, nullptr));
}

void apus_store_release_mapped(apus_store *store) {
    if (store->files) store->files->release();
}

static uint64_t property(apus_store *store, const std::string &name) {
    uint64_t value = 0;
    return store->database && store->database->GetIntProperty(name, &value) ? value : 0;
}

void apus_store_settle(apus_store *store) {
    while (property(store, rocksdb::DB::Properties::kNumRunningCompactions) ||
           (property(store, rocksdb::DB::Properties::kCompactionPending) &&
            store->note->message().empty())) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

char *apus_store_background_error(apus_store *store) {
    std::string message = store->note->message();
    return message.empty() ? nullptr : strdup(message.c_str());
}

uint64_t apus_store_run_count(apus_store *store) {
    std::shared_lock<std::shared_mutex> gate(store->gate);
    std::string count;
    if (!store->database
        || !store->database->GetProperty(
            rocksdb::DB::Properties::kNumFilesAtLevelPrefix + "0", &count))
        return 0;
    return strtoull(count.c_str(), nullptr, 10) + 1;
}

apus_store_usage apus_store_usage_now(apus_store *store) {
    using Properties = rocksdb::DB::Properties;
    std::shared_lock<std::shared_mutex> gate(store->gate);
    apus_store_usage usage = {};
    if (!store->database) return usage;
    usage.block_cache_byte_count = store->cache->GetUsage();
    usage.pinned_byte_count = store->cache->GetPinnedUsage();
    usage.mem_table_byte_count = property(store, Properties::kSizeAllMemTables);
    usage.table_reader_byte_count = property(store, Properties::kEstimateTableReadersMem);
    usage.pending_compaction_byte_count =
        property(store, Properties::kEstimatePendingCompactionBytes);
    usage.background_error_count = property(store, Properties::kBackgroundErrors);
    usage.entry_count_estimate = property(store, Properties::kEstimateNumKeys);
    rocksdb::ColumnFamilyMetaData metadata;
    store->database->GetColumnFamilyMetaData(&metadata);
    usage.live_file_byte_count = metadata.size;
    usage.live_file_count = metadata.file_count;
    for (const rocksdb::LevelMetaData &level : metadata.levels) {
        usage.run_count += level.level == 0 ? level.files.size() : !level.files.empty();
    }
    return usage;
}
