/// What was found when all files of a checkpoint were read, as `apus checkpoint verify` shows it.
package struct CheckpointVerification: Codable, Equatable, Sendable {
    /// The checkpoint's number.
    package let number: UInt64
    /// The number of its files.
    package let fileCount: Int
    /// The bytes of all its files.
    package let byteCount: Int
    /// What is wrong; empty when every byte is what was written.
    package let problems: [String]

    /// Whether every byte is what was written.
    package var isIntact: Bool { problems.isEmpty }

    /// A line, or one per problem, for people.
    package var text: String {
        guard isIntact else {
            return problems.map { "checkpoint \(number): DAMAGED: \($0)" }.joined(separator: "\n")
        }
        return "checkpoint \(number): intact: \(ByteText.files(fileCount)), "
            + "\(ByteText.format(byteCount)) read"
    }

    /// Reads all files of a checkpoint.
    ///
    /// - Parameters:
    ///   - number: The checkpoint's number; nil stands for the one that `CURRENT` names.
    ///   - folder: Open for reading or writing.
    /// - Throws: ``CheckpointError`` when there is no such checkpoint, or when it is not the disk's
    ///   fault that a file cannot be read.
    package init(_ number: UInt64?, in folder: CheckpointFolder) throws(CheckpointError) {
        if let number {
            self.number = number
        } else {
            self.number = try folder.currentNumber()
        }
        let manifest: Manifest
        do throws(CheckpointError) {
            manifest = try folder.manifest(self.number)
        } catch {
            guard error.kind == .damaged else { throw error }
            (fileCount, byteCount, problems) = (0, 0, [error.description])
            return
        }
        let lease = try folder.lease(self.number)
        defer { lease.release() }
        fileCount = manifest.contentNames.count
        byteCount = manifest.byteCount
        problems = try folder.verifier.problems(manifest.files, isThorough: true)
    }
}
