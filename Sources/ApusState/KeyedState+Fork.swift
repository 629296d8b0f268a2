package import ApusMemory

// Copies of keys for a shadow, taken before anybody touches them.
//
// SAFETY: rows are found by begin(_:from:) and stay until end(); batches outlive both.
extension KeyedState {
    /// Takes apart what keys of a batch have; keys that have nothing are left out.
    ///
    /// Between callbacks.
    ///
    /// - Parameters:
    ///   - batch: The records, with hashes.
    ///   - isWanted: Tells by a key's hash whether it is wanted; asked for every record.
    /// - Returns: The keys, in the order of their first records.
    package func images(
        of batch: RecordBatch,
        where isWanted: (UInt64) -> Bool
    ) -> [KeyImage] {
        var view = batch.view(input: 0, isKeyed: true)
        return withUnsafePointer(to: &view) { pointer in
            begin(pointer, from: 0)
            defer { end() }
            var images: [KeyImage] = []
            for index in 0..<batch.count
            where hasKey(UInt32(index)) && isWanted(batch.hashes[index]) {
                guard let row = row(UInt32(index)), !isEmpty(row) else { continue }
                images.append(unexpiredImage(of: row))
            }
            return images
        }
    }

    /// Brings keys here from wherever they are, older versions included, as records of them would.
    ///
    /// Between callbacks.
    ///
    /// - Parameter keys: A record for each key, with hashes.
    package func bring(_ keys: RecordBatch) {
        var view = keys.view(input: 0, isKeyed: true)
        withUnsafePointer(to: &view) { begin($0, from: 0) }
        end()
    }

    /// The same of keys whose timers were taken to be fired: with those timers.
    package func images(
        of timers: TimerBatch,
        _ domain: TimerDomain,
        where isWanted: (UInt64) -> Bool
    ) -> [KeyImage] {
        let records = timers.records
        var view = records.view(input: 0, isKeyed: true)
        return withUnsafePointer(to: &view) { pointer in
            begin(timers, pointer)
            defer { end() }
            var images: [KeyImage] = []
            var places: [UInt64: Int] = [:]
            for index in 0..<timers.count {
                let hash = records.hashes[index]
                if isWanted(hash) {
                    places[hash] = images.count
                    let row = row(UInt32(index))
                    images.append(
                        row.map { unexpiredImage(of: $0) }
                            ?? KeyImage(
                                key: Array(records.bytes(of: records.keys + index)),
                                values: [],
                                timers: [],
                                isWhole: true
                            )
                    )
                }
                guard let place = places[hash] else { continue }
                images[place].timers.append(
                    StoredRow.Timer(
                        domain: domain.number,
                        name: Int(timers.names[index]),
                        id: timers.ids[index],
                        timeMicroseconds: records.times[index],
                        payload: Array(records.bytes(of: records.values + index))
                    )
                )
            }
            return images
        }
    }

    /// The same of some of the rows in memory that have timers.
    ///
    /// - Parameters:
    ///   - number: The row to begin with; 0 is the first one.
    ///   - rowCountMax: How many rows are looked at.
    ///   - isWanted: As above.
    /// - Returns: The keys, and the row to go on with; nil when there is none.
    package func timerImages(
        from number: Int,
        rowCountMax: Int,
        where isWanted: (UInt64) -> Bool
    ) -> (images: [KeyImage], next: Int?) {
        let end = min(number + rowCountMax, table.rowNumberEnd)
        guard number < end else { return ([], nil) }
        var images: [KeyImage] = []
        for number in number..<end {
            let row = table.row(numbered: number)
            guard !mark(row).contains(.free), timerCount(of: row) > 0,
                isWanted(row.load(as: UInt64.self))
            else { continue }
            images.append(unexpiredImage(of: row))
        }
        return (images, end)
    }

    /// What a key has, without what has expired.
    private func unexpiredImage(of row: Row) -> KeyImage {
        var image = image(of: row)
        image.values.removeAll { value in
            layout.slots[value.slot].expiry.map { hasExpired(row, value.slot, $0) } ?? false
        }
        return image
    }
}
