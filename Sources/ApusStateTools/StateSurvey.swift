import ApusCheckpoint
import ApusState

/// What the state of a checkpoint amounts to, by operator and state: `apus state ls` and `size`.
package struct StateSurvey: Encodable, Equatable, Sendable {
    /// Where a number comes from.
    package enum Origin: String, Encodable, Sendable {
        /// A counter that the job kept, in the manifest.
        case manifest
        /// All entries were read and counted.
        case scan
    }

    /// A state of an operator.
    package struct State: Encodable, Equatable, Sendable {
        /// Its name.
        package let name: String
        /// Its kind.
        package let kind: String
        /// The schema version that the operator declares; nil when nobody declares it any more.
        package let schemaVersion: Int?
        /// How many keys have it.
        package internal(set) var keyCount = 0
        /// Values, entries or elements.
        package internal(set) var entryCount = 0
        /// Their bytes; of lists and maps those of the database's keys too.
        package internal(set) var byteCount = 0
        /// The oldest of the last writes of keys that have it; RFC 3339.
        package internal(set) var oldestWrite: String?
        var oldest = UInt32.max

        enum CodingKeys: String, CodingKey {
            case name
            case kind
            case schemaVersion
            case keyCount
            case entryCount
            case byteCount
            case oldestWrite
        }
    }

    /// An operator.
    package struct Operator: Encodable, Equatable, Sendable {
        /// Its id, or `#7` when the job has it no longer.
        package let id: String
        /// Its number.
        package let number: UInt16
        /// The plugin that wrote the state.
        package let plugin: String?
        /// How many keys it has.
        package internal(set) var keyCount = 0
        /// Where ``keyCount`` comes from.
        package internal(set) var keyCountOrigin = Origin.scan
        /// How many keys the scan has found.
        package internal(set) var scannedKeyCount = 0
        /// How many timers are armed.
        package internal(set) var timerCount = 0
        /// The bytes of its entries in the database: keys, values, wake-ups.
        package internal(set) var byteCount = 0
        /// The oldest of the last writes; RFC 3339.
        package internal(set) var oldestWrite: String?
        /// Its states, in the order of their slots.
        package internal(set) var states: [State] = []
        var oldest = UInt32.max

        enum CodingKeys: String, CodingKey {
            case id
            case number
            case plugin
            case keyCount
            case keyCountOrigin
            case scannedKeyCount
            case timerCount
            case byteCount
            case oldestWrite
            case states
        }
    }

    /// A key group of an operator.
    package struct Group: Encodable, Equatable, Sendable {
        /// The operator.
        package let `operator`: String
        /// The group.
        package let group: Int
        /// How many keys it has.
        package internal(set) var keyCount: Int
        /// Their bytes.
        package internal(set) var byteCount: Int
    }

    /// The job.
    package let job: String
    /// The checkpoint.
    package let checkpoint: UInt64
    /// The number of key groups.
    package let maxParallelism: Int
    /// The bytes of the checkpoint's state files, which are compressed; from the manifest.
    package let fileByteCount: Int
    /// The operators.
    package private(set) var operators: [Operator] = []
    /// The largest key groups, the largest first.
    package private(set) var groups: [Group] = []
    /// Entries of lists and maps that belong to no key.
    package private(set) var orphanCount = 0
    /// Everything but what says otherwise was counted by a scan.
    package let origin = Origin.scan

    /// Counts everything.
    ///
    /// - Parameters:
    ///   - reader: The checkpoint's state.
    ///   - groupLimit: How many key groups are named.
    /// - Throws: ``StateToolError`` when a file is damaged.
    package init(
        _ reader: StateSnapshotReader,
        groupLimit: Int = 10
    ) throws(StateToolError) {
        let manifest = reader.manifest
        job = manifest.job
        checkpoint = manifest.number
        maxParallelism = manifest.maxParallelism
        fileByteCount = manifest.files.filter { $0.role == .state }.reduce(0) { $0 + $1.byteCount }
        var count = SurveyCount(reader.directory, groupLimit: groupLimit)
        orphanCount = try reader.forEachKey { (key) in count.add(key) }
        try reader.database.scanEntries(
            from: [0xff, 0xff],
            to: StoredKey.end,
            isLong: true
        ) { entry in
            if case .wake(let number, _, _, _, _)? = StoredKey(entry.key) {
                count.addWake(number, byteCount: entry.key.count)
            }
            return true
        }
        operators = count.operators
        groups = count.groups
        for content in try reader.broadcasts() {
            add(content.maps.map(State.init), to: content.operatorNumber, reader.directory)
        }
        for content in try reader.operatorStates() {
            add(content.lists.map(State.init), to: content.operatorNumber, reader.directory)
        }
    }

    private mutating func add(
        _ states: [State],
        to number: UInt16,
        _ directory: OperatorDirectory
    ) {
        var index = operators.firstIndex { $0.number == number }
        if index == nil {
            index = operators.count
            operators.append(
                Operator(
                    id: directory.name(number),
                    number: number,
                    plugin: directory.declared(number)?.plugin?.fileName
                )
            )
        }
        guard let index else { return }
        operators[index].states += states
        operators[index].byteCount += states.reduce(0) { $0 + $1.byteCount }
        operators.sort { $0.number < $1.number }
    }
}

