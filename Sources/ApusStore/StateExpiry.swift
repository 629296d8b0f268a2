import CRocksDB
import Synchronization

/// What time it is for entries that expire, and how many of them compactions have dropped.
///
/// The owner sets the times, from any thread; compactions read them.  An entry is dropped when it
/// is a row (byte 4 of its key is 0) whose value starts with this header, and its time to expire
/// is not 0 and before now:
///
/// | offset | size | what, big-endian |
/// |---|---|---|
/// | 0 | 1 | format: 1 |
/// | 1 | 1 | flags; bit 0: times are event time, of the operator in the key; else processing time |
/// | 2 | 2 | 0 |
/// | 4 | 4 | last write, seconds since 2020-01-01 UTC |
/// | 8 | 4 | expires at, seconds since 2020-01-01 UTC; 0 = never |
///
/// All other entries stay.
package final class StateExpiry: @unchecked Sendable {
    // @unchecked because it holds a pointer; what it points to is atomic.

    private static let operatorCount = 1 << 16

    // SAFETY: a place for each possible operator number, from `init` to `deinit`.
    private let eventTimes: UnsafeMutablePointer<Atomic<UInt32>>
    private let processingTime: Atomic<UInt32> = Atomic(0)
    private let entriesDropped: Atomic<Int> = Atomic(0)
    private let bytesDropped: Atomic<Int> = Atomic(0)

    /// Creates it with all times at 0: nothing expires.
    package init() {
        eventTimes = .allocate(capacity: Self.operatorCount)
        for number in 0..<Self.operatorCount { (eventTimes + number).initialize(to: Atomic(0)) }
    }

    deinit {
        eventTimes.deinitialize(count: Self.operatorCount)
        eventTimes.deallocate()
    }

    /// Sets the processing time.
    ///
    /// - Parameter seconds: Seconds since 2020-01-01 UTC.
    package func setProcessingTime(seconds: UInt32) {
        processingTime.store(seconds, ordering: .relaxed)
    }

    /// Sets an operator's event time.
    ///
    /// - Parameters:
    ///   - number: The operator.
    ///   - seconds: Seconds since 2020-01-01 UTC.
    package func setEventTime(ofOperator number: UInt16, seconds: UInt32) {
        eventTimes[Int(number)].store(seconds, ordering: .relaxed)
    }

    /// How many entries were dropped so far.
    package var droppedEntryCount: Int { entriesDropped.load(ordering: .relaxed) }

    /// The lengths of their keys and values.
    package var droppedByteCount: Int { bytesDropped.load(ordering: .relaxed) }

    /// Whether an entry is past its time.
    ///
    /// - Parameters:
    ///   - key: As in the database.
    ///   - value: As in the database.
    /// - Returns: False for everything that is not a row with a header of format 1.
    func hasExpired(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Bool {
        guard key.count >= 5, key[4] == 0, value.count >= 12, value[0] == 1 else { return false }
        let expiry = UInt32(bigEndian: value.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        guard expiry != 0 else { return false }
        guard value[1] & 1 != 0 else { return expiry < processingTime.load(ordering: .relaxed) }
        let number = UInt16(bigEndian: key.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        return expiry < eventTimes[Int(number)].load(ordering: .relaxed)
    }

    /// Counts an entry that a compaction drops.
    func countDropped(byteCount: Int) {
        entriesDropped.add(1, ordering: .relaxed)
        bytesDropped.add(byteCount, ordering: .relaxed)
    }

    /// What compactions call for each entry, on their threads.
    static let drops: @convention(c) (UnsafeMutableRawPointer?, apus_slice, apus_slice) -> Bool = {
        context,
        key,
        value in
        guard let context else { return false }
        // SAFETY: the database keeps the object until it is closed; both are valid during the call.
        let expiry = Unmanaged<StateExpiry>.fromOpaque(context).takeUnretainedValue()
        guard expiry.hasExpired(key: key.buffer, value: value.buffer) else { return false }
        expiry.countDropped(byteCount: key.count + value.count)
        return true
    }
}
