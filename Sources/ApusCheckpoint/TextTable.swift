/// Rows of cells with columns one below the other.
enum TextTable {
    /// Formats rows of equal length.
    ///
    /// - Parameters:
    ///   - rows: The head first.
    ///   - rightAligned: The columns whose cells end one below the other.
    /// - Returns: A line per row, without a newline at the end.
    static func format(_ rows: [[String]], rightAligned: Set<Int> = []) -> String {
        let widths = (rows.first ?? []).indices.map { column in
            rows.map { $0[column].count }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let blanks = String(repeating: " ", count: widths[column] - cell.count)
                line += rightAligned.contains(column) ? blanks + cell : cell + blanks
                line += "  "
            }
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
