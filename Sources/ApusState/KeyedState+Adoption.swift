import ApusCore
import ApusMemory
import ApusStore
package import CApusPlugin
import CApusShims

// Rows of an older version, moved here when they are needed.
//
// A key that this state has no row for is looked for in its origins, newest first.  Its old row is
// built anew out of migrated values, and removed there.  So a row is in one place at any time, and
// what a snapshot has of both belongs to one instant.
//
// SAFETY: rows are used between two changes of their tables; bytes of an old row are read before
// it is removed, and what a migration returns before the next one.
extension KeyedState {
    /// Takes another version's rows over; they come when they are needed, or with the sweep.
    ///
    /// Between callbacks; O(1).  Origins of the other state become origins of this one.
    ///
    /// - Parameters:
    ///   - other: The state, with the same keys; used by nobody else from now on.
    ///   - migration: What this version makes of its rows.
    ///   - earlier: What it makes of the rows of that state's own origins, in their order.
    package func takeOver(
        _ other: KeyedState,
        _ migration: any RowMigration,
        earlier: [any RowMigration]
    ) {
        precondition(earlier.count == other.origins.count, "each origin is migrated")
        origins = [StateOrigin(other, migration)]
        for (origin, migration) in zip(other.origins, earlier) {
            let moved = StateOrigin(origin.state, migration)
            moved.sweep = origin.sweep
            origins.append(moved)
        }
        other.setAside = other.origins
        other.origins = []
        other.hasOrigins = false
        hasOrigins = true
    }

    /// Takes its own rows back from a state that has taken over, and what that has written since.
    ///
    /// Between callbacks; O(1).
    ///
    /// - Parameters:
    ///   - other: The state, used by nobody else from now on.
    ///   - migration: What this version makes of its rows; nil when it has none.
    package func takeBack(_ other: KeyedState, _ migration: (any RowMigration)? = nil) {
        let left = Dictionary(
            other.origins.map { (ObjectIdentifier($0.state), $0.sweep) },
            uniquingKeysWith: { first, _ in first }
        )
        origins = setAside.filter { left[ObjectIdentifier($0.state)] != nil }
        for origin in origins { origin.sweep = left[ObjectIdentifier(origin.state)] ?? .rows(0) }
        setAside = []
        other.origins = []
        other.hasOrigins = false
        if let migration {
            origins.insert(StateOrigin(other, migration), at: 0)
            mayHideOrigins = true
        }
        hasOrigins = !origins.isEmpty
    }

    /// Adds rows of an older version that a checkpoint has.
    ///
    /// Before the first callback.
    package func addOrigin(_ other: KeyedState, _ migration: any RowMigration) {
        origins.append(StateOrigin(other, migration))
        hasOrigins = true
    }

    /// Gives up what ``takeBack(_:_:)`` would need.
    package func forgetTakingOver() {
        for origin in origins { origin.state.setAside = [] }
    }

    /// What this version makes of each older one's rows, the newest first.
    package var originMigrations: [any RowMigration] { origins.map(\.migration) }

    /// The older versions whose rows may be left, by the operator numbers that they are filed
    /// under, and how many keys each has.
    package var originCounts: [(number: UInt16, keyCount: Int)] {
        origins.map { ($0.state.operatorNumber, $0.state.keyCount) }
    }

    /// What could not be taken over since it was last asked.
    package func takeQuarantined() -> [QuarantinedKey] {
        guard !quarantined.isEmpty else { return [] }
        defer { quarantined = [] }
        return quarantined
    }

    /// Has the records of a key set aside from now on.
    package func hold(_ key: [UInt8]) {
        held.insert(key)
        quarantinedCount += 1
    }

    /// How many keys are held.
    package var heldKeyCount: Int { held.count }

    /// The first record from `first` on whose key is held; brings the rows of all of them.
    package func firstHeld(_ batch: UnsafePointer<apus_batch>, from first: Int) -> Int? {
        guard !held.isEmpty, let keys = batch.pointee.key else { return nil }
        for index in first..<Int(batch.pointee.count) {
            let key = UnsafeRawBufferPointer(
                start: apus_view_data(keys + index, batch.pointee.buffers),
                count: Int(keys[index].len)
            )
            if held.contains(Array(key)) { return index }
        }
        return nil
    }

    // MARK: - By record