extension StateSurvey.State {
    fileprivate init(_ map: BroadcastContent.Map) {
        self.init(name: map.name, kind: "broadcast", schemaVersion: map.schemaVersion)
        entryCount = map.entries.count
        byteCount = map.byteCount
    }

    fileprivate init(_ list: OperatorStateContent.List) {
        self.init(name: list.name, kind: "operator", schemaVersion: list.schemaVersion)
        entryCount = list.itemCount
        byteCount = list.byteCount
    }
}

/// A survey in the making.
private struct SurveyCount {
    private let directory: OperatorDirectory
    private let groupLimit: Int
    private var found: [UInt16: StateSurvey.Operator] = [:]
    private var slots: [UInt16: [Int: StateSurvey.State]] = [:]
    private var largest: [StateSurvey.Group] = []
    private var group: StateSurvey.Group?

    init(_ directory: OperatorDirectory, groupLimit: Int) {
        self.directory = directory
        self.groupLimit = groupLimit
        for declared in directory.operators
        where !declared.states.isEmpty
            || !declared.timers.isEmpty
        {
            found[declared.number] = make(declared.number)
            for slot in declared.states.indices {
                slots[declared.number, default: [:]][slot] = makeState(declared.number, slot)
            }
        }
    }

    private func make(_ number: UInt16) -> StateSurvey.Operator {
        let declared = directory.declared(number)
        var result = StateSurvey.Operator(
            id: directory.name(number),
            number: number,
            plugin: declared?.plugin?.fileName
        )
        if let declared, !declared.subtasks.isEmpty {
            result.keyCount = declared.subtasks.reduce(0) { $0 + $1.keyCount }
            result.keyCountOrigin = .manifest
        }
        return result
    }

    private func makeState(_ number: UInt16, _ slot: Int) -> StateSurvey.State {
        StateSurvey.State(
            name: directory.slotName(number, slot),
            kind: directory.kind(number, slot).rawValue,
            schemaVersion: directory.declaration(number, slot)?.schemaVersion
        )
    }

    mutating func add(_ key: KeySummary) {
        let number = key.operatorNumber
        var current = found[number] ?? make(number)
        current.scannedKeyCount += 1
        current.timerCount += key.timerCount
        current.byteCount += key.byteCount
        let written = key.written.seconds == 0 ? .max : key.written.seconds
        current.oldest = min(current.oldest, written)
        found[number] = current
        for (slot, held) in key.slots {
            var state = slots[number]?[slot] ?? makeState(number, slot)
            state.keyCount += 1
            state.entryCount += held.entryCount
            state.byteCount += held.byteCount
            state.oldest = min(state.oldest, written)
            slots[number, default: [:]][slot] = state
        }
        addToGroup(key)
    }

    private mutating func addToGroup(_ key: KeySummary) {
        let name = directory.name(key.operatorNumber)
        if let group, group.group != key.group || group.operator != name { closeGroup() }
        var current =
            group ?? StateSurvey.Group(operator: name, group: key.group, keyCount: 0, byteCount: 0)
        current.keyCount += 1
        current.byteCount += key.byteCount
        group = current
    }

    private mutating func closeGroup() {
        guard let group else { return }
        self.group = nil
        largest.append(group)
        guard largest.count > groupLimit else { return }
        sortGroups()
        largest.removeLast()
    }

    private mutating func sortGroups() {
        largest.sort {
            $0.byteCount == $1.byteCount
                ? ($0.operator, $0.group) < ($1.operator, $1.group) : $0.byteCount > $1.byteCount
        }
    }

    mutating func addWake(_ number: UInt16, byteCount: Int) {
        var current = found[number] ?? make(number)
        current.byteCount += byteCount
        found[number] = current
    }

    var groups: [StateSurvey.Group] {
        var copy = self
        copy.closeGroup()
        copy.sortGroups()
        return copy.largest
    }

    var operators: [StateSurvey.Operator] {
        found.values.sorted { $0.number < $1.number }
            .map { found in
                var result = found
                if result.keyCountOrigin == .scan { result.keyCount = result.scannedKeyCount }
                result.oldestWrite = Self.text(result.oldest)
                result.states = (slots[found.number] ?? [:]).sorted { $0.key < $1.key }
                    .map { slot in
                        var state = slot.value
                        state.oldestWrite = Self.text(state.oldest)
                        return state
                    }
                return result
            }
    }

    private static func text(_ seconds: UInt32) -> String? {
        seconds == .max ? nil : TimeText.text(CoarseTime(seconds: seconds))
    }
}
