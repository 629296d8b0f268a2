package import ApusCore
import Synchronization

/// Answers those who connect to a job's control socket.
///
/// A thread waits for connections, and each connection has one of its own.  None of them touches
/// the job but through its methods.  Whatever comes over the socket ends at most its connection.
package final class ControlServer: Sendable {
    private let listener: any ListeningSocket
    private let methods: [String: ControlMethod]
    private let threads: any Threads
    private let clock: any Clock
    private let limits: ControlLimits
    private let isClosing: Atomic<Bool> = Atomic(false)
    private let state: Mutex<State> = Mutex(State())

    /// How often the thread that waits for connections looks whether it is to end.
    private static let acceptMilliseconds: Int32 = 100

    private struct State {
        var next = 0
        var connections: [Int: ControlConnection] = [:]
        var running: [Int: any RunningThread] = [:]
        /// Threads that have ended and were not joined.
        var ended: [any RunningThread] = []
        var acceptor: (any RunningThread)?
    }

    /// Starts to answer.
    ///
    /// - Parameters:
    ///   - listener: The socket; closed by ``close()``.
    ///   - methods: What may be asked for.
    ///   - threads: Starts the threads.
    ///   - clock: For time-outs.
    ///   - limits: What is put up with.
    package init(
        _ listener: any ListeningSocket,
        methods: [ControlMethod],
        threads: any Threads,
        clock: any Clock,
        limits: ControlLimits = ControlLimits()
    ) {
        self.listener = listener
        self.methods = Dictionary(uniqueKeysWithValues: methods.map { ($0.name, $0) })
        self.threads = threads
        self.clock = clock
        self.limits = limits
        let acceptor = threads.start(name: "apus-control") { [self] in acceptAll() }
        state.withLock { $0.acceptor = acceptor }
    }

    /// Ends: requests that are at work may still be answered, then all connections are closed and
    /// the socket is gone.
    ///
    /// Once; by whoever made it, after the job has ended.
    package func close() {
        isClosing.store(true, ordering: .releasing)
        state.withLock { $0.acceptor }?.join()
        listener.close()
        // Who is in the middle of a request gets its answer; who is idle finds the end.
        for connection in state.withLock({ Array($0.connections.values) }) {
            connection.endReading()
        }
        let left = state.withLock { state in
            defer { (state.running, state.ended) = ([:], []) }
            return Array(state.running.values) + state.ended
        }
        for thread in left { thread.join() }
    }

    private func acceptAll() {
        while !isClosing.load(ordering: .acquiring) {
            joinEnded()
            do throws(SocketError) {
                if let socket = try listener.accept(timeoutMilliseconds: Self.acceptMilliseconds) {
                    take(socket)
                }
            } catch {
                // No more can come; those that are there go on.
                return
            }
        }
    }

    private func take(_ socket: any ConnectedSocket) {
        let isFull = state.withLock { $0.connections.count >= limits.connectionCountMax }
        guard !isFull else {
            return refuse(
                socket,
                "\(limits.connectionCountMax) others are connected to this job, which is the "
                    + "most; try again when one has ended"
            )
        }
        let connection = ControlConnection(
            socket,
            methods: methods,
            limits: limits,
            clock: clock
        )
        // The lock keeps the thread from ending before it is noted.
        let isStarted = state.withLock { state in
            let number = state.next
            let thread = threads.startIfPossible(name: "apus-control-\(number)") { [self] in
                connection.run()
                self.state.withLock { state in
                    state.connections[number] = nil
                    if let thread = state.running.removeValue(forKey: number) {
                        state.ended.append(thread)
                    }
                }
            }
            guard let thread else { return false }
            state.next += 1
            state.connections[number] = connection
            state.running[number] = thread
            return true
        }
        guard !isStarted else { return }
        refuse(
            socket,
            "the job's process may have no more threads; raise its limit (ulimit -u, pids.max), "
                + "or try again later"
        )
    }

    private func refuse(_ socket: any ConnectedSocket, _ text: String) {
        let answer = ControlAnswer(id: .none, error: ControlError(.busy, text))
        // Nothing was sent yet, so there is room; one that is gone needs no answer.
        do { try socket.write(answer.line(), timeoutMilliseconds: 0) } catch { return }
    }

    private func joinEnded() {
        let ended = state.withLock { state in
            defer { state.ended = [] }
            return state.ended
        }
        for thread in ended { thread.join() }
    }
}