    /// Whether a record has a key that this state may have nothing of.
    private func isMissing(_ index: Int) -> Bool {
        guard let row = rows[index] else { return hasKey(UInt32(index)) }
        return mayHideOrigins && isEmpty(row)
    }

    /// The row of a key that is to be moved here: an empty one that is left of it, or a new one.
    private func makeRow(
        _ hash: UInt64,
        _ view: UnsafePointer<apus_view>,
        _ key: UnsafeRawBufferPointer
    ) -> Row? {
        if mayHideOrigins, let row = withView(of: key, { table.find(hash, $0, $1) }) {
            // It is counted in again with the first write.
            precondition(isEmpty(row), "a key has its row in one place")
            return row
        }
        var longKey: UnsafeMutableRawPointer?
        if key.count > 12, let bytes = key.baseAddress {
            let copy = pool.allocate(key.count)
            memcpy(copy, bytes, key.count)
            longKey = copy
        }
        guard let row = table.insert(hash, view, longKey: longKey) else { return nil }
        tracking.pointee.totals.keyCount += 1
        return row
    }

    /// Moves the rows of records here that this state does not have.
    func adoptMissing(_ batch: UnsafePointer<apus_batch>) {
        guard batch.pointee.key != nil, batch.pointee.key_hash != nil else { return }
        for origin in origins {
            adoptFromMemory(batch, origin)
            if origin.state.tracking.pointee.mayMiss { adoptFromDatabase(batch, origin) }
            origin.state.removeEmptied()
        }
    }

    /// Records whose memory is fetched together: what one needs stays in the first-level cache.
    private static let recordsPerFetch = 64

    private func adoptFromMemory(_ batch: UnsafePointer<apus_batch>, _ origin: StateOrigin) {
        guard let keys = batch.pointee.key, let hashes = batch.pointee.key_hash else { return }
        let source = origin.state
        guard source.table.rowCount > 0 || source.spill != nil else { return }
        var missing: [Int] = []
        missing.reserveCapacity(Self.recordsPerFetch)
        var next = 0
        while next < recordCount {
            missing.removeAll(keepingCapacity: true)
            while next < recordCount, missing.count < Self.recordsPerFetch {
                if isMissing(next) { missing.append(next) }
                next += 1
            }
            // Each of these is far away: the index, the row, what hangs off it.
            for index in missing {
                source.table.prefetchRemoval(ofHash: hashes[index])
                table.prefetchRemoval(ofHash: hashes[index])
            }
            for index in missing { source.fetch(hashes[index]) }
            for index in missing { source.fetchValues(hashes[index]) }
            for index in missing {
                let (hash, key) = (hashes[index], keys + index)
                var old = source.table.find(hash, key, batch.pointee.buffers)
                if old == nil, let spill = source.spill {
                    old = source.load(spill, hash, key, batch.pointee.buffers)
                }
                guard let old, !source.isEmpty(old) else {
                    // An equal key in front of it may have brought the row.
                    rows[index] = table.find(hash, key, batch.pointee.buffers)
                    continue
                }
                rows[index] = adopt(old, of: origin)
            }
        }
    }

    /// Fetches the row of a hash, as far as the index tells.
    private func fetch(_ hash: UInt64) { _ = table.guess(hash) }

    /// Fetches what the values of the row of a hash point to.
    private func fetchValues(_ hash: UInt64) {
        guard let row = table.guess(hash) else { return }
        fetchValues(of: row)
    }

    /// Fetches what the values of a row point to.
    func fetchValues(of row: Row) {
        var left = present(row)
        while left != 0 {
            let slot = left.trailingZeroBitCount
            left &= left &- 1
            guard layout.slots[slot].kind == .value else { continue }
            apus_prefetch((row + layout.offsets[slot]).load(as: UnsafeRawPointer.self))
        }
    }

