extension Sequence<Int> {
    /// The sum of lengths and counts that somebody else wrote; `Int.max` when it is more than that.
    var cappedSum: Int {
        reduce(0) { sum, next in
            let (more, isTooLarge) = sum.addingReportingOverflow(Swift.max(0, next))
            return isTooLarge ? .max : more
        }
    }
}
