/// What the bytes of an input are.
package enum RecordFormat: Equatable, Sendable {
    /// What the record of a CSV row is.
    package enum Emission: Equatable, Sendable {
        /// A compact JSON object whose keys are the names in the header and whose values are
        /// strings, or null for null-values.
        case json
        /// The row as it stands in the file, without its line end.
        case line
    }

    /// One JSON object per line; the record is the line.
    case jsonLines

    /// Whatever each line has; nobody looks into it.
    case lines

    /// Whatever each frame has; somebody else tells where frames end, and nobody looks into them.
    case frames

    /// Rows as in RFC 4180, after a header row.  The delimiter is an ASCII byte, neither a quote
    /// nor a line break.
    case csv(delimiter: UInt8, emit: Emission)
}