    private func adoptFromDatabase(_ batch: UnsafePointer<apus_batch>, _ origin: StateOrigin) {
        guard let keys = batch.pointee.key, let hashes = batch.pointee.key_hash else { return }
        let source = origin.state
        var wanted: [Int] = []
        var byteCount = 0
        for index in 0..<recordCount where isMissing(index) {
            // One that is there and empty is being deleted from the database.
            let isKnown =
                source.table.find(hashes[index], keys + index, batch.pointee.buffers) != nil
            guard !isKnown else { continue }
            wanted.append(index)
            byteCount += EntryKey.rowPrefixByteCount + Int(keys[index].len)
        }
        guard !wanted.isEmpty else { return }
        source.reserveKeys(byteCount)
        for index in wanted {
            source.appendLookUp(
                UnsafeRawBufferPointer(
                    start: apus_view_data(keys + index, batch.pointee.buffers),
                    count: Int(keys[index].len)
                ),
                group: groups.group(ofHash: hashes[index]),
                record: index,
                operatorNumber: source.operatorNumber
            )
        }
        source.lookUp { index, value in
            let (hash, key) = (hashes[index], keys + index)
            if let row = table.find(hash, key, batch.pointee.buffers) {
                rows[index] = row
                guard isMissing(index) else { return }
            }
            guard source.table.find(hash, key, batch.pointee.buffers) == nil,
                let old = source.load(value, hash: hash, key: key, batch.pointee.buffers)
            else { return }
            rows[index] = adopt(old, of: origin)
        }
    }

    // MARK: - By timer

    /// Rows that are moved at a time because their timers are due.
    private static let rowsPerWake = 4096

    /// Moves rows here whose timers are due.
    ///
    /// - Returns: Up to when this state has all timers of its origins, at most `time`.
    func adoptDue(_ domain: TimerDomain, upTo time: Int64) -> Int64 {
        var limit = time
        for origin in origins { limit = min(limit, adoptDue(domain, upTo: time, of: origin)) }
        return limit
    }

    private func adoptDue(
        _ domain: TimerDomain,
        upTo time: Int64,
        of origin: StateOrigin
    ) -> Int64 {
        let source = origin.state
        var moved = 0
        defer { source.removeEmptied() }
        while source.failure == nil {
            let known =
                source.hasColdTimers(domain) ? source.loadColdTimers(domain, upTo: time) : time
            let queue = source.queue(domain)
            while queue.count > 0, queue.nextTime <= known {
                guard moved < Self.rowsPerWake else { return queue.nextTime - 1 }
                moved += 1
                _ = adopt(queue.first.pointee.row, of: origin)
            }
            if known >= time { return time }
        }
        return time
    }

    // MARK: - A row

    /// Moves a row here.
    ///
    /// - Returns: The row here; nil when it cannot be migrated, and then it is quarantined.
    @discardableResult
    func adopt(_ old: Row, of origin: StateOrigin) -> Row? {
        let source = origin.state
        let key = source.key(of: old)
        let view = (old + RowLayout.keyOffset).assumingMemoryBound(to: apus_view.self)
        guard let row = makeRow(old.load(as: UInt64.self), view, key) else {
            fail(
                StoreError(
                    operation: "move",
                    path: "state",
                    reason: "there are 2^32 keys in memory"
                )
            )
            return nil
        }
        touch(row)
        var reason: String?
        var left = source.present(old)
        while left != 0, reason == nil {
            let slot = left.trailingZeroBitCount
            left &= left &- 1
            reason = adoptSlot(slot, of: old, origin, into: row, key)
        }
        for domain in [TimerDomain.event, .processing] where reason == nil {
            reason = adoptTimers(domain, of: old, origin, into: row, key)
        }
        let written = (old + RowLayout.writtenOffset).load(as: UInt32.self)
        (row + RowLayout.writtenOffset).storeBytes(of: written, as: UInt32.self)
        if let reason {
            quarantined.append(QuarantinedKey(reason: reason, image: source.image(of: old)))
            quarantinedCount += 1
            removeAll(of: row)
        } else if isEmpty(row) {
            noteEmptied(row)
        }
        source.removeAll(of: old)
        adoptedCount += 1
        Failpoint.hit(.m2)
        return reason == nil ? row : nil
    }

