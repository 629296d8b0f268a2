import ApusCore
import ApusMemory

// Where a reader stands, and how another one gets there.
extension RecordReader {
    /// Where the first record is that was not given out; see ``RecordSource/position``.
    ///
    /// What was read ahead does not count.
    var position: FilePosition {
        var position = FilePosition()
        position.delimiter = delimiter
        position.hasEnded = hadEnded || isFinal && window.unread.isEmpty
        position.isSkipping = splitter.isSkipping
        position.offset = window.unreadOffset
        position.lineNumber = splitter.lineNumber
        position.headerEnd = headerEnd
        position.headerHash = headerHash
        position.headHash = headHash(position.sampleByteCount)
        position.tailHash = KeyHash.of(window.tail.buffer)
        return position
    }

    private func headHash(_ byteCount: Int) -> UInt64 {
        // SAFETY: the head has that many bytes, and lives until the closure returns.
        window.head.withUnsafeBytes { head in
            KeyHash.of(UnsafeRawBufferPointer(rebasing: head[..<byteCount]))
        }
    }

    /// Goes to where another reader of the same bytes stood; before the first read.
    ///
    /// - Parameters:
    ///   - position: Where it stood.
    ///   - isPlain: Whether bytes can be passed over; otherwise they are read and dropped.
    /// - Throws: ``EndpointError`` when the file is not what it was.
    func seek(to position: FilePosition, isPlain: Bool) throws(EndpointError) {
        try checkSettings(position)
        if position.offset > 0 {
            try fillHead(position)
            try takeHeader(position)
            if isPlain { try jump(position) }
            try advance(to: position)
        }
        resume(at: position)
    }

    private func checkSettings(_ position: FilePosition) throws(EndpointError) {
        guard position.delimiter == delimiter else {
            throw EndpointError(
                "\(name): was read as \(Self.format(position.delimiter)) when the checkpoint was "
                    + "taken, and is to be read as \(Self.format(delimiter)) now: change the "
                    + "format back, or start the job without the checkpoint"
            )
        }
        guard !position.hasEnded || endPolicy == .ends else {
            throw EndpointError(
                "\(name): had ended when the checkpoint was taken, and is to be followed now: "
                    + "do not follow it, or start the job without the checkpoint"
            )
        }
    }

    private static func format(_ delimiter: UInt8?) -> String {
        guard let delimiter else { return "JSON lines" }
        let isTab = delimiter == UInt8(ascii: "\t")
        return "CSV with " + (isTab ? "tabs" : "'\(Character(Unicode.Scalar(delimiter)))'")
            + " between fields"
    }

    /// Reads the first bytes and compares them.
    private func fillHead(_ position: FilePosition) throws(EndpointError) {
        while window.head.count < position.sampleByteCount {
            guard try fill() else { throw tooShort(position) }
        }
        let found = headHash(position.sampleByteCount)
        guard found == position.headHash else {
            throw changed(
                "its first \(position.sampleByteCount) bytes",
                expected: position.headHash,
                found: found
            )
        }
    }

    /// Reads the header line as it was read when the file was begun.
    private func takeHeader(_ position: FilePosition) throws(EndpointError) {
        guard position.headerEnd > 0 else { return }
        var isAtEnd = false
        while true {
            let isTaken = try takeHeader(isFinal: isAtEnd)
            if isTaken { break }
            if isAtEnd { throw tooShort(position) }
            let hasMore = try fill()
            isAtEnd = !hasMore
        }
        guard headerEnd == position.headerEnd, headerHash == position.headerHash else {
            throw changed("its header line", expected: position.headerHash, found: headerHash)
        }
    }

    /// Passes over what need not be read.
    private func jump(_ position: FilePosition) throws(EndpointError) {
        let sampleOffset = position.offset - position.sampleByteCount
        guard sampleOffset > window.unreadOffset + window.unread.count else { return }
        do throws(DiskError) {
            try file.seek(toByteOffset: sampleOffset)
        } catch {
            throw EndpointError(error.description)
        }
        window.move(to: sampleOffset)
    }

    /// Reads up to the position and compares the bytes before it.
    private func advance(to position: FilePosition) throws(EndpointError) {
        while true {
            let missingByteCount = position.offset - window.unreadOffset
            window.consume(min(missingByteCount, window.unread.count))
            if window.unreadOffset == position.offset { break }
            guard try fill() else { throw tooShort(position) }
        }
        let found = KeyHash.of(window.tail.buffer)
        guard found == position.tailHash else {
            throw changed(
                "the \(position.sampleByteCount) bytes before byte \(position.offset)",
                expected: position.tailHash,
                found: found
            )
        }
    }

    private static let remedy =
        ": put back the file that the job was reading, or start the job without the checkpoint"

    private func tooShort(_ position: FilePosition) -> EndpointError {
        EndpointError(
            "\(name): the checkpoint was taken after \(position.offset) bytes of it, and it has "
                + "only \(window.unreadOffset + window.unread.count): it was shortened or replaced"
                + Self.remedy
        )
    }

    private func changed(_ what: String, expected: UInt64, found: UInt64) -> EndpointError {
        let (expected, found) = (String(expected, radix: 16), String(found, radix: 16))
        return EndpointError(
            "\(name): \(what) had the hash \(expected) when the checkpoint was taken, and now have "
                + "\(found): it was replaced or changed" + Self.remedy
        )
    }

    private var delimiter: UInt8? {
        if case .csv(let delimiter, _) = parsing.format { delimiter } else { nil }
    }
}
