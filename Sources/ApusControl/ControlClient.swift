package import ApusCore
import Foundation

/// Asks a running job by way of its control socket.
///
/// One thread.  What the job has lent, such as a checkpoint, ends with this object.
package final class ControlClient {
    private let socket: any ConnectedSocket
    private let path: String
    private var framing = LineFraming(byteCountMax: 1 << 30)
    private var nextID: Int64 = 1

    /// A job tells its progress each second, so that one that is silent for so long is stuck.
    private static let silenceMilliseconds: Int32 = 30_000

    /// Connects to a job.
    ///
    /// - Parameters:
    ///   - path: The socket's path.
    ///   - sockets: The seam to sockets.
    /// - Throws: ``ControlError`` when no job listens there.
    package init(_ path: String, sockets: any Sockets) throws(ControlError) {
        self.path = path
        do throws(SocketError) {
            socket = try sockets.connect(path)
        } catch {
            throw ControlError(
                error.kind == .nobody ? .nobody : .failed,
                error.kind == .nobody ? "\(path): no job listens there" : error.description
            )
        }
    }

    deinit { socket.shutDown() }

    /// Asks, and waits for the answer.
    ///
    /// - Parameters:
    ///   - method: What is asked for.
    ///   - parameters: With what.
    ///   - resultType: What the answer is.
    ///   - progress: Gets the progress of what takes long.
    /// - Returns: The answer.
    /// - Throws: ``ControlError``: that of the job, or that it has ended or is silent.
    package func ask<Result: Decodable>(
        _ method: String,
        _ parameters: some Encodable,
        as resultType: Result.Type,
        progress: (ControlProgress) -> Void = { _ in }
    ) throws(ControlError) -> Result {
        let id = nextID
        nextID += 1
        let line: Data
        do {
            let request = ControlRequest(id: id, method: method, params: parameters)
            line = try JSONEncoder().encode(request)
        } catch {
            throw ControlError(.badRequest, "\(method): cannot be said in JSON: \(error)")
        }
        do throws(SocketError) {
            try socket.write(Array(line) + [10], timeoutMilliseconds: Self.silenceMilliseconds)
        } catch {
            // It may have said why before it closed the connection.
            guard error.kind != .timedOut else { throw silent() }
        }
        while true {
            let answer = try nextLine()
            let head: ControlAnswerHead
            do {
                head = try JSONDecoder().decode(ControlAnswerHead.self, from: Data(answer))
                guard head.id == .number(id) || head.id == .none else { continue }
                if head.error == nil, head.progress == nil {
                    return try JSONDecoder()
                        .decode(ControlResult<Result>.self, from: Data(answer)).result
                }
            } catch {
                throw ControlError(
                    .failed,
                    "\(path): the answer to \(method) is not what this version expects: "
                        + "\(ControlConnection.reason(error)); use the apus that runs the job"
                )
            }
            if let error = head.error { throw error }
            if let told = head.progress { progress(told) }
        }
    }

    private func nextLine() throws(ControlError) -> [UInt8] {
        do {
            while true {
                if let line = try framing.next() { return line }
                let bytes = try socket.read(timeoutMilliseconds: Self.silenceMilliseconds)
                guard let bytes else { throw silent() }
                guard !bytes.isEmpty else { throw ended() }
                framing.append(bytes)
            }
        } catch let error as ControlError {
            throw error
        } catch {
            throw ControlError(.ended, "\(path): \(error)")
        }
    }

    private func silent() -> ControlError {
        ControlError(
            .silent,
            "\(path): the job has not answered for \(Self.silenceMilliseconds / 1000) s; is its "
                + "process stopped?"
        )
    }

    private func ended() -> ControlError {
        ControlError(.ended, "\(path): the job has ended before it answered")
    }
}
