package import ApusState
import CApusGuard
import CApusPlugin

/// What one version of an operator makes of the rows of another one, by way of plugins' `migrate`
/// functions.
///
/// One step, or several behind each other: from the version that wrote the rows, by each one in
/// between, to the one that runs.  Used by one task thread at a time.
package final class StateMigration: RowMigration {
    /// What becomes of a slot or a timer in one step.
    package struct Move: Equatable, Sendable {
        /// Its number before.
        package var old: Int
        /// Its number after.
        package var new: Int
        /// The version of its bytes before.
        package var from: Int
        /// The version of its bytes after.
        package var to: Int

        /// Creates a move.
        package init(old: Int, new: Int, from: Int, to: Int) {
            self.old = old
            self.new = new
            self.from = from
            self.to = to
        }
    }

    /// From one version to the next one, or back.
    package final class Step {
        private let use: PluginUse
        private let site: CallSite
        // SAFETY: a constant of the plugin, there as long as `use`; its counts are checked.
        private let component: UnsafePointer<apus_component>
        fileprivate let slots: [Move]
        fileprivate let timers: [Move]
        /// What becomes of broadcast states and operator states, which are moved at once.
        let broadcasts: [Move]
        let operatorStates: [Move]
        /// Whether the plugin's version is the one before, and it goes back.
        private let isBack: Bool

        /// Creates a step.
        ///
        /// - Parameters:
        ///   - plugin: Whose functions are called: the newer version's, both ways.
        ///   - index: Its component.
        ///   - owner: Who calls, for the crash report: "operator sla, subtask 1".
        ///   - slots: What becomes of slots; one without a move is dropped.
        ///   - timers: What becomes of timers, likewise.
        ///   - broadcasts: What becomes of broadcast states, likewise.
        ///   - operatorStates: What becomes of operator states, likewise.
        ///   - isBack: Whether it goes from the newer version to the older one.
        /// - Throws: ``PluginError`` when the plugin was unloaded.
        package init(
            plugin: LoadedPlugin,
            component index: Int,
            owner: String,
            slots: [Move],
            timers: [Move],
            broadcasts: [Move] = [],
            operatorStates: [Move] = [],
            isBack: Bool
        ) throws(PluginError) {
            use = try plugin.use(by: "\(owner), migration")
            component = plugin.components[index]
            site = CallSite(
                "plugin \(plugin.description.id) \(plugin.description.version), \(owner)",
                content: plugin.contentHash
            )
            self.slots = slots
            self.timers = timers
            self.broadcasts = broadcasts
            self.operatorStates = operatorStates
            self.isBack = isBack
        }

        /// The declaration of a slot in the plugin's version.
        fileprivate func migrate(of move: Move) -> apus_migrate? {
            // SAFETY: moves are made of the description that was read from this table.
            guard let declared = component.pointee.states[isBack ? move.old : move.new],
                declared.pointee.size >= UInt32(MemoryLayout<apus_state_decl>.size)
            else { return nil }
            return declared.pointee.migrate
        }

        fileprivate func migrateTimer(of move: Move) -> apus_migrate_timer? {
            guard let declared = component.pointee.timers[isBack ? move.old : move.new],
                declared.pointee.size >= UInt32(MemoryLayout<apus_timer_decl>.size)
            else { return nil }
            return declared.pointee.migrate
        }

        /// The migrate function of a broadcast state.
        func migrateBroadcast(of move: Move) -> apus_migrate? {
            guard let declared = component.pointee.broadcasts[isBack ? move.old : move.new],
                declared.pointee.size >= UInt32(MemoryLayout<apus_state_decl>.size)
            else { return nil }
            return declared.pointee.migrate
        }

        /// The migrate function of an operator state.
        func migrateOperatorState(of move: Move) -> apus_migrate? {
            guard let declared = component.pointee.operator_states[isBack ? move.old : move.new],
                declared.pointee.size >= UInt32(MemoryLayout<apus_operator_state_decl>.size)
            else { return nil }
            return declared.pointee.migrate
        }

        /// The domain of a timer, APUS_EVENT_TIME or APUS_PROCESSING_TIME.
        fileprivate func domain(of move: Move) -> UInt32 {
            component.pointee.timers[isBack ? move.old : move.new]?.pointee.domain ?? 0
        }

        func call(
            _ function: apus_migrate,
            _ move: Move,
            _ value: MigratedValue,
            into target: UnsafeMutablePointer<apus_migrated>
        ) -> (code: Int32, message: String?) {
            var error = CallSite.emptyError
            var migration = apus_migration(
                size: UInt32(MemoryLayout<apus_migration>.size),
                from_version: UInt32(move.from),
                to_version: UInt32(move.to),
                flags: 0,
                key: apus_bytes(value.key),
                entry: apus_bytes(value.entry),
                value: apus_bytes(value.bytes)
            )
            let code = apus_guard_migrate(site.pointer, function, &migration, target, &error)
            return (code, CallSite.message(of: &error))
        }

        fileprivate func call(
            _ function: apus_migrate_timer,
            _ move: Move,
            _ migration: inout apus_timer_migration,
            _ plan: inout TimerPlan,
            into target: UnsafeMutablePointer<apus_migrated>
        ) -> (code: Int32, message: String?) {
            var error = CallSite.emptyError
            migration.from_version = UInt32(move.from)
            migration.to_version = UInt32(move.to)
            migration.id = plan.id
            migration.time_us = plan.timeMicroseconds
            var wanted = apus_timer_target(
                size: UInt32(MemoryLayout<apus_timer_target>.size),
                reserved: 0,
                id: plan.id,
                time_us: plan.timeMicroseconds
            )
            let code = apus_guard_migrate_timer(
                site.pointer,
                function,
                &migration,
                &wanted,
                target,
                &error
            )
            plan = TimerPlan(id: wanted.id, timeMicroseconds: wanted.time_us)
            return (code, CallSite.message(of: &error))
        }
    }

    /// The most bytes that a value may become.
    package static let byteCountMax = 64 << 20

    private let steps: [Step]
    /// Two, so that one step's result can be the next one's input.
    private let buffers: UnsafeMutablePointer<apus_migrated>

    /// Creates a migration of the steps, in their order.
    ///
    /// - Precondition: At least one.
    package init(_ steps: [Step]) {
        precondition(!steps.isEmpty, "a migration has a step")
        self.steps = steps
        // SAFETY: freed in deinit; nobody keeps what `migrate` returns beyond the next call.
        buffers = .allocate(capacity: 2)
        buffers.initialize(
            repeating: apus_migrated(
                data: nil,
                len: 0,
                capacity: 0,
                limit: UInt64(Self.byteCountMax)
            ),
            count: 2
        )
    }

    deinit {
        for index in 0..<2 { apus_migrated_free(buffers + index) }
        buffers.deallocate()
    }

    /// The same with another step behind it.
    package func followed(by step: Step) -> StateMigration { StateMigration(steps + [step]) }

    // doc: inherited
    package func target(ofSlot slot: Int) -> Int? {
        steps.reduce(Optional(slot)) { slot, step in
            step.slots.first { $0.old == slot }?.new
        }
    }

    // doc: inherited
    package func target(ofTimer name: Int) -> Int? {
        steps.reduce(Optional(name)) { name, step in
            step.timers.first { $0.old == name }?.new
        }
    }

    // doc: inherited
    package func keepsBytes(ofSlot slot: Int) -> Bool { moves(slot, \.slots).allSatisfy(\.isSame) }

    // doc: inherited
    package func keepsTimers(of name: Int) -> Bool { moves(name, \.timers).allSatisfy(\.isSame) }

    private func moves(_ number: Int, _ all: KeyPath<Step, [Move]>) -> [Move] {
        var number = number
        return steps.compactMap { step in
            guard let move = step[keyPath: all].first(where: { $0.old == number }) else {
                return nil
            }
            number = move.new
            return move
        }
    }

    // doc: inherited
    package func migrate(slot: Int, _ value: MigratedValue) -> MigrationOutcome {
        var (slot, value) = (slot, value)
        var target = 0
        for step in steps {
            guard let move = step.slots.first(where: { $0.old == slot }) else { return .dropped }
            slot = move.new
            if move.isSame { continue }
            guard let function = step.migrate(of: move) else {
                return .failed("there is no migrate from version \(move.from) to \(move.to)")
            }
            let (code, message) = step.call(function, move, value, into: buffers + target)
            guard code == APUS_OK else { return outcome(code, message, move) }
            value.bytes = written(target)
            target = 1 - target
        }
        return .bytes(value.bytes)
    }

    /// Why a value cannot be migrated.
    package struct Refusal: Error, Equatable, Sendable {
        /// The reason.
        package let text: String
    }

    /// The same for a value of one's own.
    ///
    /// - Parameters:
    ///   - slot: The old slot.
    ///   - key: Whose state it is.
    ///   - entry: What it belongs to; see ``MigratedValue``.
    ///   - bytes: The bytes.
    /// - Returns: What they become, nil when they are dropped.
    package func migrate(
        slot: Int,
        key: [UInt8],
        entry: [UInt8],
        bytes: [UInt8]
    ) -> Result<[UInt8]?, Refusal> {
        key.withUnsafeBytes { key in
            entry.withUnsafeBytes { entry in
                bytes.withUnsafeBytes { bytes in
                    // SAFETY: the value is used during the call; what comes back is copied.
                    switch migrate(slot: slot, MigratedValue(key: key, entry: entry, bytes: bytes))
                    {
                    case .bytes(let result): .success(Array(result))
                    case .dropped: .success(nil)
                    case .failed(let reason): .failure(Refusal(text: reason))
                    }
                }
            }
        }
    }

    private func written(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: buffers[index].data, count: Int(buffers[index].len))
    }

    private func outcome(_ code: Int32, _ message: String?, _ move: Move) -> MigrationOutcome {
        if code == APUS_NOT_FOUND { return .dropped }
        let what = code == APUS_EXCEPTION ? "threw an exception" : "failed with code \(code)"
        return .failed(
            "migrate from version \(move.from) to \(move.to) \(what)"
                + (message.map { ": \($0)" } ?? "")
        )
    }

    // doc: inherited
    package func migrateTimer(
        _ name: Int,
        key: UnsafeRawBufferPointer,
        _ plan: inout TimerPlan,
        payload: UnsafeRawBufferPointer
    ) -> MigrationOutcome {
        var name = name
        var payload = payload
        var target = 0
        for step in steps {
            guard let move = step.timers.first(where: { $0.old == name }) else { return .dropped }
            name = move.new
            if move.isSame { continue }
            guard let function = step.migrateTimer(of: move) else {
                return .failed("there is no migrate from version \(move.from) to \(move.to)")
            }
            var migration = apus_timer_migration()
            migration.size = UInt32(MemoryLayout<apus_timer_migration>.size)
            migration.domain = step.domain(of: move)
            migration.key = apus_bytes(key)
            migration.payload = apus_bytes(payload)
            let (code, message) = step.call(
                function,
                move,
                &migration,
                &plan,
                into: buffers + target
            )
            guard code == APUS_OK else { return outcome(code, message, move) }
            // Without a new payload the old one stays.
            if buffers[target].len > 0 {
                payload = written(target)
                target = 1 - target
            }
        }
        return .bytes(payload)
    }
}

extension StateMigration.Move {
    /// Whether bytes stay as they are.
    var isSame: Bool { from == to }
}
