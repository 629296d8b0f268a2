import CApusPlugin

extension DescriptionReader {
    /// The size in ABI 0.1; what lies behind is zero in a plugin of that version.
    private static let oldTableByteCount =
        MemoryLayout<apus_operator_vt>.offset(of: \.process_broadcast) ?? 0

    func componentKind(
        _ value: apus_component,
        _ place: String
    ) throws(PluginError) -> ComponentKind {
        guard let kind = ComponentKind(rawValue: value.kind) else {
            throw bad(
                "\(place) is of kind \(value.kind); this host knows sources (1), operators (2), "
                    + "sinks (3) and codecs (4)"
            )
        }
        guard value.vt != nil else { throw bad("\(place) has no function table (vt)") }
        return kind
    }

    /// The functions of an operator, and nil of another kind, whose table is checked alone.
    func readFunctions(
        _ value: apus_component,
        _ kind: ComponentKind,
        _ place: String
    ) throws(PluginError) -> apus_operator_vt? {
        switch kind {
        case .operator:
            guard let table = value.vt?.assumingMemoryBound(to: apus_operator_vt.self) else {
                return nil
            }
            try check(table.pointee.size, Self.oldTableByteCount, "\(place)'s vt")
            let functions = Self.copy(table, size: table.pointee.size, apus_operator_vt())
            guard functions.process != nil else { throw bad("\(place) lacks process") }
            return functions
        case .source:
            let table = try table(value.vt, apus_source_vt(), \.size, place)
            guard table.list_splits != nil, table.open != nil, table.poll != nil,
                table.write_position != nil
            else { throw bad("\(place) lacks list_splits, open, poll or write_position") }
        case .sink:
            let table = try table(value.vt, apus_sink_vt(), \.size, place)
            guard table.write != nil, table.flush != nil || table.commit != nil else {
                throw bad("\(place) lacks write, or both flush and commit")
            }
        case .codec:
            let table = try table(value.vt, apus_codec_vt(), \.size, place)
            guard table.decode != nil || table.encode != nil else {
                throw bad("\(place) lacks both decode and encode")
            }
        }
        return nil
    }

    private func table<Table>(
        _ pointer: UnsafeRawPointer?,
        _ empty: Table,
        _ size: KeyPath<Table, UInt32>,
        _ place: String
    ) throws(PluginError) -> Table {
        guard let pointer = pointer?.assumingMemoryBound(to: Table.self) else { return empty }
        let byteCount = pointer.pointee[keyPath: size]
        try check(byteCount, MemoryLayout<Table>.size, "\(place)'s vt")
        return Self.copy(pointer, size: byteCount, empty)
    }

    /// Whether the functions of an operator are those that its declarations ask for.
    func check(
        _ functions: apus_operator_vt,
        _ value: apus_component,
        _ timers: [TimerDescription],
        _ id: String
    ) throws(PluginError) {
        guard timers.isEmpty || functions.on_timers != nil else {
            throw bad("'\(id)' declares timers but has no on_timers")
        }
        guard functions.on_async == nil || value.flags & APUS_ASYNCHRONOUS != 0 else {
            throw bad("'\(id)' has on_async but is not APUS_ASYNCHRONOUS")
        }
    }

    /// Whether the host has every extension that the component cannot do without.
    func checkNeeds(_ value: apus_component, _ id: String) throws(PluginError) {
        guard let needs = value.needs else { return }
        for index in 0..<Int(Self.countMax) {
            // SAFETY: the plugin promises zero-terminated names up to a NULL; valid for ever.
            guard let need = needs[index] else { return }
            let name = String(cString: need)
            guard HostExtensions.names.contains(name) else {
                throw PluginError(
                    .incompatible,
                    file,
                    "'\(id)' needs the extension '\(name)', which this host does not have; it has "
                        + HostExtensions.names.sorted().joined(separator: ", ")
                )
            }
        }
        throw bad("'\(id)' needs more than \(Self.countMax) extensions; end the list with NULL")
    }
}
