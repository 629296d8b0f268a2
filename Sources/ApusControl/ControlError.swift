/// Why a request could not be fulfilled, as it goes over the socket.
package struct ControlError: Error, Codable, Equatable, Sendable, CustomStringConvertible {
    /// What kind of trouble it is, for programs.
    package enum Code: String, Codable, Sendable {
        /// The line is not a request.
        case badRequest = "bad-request"
        /// There is no such method.
        case unknownMethod = "unknown-method"
        /// The parameters are not those of the method.
        case badParameters = "bad-parameters"
        /// Too many others are connected.
        case busy
        /// The job cannot do that as it is.
        case refused
        /// It was tried, and did not succeed.
        case failed
        /// The job has ended, or ends.
        case ended
        /// No job listens; never sent.
        case nobody
        /// The job does not answer; never sent.
        case silent
    }

    /// What kind of trouble it is.
    package let code: Code
    /// What was found, what was expected, and what to do.
    package let message: String

    /// Creates an error.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    // doc: inherited
    package var description: String { message }
}
