/// Which timers have fired: a bit for each, so that one that is missing and one that fires twice
/// cannot make up for each other.
package struct TimerTally: Sendable {
    /// How many timers were armed, numbered from 0.
    package let armedCount: Int
    /// How many times a timer fired.
    package private(set) var firedCount = 0
    /// How many times a timer fired that had fired before.
    package private(set) var doubledCount = 0
    /// How many times something fired that was never armed.
    package private(set) var strangerCount = 0
    /// How many times a timer fired behind one of a later time, on the same subtask.
    package private(set) var disorderCount = 0
    private var bits: [UInt64]
    private var lastTime = Int64.min

    /// Creates a tally of timers of which none has fired.
    package init(armedCount: Int) {
        self.armedCount = armedCount
        bits = Array(repeating: 0, count: (armedCount + 63) / 64)
    }

    /// How many timers have not fired.
    package var lostCount: Int {
        armedCount - bits.reduce(0) { $0 + $1.nonzeroBitCount }
    }

    /// Notes that a timer has fired.
    ///
    /// - Parameters:
    ///   - number: Its number.
    ///   - time: Its time.
    package mutating func add(_ number: UInt64, time: Int64) {
        firedCount += 1
        if time < lastTime { disorderCount += 1 }
        lastTime = time
        guard number < UInt64(armedCount) else {
            strangerCount += 1
            return
        }
        let bit = UInt64(1) << (number % 64)
        if bits[Int(number / 64)] & bit != 0 { doubledCount += 1 }
        bits[Int(number / 64)] |= bit
    }

    /// Adds what another subtask has seen.
    package mutating func add(_ other: TimerTally) {
        precondition(other.armedCount == armedCount, "tallies of the same timers")
        firedCount += other.firedCount
        doubledCount += other.doubledCount
        strangerCount += other.strangerCount
        disorderCount += other.disorderCount
        for index in bits.indices {
            doubledCount += (bits[index] & other.bits[index]).nonzeroBitCount
            bits[index] |= other.bits[index]
        }
    }
}