    /// Takes over what a slot holds; why it cannot, or nil.
    private func adoptSlot(
        _ slot: Int,
        of old: Row,
        _ origin: StateOrigin,
        into row: Row,
        _ key: UnsafeRawBufferPointer
    ) -> String? {
        let source = origin.state
        guard let target = origin.migration.target(ofSlot: slot) else { return nil }
        if let rule = source.layout.slots[slot].expiry, source.hasExpired(old, slot, rule) {
            return nil
        }
        let reason: String?
        switch source.layout.slots[slot].kind {
        case .list: reason = adoptList(slot, of: old, origin, into: row, target, key)
        case .map: reason = adoptMap(slot, of: old, origin, into: row, target, key)
        case .value, .fixedValue, .counter:
            let bytes = source.bytes(of: slot, in: old)
            if origin.migration.keepsBytes(ofSlot: slot) {
                reason = store(bytes, row, target)
            } else {
                let none = UnsafeRawBufferPointer(start: nil, count: 0)
                let value = MigratedValue(key: key, entry: none, bytes: bytes)
                switch origin.migration.migrate(slot: slot, value) {
                case .bytes(let bytes): reason = store(bytes, row, target)
                case .dropped: return nil
                case .failed(let why): reason = why
                }
            }
        }
        if reason == nil, layout.slots[target].expiry != nil, holds(row, slot: target) {
            let time =
                source.layout.slots[slot].expiry == nil
                ? (old + RowLayout.writtenOffset).load(as: UInt32.self)
                : source.stamp(old, slot).load(as: UInt32.self)
            stamp(row, target).storeBytes(of: time, as: UInt32.self)
        }
        return reason.map { "state '\(layout.slots[target].name)': \($0)" }
    }

    /// Puts bytes into a slot that holds nothing; why they do not fit, or nil.
    private func store(_ bytes: UnsafeRawBufferPointer, _ row: Row, _ slot: Int) -> String? {
        let place = row + layout.offsets[slot]
        switch layout.slots[slot].kind {
        case .fixedValue(let byteCount):
            guard bytes.count == byteCount, let start = bytes.baseAddress else {
                return "migrate wrote \(bytes.count) bytes; expected \(byteCount)"
            }
            memcpy(place, start, byteCount)
        case .counter:
            guard bytes.count == 8 else {
                return "migrate wrote \(bytes.count) bytes for a counter; expected 8"
            }
            place.storeBytes(of: bytes.loadUnaligned(as: Int64.self), as: Int64.self)
        case .value:
            guard bytes.count < Int(Int32.max) else { return "migrate wrote more than 2 GiB" }
            putBytes(bytes.baseAddress, bytes.count, in: place, replacing: false)
        case .list, .map:
            preconditionFailure("kinds are compared before anything is moved")
        }
        note(row, slot: slot)
        return nil
    }

    private func adoptTimers(
        _ domain: TimerDomain,
        of old: Row,
        _ origin: StateOrigin,
        into row: Row,
        _ key: UnsafeRawBufferPointer
    ) -> String? {
        let source = origin.state
        // A row has no place for timers of a domain that the old version has none of.
        guard source.timerCount(of: old) > 0, source.layout.timersOffset(domain, part: 8) > 0
        else { return nil }
        var reason: String?
        source.forEachTimer(of: old, in: domain) { timer in
            guard reason == nil,
                let target = origin.migration.target(ofTimer: Int(timer.pointee.name))
            else { return }
            var plan = TimerPlan(id: timer.pointee.id, timeMicroseconds: timer.pointee.time)
            var payload = UnsafeRawBufferPointer(
                start: timer.pointee.payload,
                count: Int(timer.pointee.payloadByteCount)
            )
            if !origin.migration.keepsTimers(of: Int(timer.pointee.name)) {
                switch origin.migration.migrateTimer(
                    Int(timer.pointee.name),
                    key: key,
                    &plan,
                    payload: payload
                ) {
                case .bytes(let bytes): payload = bytes
                case .dropped: return
                case .failed(let why): reason = "timer \(timer.pointee.name): \(why)"
                }
            }
            if reason == nil { reason = arm(target, plan, payload, row) }
        }
        return reason
    }

    private func arm(
        _ name: Int,
        _ plan: TimerPlan,
        _ payload: UnsafeRawBufferPointer,
        _ row: Row
    ) -> String? {
        let queue = queue(timerDomains[name])
        if queue.find(row, UInt32(name), plan.id) != nil {
            return "timer \(name): migrate gave two timers the id \(plan.id)"
        }
        var copy: UnsafeMutableRawPointer?
        if payload.count > 0, let bytes = payload.baseAddress {
            let block = pool.allocate(payload.count)
            memcpy(block, bytes, payload.count)
            copy = block
        }
        let entry = TimerQueue.Entry(
            time: plan.timeMicroseconds,
            id: plan.id,
            row: row,
            payload: copy,
            payloadByteCount: UInt32(payload.count),
            name: UInt32(name),
            heapIndex: 0,
            next: -1
        )
        guard queue.insert(entry) else {
            freePayload(of: entry)
            return "timer \(name): there are too many timers"
        }
        addTimers(to: row, 1)
        countTimers(timerDomains[name], 1)
        return nil
    }
}
