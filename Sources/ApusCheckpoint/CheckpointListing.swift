import ApusCore

/// All checkpoints of a folder, as `apus checkpoint list` shows them.
package struct CheckpointListing: Codable, Equatable, Sendable {
    /// The folder's path.
    package let folder: String
    /// The job that it belongs to.
    package let job: String
    /// The checkpoints, oldest first.
    package let checkpoints: [Listed]

    /// Lists the checkpoints of a folder.
    ///
    /// - Parameter folder: Open for reading or writing.
    /// - Throws: ``CheckpointError`` when the disk refuses to read.
    package init(_ folder: CheckpointFolder) throws(CheckpointError) {
        self.folder = folder.path
        job = folder.job
        checkpoints = try folder.list()
    }

    /// A table for people, a line per checkpoint.
    package var text: String {
        guard !checkpoints.isEmpty else {
            return "job '\(job)': no checkpoints in \(folder)"
        }
        let rows = checkpoints.map { element in
            [
                String(element.number), element.kind?.rawValue ?? "?",
                element.createdMicroseconds.map(Self.time) ?? "?",
                element.problem == nil ? ByteText.format(element.byteCount) : "?",
                element.problem == nil ? String(element.fileCount) : "?", Self.state(element),
            ]
        }
        let head = ["NUMBER", "KIND", "CREATED", "SIZE", "FILES", "STATE"]
        return "job '\(job)', \(folder)\n"
            + TextTable.format([head] + rows, rightAligned: [0, 3, 4])
    }

    private static func state(_ element: Listed) -> String {
        var words: [String] = []
        if let problem = element.problem { words.append("DAMAGED: \(problem)") }
        if element.isCurrent { words.append("current") }
        if element.isAbandoned { words.append("abandoned") }
        if element.isFinal { words.append("final: the input had ended") }
        return words.isEmpty ? "complete" : words.joined(separator: ", ")
    }

    /// A time of the wall clock, to the second.
    static func time(_ microseconds: Int64) -> String {
        // Of the years 0 to 9999, whatever was written there.
        let capped = min(max(microseconds, -62_167_219_200_000_000), 253_402_300_799_999_999)
        let second = capped - (capped % 1_000_000 + 1_000_000) % 1_000_000
        return CivilTime(EventTime(microseconds: second)).rfc3339
    }
}
