package import ApusCheckpoint

/// How the state of a job has grown between two of its checkpoints, by the counters in their
/// manifests: nothing is scanned.
///
/// Encodes as the JSON of `apus state growth`.
package struct StateGrowth: Encodable, Equatable, Sendable {
    /// A checkpoint.
    package struct Moment: Encodable, Equatable, Sendable {
        /// Its number.
        package let checkpoint: UInt64
        /// When it was taken; RFC 3339.
        package let time: String
        /// The bytes of its files.
        package let byteCount: Int

        init(_ manifest: Manifest) {
            checkpoint = manifest.number
            time = TimeText.text(microseconds: manifest.createdMicroseconds)
            byteCount = manifest.byteCount
        }
    }

    /// A number then and now.
    package struct Change: Encodable, Equatable, Sendable {
        /// In the earlier checkpoint.
        package let before: Int
        /// In the later one.
        package let after: Int
        /// The difference, for an hour; nil when no time lies between the two.
        package let perHour: Int?

        init(_ before: Int, _ after: Int, hours: Double) {
            self.before = before
            self.after = after
            let rate = Double(after - before) / hours
            perHour = hours > 0 && rate.magnitude < 1e18 ? Int(rate.rounded()) : nil
        }

        /// The number now, with its change, as in "1200 (+36 an hour)".
        fileprivate var cells: [String] {
            let difference = after - before
            let sign = difference < 0 ? "" : "+"
            let rate = perHour.map { ($0 < 0 ? "" : "+") + String($0) }
            return [String(after), sign + String(difference), rate ?? "-"]
        }
    }

    /// An operator.
    package struct Operator: Encodable, Equatable, Sendable {
        /// Its id.
        package let id: String
        /// Its keys.
        package let keys: Change
        /// Its armed timers of both kinds.
        package let timers: Change
    }

    /// The earlier checkpoint.
    package let from: Moment
    /// The later one.
    package let to: Moment
    /// The operators of the later one, in its order.
    package let operators: [Operator]

    /// Compares two checkpoints of a job.
    ///
    /// - Parameters:
    ///   - earlier: The one with the lower number.
    ///   - later: The other one.
    package init(from earlier: Manifest, to later: Manifest) {
        from = Moment(earlier)
        to = Moment(later)
        let microseconds = later.createdMicroseconds - earlier.createdMicroseconds
        let hours = Double(microseconds) / 3.6e9
        operators = later.operators.filter { !$0.subtasks.isEmpty }.map { now in
            let then = earlier.operators.first { $0.id == now.id }
            return Operator(
                id: now.id,
                keys: Change(then?.keyCount ?? 0, now.keyCount, hours: hours),
                timers: Change(then?.timerCount ?? 0, now.timerCount, hours: hours)
            )
        }
    }

    /// A table for people.
    package var text: String {
        var table = TextTable(
            ["OPERATOR", "KEYS", "CHANGE", "AN HOUR", "TIMERS", "CHANGE", "AN HOUR"],
            right: [1, 2, 3, 4, 5, 6]
        )
        for found in operators { table.add([found.id] + found.keys.cells + found.timers.cells) }
        let head =
            "from checkpoint \(from.checkpoint), \(from.time), \(SizeText.text(from.byteCount)), "
            + "to \(to.checkpoint), \(to.time), \(SizeText.text(to.byteCount))"
        return ([head] + table.lines).joined(separator: "\n")
    }
}

extension OperatorState {
    /// The keys of all subtasks.
    fileprivate var keyCount: Int { subtasks.reduce(0) { $0 + $1.keyCount } }

    /// The armed timers of all subtasks, as far as they were counted.
    fileprivate var timerCount: Int {
        subtasks.reduce(0) { $0 + ($1.eventTimerCount ?? 0) + ($1.processingTimerCount ?? 0) }
    }
}
