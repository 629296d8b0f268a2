import ApusState
import CApusPlugin

/// Copies a plugin's description into values, and refuses what makes no sense.
///
/// The structs are the plugin's: sizes are checked before fields are read, counts before arrays
/// are walked, and texts before they are copied.  A pointer into nowhere cannot be caught here;
/// that is what the scan in a child process is for.
struct DescriptionReader {
    let file: String

    private static let countMax: UInt32 = 256
    private static let textByteCountMax: UInt64 = 4096

    func read(_ plugin: UnsafePointer<apus_plugin>) throws(PluginError) -> PluginDescription {
        try check(plugin.pointee.size, MemoryLayout<apus_plugin>.size, "apus_plugin")
        // SAFETY: the size says that every field of this version is there; the pointer was
        // returned by the entry function and is valid for ever by contract.
        let value = plugin.pointee
        guard value.abi_minor_floor <= UInt16(APUS_ABI_MINOR) else {
            throw PluginError(
                .incompatible,
                file,
                "needs ABI 0.\(value.abi_minor_floor) or newer, this host has "
                    + "0.\(APUS_ABI_MINOR); update Apus, or compile the plugin for that"
            )
        }
        let id = try text(value.id, "the plugin's id")
        guard !id.isEmpty else { throw bad("the plugin's id is empty") }
        var components: [ComponentDescription] = []
        for index in 0..<Int(try count(value.component_count, value.components, "components")) {
            guard let component = value.components[index] else {
                throw bad("component \(index) is NULL")
            }
            components.append(try read(component, index))
        }
        guard !components.isEmpty else { throw bad("it has no components") }
        try checkUnique(components.map(\.id), "component id")
        return PluginDescription(
            id: id,
            version: try text(value.version, "the version"),
            vendor: try text(value.vendor, "the vendor"),
            abiMinor: Int(value.abi_minor),
            components: components
        )
    }

    private func read(
        _ component: UnsafePointer<apus_component>,
        _ index: Int
    ) throws(PluginError) -> ComponentDescription {
        let place = "component \(index)"
        try check(component.pointee.size, Self.oldComponentByteCount, place)
        let value = Self.copy(component, size: component.pointee.size, apus_component())
        guard value.kind == APUS_OPERATOR else {
            throw bad("\(place) is of kind \(value.kind); this host knows operators (2)")
        }
        guard let table = value.vt?.assumingMemoryBound(to: apus_operator_vt.self) else {
            throw bad("\(place) has no function table (vt)")
        }
        try check(table.pointee.size, Self.oldTableByteCount, "\(place)'s vt")
        let functions = Self.copy(table, size: table.pointee.size, apus_operator_vt())
        guard value.create != nil, value.destroy != nil, functions.process != nil else {
            throw bad("\(place) lacks create, destroy or process")
        }
        let id = try name(value.id, "\(place)'s id")
        let states = try readStates(value, id)
        let timers = try readTimers(value, id)
        let isKeyed = value.flags & APUS_KEYED != 0
        guard isKeyed || (states.isEmpty && timers.isEmpty) else {
            throw bad("'\(id)' has state or timers but is not APUS_KEYED")
        }
        guard timers.isEmpty || functions.on_timers != nil else {
            throw bad("'\(id)' declares timers but has no on_timers")
        }
        let broadcasts = try readBroadcasts(value, functions, id)
        let operatorStates = try readOperatorStates(value, id)
        try checkUnique(
            states.map(\.slot.name) + broadcasts.map(\.name) + operatorStates.map(\.name),
            "state of '\(id)'"
        )
        let outputs = try readOutputs(value, id)
        guard value.input_count >= 1 else { throw bad("'\(id)' has no input") }
        return ComponentDescription(
            id: id,
            summary: try text(value.summary, "\(place)'s summary"),
            isKeyed: isKeyed,
            acceptsNullKey: value.flags & APUS_ACCEPTS_NULL_KEY != 0,
            inputCount: Int(value.input_count),
            outputs: outputs,
            states: states,
            timers: timers,
            counters: try readCounters(value, id),
            broadcastInputCount: Int(value.broadcast_input_count),
            broadcasts: broadcasts,
            operatorStates: operatorStates
        )
    }

    // The sizes in ABI 0.1; what lies behind is zero in a plugin of that version.
    private static let oldComponentByteCount =
        MemoryLayout<apus_component>.offset(of: \.broadcast_input_count) ?? 0
    private static let oldTableByteCount =
        MemoryLayout<apus_operator_vt>.offset(of: \.process_broadcast) ?? 0

