import ApusGraph

extension JobDecoder {
    /// Reads the `watermark` of a source; `nil` if it does not say where the time is.
    ///
    /// - Parameters:
    ///   - node: What `watermark` holds.
    ///   - path: Its place in the document.
    ///   - mayBeOfRecord: Whether records may have their time already; `nil` if that is not known.
    /// - Returns: The rule.
    func decodeWatermark(
        _ node: DocumentNode,
        at path: DocumentPath,
        mayBeOfRecord: Bool?
    ) -> WatermarkDescription? {
        guard let reader = ObjectReader<WatermarkKey>(node, path: path, log: log) else {
            return nil
        }
        let outOfOrder = reader.duration(.outOfOrder) ?? 0
        let idleAfter = decodeIdleAfter(reader)
        guard let timestamp = decodeTimestamp(reader, mayBeOfRecord) else { return nil }
        return WatermarkDescription(
            timestamp: timestamp,
            outOfOrderMicroseconds: outOfOrder,
            idleAfterMicroseconds: idleAfter
        )
    }

    private func decodeIdleAfter(_ reader: ObjectReader<WatermarkKey>) -> Int64? {
        if let node = reader.value(.idleAfter), node.isWord("never") { return nil }
        return reader.duration(.idleAfter, orWord: "never")
            ?? WatermarkDescription.defaultIdleAfterMicroseconds
    }

    private func decodeTimestamp(
        _ reader: ObjectReader<WatermarkKey>,
        _ mayBeOfRecord: Bool?
    ) -> WatermarkDescription.Timestamp? {
        let unit = reader.choice(.unit, WatermarkDescription.Unit.self)
        switch (reader.has(.field), reader.has(.fields)) {
        case (false, false) where mayBeOfRecord != false:
            if reader.has(.unit) {
                reader.report(.unit, "a unit without 'field'", expected: "'field' as well")
            }
            return .record
        case (false, false):
            log.add(
                reader.node,
                reader.path,
                "no field that holds the time",
                expected: "'field' or 'fields'"
            )
            return nil
        case (true, true):
            reader.report(.fields, "both 'field' and 'fields'", expected: "one of the two")
            return nil
        case (true, false):
            let path = fieldPath(reader, .field)
            return path.map { .field(path: $0, unit: unit ?? .rfc3339) }
        case (false, true):
            if reader.has(.unit) {
                reader.report(
                    .unit,
                    "a unit together with 'fields'",
                    expected: "a unit only together with 'field'"
                )
            }
            return decodeCalendar(reader)
        }
    }

    private func decodeCalendar(
        _ reader: ObjectReader<WatermarkKey>
    ) -> WatermarkDescription.Timestamp? {
        let expected = "5 or 6 field names: year, month, day, hour, minute and perhaps second"
        guard let value = reader.value(.fields) else { return nil }
        guard case .list(let nodes) = value.content else {
            if !value.isInvalid { reader.report(.fields, value.summary, expected: expected) }
            return nil
        }
        guard (5...6).contains(nodes.count) else {
            let found = nodes.count == 1 ? "1 field" : "\(nodes.count) fields"
            reader.report(.fields, found, expected: expected)
            return nil
        }
        let names = nodes.enumerated().compactMap { index, node in
            reader.string(
                node,
                at: reader.path(.fields).element(index, node),
                expected: "the name of a field",
                mayBeEmpty: false
            )
        }
        return names.count == nodes.count ? .calendar(fields: names) : nil
    }
}
