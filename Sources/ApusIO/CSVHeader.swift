import ApusMemory

/// The names of the columns, and where the fields that are asked for stand.
struct CSVHeader {
    /// The names in the order of the columns.
    let names: [String]

    /// For each path of ``RecordParsing/fieldPaths`` the position of its column.
    let columns: [Int]

    /// Reads the first row.
    ///
    /// - Parameters:
    ///   - bytes: The row without its line end.
    ///   - delimiter: What is between fields.
    ///   - paths: The fields that are asked for.
    /// - Throws: ``MalformedRecord`` when the row is malformed, not UTF-8, names a column twice or
    ///   has no column for a path.
    init(_ bytes: ByteRange, delimiter: UInt8, paths: [[String]]) throws(MalformedRecord) {
        guard JSONDocument.isUTF8(bytes) else { throw MalformedRecord(reason: "not UTF-8") }
        var row = CSVRow(delimiter: delimiter)
        try row.read(bytes)
        var names: [String] = []
        var positions: [String: Int] = [:]
        for field in row.fields {
            let text = ByteRange(bytes.start + field.offset, count: field.byteCount)
            var name = String(decoding: text.buffer, as: UTF8.self)
            if field.hasDoubledQuotes { name = Self.undoubled(name) }
            guard positions.updateValue(names.count, forKey: name) == nil else {
                throw MalformedRecord(reason: "the column '\(name)' stands there twice")
            }
            names.append(name)
        }
        var columns: [Int] = []
        for path in paths {
            let name = path.joined(separator: ".")
            guard let column = positions[name] else {
                throw MalformedRecord(
                    reason: "there is no column '\(name)'; there are \(Self.list(names))"
                )
            }
            columns.append(column)
        }
        self.names = names
        self.columns = columns
    }

    private static func undoubled(_ name: String) -> String {
        var result = ""
        var isSecond = false
        for character in name.unicodeScalars {
            isSecond = character == "\"" && !isSecond
            if !isSecond { result.unicodeScalars.append(character) }
        }
        return result
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
        return names.count > 20 ? shown + " and \(names.count - 20) more" : shown
    }
}
