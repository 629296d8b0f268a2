/// Rows of text in columns.
struct TextTable {
    private var rows: [[String]]
    private let rightColumns: Set<Int>

    /// Creates a table with its head.
    ///
    /// - Parameters:
    ///   - head: The columns' titles.
    ///   - right: The columns that are set flush right: numbers.
    init(_ head: [String], right: Set<Int>) {
        rows = [head]
        rightColumns = right
    }

    /// Appends a row.
    mutating func add(_ row: [String]) { rows.append(row) }

    /// The lines.
    var lines: [String] {
        let columnCount = rows.map(\.count).max() ?? 0
        let widths = (0..<columnCount).map { column in
            rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let blank = String(repeating: " ", count: widths[column] - cell.count)
                let isLast = column == row.count - 1
                if rightColumns.contains(column) {
                    line += blank + cell
                } else {
                    line += isLast ? cell : cell + blank
                }
                if !isLast { line += "  " }
            }
            return line
        }
    }
}

/// Sizes as people read them.
package enum SizeText {
    /// A number of bytes in the largest unit in which it is at least 1, with a digit behind it.
    package static func text(_ byteCount: Int) -> String {
        let units: [(name: String, byteCount: Int)] = [
            ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ]
        for unit in units where byteCount >= unit.byteCount {
            let tenths = byteCount / (unit.byteCount / 1024) * 10 / 1024
            return "\(tenths / 10).\(tenths % 10) \(unit.name)"
        }
        return "\(byteCount) B"
    }
}
