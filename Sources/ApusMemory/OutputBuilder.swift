package import CApusPlugin

/// The host's side of an `apus_out`: gives a plugin memory to write records into.
///
/// Inline code of the plugin fills the current batch; when that is full the plugin calls `more`,
/// which sets it aside and supplies another one.  After the callback the owner takes what was
/// written with ``drain(_:)``.  Batches are reused: in the steady state nothing is allocated.
package final class OutputBuilder {
    /// The most bytes that one callback may write before it is told `APUS_LIMIT`.
    package static let byteCountMax: UInt64 = 64 << 20

    /// The most bytes of a record: arenas of records of this size can grow and stay below 2 GiB.
    package static let recordByteCountMax: UInt64 = 512 << 20

    /// The struct that the plugin sees; its address is stable for the builder's life.
    package let out: UnsafeMutablePointer<apus_out>

    private let recordCapacity: Int
    private let arenaCapacity: Int
    private var current: RecordBatch
    private var full: [RecordBatch] = []
    private var spare: [RecordBatch] = []
    private var input: UnsafePointer<apus_batch>?
    private var writtenByteCount: UInt64 = 0

    /// Creates a builder for the output with index `port`.
    ///
    /// - Parameters:
    ///   - port: Its index among the operator's outputs.
    ///   - recordCapacity: Records in a batch.
    ///   - arenaCapacity: Bytes of arena that a batch begins with.
    package init(port: UInt32, recordCapacity: Int, arenaCapacity: Int) {
        self.recordCapacity = recordCapacity
        self.arenaCapacity = arenaCapacity
        current = RecordBatch(recordCapacity: recordCapacity, arenaCapacity: arenaCapacity)
        // SAFETY: freed in deinit; the plugin gets it through a context that dies before.
        out = .allocate(capacity: 1)
        out.initialize(to: apus_out())
        out.pointee.size = UInt32(MemoryLayout<apus_out>.size)
        out.pointee.port = port
        out.pointee.more = { out, byteCount in
            guard let out, let host = out.pointee.host_private else { return APUS_FATAL }
            // SAFETY: host_private is the builder that owns `out`, set below and alive with it.
            return Unmanaged<OutputBuilder>.fromOpaque(host)
                ._withUnsafeGuaranteedRef { $0.more(byteCount) }
        }
        out.pointee.host_private = Unmanaged.passUnretained(self).toOpaque()
        expose()
    }

    deinit {
        out.deinitialize(count: 1)
        out.deallocate()
    }

    /// Whether nothing has been written since ``begin(input:)``.
    package var isEmpty: Bool { out.pointee.count == 0 && full.isEmpty }

    /// How many records have been written since ``begin(input:)``.
    package var recordCount: Int { full.reduce(Int(out.pointee.count)) { $0 + $1.count } }

    /// Whether the plugin's inline code has kept within the memory it was given.
    package var isIntact: Bool {
        Int(out.pointee.count) <= current.recordCapacity
            && Int(out.pointee.used) <= current.arenaCapacity && current.isFenceIntact
    }

    /// Prepares for a callback.
    ///
    /// - Parameter input: The batch whose buffers may be referred to.  The struct must live until
    ///   the callback returns, the buffers until what was written has been drained.  Nil for
    ///   callbacks without records.
    package func begin(input: UnsafePointer<apus_batch>?) {
        self.input = input
        writtenByteCount = 0
        resetCurrent()
        expose()
    }

    /// Hands over what was written, batch by batch, and is empty afterwards.
    package func drain<Failure: Error>(
        _ body: (RecordBatch) throws(Failure) -> Void
    ) throws(Failure) {
        input = nil
        if !full.isEmpty {
            for batch in full { try body(batch) }
            spare.append(contentsOf: full)
            full.removeAll(keepingCapacity: true)
        }
        settle()
        if current.count > 0 { try body(current) }
        resetCurrent()
        expose()
    }

    /// Throws away what was written since ``begin(input:)``.
    package func discard() {
        input = nil
        spare.append(contentsOf: full)
        full.removeAll(keepingCapacity: true)
        resetCurrent()
        expose()
    }

    private func more(_ byteCount: UInt64) -> Int32 {
        guard byteCount <= Self.recordByteCountMax, isIntact else { return APUS_LIMIT }
        settle()
        if current.count < current.recordCapacity, current.count == 0 {
            // A record larger than a whole arena: let this arena grow.
            guard current.reserveArena(Int(byteCount)) else { return APUS_LIMIT }
            expose()
            return APUS_OK
        }
        writtenByteCount += UInt64(current.arenaUsed + current.count * 48)
        guard writtenByteCount < Self.byteCountMax else { return APUS_LIMIT }
        full.append(current)
        current =
            spare.popLast()
            ?? RecordBatch(recordCapacity: recordCapacity, arenaCapacity: arenaCapacity)
        resetCurrent()
        guard current.reserveArena(Int(byteCount)) else { return APUS_LIMIT }
        expose()
        return APUS_OK
    }

    /// Takes over how much the plugin's inline code has written.
    private func settle() {
        current.count = Int(out.pointee.count)
        current.arenaUsed = Int(out.pointee.used)
    }

    private func resetCurrent() {
        if let input {
            current.reset(borrowingFrom: input)
        } else {
            current.reset()
        }
    }

    private func expose() {
        out.pointee.count = UInt32(truncatingIfNeeded: current.count)
        out.pointee.capacity = UInt32(truncatingIfNeeded: current.recordCapacity)
        out.pointee.key = current.keys
        out.pointee.value = current.values
        out.pointee.ts = current.times
        out.pointee.kind = current.kinds
        out.pointee.arena = current.arena
        out.pointee.used = UInt32(truncatingIfNeeded: current.arenaUsed)
        out.pointee.room = UInt32(truncatingIfNeeded: current.arenaCapacity)
        out.pointee.arena_buffer = UInt32(truncatingIfNeeded: current.borrowedBufferCount)
    }
}
