import ApusCore
import ApusMemory

/// How much memory a subtask's state takes, so that another version's can have as much at hand.
package struct StateOccupancy: Sendable {
    /// Rows in memory, by key group.
    package let rowCounts: [Int]
    /// Bytes in blocks that hang off the rows.
    package let blockByteCount: Int
    /// Timers of event time that are armed, in memory.
    package let eventTimerCount: Int
    /// The same of processing time.
    package let processingTimerCount: Int

    /// Rows in memory.
    package var rowCount: Int { rowCounts.reduce(0, +) }
}

extension KeyedState {
    /// How much memory it takes; what older versions have as well.
    package var occupancy: StateOccupancy {
        let all = [self] + origins.map(\.state)
        return StateOccupancy(
            rowCounts: (0..<groups.count).map { group in
                all.reduce(0) { $0 + $1.table.rowCount(ofGroup: group) }
            },
            blockByteCount: all.reduce(0) { $0 + $1.pool.usedByteCount },
            eventTimerCount: all.reduce(0) { $0 + $1.eventTimers.count },
            processingTimerCount: all.reduce(0) { $0 + $1.processingTimers.count }
        )
    }

    /// Takes as much memory from the system as another state has, so that no callback and no slice
    /// of a sweep waits for it.
    ///
    /// Before the first callback; any one thread.
    ///
    /// - Parameters:
    ///   - occupancy: Of the state whose rows will come here.
    ///   - isEnough: Asked now and then whether to stop; what is missing is taken when it is
    ///     needed.
    package func reserve(_ occupancy: StateOccupancy, until isEnough: () -> Bool) {
        guard occupancy.rowCounts.count == groups.count else { return }
        table.reserve(occupancy.rowCounts, until: isEnough)
        pool.reserve(occupancy.blockByteCount, until: isEnough)
        if timerDomains.contains(.event) {
            eventTimers.reserve(occupancy.eventTimerCount, until: isEnough)
        }
        if timerDomains.contains(.processing) {
            processingTimers.reserve(occupancy.processingTimerCount, until: isEnough)
        }
    }
}
