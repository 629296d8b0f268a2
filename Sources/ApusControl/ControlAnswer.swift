import Foundation

// The lines that go over a control socket; docs/formats/control.md is their description.
//
//     to the job     {"id":I,"method":TEXT,"params":OBJECT}       params may be missing
//     from the job   {"id":I,"progress":{"message":TEXT,"done":N,"total":N}}
//                    {"id":I,"result":VALUE}
//                    {"id":I,"error":{"code":TEXT,"message":TEXT}}
//
// I is a number or a text of the asker's; an error of a line that has none is answered with null.

/// A line from the job, of whatever kind.
struct ControlAnswer: Encodable {
    let id: ControlID
    var progress: ControlProgress?
    var result: (any Encodable)?
    var error: ControlError?

    private enum Key: String, CodingKey {
        case id
        case progress
        case result
        case error
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(id, forKey: .id)
        try container.encodeIfPresent(progress, forKey: .progress)
        if let result { try container.encode(AnyResult(value: result), forKey: .result) }
        try container.encodeIfPresent(error, forKey: .error)
    }

    /// The answer as a line, its end included.
    func line() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        do {
            return Array(try encoder.encode(self)) + [10]
        } catch {
            // A result that JSON cannot say, such as a number that is none.
            let failed = ControlError(.failed, "the answer cannot be said in JSON: \(error)")
            return ControlAnswer(id: id, error: failed).line()
        }
    }

    private struct AnyResult: Encodable {
        let value: any Encodable
        func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
    }
}

/// The head of an answer, for the asking end.
struct ControlAnswerHead: Decodable {
    let id: ControlID
    let progress: ControlProgress?
    let error: ControlError?
}

/// The result in an answer.
struct ControlResult<Value: Decodable>: Decodable {
    let result: Value
}
