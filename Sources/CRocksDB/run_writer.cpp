#include "CRocksDB.h"

#include <rocksdb/sst_file_writer.h>

#include "store_settings.h"

struct apus_run_writer {
    // The files are looked into next, so they stay in the page cache: RocksDB drops them there by
    // default.
    apus_run_writer()
        : settings(apus::table_settings(nullptr)),
          writer(rocksdb::EnvOptions(), settings, nullptr, false) {}

    rocksdb::Options settings;
    rocksdb::SstFileWriter writer;
};

apus_run_writer *apus_run_writer_create(void) { return new apus_run_writer; }

void apus_run_writer_destroy(apus_run_writer *run) { delete run; }

char *apus_run_writer_open(apus_run_writer *run, const char *path) {
    return apus::message(run->writer.Open(path));
}

char *apus_run_writer_put(apus_run_writer *run, apus_slice key, apus_slice value) {
    return apus::message(run->writer.Put(apus::slice(key), apus::slice(value)));
}

char *apus_run_writer_delete(apus_run_writer *run, apus_slice key) {
    return apus::message(run->writer.Delete(apus::slice(key)));
}

char *apus_run_writer_delete_range(apus_run_writer *run, apus_slice from, apus_slice to) {
    return apus::message(run->writer.DeleteRange(apus::slice(from), apus::slice(to)));
}

char *apus_run_writer_finish(apus_run_writer *run, uint64_t *byte_count) {
    rocksdb::ExternalSstFileInfo info;
    rocksdb::Status status = run->writer.Finish(&info);
    *byte_count = info.file_size;
    return apus::message(status);
}
