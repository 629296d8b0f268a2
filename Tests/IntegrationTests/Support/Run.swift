import Foundation
import Testing

/// A program that has ended.
struct Run: CustomStringConvertible {
    /// How.
    enum End: Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    let command: String
    let end: End
    let output: String
    let errors: String
    /// From its start to its end.
    let seconds: Double

    var description: String {
        "\(end) from: \(command)\nstandard output: \(output.suffix(3_000))\n"
            + "standard error: \(errors.suffix(6_000))"
    }

    /// The lines of standard error.
    var errorLines: [Substring] { errors.split(separator: "\n") }

    /// Expects an exit status, and words on standard error.
    func expect(
        status: Int32,
        says words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(end == .exited(status), "\(self)", sourceLocation: sourceLocation)
        expectWords(words, sourceLocation)
    }

    /// Expects success, and words on standard output.
    func expect(prints words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(end == .exited(0), "\(self)", sourceLocation: sourceLocation)
        for word in words where !output.contains(word) {
            Issue.record("no '\(word)' in \(self)", sourceLocation: sourceLocation)
        }
    }

    /// Expects an end by a signal, and words on standard error.
    func expect(
        signal: Int32,
        says words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(end == .signalled(signal), "\(self)", sourceLocation: sourceLocation)
        expectWords(words, sourceLocation)
    }

    private func expectWords(_ words: [String], _ sourceLocation: SourceLocation) {
        for word in words where !errors.contains(word) {
            Issue.record("no '\(word)' in \(self)", sourceLocation: sourceLocation)
        }
        for word in ["Fatal error", "Precondition failed"] where errors.contains(word) {
            Issue.record("the program trapped: \(self)", sourceLocation: sourceLocation)
        }
    }

    /// Standard output as the summary that `apus run --json` prints, and nothing besides.
    func summary() throws -> Summary {
        try JSONDecoder().decode(Summary.self, from: Data(output.utf8))
    }

    /// Standard output as a JSON object, and nothing besides.
    func jsonObject() throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
        return try #require(value as? [String: Any], "no JSON object: \(output)")
    }
}

/// The summary that `apus run --json` prints.
struct Summary: Decodable {
    /// A node of the job.
    struct Node: Decodable {
        let id: String
        let recordsIn: Int
        let recordsOut: Int
        let rejected: Int
        let timersFired: Int
        let armedTimers: Int
        let counters: [String: UInt64]
    }

    let job: String
    let end: String
    let failure: String?
    let seconds: Double
    let sourceRecords: Int
    let deadLetters: Int
    let deadLetterFile: String?
    let nodes: [Node]

    /// A node by its id.
    func node(_ id: String) throws -> Node {
        try #require(nodes.first { $0.id == id }, "no node '\(id)' in the summary")
    }
}
