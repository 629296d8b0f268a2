package import CApusPlugin

/// Copies of the records that a call has brought.
///
/// Written once, by the thread that completes the call; then read by the task thread.
package final class AsyncResults: @unchecked Sendable {
    // @unchecked because nothing is written after init.

    /// The most records that a call may bring.
    static let countMax: UInt32 = 65_536

    /// The records; key and value point into memory of this object.
    package let records: UnsafeBufferPointer<apus_result>
    private let memory: UnsafeMutableRawPointer

    /// Copies results.
    ///
    /// - Returns: Nil when one of them makes no sense: bytes that are not there, or an output that
    ///   does not exist.
    init?(_ results: UnsafePointer<apus_result>?, count: UInt32, outputCount: Int) {
        guard count == 0 || results != nil, count <= Self.countMax else { return nil }
        let source = UnsafeBufferPointer(start: results, count: Int(count))
        var byteCount: UInt64 = 0
        for result in source {
            guard result.port < outputCount, Self.isSound(result.key), Self.isSound(result.value)
            else { return nil }
            byteCount += result.key.len + result.value.len
        }
        guard byteCount < 1 << 31 else { return nil }
        let headByteCount = source.count * MemoryLayout<apus_result>.stride
        // SAFETY: one block, freed in deinit: the structs, then the bytes they point to.
        memory = .allocate(byteCount: max(1, headByteCount + Int(byteCount)), alignment: 8)
        let copies = memory.bindMemory(to: apus_result.self, capacity: source.count)
        var next = memory + headByteCount
        for (index, result) in source.enumerated() {
            var copy = result
            copy.key = Self.move(result.key, to: &next)
            copy.value = Self.move(result.value, to: &next)
            (copies + index).initialize(to: copy)
        }
        records = UnsafeBufferPointer(start: copies, count: source.count)
    }

    deinit { memory.deallocate() }

    private static func isSound(_ bytes: apus_bytes) -> Bool {
        bytes.len < 1 << 31 && (bytes.len == 0 || bytes.data != nil)
    }

    private static func move(
        _ bytes: apus_bytes,
        to next: inout UnsafeMutableRawPointer
    ) -> apus_bytes {
        // A key without bytes is a key all the same; one without a pointer is none.
        guard let data = bytes.data else { return apus_bytes() }
        let target = next
        target.copyMemory(from: data, byteCount: Int(bytes.len))
        next += Int(bytes.len)
        return apus_bytes(data: target.assumingMemoryBound(to: UInt8.self), len: bytes.len)
    }
}
