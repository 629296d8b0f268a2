/// Reads durations as job files have them, for the command line.
package enum DurationArgument {
    /// The duration in microseconds; nil when the text is none.
    package static func microseconds(_ text: String) -> Int64? {
        guard case .success(let value) = DurationParser.parse(text) else { return nil }
        return value
    }
}
