#include "mapped_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace apus {

// A file that is read where it is mapped. It never changes: RocksDB's sorted files do not.
class MappedFiles::File final : public rocksdb::FSRandomAccessFile {
  public:
    File(MappedFiles *owner, char *start, size_t byte_count)
        : owner_(owner), start_(start), byte_count_(byte_count) {
        std::lock_guard<std::mutex> lock(owner_->mutex_);
        owner_->files_.insert(this);
    }

    ~File() override {
        // Out of the list first: no address is released that may be somebody else's by then.
        {
            std::lock_guard<std::mutex> lock(owner_->mutex_);
            owner_->files_.erase(this);
        }
        munmap(start_, byte_count_);
    }

    rocksdb::IOStatus Read(
        uint64_t offset, size_t count, const rocksdb::IOOptions &, rocksdb::Slice *result, char *,
        rocksdb::IODebugContext *) const override {
        if (offset > byte_count_) {
            *result = rocksdb::Slice();
            return rocksdb::IOStatus::IOError("a read behind the end of a mapped file");
        }
        *result = rocksdb::Slice(start_ + offset, std::min(count, byte_count_ - size_t(offset)));
        return rocksdb::IOStatus::OK();
    }

    void release() { madvise(start_, byte_count_, MADV_DONTNEED); }

  private:
    MappedFiles *owner_;
    char *start_;
    size_t byte_count_;
};

rocksdb::IOStatus MappedFiles::NewRandomAccessFile(
    const std::string &path, const rocksdb::FileOptions &options,
    std::unique_ptr<rocksdb::FSRandomAccessFile> *result, rocksdb::IODebugContext *context) {
    if (!options.use_mmap_reads) {
        return FileSystemWrapper::NewRandomAccessFile(path, options, result, context);
    }
    auto failed = [&path](const char *what) {
        return rocksdb::IOStatus::IOError(what + path, std::strerror(errno));
    };
    int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return failed("cannot open ");
    struct stat status;
    void *start = MAP_FAILED;
    if (fstat(descriptor, &status) == 0) {
        start = mmap(nullptr, size_t(status.st_size), PROT_READ, MAP_SHARED, descriptor, 0);
    }
    rocksdb::IOStatus outcome =
        start == MAP_FAILED ? failed("cannot map ") : rocksdb::IOStatus::OK();
    close(descriptor);
    if (outcome.ok()) {
        result->reset(new File(this, static_cast<char *>(start), size_t(status.st_size)));
    }
    return outcome;
}

void MappedFiles::release() {
    std::lock_guard<std::mutex> lock(mutex_);
    for (File *file : files_) file->release();
}

}  // namespace apus
