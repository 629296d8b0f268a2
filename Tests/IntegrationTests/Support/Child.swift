import Foundation
import Glibc

/// A child process with its standard output and standard error in files.
///
/// It has a process group of its own, no signal blocked or ignored, and is killed, with all of its
/// group, when its time is up or nobody refers to it any more.  Foundation's `Process` is not used
/// because children would inherit the signals that the threads of the test runner block.
final class Child {
    /// What the child gets as standard input.
    enum Input {
        /// Nothing: `/dev/null`.
        case nothing
        /// A pipe, to be written by ``Child/write(_:)`` and closed by ``Child/closeInput()``.
        case pipe
    }

    /// What to start.
    struct Command {
        var arguments: [String]
        var folder: String
        var environment: [String: String]
        var input = Input.nothing

        var text: String { arguments.joined(separator: " ") }
    }

    /// A child that did not start, or did not end in time.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let command: Command
    private let outputPath: String
    private let errorPath: String
    private let startedAt = ContinuousClock.now
    private var process: pid_t = 0
    private var inputWriter: Int32 = -1
    private var hasEnded = false

    /// Starts a program; `arguments[0]` is its path.
    ///
    /// - Parameters:
    ///   - command: What to start.
    ///   - name: What the files for its outputs are called.
    ///   - folder: Where those files are.
    /// - Throws: ``Failure`` when it cannot be started.
    init(_ command: Command, logs name: String, in folder: String) throws {
        self.command = command
        outputPath = "\(folder)/\(name).out"
        errorPath = "\(folder)/\(name).err"
        var readEnd: Int32 = -1
        if command.input == .pipe {
            // A named pipe, because its ends can be opened so that no other child inherits them.
            let pipe = "\(folder)/\(name).in"
            guard mkfifo(pipe, 0o600) == 0 else { throw Self.failure("make \(pipe)", errno) }
            readEnd = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            inputWriter = open(pipe, O_WRONLY | O_CLOEXEC)
            _ = fcntl(readEnd, F_SETFL, O_RDONLY)
        } else {
            readEnd = open("/dev/null", O_RDONLY | O_CLOEXEC)
        }
        let output = open(outputPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        let error = open(errorPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        defer { for descriptor in [readEnd, output, error] { close(descriptor) } }
        try spawn(readEnd, output, error)
    }

    deinit {
        closeInput()
        guard process > 0, !hasEnded else { return }
        kill(-process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    private func spawn(_ input: Int32, _ output: Int32, _ error: Int32) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, error, 2)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))

        // `env` changes the folder and then becomes the program.
        let words = ["/usr/bin/env", "-C", command.folder] + command.arguments
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        var environment: [UnsafeMutablePointer<CChar>?] = command.environment.map {
            strdup("\($0)=\($1)")
        }
        defer { for text in arguments + environment { free(text) } }
        arguments.append(nil)
        environment.append(nil)
        let code = posix_spawn(
            &process,
            words[0],
            &actions,
            &attributes,
            arguments,
            environment
        )
        guard code == 0 else {
            process = 0
            throw Self.failure("start \(command.text)", code)
        }
    }

    private static func failure(_ what: String, _ number: Int32) -> Failure {
        Failure(description: "cannot \(what): \(String(cString: strerror(number)))")
    }

    // MARK: - While it runs

    /// What it has printed to standard output so far.
    var output: String { Self.text(outputPath) }

    /// What it has printed to standard error so far.
    var errors: String { Self.text(errorPath) }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    /// Writes to its standard input.
    func write(_ text: String) throws {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(inputWriter, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Self.failure("write to \(command.text)", errno) }
            bytes = bytes.dropFirst(count)
        }
    }

    /// Ends its standard input.
    func closeInput() {
        if inputWriter >= 0 { close(inputWriter) }
        inputWriter = -1
    }

    /// Sends a signal to it alone.
    func send(_ signal: Int32) { kill(process, signal) }

    /// Waits until something is true; the child may end meanwhile.
    ///
    /// - Throws: ``Failure`` with everything it has printed when that takes too long.
    func wait(
        until what: String,
        atMost seconds: Double = 20,
        _ isTrue: () throws -> Bool
    ) throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try !isTrue() {
            guard ContinuousClock.now < deadline else {
                throw Failure(description: "\(seconds) s passed without: \(what)\n\(story)")
            }
            usleep(2_000)
        }
    }

    private var story: String {
        "$ \(command.text)\nstandard output: \(output.suffix(2_000))\n"
            + "standard error: \(errors.suffix(4_000))"
    }

    // MARK: - The end

    /// Waits for its end.
    ///
    /// - Throws: ``Failure`` when it has not ended in time; it is killed then.
    func finish(atMost seconds: Double = 30) throws -> Run {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            if let run = poll() { return run }
            guard ContinuousClock.now < deadline else {
                throw Failure(description: "did not end within \(seconds) s\n\(story)")
            }
            usleep(2_000)
        }
    }

    /// How it ended, if it has; asked once.
    private func poll() -> Run? {
        var status: Int32 = 0
        guard waitpid(process, &status, WNOHANG) == process else { return nil }
        hasEnded = true
        // What WIFSIGNALED, WTERMSIG and WEXITSTATUS do.
        let signal = status & 0x7f
        return Run(
            command: command.text,
            end: signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal),
            output: output,
            errors: errors,
            seconds: (ContinuousClock.now - startedAt) / .seconds(1)
        )
    }
}
