import ApusControl
import ApusCore
import ApusIO
import ApusRuntime
import Foundation
import Synchronization

/// The process of a shadow, as the job sees it: started, fed, and ended by one thread.
final class ShadowProcess: Sendable {
    /// How it ended.
    enum End: Equatable, Sendable {
        /// It was told that there is nothing more, and has said its last word.
        case finished
        /// It cannot go on, for this reason.
        case failed(String)
    }

    private struct State {
        var report = ShadowReport()
        var end: End?
    }

    private let world: World
    private let subtask: Int
    private let path: String
    private let source: JobRun.ShadowSource
    private let state: Mutex<State> = Mutex(State())

    private static let startMilliseconds: Int32 = 10_000
    /// How long the new version may take for what it was sent.
    private static let hangNanoseconds: Int64 = 10_000_000_000
    private static let writeMilliseconds: Int32 = 10_000
    private static let lineByteCountMax = 1 << 20
    private static let waitNanoseconds: Int64 = 10_000_000

    /// Creates the process of a subtask's shadow; see ``run()``.
    ///
    /// - Parameters:
    ///   - source: The subtask.
    ///   - subtask: Its number.
    ///   - path: Where a socket may be made.
    ///   - world: The seams.
    init(_ source: JobRun.ShadowSource, subtask: Int, at path: String, _ world: World) {
        self.source = source
        self.subtask = subtask
        self.path = path
        self.world = world
    }

    /// What it has found so far.
    var report: ShadowReport { state.withLock { $0.report } }

    /// How it ended; nil while it runs.
    var end: End? { state.withLock { $0.end } }

    /// Has it end with what it has been sent so far.
    func finish() { source.feed.close() }

    /// Starts it and feeds it until it ends; the thread has to live as long as it.
    func run() {
        let end: End
        do {
            end = try serve()
        } catch {
            end = .failed("\(error)")
        }
        source.feed.close()
        state.withLock { $0.end = end }
    }

    private func serve() throws -> End {
        let listener = try world.sockets.listen(path)
        defer { listener.close() }
        let child = Child(try world.processes.startSelf(arguments: ["shadow", path]))
        defer { child.endNow() }
        guard let socket = try listener.accept(timeoutMilliseconds: Self.startMilliseconds) else {
            return .failed("its process did not start within 10 s")
        }
        do {
            return try feed(socket)
        } catch let error as SocketError {
            return .failed(Self.text(of: child, error))
        }
    }

    /// The process; one thread's.
    private final class Child {
        private let process: any RunningProcess
        private(set) var end: ProcessResult.End?

        init(_ process: any RunningProcess) { self.process = process }

        /// Whether it has ended.
        func hasEnded() -> Bool {
            if end == nil { end = process.end(waiting: false) }
            return end != nil
        }

        /// Ends it.
        func endNow() {
            guard !hasEnded() else { return }
            process.kill()
            end = process.end(waiting: true)
        }
    }

    // MARK: - The conversation

    private func feed(_ socket: any ConnectedSocket) throws -> End {
        var lines = LineFraming(byteCountMax: Self.lineByteCountMax)
        try socket.write(source.setup, timeoutMilliseconds: Self.writeMilliseconds)
        var lastWord = world.clock.monotonicNanoseconds()
        var isEnding = false
        while true {
            let messages =
                isEnding ? [] : source.feed.take(waitingNanoseconds: Self.waitNanoseconds)
            for message in messages {
                try socket.write(message, timeoutMilliseconds: Self.writeMilliseconds)
            }
            if messages.isEmpty, source.feed.isClosed, !isEnding {
                isEnding = true
                try socket.write(JobRun.shadowEnd, timeoutMilliseconds: Self.writeMilliseconds)
            }
            let now = world.clock.monotonicNanoseconds()
            if let bytes = try socket.read(timeoutMilliseconds: isEnding ? 100 : 0) {
                guard !bytes.isEmpty else {
                    throw SocketError(.system, "the process of the shadow is gone")
                }
                lastWord = now
                lines.append(bytes)
                while let line = try lines.next() { try note(line) }
                let report = report
                if let failure = report.failure { return .failed(failure) }
                if report.isFinal { return .finished }
            }
            guard now - lastWord < Self.hangNanoseconds else {
                return .failed("it did not come to an end within 10 s with what it was given")
            }
        }
    }

    private func note(_ line: [UInt8]) throws {
        let report = try JSONDecoder().decode(ShadowReport.self, from: Data(line))
        state.withLock { $0.report = report }
    }

    /// Why the conversation has ended.
    private static func text(of child: Child, _ error: SocketError) -> String {
        guard error.kind != .timedOut else {
            return "it took longer than 10 s for what it was given"
        }
        // A process that has closed its socket is about to end.
        for _ in 0..<100 where !child.hasEnded() { LinuxThreads.sleep(milliseconds: 10) }
        switch child.end {
        case .exited(let status): return "it ended its process with status \(status)"
        case .signalled(let signal):
            return "it crashed (\(SignalName.of(signal))); its report is in the job's log"
        case .timedOut, nil: return error.description
        }
    }
}
