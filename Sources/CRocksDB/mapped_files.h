// Sorted files that are mapped, and given back to the system page by page.
#ifndef MAPPED_FILES_H
#define MAPPED_FILES_H

#include <memory>
#include <mutex>
#include <set>

#include <rocksdb/file_system.h>

namespace apus {

// RocksDB maps files by itself, too, but nobody can reach its mappings: what was looked at once
// counts as the process's memory until the file is gone. A compaction looks at everything.
class MappedFiles final : public rocksdb::FileSystemWrapper {
  public:
    class File;

    explicit MappedFiles(const std::shared_ptr<rocksdb::FileSystem> &below)
        : FileSystemWrapper(below) {}

    const char *Name() const override { return "apus.mapped-files"; }

    // Maps the file when the options ask for it.
    rocksdb::IOStatus NewRandomAccessFile(
        const std::string &path, const rocksdb::FileOptions &options,
        std::unique_ptr<rocksdb::FSRandomAccessFile> *result,
        rocksdb::IODebugContext *context) override;

    // Takes all pages out of the process; they come back from the page cache when they are needed.
    void release();

  private:
    std::mutex mutex_;
    std::set<File *> files_;
};

}  // namespace apus

#endif
