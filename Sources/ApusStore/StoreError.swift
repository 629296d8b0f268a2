import CRocksDB

/// Why an operation on the state database, or on files for it, failed.
package struct StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried, as a verb: "open", "ingest into".
    package let operation: String
    /// The database's folder, or the file.
    package let path: String
    /// The reason in words: RocksDB's, or the system's.
    package let reason: String

    /// Creates an error.
    package init(operation: String, path: String, reason: String) {
        self.operation = operation
        self.path = path
        self.reason = reason
    }

    /// One sentence: `cannot open state database job/db: Corruption: ...`.
    package var description: String { "cannot \(operation) state database \(path): \(reason)" }

    /// Whether the reason is a full disk or a used-up quota.
    package var isOutOfSpace: Bool {
        // The system's words (in the C locale, which the program never leaves), and RocksDB's own
        // for its status "no space".
        reason.contains("No space left on device") || reason.contains("Disk quota exceeded")
            || reason.contains("Max allowed space was reached")
    }

    /// Turns RocksDB's message into an error.
    ///
    /// - Parameters:
    ///   - message: What a function said; nil when all is well. Freed here.
    ///   - operation: What was tried, as a verb.
    ///   - path: The database's folder, or the file.
    /// - Throws: ``StoreError`` when there is a message.
    static func check(
        _ message: UnsafeMutablePointer<CChar>?,
        _ operation: String,
        _ path: String
    ) throws(StoreError) {
        // SAFETY: the message ends with 0 and is ours to free, once.
        guard let message else { return }
        defer { apus_store_free_message(message) }
        throw StoreError(operation: operation, path: path, reason: String(cString: message))
    }
}

extension apus_slice {
    /// The bytes of a buffer, for a call during which it is valid.
    @inline(__always)
    init(_ buffer: UnsafeRawBufferPointer) {
        self.init(start: buffer.baseAddress, count: buffer.count)
    }

    /// The bytes as a buffer.
    @inline(__always)
    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
}
