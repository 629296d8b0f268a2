/// A position in a job file, for messages.
package struct SourceLocation: Sendable, Hashable {
    /// The line, counted from 1.
    package let line: Int

    /// The column in Unicode scalars, counted from 1.
    package let column: Int

    /// Creates a position from its line and column, both counted from 1.
    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

extension SourceLocation: Comparable {
    /// Orders positions as they are met when reading.
    package static func < (left: SourceLocation, right: SourceLocation) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}
