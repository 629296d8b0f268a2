package import ApusGraph

extension FunctionDescription {
    /// What the function is tried with, a value per argument in each row; see ``samples``.
    ///
    /// Small positive numbers and short strings, where the job file says nothing; constants are
    /// what they are.
    package var trialRows: [[String]] {
        samples
            ?? (0..<Self.trialCount).map { row in
                zip(arguments, signature.arguments).enumerated().map { index, pair in
                    if case .constant(let text) = pair.0 { return text }
                    return Self.sample(pair.1, row, index)
                }
            }
    }

    private static let trialCount = 3
    private static let words = ["apus", "2026-01-02", "17"]

    private static func sample(
        _ parameter: FunctionSignature.Parameter,
        _ row: Int,
        _ index: Int
    ) -> String {
        switch parameter {
        case .number(.bool), .column(.bool): (row + index) % 2 == 0 ? "true" : "false"
        case .number(.f32), .number(.f64), .column(.f32), .column(.f64): "\(row + index + 1).5"
        case .number, .column: "\(row + index + 1)"
        case .string, .stringColumn, .bytes: words[row % words.count]
        case .out, .outColumn, .count: ""
        }
    }
}
