// RocksDB's settings, as measured: docs/decisions/state-in-two-tiers.md.
#ifndef STORE_SETTINGS_H
#define STORE_SETTINGS_H

#include <cstdlib>
#include <cstring>
#include <memory>

#include <rocksdb/cache.h>
#include <rocksdb/options.h>
#include <rocksdb/slice.h>
#include <rocksdb/status.h>

#include "CRocksDB.h"

namespace apus {

// How tables are laid out, for databases and for files that are ingested. Without a cache, blocks
// are read where the page cache has them.
rocksdb::Options table_settings(std::shared_ptr<rocksdb::Cache> cache);

// What a database needs besides; everything but the folder.
rocksdb::Options database_settings(
    const apus_store_options &options, std::shared_ptr<rocksdb::Cache> cache);

inline rocksdb::Slice slice(apus_slice bytes) {
    return rocksdb::Slice(static_cast<const char *>(bytes.start), bytes.count);
}

inline apus_slice bytes(const rocksdb::Slice &slice) {
    return apus_slice{slice.data(), slice.size()};
}

// NULL when all is well, else a copy of the reason.
inline char *message(const rocksdb::Status &status) {
    return status.ok() ? nullptr : strdup(status.ToString().c_str());
}

}  // namespace apus

#endif
