package import ApusState
import CApusGuard
import CApusPlugin

/// State that a new version of an operator uses on, as it is.
///
/// Used by the task thread alone, as it was before.
package struct InheritedState: @unchecked Sendable {
    // @unchecked because it only carries the objects to the thread that owns them already.

    /// Rows and timers; nil when the new version has its own.
    package var keyed: KeyedState?
    /// Broadcast states; nil when the new version has its own.
    package var broadcasts: BroadcastState?

    /// Creates what is inherited.
    package init(keyed: KeyedState?, broadcasts: BroadcastState?) {
        self.keyed = keyed
        self.broadcasts = broadcasts
    }
}

extension StateDescription {
    /// When it expires, by its name or by the one that it had in older versions; nil for never.
    package func expiry(_ arguments: InstanceArguments) -> SlotExpiry? {
        arguments.expiries[slot.name]
            ?? migration.renamedFrom.flatMap { arguments.expiries[$0] }
    }
}

extension OperatorInstance {
    static func makeKeyed(
        _ description: ComponentDescription,
        _ arguments: InstanceArguments
    ) -> KeyedState? {
        guard description.isKeyed else { return nil }
        return KeyedState(
            slots: description.states.map { state in
                var slot = state.slot
                slot.expiry = state.expiry(arguments)
                return slot
            },
            timers: description.timers.map(\.domain),
            groups: arguments.groups,
            tier: arguments.tier
        )
    }

    static func makeBroadcasts(
        _ description: ComponentDescription,
        _ arguments: InstanceArguments
    ) -> BroadcastState? {
        guard !description.broadcasts.isEmpty else { return nil }
        let state = BroadcastState(
            names: description.broadcasts.map(\.name),
            budget: arguments.tier?.budget
        )
        if let restored = arguments.broadcasts { state.restore(restored) }
        return state
    }

    static func makeOperatorState(
        _ description: ComponentDescription,
        _ arguments: InstanceArguments
    ) -> OperatorStateLists? {
        guard !description.operatorStates.isEmpty else { return nil }
        let lists = OperatorStateLists(
            names: description.operatorStates.map(\.name),
            budget: arguments.tier?.budget
        )
        if let restored = arguments.operatorState { lists.restore(restored) }
        return lists
    }

    // MARK: - Another version's state

    /// Takes over what an instance of another version has.
    ///
    /// The task thread, between two callbacks of the old one, before ``open(nowMicroseconds:)``.
    /// When it throws, the old instance has everything still.
    ///
    /// - Parameters:
    ///   - old: The instance.
    ///   - step: What becomes of its state; nil when all of it is shared.
    ///   - rows: What becomes of its rows, and of those of its origins; nil when they are shared.
    ///   - nowMicroseconds: Processing time, for a snapshot.
    /// - Throws: ``PluginError`` when something cannot be migrated.
    package func takeOver(
        _ old: OperatorInstance,
        _ step: StateMigration.Step?,
        rows: (migration: StateMigration, earlier: [StateMigration])?,
        nowMicroseconds: Int64
    ) throws(PluginError) {
        if let version = old.description.snapshotVersion {
            try old.savePrivateSnapshot(nowMicroseconds: nowMicroseconds)
            if description.snapshotVersion != nil, let bytes = old.operatorState?.lastItem {
                savedSnapshot = PrivateSnapshot.Saved(bytes: bytes, version: version)
            }
        }
        if let step {
            if let broadcasts, let source = old.broadcasts, broadcasts !== source {
                broadcasts.restore(try migrated(source.contents, step))
            }
        }
        if let operatorState, let source = old.operatorState {
            operatorState.restore(try migrated(source.contents, step))
        }
        if let rows, let state, let source = old.state {
            state.takeOver(source, rows.migration, earlier: rows.earlier)
        }
    }

    private func migrated(
        _ contents: [[BroadcastEntry]],
        _ step: StateMigration.Step
    ) throws(PluginError) -> [[BroadcastEntry]] {
        var maps = [[BroadcastEntry]](repeating: [], count: description.broadcasts.count)
        for move in step.broadcasts {
            for entry in contents[move.old] {
                let value = try bytes(
                    entry.value,
                    entry: entry.key,
                    move,
                    move.isSame ? nil : step.migrateBroadcast(of: move),
                    step,
                    "broadcast state '\(description.broadcasts[move.new].name)'"
                )
                if let value {
                    maps[move.new].append(BroadcastEntry(key: entry.key, value: value))
                }
            }
        }
        return maps
    }

    private func migrated(
        _ contents: [OperatorStateItems],
        _ step: StateMigration.Step?
    ) throws(PluginError) -> [OperatorStateItems] {
        var lists = [OperatorStateItems](repeating: [], count: description.operatorStates.count)
        let declared = description.operatorStates.count(where: \.isDeclared)
        let moves =
            step?.operatorStates
            ?? (0..<declared).map { StateMigration.Move(old: $0, new: $0, from: 1, to: 1) }
        for move in moves {
            for (position, item) in contents[move.old].enumerated() {
                let place = withUnsafeBytes(of: UInt64(position)) { Array($0) }
                let value =
                    try step.map { step throws(PluginError) in
                        try bytes(
                            item,
                            entry: place,
                            move,
                            move.isSame ? nil : step.migrateOperatorState(of: move),
                            step,
                            "operator state '\(description.operatorStates[move.new].name)'"
                        )
                    } ?? item
                if let value { lists[move.new].append(value) }
            }
        }
        return lists
    }

    /// What bytes become; nil when they are dropped.
    private func bytes(
        _ bytes: [UInt8],
        entry: [UInt8],
        _ move: StateMigration.Move,
        _ function: apus_migrate?,
        _ step: StateMigration.Step,
        _ subject: String
    ) throws(PluginError) -> [UInt8]? {
        guard let function else {
            if move.isSame { return bytes }
            throw PluginError(
                .failed,
                "\(owner), \(subject)",
                "there is no migrate from version \(move.from) to \(move.to)"
            )
        }
        var target = apus_migrated()
        target.limit = UInt64(StateMigration.byteCountMax)
        defer { apus_migrated_free(&target) }
        // SAFETY: all bytes live until the call has returned; what it wrote is copied.
        let (code, message) = entry.withUnsafeBytes { entry in
            bytes.withUnsafeBytes { bytes in
                let none = UnsafeRawBufferPointer(start: nil, count: 0)
                let value = MigratedValue(key: none, entry: entry, bytes: bytes)
                return step.call(function, move, value, into: &target)
            }
        }
        if code == APUS_NOT_FOUND { return nil }
        guard code == APUS_OK else {
            throw PluginError(
                .failed,
                "\(owner), \(subject)",
                "migrate from version \(move.from) to \(move.to) failed with code \(code)"
                    + (message.map { ": \($0)" } ?? "")
            )
        }
        return Array(UnsafeRawBufferPointer(start: target.data, count: Int(target.len)))
    }
}

extension OperatorStateDescription {
    /// Whether the plugin has declared it: it is not the private snapshot.
    fileprivate var isDeclared: Bool { name != PrivateSnapshot.stateName }
}