    /// Copies as much of a struct as the plugin has; the rest is as in `empty`.
    static func copy<Value>(_ pointer: UnsafePointer<Value>, size: UInt32, _ empty: Value) -> Value
    {
        var value = empty
        withUnsafeMutableBytes(of: &value) {
            // SAFETY: the plugin's struct and the copy have as many bytes as are copied.
            $0.copyMemory(
                from: UnsafeRawBufferPointer(start: pointer, count: min(Int(size), $0.count))
            )
        }
        return value
    }

    private func readBroadcasts(
        _ value: apus_component,
        _ functions: apus_operator_vt,
        _ id: String
    ) throws(PluginError) -> [BroadcastDescription] {
        guard value.broadcast_count <= RowLayout.slotCountMax else {
            throw bad("'\(id)' declares \(value.broadcast_count) broadcast states; at most 32")
        }
        guard value.broadcast_input_count <= Self.countMax else {
            throw bad(
                "'\(id)' takes \(value.broadcast_input_count) broadcast inputs; at most "
                    + "\(Self.countMax)"
            )
        }
        let needsFunction = value.broadcast_input_count > 0 || value.broadcast_count > 0
        guard !needsFunction || functions.process_broadcast != nil else {
            throw bad("'\(id)' has broadcast inputs or states but no process_broadcast")
        }
        guard value.broadcast_count == 0 || value.broadcast_input_count > 0 else {
            throw bad("'\(id)' has broadcast states but no broadcast input to change them")
        }
        var broadcasts: [BroadcastDescription] = []
        for index
            in 0..<Int(
                try count(value.broadcast_count, value.broadcasts, "broadcast states")
            )
        {
            guard let state = value.broadcasts[index] else {
                throw bad("broadcast state \(index) is NULL")
            }
            let place = "broadcast state \(index)"
            try check(state.pointee.size, MemoryLayout<apus_state_decl>.size, place)
            let stateName = try name(state.pointee.name, "the name of \(place) of '\(id)'")
            guard state.pointee.kind == UInt32(APUS_STATE_BROADCAST), state.pointee.fixed_len == 0
            else {
                throw bad(
                    "'\(stateName)' of '\(id)' is of kind \(state.pointee.kind) with fixed_len "
                        + "\(state.pointee.fixed_len); expected APUS_STATE_BROADCAST (5) with 0"
                )
            }
            guard (1...65_535).contains(state.pointee.schema_version) else {
                throw bad(
                    "state '\(stateName)' of '\(id)' has schema_version "
                        + "\(state.pointee.schema_version); expected 1 to 65,535"
                )
            }
            broadcasts.append(
                BroadcastDescription(
                    name: stateName,
                    schemaVersion: Int(state.pointee.schema_version),
                    schema: try text(state.pointee.schema, "the schema of '\(stateName)'")
                )
            )
        }
        return broadcasts
    }

    private func readOutputs(
        _ value: apus_component,
        _ id: String
    ) throws(PluginError) -> [String] {
        var names: [String] = []
        for index in 0..<Int(try count(value.output_count, value.outputs, "outputs")) {
            guard let port = value.outputs[index] else { throw bad("output \(index) is NULL") }
            try check(port.pointee.size, MemoryLayout<apus_port>.size, "output \(index)")
            names.append(try name(port.pointee.name, "the name of output \(index) of '\(id)'"))
        }
        guard !names.isEmpty else { throw bad("'\(id)' has no output; declare a main output") }
        try checkUnique(names, "output of '\(id)'")
        return names
    }

    private func readStates(
        _ value: apus_component,
        _ id: String
    ) throws(PluginError) -> [StateDescription] {
        guard value.state_count <= RowLayout.slotCountMax else {
            throw bad("'\(id)' declares \(value.state_count) states; at most 32")
        }
        var states: [StateDescription] = []
        for index in 0..<Int(try count(value.state_count, value.states, "states")) {
            guard let state = value.states[index] else { throw bad("state \(index) is NULL") }
            try check(state.pointee.size, MemoryLayout<apus_state_decl>.size, "state \(index)")
            let slotName = try name(state.pointee.name, "the name of state \(index) of '\(id)'")
            guard state.pointee.schema_version >= 1 else {
                throw bad("state '\(slotName)' of '\(id)' has schema_version 0; begin with 1")
            }
            guard let version = UInt16(exactly: state.pointee.schema_version) else {
                throw bad(
                    "state '\(slotName)' of '\(id)' has schema_version "
                        + "\(state.pointee.schema_version); at most 65,535"
                )
            }
            let kind = try slotKind(state.pointee, "state '\(slotName)' of '\(id)'")
            states.append(
                StateDescription(
                    slot: SlotDescription(name: slotName, kind: kind, schemaVersion: version),
                    schemaVersion: Int(state.pointee.schema_version),
                    schema: try text(state.pointee.schema, "the schema of '\(slotName)'")
                )
            )
        }
        try checkUnique(states.map(\.slot.name), "state of '\(id)'")
        return states
    }

