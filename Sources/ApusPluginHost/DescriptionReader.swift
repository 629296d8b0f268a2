import ApusState
import CApusPlugin

/// Copies a plugin's description into values, and refuses what makes no sense.
///
/// The structs are the plugin's: sizes are checked before fields are read, counts before arrays
/// are walked, and texts before they are copied.  A pointer into nowhere cannot be caught here;
/// that is what the scan in a child process is for.
struct DescriptionReader {
    let file: String

    static let countMax: UInt32 = 256
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
            abiFloor: Int(value.abi_minor_floor),
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
        let kind = try componentKind(value, place)
        guard value.create != nil, value.destroy != nil else {
            throw bad("\(place) lacks create or destroy")
        }
        let id = try name(value.id, "\(place)'s id")
        let states = try readStates(value, id)
        let timers = try readTimers(value, id)
        let isKeyed = value.flags & APUS_KEYED != 0
        guard isKeyed || (states.isEmpty && timers.isEmpty) else {
            throw bad("'\(id)' has state or timers but is not APUS_KEYED")
        }
        try checkNeeds(value, id)
        let functions = try readFunctions(value, kind, place)
        if let functions { try check(functions, value, timers, id) }
        let broadcasts = try readBroadcasts(value, functions, id)
        let snapshotVersion = try readSnapshot(component, value, kind, id)
        let operatorStates =
            try readOperatorStates(value, id) + snapshotStates(version: snapshotVersion)
        try checkStateless(value, kind, id)
        try checkUnique(
            states.map(\.slot.name) + broadcasts.map(\.name) + operatorStates.map(\.name),
            "state of '\(id)'"
        )
        let outputs = try readOutputs(value, kind, id)
        guard kind == .source || value.input_count >= 1 else { throw bad("'\(id)' has no input") }
        return ComponentDescription(
            id: id,
            kind: kind,
            summary: try text(value.summary, "\(place)'s summary"),
            isKeyed: isKeyed,
            acceptsNullKey: value.flags & APUS_ACCEPTS_NULL_KEY != 0,
            isAsynchronous: value.flags & APUS_ASYNCHRONOUS != 0,
            promises: Promises(rawValue: value.flags).intersection(.all),
            inputCount: Int(value.input_count),
            outputs: outputs,
            states: states,
            timers: timers,
            counters: try readCounters(value, id),
            histograms: try readHistograms(value, id),
            broadcastInputCount: Int(value.broadcast_input_count),
            broadcasts: broadcasts,
            operatorStates: operatorStates,
            abilities: abilities(value, kind),
            snapshotVersion: snapshotVersion
        )
    }

    // The sizes in ABI 0.1; what lies behind is zero in a plugin of that version.
    private static let oldComponentByteCount =
        MemoryLayout<apus_component>.offset(of: \.broadcast_input_count) ?? 0

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

    private func readOutputs(
        _ value: apus_component,
        _ kind: ComponentKind,
        _ id: String
    ) throws(PluginError) -> [String] {
        var names: [String] = []
        for index in 0..<Int(try count(value.output_count, value.outputs, "outputs")) {
            guard let port = value.outputs[index] else { throw bad("output \(index) is NULL") }
            try check(port.pointee.size, MemoryLayout<apus_port>.size, "output \(index)")
            names.append(try name(port.pointee.name, "the name of output \(index) of '\(id)'"))
        }
        guard !names.isEmpty || kind == .sink else {
            throw bad("'\(id)' has no output; declare a main output")
        }
        try checkUnique(names, "output of '\(id)'")
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

    func checkUnique(_ names: [String], _ subject: String) throws(PluginError) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw bad("\(subject) '\(name)' is declared twice")
        }
    }

    func bad(_ message: String) -> PluginError {
        PluginError(.badDescription, file, message)
    }
}
