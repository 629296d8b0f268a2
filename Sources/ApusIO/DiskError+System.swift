package import ApusCore
import Glibc

extension DiskError {
    /// Creates an error from a system error number, with the system's words for it.
    ///
    /// - Parameters:
    ///   - operation: What was tried, as a verb.
    ///   - path: The path, as it was given.
    ///   - number: `errno`, read right after the call that failed.
    package init(_ operation: String, _ path: String, errorNumber number: Int32) {
        self.init(
            operation: operation,
            path: path,
            reason: Self.text(of: number),
            errorNumber: number
        )
    }

    /// The system's words for an error number: `No such file or directory`.
    static func text(of number: Int32) -> String {
        guard let text = strerror(number) else { return "error \(number)" }
        // SAFETY: glibc's strerror returns a string that lasts until this thread's next call.
        return String(cString: text)
    }
}
