/// The seam to other processes.
package protocol Processes: Sendable {
    /// Runs this very program with other arguments and waits for its end.
    ///
    /// - Parameters:
    ///   - arguments: Those behind the program's name.
    ///   - timeoutMilliseconds: The child is killed after so long.
    /// - Returns: How the child ended, and what it printed.
    /// - Throws: ``ProcessError`` when no child could be started.
    func runSelf(
        arguments: [String],
        timeoutMilliseconds: Int32
    ) throws(ProcessError) -> ProcessResult

    /// Starts this very program with other arguments; it has the three standard files of this one.
    ///
    /// - Parameter arguments: Those behind the program's name.
    /// - Returns: The child.
    /// - Throws: ``ProcessError`` when no child could be started.
    func startSelf(arguments: [String]) throws(ProcessError) -> any RunningProcess
}

/// A child process that must be asked for its end until it has one.
///
/// One thread at a time.
package protocol RunningProcess: AnyObject {
    /// How it ended; nil while it runs.  Not to be asked again after it has ended.
    ///
    /// - Parameter waiting: Whether to wait for the end.
    /// - Returns: How it ended, if it has.
    func end(waiting: Bool) -> ProcessResult.End?

    /// Asks it to end: as Ctrl-C does, or as `kill` does.
    func ask(toEnd request: EndRequest)

    /// Ends it at once, and what it has started.  Not after its end.
    func kill()
}

/// What asks a program to end.
package enum EndRequest: Equatable, Sendable {
    /// Ctrl-C.
    case interrupt
    /// What `kill` and service managers send.
    case terminate
}

/// How a child process ended, and what it printed.
package struct ProcessResult: Sendable {
    /// How a process can end.
    package enum End: Equatable, Sendable {
        /// By itself, with a status.
        case exited(Int32)
        /// By a signal.
        case signalled(Int32)
        /// It was killed because its time was up.
        case timedOut
    }

    /// How it ended.
    package let end: End
    /// What it wrote to standard output, at most 16 MiB.
    package let output: [UInt8]
    /// What it wrote to standard error, at most 1 MiB.
    package let errorOutput: [UInt8]

    /// Creates a result.
    package init(end: End, output: [UInt8], errorOutput: [UInt8]) {
        self.end = end
        self.output = output
        self.errorOutput = errorOutput
    }
}

/// Why a child process could not be started.
package struct ProcessError: Error, Sendable, CustomStringConvertible {
    /// The reason in words.
    package let description: String

    /// Creates an error.
    package init(_ description: String) {
        self.description = description
    }
}
