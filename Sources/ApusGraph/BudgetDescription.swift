/// How much memory a worker's rows, block cache and write buffers may take together.
package enum BudgetDescription: Sendable, Hashable {
    /// So many bytes.
    case bytes(Int)
    /// So much of the memory that the worker may use: its cgroup's limit, or the machine's memory.
    case percent(Int)

    /// The least budget in bytes: below it the write buffers alone would not fit.
    package static let byteCountMin = 32 << 20

    /// The possible values of ``percent(_:)``.
    ///
    /// Batches, rings and plugins need memory too, and no budget counts theirs.
    package static let percentRange = 1...90

    /// The budget when the author gives none.
    package static let standard = BudgetDescription.percent(50)

    /// The budget in bytes, but no less than ``byteCountMin``.
    ///
    /// - Parameter limitByteCount: The memory that the worker may use.
    /// - Returns: The number of bytes.
    package func byteCount(ofLimit limitByteCount: Int) -> Int {
        switch self {
        case .bytes(let byteCount): max(byteCount, Self.byteCountMin)
        case .percent(let percent): max(limitByteCount / 100 * percent, Self.byteCountMin)
        }
    }

    /// The budget as the job file has it.
    package var text: String {
        switch self {
        case .bytes(let byteCount): ByteSizeText.format(byteCount: byteCount)
        case .percent(let percent): "\(percent)%"
        }
    }
}
