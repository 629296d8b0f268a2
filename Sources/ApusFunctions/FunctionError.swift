/// Why a C function cannot be called, or has failed.
package struct FunctionError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Which function: `function pow of libm.so.6`.
    package let function: String
    /// What is wrong, and how to mend it.
    package let message: String

    /// Creates an error.
    package init(_ function: String, _ message: String) {
        self.function = function
        self.message = message
    }

    /// One line.
    package var description: String { "\(function): \(message)" }
}
