import Foundation

/// A request at work: what its method gets.
///
/// One thread, that of the connection.
package final class ControlCall {
    private let line: [UInt8]
    private let id: ControlID
    private let connection: ControlConnection

    init(_ line: [UInt8], _ id: ControlID, _ connection: ControlConnection) {
        self.line = line
        self.id = id
        self.connection = connection
    }

    /// Reads the parameters.
    ///
    /// - Parameter type: What they are.
    /// - Returns: The parameters.
    /// - Throws: ``ControlError`` that says what is wrong with them.
    package func parameters<Value: Decodable>(
        _ type: Value.Type
    ) throws(ControlError) -> Value {
        do {
            return try JSONDecoder().decode(ControlParameters<Value>.self, from: Data(line)).params
        } catch {
            throw ControlError(.badParameters, "params: \(ControlConnection.reason(error))")
        }
    }

    /// Tells how far the work is.
    package func tell(_ progress: ControlProgress) {
        connection.send(ControlAnswer(id: id, progress: progress))
    }

    /// Keeps something until the connection ends, such as the lease of a checkpoint.
    ///
    /// - Parameter something: Given back when nobody refers to it any more.
    package func keepUntilTheEnd(_ something: any Sendable) { connection.keep(something) }

    /// Whether nobody waits for the result any more: the asker is gone.
    package var isOver: Bool { connection.isBroken }
}
