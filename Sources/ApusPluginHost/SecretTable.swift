import CApusPlugin
import Synchronization

/// The secrets of a job, at addresses that stay.
package final class SecretTable: @unchecked Sendable {
    // @unchecked because everything is written once, in init.

    // SAFETY: freed in deinit; instances that may have pointers hold the table until they end.
    private let buffers: [[UInt8]: UnsafeMutableRawBufferPointer]

    /// Creates a table of secrets by their names.
    package init(_ secrets: [String: [UInt8]]) {
        var buffers: [[UInt8]: UnsafeMutableRawBufferPointer] = [:]
        for (name, value) in secrets {
            let buffer = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(1, value.count),
                alignment: 8
            )
            buffer.copyBytes(from: value)
            buffers[Array(name.utf8)] = UnsafeMutableRawBufferPointer(
                rebasing: buffer[..<value.count]
            )
        }
        self.buffers = buffers
    }

    deinit {
        for buffer in buffers.values {
            // What is freed may be given to anybody.
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            buffer.baseAddress?.deallocate()
        }
    }

    /// The secrets by their names; for a process that is to have them as well.
    package var contents: [String: [UInt8]] {
        Dictionary(
            uniqueKeysWithValues: buffers.map { name, value in
                (String(decoding: name, as: UTF8.self), Array(value))
            }
        )
    }

    fileprivate func find(_ name: [UInt8]) -> UnsafeRawBufferPointer? {
        buffers[name].map { UnsafeRawBufferPointer($0) }
    }
}

/// Which secrets each instance may ask for, and the functions by which it does.
enum SecretRegistry {
    private static let tables: Mutex<[UInt64: SecretTable]> = Mutex([:])

    /// Lets an instance ask; before it is created.
    static func register(_ instance: UInt64, _ table: SecretTable?) {
        guard let table else { return }
        tables.withLock { $0[instance] = table }
    }

    /// Ends that; after it is destroyed.
    static func unregister(_ instance: UInt64) {
        _ = tables.withLock { $0.removeValue(forKey: instance) }
    }

    /// The interface `apus.secrets/1`; never freed.
    ///
    /// `nonisolated(unsafe)` because the table is written once, here, and only read after that.
    nonisolated(unsafe) static let functions: UnsafePointer<apus_secrets_api> = {
        let table = UnsafeMutablePointer<apus_secrets_api>.allocate(capacity: 1)
        table.initialize(
            to: apus_secrets_api(
                size: UInt32(MemoryLayout<apus_secrets_api>.size),
                reserved: 0,
                get: { instance, name, length, secret in
                    guard let name, let secret, length <= 4096 else { return APUS_UNSUPPORTED }
                    // SAFETY: the plugin promises so many readable bytes.
                    let bytes = UnsafeRawBufferPointer(start: name, count: Int(length))
                    return SecretRegistry.get(instance, Array(bytes), secret)
                }
            )
        )
        return UnsafePointer(table)
    }()

    private static func get(
        _ instance: UInt64,
        _ name: [UInt8],
        _ secret: UnsafeMutablePointer<apus_bytes>
    ) -> Int32 {
        guard PluginLog.isRegistered(instance) else { return APUS_STALE }
        guard let found = tables.withLock({ $0[instance] })?.find(name) else {
            return APUS_NOT_FOUND
        }
        secret.pointee = apus_bytes(found)
        return APUS_OK
    }
}
