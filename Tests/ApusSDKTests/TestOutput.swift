import CApusPlugin

/// An output that is as narrow as a test wants it.
final class TestOutput {
    let out = UnsafeMutablePointer<apus_out>.allocate(capacity: 1)
    /// What came out so far.
    private(set) var received: [TestRecord] = []
    /// The batch whose bytes may be referred to.
    var input: TestBatch?

    private static let recordCountMax = 4096
    private static let roomAtFirst = 64
    private let limits: TestHost.Limits
    private var segmentCount = 0
    private var countBefore = 0
    /// Two sets of columns in turn, so that a mark of one does not fit the other.
    private var columns: [Columns] = [Columns(), Columns()]
    private var room = roomAtFirst

    private struct Columns {
        let keys = UnsafeMutablePointer<apus_view>.allocate(capacity: recordCountMax)
        let values = UnsafeMutablePointer<apus_view>.allocate(capacity: recordCountMax)
        let times = UnsafeMutablePointer<Int64>.allocate(capacity: recordCountMax)
        let kinds = UnsafeMutablePointer<UInt8>.allocate(capacity: recordCountMax)
        var arena = UnsafeMutablePointer<UInt8>.allocate(capacity: roomAtFirst)
    }

    init(port: UInt32, _ limits: TestHost.Limits) {
        self.limits = limits
        out.initialize(to: apus_out())
        out.pointee.size = UInt32(MemoryLayout<apus_out>.size)
        out.pointee.port = port
        out.pointee.arena_buffer = 1
        out.pointee.host_private = Unmanaged.passUnretained(self).toOpaque()
        out.pointee.more = { out, byteCount in
            guard let host = out?.pointee.host_private else { return APUS_FATAL }
            return Unmanaged<TestOutput>.fromOpaque(host).takeUnretainedValue().more(byteCount)
        }
        expose()
    }

    deinit {
        out.deallocate()
        for columns in columns {
            columns.keys.deallocate()
            columns.values.deallocate()
            columns.times.deallocate()
            columns.kinds.deallocate()
            columns.arena.deallocate()
        }
    }

    /// Whether anything came out of the last callback.
    var hasTaken: Bool { received.count > countBefore }

    func begin() {
        segmentCount = 0
        countBefore = received.count
    }

    /// Takes what was written.
    func drain() {
        let columns = columns[0]
        for index in 0..<Int(out.pointee.count) {
            let hasKey = columns.kinds[index] & UInt8(APUS_KIND_NULL_KEY) == 0
            received.append(
                TestRecord(
                    key: hasKey ? text(columns.keys + index) : nil,
                    value: text(columns.values + index),
                    time: columns.times[index]
                )
            )
        }
        expose()
    }

    private func text(_ view: UnsafeMutablePointer<apus_view>) -> String {
        var buffers = [input.map { UnsafePointer($0.arena) }, UnsafePointer(columns[0].arena)]
        return buffers.withUnsafeMutableBufferPointer {
            let bytes = UnsafeBufferPointer(
                start: apus_view_data(view, $0.baseAddress),
                count: Int(view.pointee.len)
            )
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private func more(_ byteCount: UInt64) -> Int32 {
        if out.pointee.count > 0 {
            guard segmentCount < limits.segmentsPerCallback else { return APUS_LIMIT }
            segmentCount += 1
            drain()
            columns.swapAt(0, 1)
        }
        // An empty output takes a record of any length, or it could never be written.
        if byteCount > UInt64(room) {
            room = Int(byteCount)
            for index in columns.indices {
                columns[index].arena.deallocate()
                columns[index].arena = .allocate(capacity: room)
            }
        }
        expose()
        return APUS_OK
    }

    private func expose() {
        out.pointee.count = 0
        out.pointee.used = 0
        out.pointee.capacity = UInt32(min(limits.recordsPerSegment, Self.recordCountMax))
        out.pointee.room = UInt32(room)
        out.pointee.key = columns[0].keys
        out.pointee.value = columns[0].values
        out.pointee.ts = columns[0].times
        out.pointee.kind = columns[0].kinds
        out.pointee.arena = columns[0].arena
    }
}
