extension GarbageReport {
    /// Some lines for people.
    package var text: String {
        var lines: [String] = []
        let keeps = kept.map { "\($0.number) (\($0.reason.rawValue))" }.joined(separator: ", ")
        lines.append("kept: " + (keeps.isEmpty ? "nothing" : keeps))
        if !removed.isEmpty {
            let numbers = removed.map(String.init).joined(separator: ", ")
            lines.append(
                (isDryRun ? "would remove checkpoints: " : "removed checkpoints: ") + numbers
            )
        }
        let marks = "\(ByteText.files(marked.count)), \(ByteText.format(markedByteCount))"
        lines.append((isDryRun ? "would move to the trash: " : "moved to the trash: ") + marks)
        let deletes = "\(ByteText.files(deleted.count)), \(ByteText.format(deletedByteCount))"
        lines.append(
            (isDryRun ? "would delete from the trash: " : "deleted from the trash: ") + deletes
        )
        if !isDryRun, !marked.isEmpty {
            lines.append("what is in the trash is deleted by the next collection")
        }
        return (lines + notes.map { "note: \($0)" }).joined(separator: "\n")
    }
}