    private func slotKind(
        _ state: apus_state_decl,
        _ subject: String
    ) throws(PluginError) -> SlotDescription.Kind {
        if state.fixed_len > 0 {
            guard state.kind == UInt32(APUS_STATE_VALUE), state.fixed_len <= 65_536 else {
                throw bad(
                    "\(subject): fixed_len is for VALUE, 1 to 65,536; found \(state.fixed_len)"
                )
            }
            return .fixedValue(byteCount: Int(state.fixed_len))
        }
        switch Int32(bitPattern: state.kind) {
        case APUS_STATE_VALUE: return .value
        case APUS_STATE_COUNTER: return .counter
        case APUS_STATE_LIST: return .list
        case APUS_STATE_MAP: return .map
        case APUS_STATE_BROADCAST:
            throw bad("\(subject): broadcast state belongs in `broadcasts`, not in `states`")
        default: throw bad("\(subject): unknown kind \(state.kind)")
        }
    }

    private func readTimers(
        _ value: apus_component,
        _ id: String
    ) throws(PluginError) -> [TimerDescription] {
        var timers: [TimerDescription] = []
        for index in 0..<Int(try count(value.timer_count, value.timers, "timers")) {
            guard let timer = value.timers[index] else { throw bad("timer \(index) is NULL") }
            try check(timer.pointee.size, MemoryLayout<apus_timer_decl>.size, "timer \(index)")
            let timerName = try name(timer.pointee.name, "the name of timer \(index) of '\(id)'")
            switch Int32(bitPattern: timer.pointee.domain) {
            case APUS_EVENT_TIME: timers.append(TimerDescription(name: timerName, domain: .event))
            case APUS_PROCESSING_TIME:
                timers.append(TimerDescription(name: timerName, domain: .processing))
            default:
                throw bad("timer '\(timerName)' of '\(id)': unknown domain \(timer.pointee.domain)")
            }
        }
        try checkUnique(timers.map(\.name), "timer of '\(id)'")
        return timers
    }

    private func readCounters(
        _ value: apus_component,
        _ id: String
    ) throws(PluginError) -> [String] {
        var names: [String] = []
        for index in 0..<Int(try count(value.counter_count, value.counters, "counters")) {
            guard let counter = value.counters[index] else { throw bad("counter \(index) is NULL") }
            try check(
                counter.pointee.size,
                MemoryLayout<apus_counter_decl>.size,
                "counter \(index)"
            )
            names.append(
                try name(counter.pointee.name, "the name of counter \(index) of '\(id)'")
            )
        }
        try checkUnique(names, "counter of '\(id)'")
        return names
    }

    // MARK: - Checks

    func check(_ size: UInt32, _ expected: Int, _ subject: String) throws(PluginError) {
        guard size >= UInt32(expected), size < 1 << 16 else {
            throw bad(
                "\(subject): size is \(size), expected \(expected); set it to sizeof the struct"
            )
        }
    }

    private func count(
        _ count: UInt32,
        _ array: UnsafeRawPointer?,
        _ subject: String
    ) throws(PluginError) -> UInt32 {
        guard count <= Self.countMax else {
            throw bad("it declares \(count) \(subject); at most \(Self.countMax)")
        }
        guard count == 0 || array != nil else {
            throw bad("it declares \(count) \(subject), but the array is NULL")
        }
        return count
    }

    func count<Element>(
        _ count: UInt32,
        _ array: UnsafePointer<Element>?,
        _ subject: String
    ) throws(PluginError) -> UInt32 {
        try self.count(count, UnsafeRawPointer(array), subject)
    }

    func text(_ value: apus_str, _ subject: String) throws(PluginError) -> String {
        guard value.len <= Self.textByteCountMax else {
            throw bad("\(subject) is \(value.len) bytes long; at most \(Self.textByteCountMax)")
        }
        guard value.len > 0 else { return "" }
        guard let data = value.data else { throw bad("\(subject) has a length but no text") }
        // SAFETY: the plugin promises len readable bytes.
        let bytes = UnsafeRawBufferPointer(start: data, count: Int(value.len))
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw bad("\(subject) is not UTF-8")
        }
        return text
    }

    func name(_ value: apus_str, _ subject: String) throws(PluginError) -> String {
        let text = try text(value, subject)
        let isGood =
            !text.isEmpty && text.utf8.count <= 63
            && text.utf8.allSatisfy {
                (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95
            }
        guard isGood else {
            throw bad("\(subject) is '\(text)'; expected 1 to 63 of a-z, 0-9, '-', '_'")
        }
        return text
    }

    private func checkUnique(_ names: [String], _ subject: String) throws(PluginError) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw bad("\(subject) '\(name)' is declared twice")
        }
    }

    func bad(_ message: String) -> PluginError {
        PluginError(.badDescription, file, message)
    }
}
