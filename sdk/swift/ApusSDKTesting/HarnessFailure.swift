/// What the operator reports, or what the harness finds fault with.
public struct HarnessFailure: Error, Equatable, CustomStringConvertible {
    /// The code of the ABI; 0 when it is the harness that found fault.
    public let code: Int32

    /// What went wrong.
    public let message: String

    /// Makes a failure, to compare with.
    public init(code: Int32, message: String) {
        self.code = code
        self.message = message
    }

    /// The message with the code.
    public var description: String { "\(message) (code \(code))" }
}
