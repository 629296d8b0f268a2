/// How long something takes, as a histogram: which share of all cases falls between which delays.
///
/// Tables of integers stand in for the usual curves, because logarithms and exponentials are not
/// the same on every machine.
struct DelayTable {
    /// A share of the cases.
    struct Row {
        let percent: UInt64
        /// The delays in milliseconds, all equally likely; `nil` if it never happens.
        let delay: ClosedRange<Int64>?

        /// Cases that take at least `shortest` and at most `longest` milliseconds.
        static func share(_ percent: UInt64, from shortest: Int64, to longest: Int64) -> Row {
            Row(percent: percent, delay: shortest...longest)
        }

        /// Cases that take exactly `delay` milliseconds: those that meet a deadline to the instant.
        static func share(_ percent: UInt64, exactly delay: Int64) -> Row {
            Row(percent: percent, delay: delay...delay)
        }

        /// Cases that never end.
        static func never(_ percent: UInt64) -> Row {
            Row(percent: percent, delay: nil)
        }
    }

    private let rows: [Row]

    /// Creates a table.
    ///
    /// - Precondition: The shares add up to 100 percent.
    init(_ rows: [Row]) {
        precondition(rows.reduce(0) { $0 + $1.percent } == 100, "the shares are not 100 percent")
        self.rows = rows
    }

    /// Draws a delay in milliseconds; `nil` for never.
    func draw(_ random: inout SeededRandom) -> Int64? {
        var rest = random.next(below: 100)
        for row in rows {
            if rest < row.percent { return row.delay.map { random.next(in: $0) } }
            rest -= row.percent
        }
        preconditionFailure("the shares are 100 percent, and the draw was below 100")
    }
}
