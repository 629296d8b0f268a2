package import ApusMemory

/// A place for a call, and the call that is in it.
///
/// The task thread.
package final class AsyncCall {
    /// Where a call stands.
    package enum Phase: Equatable, Sendable {
        /// The place is free.
        case free
        /// The plugin is to complete it.
        case underWay
        /// It is completed, or given up.
        case done
        /// It has failed and is begun again at this time, in microseconds.
        case waiting(until: Int64)
    }

    /// The number of the place.
    package let place: Int
    /// The record that it was begun for, alone in a batch.
    package let record = RecordBatch(recordCapacity: 1, arenaCapacity: 64)
    /// The input that the record came in by.
    package var input = 0
    /// Where it stands.
    package var phase = Phase.free
    /// The result, once it is done: `APUS_OK` or a negative code.
    package var status: Int32 = 0
    /// What it has brought; nil when it was given up.
    package var results: AsyncResults?
    /// How often it was begun again.
    package var retryCount = 0
    /// Which of the gate's segments it belongs to.
    package var segment: UInt64 = 0

    var token: UInt64 = 0
    var user: UInt64 = 0
    /// When it is given up, in microseconds of the clock on the wall.
    var deadline = Int64.max

    init(place: Int) { self.place = place }
}
