import ApusCore
package import ApusMemory

/// Going back: what lies behind a checkpoint's position is moved to a file beside the target.
extension FileDelivery {
    private static let pieceByteCount = 256 << 10

    // doc: inherited
    package func surplus(
        behind position: [UInt8],
        undelivered: [SealedOutput]
    ) throws(EndpointError) -> String? {
        let state = try read(position, undelivered)
        do throws(DiskError) {
            return try surplus(state).map(describe)
        } catch {
            throw EndpointError(error.description)
        }
    }

    // doc: inherited
    package func rewind(
        to position: [UInt8],
        undelivered: [SealedOutput],
        checkpoint number: UInt64
    ) throws(EndpointError) -> String? {
        let state = try read(position, undelivered)
        do throws(DiskError) {
            guard let range = try surplus(state) else { return nil }
            let aside = disk.freePath("\(path).rewound-\(number)")
            try copy(range, to: aside)
            // Only now: what is cut off is on the disk, under a name that is on the disk.
            let file = try disk.openForWriting(path, appending: true)
            try file.truncate(to: range.lowerBound)
            try file.synchronize()
            try file.close()
            return "\(describe(range)): moved to \(aside)"
        } catch {
            throw EndpointError(error.description)
        }
    }

    private func describe(_ range: Range<Int>) -> String {
        "\(path) has \(range.count) bytes behind byte \(range.lowerBound)"
    }

    /// The bytes behind the position that are not the beginning of what was undelivered there.
    private func surplus(_ state: State) throws(DiskError) -> Range<Int>? {
        let end = try disk.status(path)?.byteCount ?? 0
        guard end > state.base else { return nil }
        let file = try disk.openForReading(path)
        var kept = state.base
        var beginsWithLineFeed = state.beginsWithLineFeed
        for output in state.restored {
            guard let logPath = output.logPath else { continue }
            let log = try SealedLog(
                output,
                at: logPath,
                beginsWithLineFeed: beginsWithLineFeed,
                disk: disk
            )
            beginsWithLineFeed = false
            let equalByteCount =
                try log.firstDifference(in: log.byteCount, with: file, at: kept) ?? log.byteCount
            kept += equalByteCount
            if equalByteCount < log.byteCount { break }
        }
        return kept < end ? kept..<end : nil
    }

    private func copy(_ range: Range<Int>, to target: String) throws(DiskError) {
        let copy = try disk.create(target)
        do throws(DiskError) {
            let file = try disk.openForReading(path)
            let piece = UnsafeMutableRawBufferPointer.allocate(
                byteCount: Self.pieceByteCount,
                alignment: 64
            )
            defer { piece.deallocate() }
            var offset = range.lowerBound
            while offset < range.upperBound {
                // SAFETY: a part of the piece, which lives until return.
                let part = UnsafeMutableRawBufferPointer(
                    rebasing: piece[..<min(piece.count, range.upperBound - offset)]
                )
                let count = try file.read(into: part, atByteOffset: offset)
                guard count > 0 else {
                    throw DiskError(
                        operation: "read",
                        path: path,
                        reason: "it became shorter while it was read: somebody else writes to it"
                    )
                }
                // SAFETY: the first `count` bytes were read just now.
                try copy.write(UnsafeRawBufferPointer(rebasing: part[..<count]))
                offset += count
            }
            try copy.synchronize()
            try copy.close()
            try disk.synchronizeFolder(LinuxDisk.parent(of: target))
        } catch {
            // A part of a copy is of no use; the reason why it is one says more.
            try? disk.remove(target)  // and the next try takes another name
            throw error
        }
    }
}

extension Disk {
    /// A path at which nothing is: the one given, or with the first free number behind it.
    func freePath(_ path: String) -> String {
        var number = 1
        var free = path
        while exists(free) {
            number += 1
            free = "\(path)-\(number)"
        }
        return free
    }
}
