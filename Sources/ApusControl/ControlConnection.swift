import ApusCore
import Foundation
import Synchronization

/// Somebody who is connected to a control socket: reads requests and answers them, one by one.
///
/// Everything but `endReading()` and `isBroken` is for the connection's thread.
final class ControlConnection: Sendable {
    private let socket: any ConnectedSocket
    private let methods: [String: ControlMethod]
    private let limits: ControlLimits
    private let clock: any Clock
    private let broken: Atomic<Bool> = Atomic(false)
    private let kept: Mutex<[any Sendable]> = Mutex([])

    init(
        _ socket: any ConnectedSocket,
        methods: [String: ControlMethod],
        limits: ControlLimits,
        clock: any Clock
    ) {
        self.socket = socket
        self.methods = methods
        self.limits = limits
        self.clock = clock
    }

    /// Whether nothing can be said to the other end any more.
    var isBroken: Bool { broken.load(ordering: .relaxed) }

    func keep(_ something: any Sendable) { kept.withLock { $0.append(something) } }

    /// Takes no more requests; the one at work is still answered.
    ///
    /// Any thread.
    func endReading() { socket.endReading() }

    /// Answers requests until the other end has gone, has been silent for too long, or sends what
    /// cannot be read.
    func run() {
        defer {
            socket.shutDown()
            kept.withLock { $0 = [] }
        }
        var framing = LineFraming(byteCountMax: limits.lineByteCountMax)
        while !isBroken {
            do {
                let isPart = framing.hasPart
                guard let line = try nextLine(&framing) else {
                    if isPart || framing.hasPart { sendHalfLine() }
                    return
                }
                answer(line)
            } catch let error as LineFraming.TooLong {
                let text = "a line of more than \(error.byteCountMax) bytes; what follows is lost"
                send(ControlAnswer(id: .none, error: ControlError(.badRequest, text)))
                return
            } catch {
                return
            }
        }
    }

    /// Reads up to the end of a line; nil at the end of the stream, or when the time is up.
    private func nextLine(_ framing: inout LineFraming) throws -> [UInt8]? {
        if let line = try framing.next() { return line }
        var begin = clock.monotonicNanoseconds()
        while true {
            // Who has begun a line has to go on; who has something lent may take all the time.
            let limit = framing.hasPart ? limits.lineMilliseconds : limits.idleMilliseconds
            let elapsed = (clock.monotonicNanoseconds() - begin) / 1_000_000
            let left = Int64(limit) - elapsed
            if left <= 0, framing.hasPart || kept.withLock({ $0.isEmpty }) { return nil }
            let wait = Int32(clamping: max(1, min(left, 1000)))
            guard let bytes = try socket.read(timeoutMilliseconds: wait) else { continue }
            if bytes.isEmpty { return nil }
            if !framing.hasPart { begin = clock.monotonicNanoseconds() }
            framing.append(bytes)
            if let line = try framing.next() { return line }
        }
    }

    private func sendHalfLine() {
        let error = ControlError(.badRequest, "the line has no end; expected a request in one line")
        send(ControlAnswer(id: .none, error: error))
    }

    private func answer(_ line: [UInt8]) {
        let head: ControlHead
        do {
            head = try JSONDecoder().decode(ControlHead.self, from: Data(line))
        } catch {
            let text =
                "expected {\"id\":1,\"method\":\"job.status\"}, found a line that is none: "
                + Self.reason(error)
            return send(ControlAnswer(id: .none, error: ControlError(.badRequest, text)))
        }
        guard let method = methods[head.method] else {
            let names = methods.keys.sorted().joined(separator: ", ")
            let text = "there is no method '\(head.method)'; expected one of: \(names)"
            return send(ControlAnswer(id: head.id, error: ControlError(.unknownMethod, text)))
        }
        do throws(ControlError) {
            let result = try method.run(ControlCall(line, head.id, self))
            send(ControlAnswer(id: head.id, result: result))
        } catch {
            send(ControlAnswer(id: head.id, error: error))
        }
    }

    /// Sends a line; one that does not read is left to itself.
    func send(_ answer: ControlAnswer) {
        guard !isBroken else { return }
        do throws(SocketError) {
            try socket.write(answer.line(), timeoutMilliseconds: limits.writeMilliseconds)
        } catch {
            broken.store(true, ordering: .relaxed)
        }
    }

    /// What is wrong with JSON, in a sentence.
    static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        switch error {
        case .keyNotFound(let key, let context):
            return "'\(path(context.codingPath + [key]))' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "'\(path(context.codingPath))': \(context.debugDescription)"
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty
                ? "not valid JSON"
                : "'\(path(context.codingPath))': \(context.debugDescription)"
        @unknown default: return "\(error)"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }
}
