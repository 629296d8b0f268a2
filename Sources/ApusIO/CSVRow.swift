/// The fields of one row of CSV.
///
/// Kept and reused from row to row.
struct CSVRow {
    /// Where a field is in its row, without its quotes.
    struct Field {
        let offset: Int
        let byteCount: Int
        /// Whether quotes inside of it are doubled.
        let hasDoubledQuotes: Bool
    }

    private static let quote = UInt8(ascii: "\"")

    /// The fields of the row that was read last.
    private(set) var fields: [Field] = []

    private let delimiter: UInt8

    /// Creates a reader for rows whose fields are separated by a byte.
    init(delimiter: UInt8) {
        self.delimiter = delimiter
    }

    /// Finds the fields of a row.
    ///
    /// - Parameter row: The row without its line end.
    /// - Throws: ``MalformedRecord`` when quotes are not where RFC 4180 has them.
    mutating func read(_ row: ByteRange) throws(MalformedRecord) {
        fields.removeAll(keepingCapacity: true)
        var index = 0
        while true {
            if index < row.count, row[index] == Self.quote {
                index = try readQuoted(row, from: index + 1)
            } else {
                index = try readPlain(row, from: index)
            }
            if index == row.count { return }
            // Behind each delimiter there is a field, if only an empty one.
            index += 1
        }
    }

    /// Reads a field without quotes; returns the position of the delimiter or of the row's end.
    private mutating func readPlain(
        _ row: ByteRange,
        from start: Int
    ) throws(MalformedRecord) -> Int {
        var index = start
        while index < row.count {
            let byte = row[index]
            if byte == delimiter { break }
            if byte == Self.quote {
                throw MalformedRecord(
                    reason:
                        "a quote inside field \(fields.count + 1), which does not begin with one"
                )
            }
            index += 1
        }
        fields.append(Field(offset: start, byteCount: index - start, hasDoubledQuotes: false))
        return index
    }

    /// Reads a field from behind its opening quote; returns the position behind the closing one.
    private mutating func readQuoted(
        _ row: ByteRange,
        from start: Int
    ) throws(MalformedRecord) -> Int {
        var index = start
        var hasDoubledQuotes = false
        while true {
            guard let quote = row.firstIndex(of: Self.quote, from: index) else {
                throw MalformedRecord(
                    reason: "the quote that begins field \(fields.count + 1) is not closed"
                )
            }
            index = quote + 1
            guard index < row.count, row[index] == Self.quote else {
                guard index == row.count || row[index] == delimiter else {
                    throw MalformedRecord(
                        reason: "text behind the closing quote of field \(fields.count + 1)"
                    )
                }
                fields.append(
                    Field(
                        offset: start,
                        byteCount: quote - start,
                        hasDoubledQuotes: hasDoubledQuotes
                    )
                )
                return index
            }
            hasDoubledQuotes = true
            index += 1
        }
    }
}
