import CRocksDB
import Glibc

/// Writes sorted entries to files, and begins a new file whenever one is large enough.
///
/// Files of one run do not overlap: a deleted range that lies across a cut is cut as well.
struct SortedRunFile: ~Copyable {
    typealias Bytes = UnsafeRawBufferPointer

    private let prefix: String
    private let fileByteCountMax: Int
    // SAFETY: ours from `init` to `deinit`; it copies what it is given during each call.
    private let writer: OpaquePointer
    private var isFileOpen = false
    private var fileByteCount = 0
    /// A deleted range that reaches up to the next entry or further; its bytes are the buffers'.
    private var range: (from: Bytes, to: Bytes)?

    /// What is written so far.
    private(set) var result = SortedRunResult(paths: [], entryCount: 0, byteCount: 0)

    /// Begins a run; the first file comes with the first entry.
    init(prefix: String, fileByteCountMax: Int) {
        self.prefix = prefix
        self.fileByteCountMax = fileByteCountMax
        guard let writer = apus_run_writer_create() else { preconditionFailure("no memory") }
        self.writer = writer
    }

    deinit {
        apus_run_writer_destroy(writer)
    }

    /// Appends an entry behind all others; nil takes the key's value away.
    @inline(__always)
    mutating func append(key: Bytes, value: Bytes?) throws(StoreError) {
        if range != nil || !isFileOpen || fileByteCount >= fileByteCountMax {
            try prepare(for: key)
        }
        let message =
            if let value {
                apus_run_writer_put(writer, apus_slice(key), apus_slice(value))
            } else {
                apus_run_writer_delete(writer, apus_slice(key))
            }
        if let message { try StoreError.check(message, "write", path) }
        fileByteCount &+= key.count &+ (value?.count ?? 0) &+ 4
        result.entryCount &+= 1
    }

    /// Appends a range that begins behind all others, and not behind the next entry.
    mutating func deleteRange(from: Bytes, to: Bytes) throws(StoreError) {
        try writeRange()
        if !isFileOpen { try open() }
        range = (from, to)
        result.entryCount += 1
    }

    /// Completes the last file.
    mutating func finish() throws(StoreError) {
        try writeRange()
        try close()
    }

    /// Removes the files.
    consuming func abandon() {
        for path in result.paths { unlink(path) }
    }

    private var path: String { result.paths.last ?? prefix }

    private mutating func prepare(for key: Bytes) throws(StoreError) {
        if let range, !key.precedes(range.to) { try writeRange() }
        if isFileOpen, fileByteCount >= fileByteCountMax {
            let cut = range
            if let cut { range = (cut.from, key) }
            try writeRange()
            try close()
            if let cut { range = (key, cut.to) }
        }
        if !isFileOpen { try open() }
    }

    private mutating func writeRange() throws(StoreError) {
        guard let range else { return }
        self.range = nil
        guard range.from.precedes(range.to) else { return }
        try StoreError.check(
            apus_run_writer_delete_range(writer, apus_slice(range.from), apus_slice(range.to)),
            "write",
            path
        )
        fileByteCount += range.from.count + range.to.count
    }

    private mutating func open() throws(StoreError) {
        result.paths.append("\(prefix)-\(result.paths.count).sst")
        try StoreError.check(apus_run_writer_open(writer, path), "create", path)
        isFileOpen = true
        fileByteCount = 0
    }

    private mutating func close() throws(StoreError) {
        guard isFileOpen else { return }
        isFileOpen = false
        var byteCount: UInt64 = 0
        try StoreError.check(apus_run_writer_finish(writer, &byteCount), "write", path)
        result.byteCount += Int(byteCount)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes come before others in the order of keys.
    @inline(__always)
    func precedes(_ other: UnsafeRawBufferPointer) -> Bool {
        // SAFETY: no more is compared than the shorter one has.
        let common = Swift.min(count, other.count)
        guard common > 0, let start = baseAddress, let otherStart = other.baseAddress else {
            return count < other.count
        }
        let order = memcmp(start, otherStart, common)
        return order != 0 ? order < 0 : count < other.count
    }
}
