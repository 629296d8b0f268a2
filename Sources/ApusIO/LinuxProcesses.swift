package import ApusCore
import Glibc

/// The processes of the kernel.
package struct LinuxProcesses: Processes {
    /// What is kept of a child's standard output; the rest is read and dropped.
    private static let outputByteCountMax = 16 << 20

    /// What is kept of a child's standard error.
    private static let errorOutputByteCountMax = 1 << 20

    /// Creates the seam to real processes.
    package init() {}

    // doc: inherited
    package func runSelf(
        arguments: [String],
        timeoutMilliseconds: Int32
    ) throws(ProcessError) -> ProcessResult {
        // The link leads to the file even when it was moved or replaced in the meantime.
        try run(
            "/proc/self/exe",
            arguments: CommandLine.arguments.prefix(1) + arguments,
            timeoutMilliseconds: timeoutMilliseconds
        )
    }

    // doc: inherited
    package func startSelf(arguments: [String]) throws(ProcessError) -> any RunningProcess {
        try ChildProcess(
            "/proc/self/exe",
            arguments: CommandLine.arguments.prefix(1) + arguments,
            outputs: nil
        )
    }

    /// Runs a program and waits for its end.
    ///
    /// The child has this process's environment, an empty standard input, no signal blocked or
    /// ignored, and none of the files that this module has opened.
    ///
    /// - Parameters:
    ///   - path: The program.
    ///   - arguments: What it gets as arguments, its own name first.
    ///   - timeoutMilliseconds: It is killed after so long.
    /// - Returns: How it ended, and what it printed.
    /// - Throws: ``ProcessError`` when it could not be started.
    func run(
        _ path: String,
        arguments: [String],
        timeoutMilliseconds: Int32
    ) throws(ProcessError) -> ProcessResult {
        let output = try ChildOutput(byteCountMax: Self.outputByteCountMax)
        let errorOutput = try ChildOutput(byteCountMax: Self.errorOutputByteCountMax)
        let child = try ChildProcess(
            path,
            arguments: arguments,
            outputs: ChildProcess.Outputs(output: output.writer, error: errorOutput.writer)
        )
        output.closeWriter()
        errorOutput.closeWriter()
        let end = wait(for: child, [output, errorOutput], timeoutMilliseconds)
        return ProcessResult(end: end, output: output.bytes, errorOutput: errorOutput.bytes)
    }

    /// Reads what the child prints until it has ended or its time is up.
    private func wait(
        for child: ChildProcess,
        _ outputs: [ChildOutput],
        _ timeoutMilliseconds: Int32
    ) -> ProcessResult.End {
        let clock = LinuxClock()
        let deadline = clock.monotonicNanoseconds() + Int64(timeoutMilliseconds) * 1_000_000
        // A child that has closed its pipes can live on, and one that has died can leave them open
        // to a child of its own: so both are watched, the child by asking from time to time.
        var pause: Int32 = 1
        while true {
            if let end = child.end(waiting: false) {
                for output in outputs { output.readWhatIsThere() }
                return end
            }
            guard clock.monotonicNanoseconds() < deadline else {
                child.kill()
                _ = child.end(waiting: true)
                for output in outputs { output.readWhatIsThere() }
                return .timedOut
            }
            if ChildOutput.waitForAny(outputs, milliseconds: pause) {
                for output in outputs { output.readWhatIsThere() }
            } else {
                pause = min(pause * 2, 20)
            }
        }
    }
}
