package import ApusCore
import ApusMemory
import ApusStore
import CApusPlugin
import CApusShims

// The sweep: rows of older versions that nothing asks for are moved in slices of time.
//
// SAFETY: bounds of a scan are written as long as they are counted.
extension KeyedState {
    /// Rows that are moved between two looks at the clock.
    private static let rowsPerLook = 16
    /// Keys that are brought from the database at a time.
    private static let keysPerScan = 64

    /// Whether rows of older versions may be left.
    package var isMigrating: Bool { hasOrigins }

    /// Keys that are left in older versions, as far as they are counted.
    package var originKeyCount: Int { origins.reduce(0) { $0 + $1.state.keyCount } }

    /// Moves rows of older versions here, until the time is up.
    ///
    /// Between callbacks.  Whoever is done with an origin forgets it.
    ///
    /// - Parameters:
    ///   - deadline: When to stop, by `clock`'s monotonic time.
    ///   - clock: The clock.
    package func sweepOrigins(untilNanoseconds deadline: Int64, clock: any Clock) {
        guard hasOrigins else { return }
        for origin in origins {
            while origin.sweep != .done, failure == nil, clock.monotonicNanoseconds() < deadline {
                step(origin)
            }
            origin.state.removeEmptied()
        }
        Failpoint.hit(.m3)
        if origins.contains(where: isOver) {
            // Not freed here: giving gigabytes back takes the system a second.
            dead += origins.filter(isOver).map { DeadRows($0.state) }
            origins.removeAll(where: isOver)
            hasOrigins = !origins.isEmpty
            if !hasOrigins { mayHideOrigins = false }
        }
    }

    /// Takes what is left of older versions whose rows were all moved, to be let go on a thread
    /// that has time.
    package func takeDead() -> [DeadRows] {
        guard !dead.isEmpty else { return [] }
        defer { dead = [] }
        return dead
    }

    /// Whether nothing is left of an origin, deletions that the database does not have yet
    /// included.
    private func isOver(_ origin: StateOrigin) -> Bool {
        guard origin.sweep == .done, origin.state.table.rowCount == 0 else { return false }
        guard let tier else { return true }
        // What was deleted is part of a checkpoint.
        return !origin.state.isSnapshotting && origin.state.tracking.pointee.current.count == 0
            && tier.writer.releasedCheckpoint >= origin.state.tracking.pointee.barrier
    }

    private func step(_ origin: StateOrigin) {
        switch origin.sweep {
        case .rows(let number): sweepRows(origin, from: number)
        case .spill(let position): sweepSpill(origin, at: position)
        case .database(let group, let key): sweepDatabase(origin, group, after: key)
        case .done: break
        }
    }

    private func sweepRows(_ origin: StateOrigin, from first: Int) {
        let source = origin.state
        let end = source.table.rowNumberEnd
        let stop = min(first + Self.rowsPerLook, end)
        for number in first..<stop {
            let later = number + Self.rowsPerLook
            if later < end { source.fetch(later, into: table) }
            let row = source.table.row(numbered: number)
            if source.mark(row).contains(.free) || source.isEmpty(row) { continue }
            adopt(row, of: origin)
        }
        origin.sweep = stop < end ? .rows(stop) : .spill(RowSpill.Position())
    }

    /// Fetches what moving a row needs, whoever lives there: nobody's hash does no harm.
    private func fetch(_ number: Int, into target: KeyTable) {
        let row = table.row(numbered: number)
        let hash = row.load(as: UInt64.self)
        table.prefetchRemoval(ofHash: hash)
        target.prefetchRemoval(ofHash: hash)
        if !mark(row).contains(.free) { fetchValues(of: row) }
    }

    private func sweepSpill(_ origin: StateOrigin, at position: RowSpill.Position) {
        let source = origin.state
        guard let spill = source.spill, spill.index.count > 0 else {
            origin.sweep = firstOfDatabase(source)
            return
        }
        let sequence = max(position.sequence, spill.log.sequences.lowerBound)
        guard sequence < spill.log.sequences.upperBound else {
            origin.sweep = firstOfDatabase(source)
            return
        }
        var offset = sequence == position.sequence ? position.offset : 0
        do throws(StoreError) {
            try spill.load(&spill.collectWindow, sequence)
        } catch {
            return fail(error)
        }
        let window = spill.collectWindow
        guard let memory = window.memory else { preconditionFailure("the segment was brought") }
        var looked = 0
        while offset < window.byteCount, looked < Self.rowsPerLook {
            looked += 1
            let record = SpillRecord(start: memory + offset)
            let isHere = spill.index.contains(record.hash, window.location + offset / 8)
            offset += record.byteCount
            guard isHere else { continue }
            let row = source.withView(of: record.key) {
                source.load(spill, record.hash, $0, $1)
            }
            if let row { adopt(row, of: origin) }
        }
        origin.sweep = .spill(
            offset < window.byteCount
                ? RowSpill.Position(sequence: sequence, offset: offset)
                : RowSpill.Position(sequence: sequence + 1, offset: 0)
        )
    }

    private func firstOfDatabase(_ source: KeyedState) -> StateOrigin.Sweep {
        guard let tier = source.tier, source.tracking.pointee.mayMiss else { return .done }
        return .database(group: tier.groups.lowerBound, after: nil)
    }

    private func sweepDatabase(_ origin: StateOrigin, _ group: Int, after last: [UInt8]?) {
        let source = origin.state
        guard let tier = source.tier, group < tier.groups.upperBound else {
            origin.sweep = .done
            return
        }
        var found: [(key: [UInt8], value: [UInt8])] = []
        do throws(StoreError) {
            try source.scanRows(of: group, after: last) { key, value in
                found.append((Array(key), Array(value)))
                return found.count < Self.keysPerScan
            }
        } catch {
            return fail(error)
        }
        for (key, value) in found {
            key.withUnsafeBytes { key in
                source.withView(of: key) { view, buffers in
                    let hash = KeyHash.of(key)
                    // What memory has, dead or alive, was seen there.
                    guard source.table.find(hash, view, buffers) == nil else { return }
                    value.withUnsafeBytes { value in
                        guard let row = source.load(value, hash: hash, key: view, buffers) else {
                            return
                        }
                        adopt(row, of: origin)
                    }
                }
            }
        }
        origin.sweep =
            found.count < Self.keysPerScan
            ? .database(group: group + 1, after: nil)
            : .database(group: group, after: found.last?.key)
    }

    /// Calls `body` with the keys and stored rows of a key group in the database, behind a key.
    private func scanRows(
        of group: Int,
        after last: [UInt8]?,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) {
        guard let tier else { return }
        let prefix = EntryKey.rowPrefixByteCount
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        var from = [UInt8](repeating: 0, count: prefix)
        var to = [UInt8](repeating: 0, count: prefix)
        from.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            EntryKey.writeRow(to: start, group: group, operatorNumber: operatorNumber, key: none)
        }
        // Rows are filed under 0, and what comes behind them under 1 and more.
        to = from
        to[prefix - 1] = 1
        // The first key behind another one is that one and a zero.
        if let last { from += last + [0] }
        let bounds = UnsafeMutableRawBufferPointer.allocate(
            byteCount: from.count + to.count,
            alignment: 1
        )
        defer { bounds.deallocate() }
        bounds.copyBytes(from: from + to)
        try tier.database.scan(
            from: UnsafeRawBufferPointer(rebasing: bounds[..<from.count]),
            to: UnsafeRawBufferPointer(rebasing: bounds[from.count...])
        ) { key, value in
            body(UnsafeRawBufferPointer(rebasing: key[prefix...]), value)
        }
    }
}
