import CApusPlugin

/// The description of a plugin as the ABI wants it: structs that are made once and live for ever.
struct PluginTable {
    /// A component with what it declares.
    struct Row {
        let component: Component
        let declarations: Declarations
    }

    let plugin: Plugin
    let rows: [Row]

    /// The components of this plugin, by their indices.
    ///
    /// `nonisolated(unsafe)` because the entry function writes it, once and before anything else.
    nonisolated(unsafe) static var published: [Row] = []

    /// The component that a test has described; apart, so that tests can have many plugins.
    ///
    /// `nonisolated(unsafe)` because the harness describes and creates under one lock.
    nonisolated(unsafe) static var underTest: Row?

    /// Collects what the components declare, and checks it.
    init(_ plugin: Plugin) throws(OperatorError) {
        self.plugin = plugin
        guard plugin.components.count <= CreateThunks.all.count else {
            throw OperatorError(
                "the plugin has \(plugin.components.count) components; at most "
                    + "\(CreateThunks.all.count)"
            )
        }
        var rows: [Row] = []
        for component in plugin.components {
            let declarations = component.declare()
            let problem =
                declarations.problem(isKeyed: component.isKeyed)
                ?? (declarations.broadcasts.isEmpty || component.broadcastInputCount > 0
                    ? nil
                    : "it declares broadcast state, so its broadcastInputCount must be 1 or more")
            if let problem {
                throw OperatorError("operator '\(component.id)': \(problem)")
            }
            rows.append(Row(component: component, declarations: declarations))
        }
        let migrationCount = rows.reduce(0) { $0 + $1.declarations.migrationCount }
        guard migrationCount <= MigrationThunks.countMax else {
            throw OperatorError(
                "the plugin has \(migrationCount) states that migrate; at most "
                    + "\(MigrationThunks.countMax)"
            )
        }
        let timerCount = rows.reduce(0) { $0 + $1.declarations.timerMigrationCount }
        guard timerCount <= TimerMigrationThunks.countMax else {
            throw OperatorError(
                "the plugin has \(timerCount) timers that migrate; at most "
                    + "\(TimerMigrationThunks.countMax)"
            )
        }
        self.rows = rows
    }

    /// Makes the structs.
    ///
    /// - Parameter isUnderTest: Whether a test has made this, and the plugin of the library, if
    ///   there is one, is to stay as it is.
    /// - Returns: The first of the structs.
    func publish(isUnderTest: Bool = false) -> UnsafePointer<apus_plugin> {
        if isUnderTest { Self.underTest = rows.first } else { Self.published = rows }
        var migrations = MigrationThunks.Assignment(isUnderTest: isUnderTest)
        var timerMigrations = TimerMigrationThunks.Assignment(isUnderTest: isUnderTest)
        var description = Self.sized(apus_plugin())
        description.abi_minor = UInt16(APUS_ABI_MINOR)
        // Nothing else that is new since 0.1 is used.
        let isNew = rows.contains {
            $0.component.broadcastInputCount > 0 || !$0.declarations.operatorStates.isEmpty
        }
        let isNewer = rows.contains { $0.declarations.needsMigration }
        description.abi_minor_floor = isNewer ? 3 : isNew ? 2 : 1
        description.id = Self.text(plugin.id)
        description.version = Self.text(plugin.version)
        description.vendor = Self.text(plugin.vendor)
        description.component_count = UInt32(rows.count)
        description.components = Self.list(
            rows.enumerated().map { index, row in
                var description = component(row, &migrations, &timerMigrations)
                description.create =
                    isUnderTest ? CreateThunks.underTest : CreateThunks.all[index]
                return description
            }
        )
        return Self.forever(description)
    }

    private func component(
        _ row: Row,
        _ migrations: inout MigrationThunks.Assignment,
        _ timerMigrations: inout TimerMigrationThunks.Assignment
    ) -> apus_component {
        let declarations = row.declarations
        var description = Self.sized(apus_component())
        description.kind = APUS_OPERATOR
        description.destroy = { OperatorThunks.destroy($0) }
        description.vt = UnsafeRawPointer(
            Self.forever(
                OperatorThunks.table(
                    isKeyed: row.component.isKeyed,
                    isBroadcast: row.component.broadcastInputCount > 0
                )
            )
        )
        description.id = Self.text(row.component.id)
        description.summary = Self.text(row.component.summary)
        description.flags = row.component.isKeyed ? APUS_KEYED : 0
        if row.component.acceptsRecordsWithoutKey { description.flags |= APUS_ACCEPTS_NULL_KEY }
        description.input_count = UInt32(row.component.inputCount)
        description.output_count = UInt32(declarations.outputs.count)
        description.outputs = Self.list(declarations.outputs.map(Self.port))
        description.state_count = UInt32(declarations.states.count)
        description.states = Self.list(
            declarations.states.map { Self.state($0, &migrations) }
        )
        description.timer_count = UInt32(declarations.timers.count)
        description.timers = Self.list(
            declarations.timers.map { Self.timer($0, &timerMigrations) }
        )
        description.counter_count = UInt32(declarations.counters.count)
        description.counters = Self.list(declarations.counters.map(Self.counter))
        description.broadcast_input_count = UInt32(row.component.broadcastInputCount)
        description.broadcast_count = UInt32(declarations.broadcasts.count)
        description.broadcasts = Self.list(
            declarations.broadcasts.map { Self.state($0, &migrations) }
        )
        description.operator_state_count = UInt32(declarations.operatorStates.count)
        description.operator_states = Self.list(
            declarations.operatorStates.map { Self.operatorState($0, &migrations) }
        )
        return description
    }

    private static func port(_ output: Declarations.Output) -> apus_port {
        var port = sized(apus_port())
        port.name = text(output.name)
        port.summary = text(output.summary)
        return port
    }

    private static func counter(_ counter: Declarations.Output) -> apus_counter_decl {
        var declaration = sized(apus_counter_decl())
        declaration.name = text(counter.name)
        declaration.summary = text(counter.summary)
        return declaration
    }

    private static func state(
        _ state: Declarations.State,
        _ migrations: inout MigrationThunks.Assignment
    ) -> apus_state_decl {
        var declaration = sized(apus_state_decl())
        declaration.kind = UInt32(bitPattern: state.kind)
        declaration.name = text(state.name)
        declaration.schema_version = UInt32(state.schemaVersion)
        declaration.fixed_len = UInt32(state.fixedByteCount)
        declaration.schema = text(state.schema)
        declaration.renamed_from = text(state.renamedFrom)
        declaration.min_readable = UInt32(state.migration?.oldestVersion ?? 0)
        declaration.migration_flags = flags(state.migration)
        declaration.migrate = migrations.thunk(for: state.migration)
        return declaration
    }

    private static func operatorState(
        _ state: Declarations.OperatorState,
        _ migrations: inout MigrationThunks.Assignment
    ) -> apus_operator_state_decl {
        var declaration = sized(apus_operator_state_decl())
        declaration.redistribution =
            switch state.redistribution {
            case .split: APUS_SPLIT
            case .union: APUS_UNION
            }
        declaration.name = text(state.name)
        declaration.schema_version = UInt32(state.schemaVersion)
        declaration.schema = text(state.schema)
        declaration.renamed_from = text(state.renamedFrom)
        declaration.min_readable = UInt32(state.migration?.oldestVersion ?? 0)
        declaration.migrate = migrations.thunk(for: state.migration)
        return declaration
    }

    private static func flags(_ migration: StateMigration?) -> UInt32 {
        migration?.goesBack == true ? UInt32(bitPattern: APUS_MIGRATES_BACK) : 0
    }

    private static func timer(
        _ timer: Declarations.Timer,
        _ migrations: inout TimerMigrationThunks.Assignment
    ) -> apus_timer_decl {
        var declaration = sized(apus_timer_decl())
        declaration.domain = UInt32(bitPattern: timer.domain)
        declaration.name = text(timer.name)
        declaration.schema_version = UInt32(timer.migration?.version ?? 1)
        declaration.min_readable = UInt32(timer.migration?.oldestVersion ?? 0)
        declaration.migrate = migrations.thunk(for: timer.migration)
        return declaration
    }

    // MARK: - Memory that is never freed

    // SAFETY: every struct of the ABI begins with its size, 32 bits; nothing here is freed or
    // written again, so the host may read it at any time and from any thread.

    private static func sized<Struct>(_ value: Struct) -> Struct {
        var value = value
        withUnsafeMutableBytes(of: &value) {
            $0.storeBytes(of: UInt32(MemoryLayout<Struct>.size), as: UInt32.self)
        }
        return value
    }

    private static func forever<Struct>(_ value: Struct) -> UnsafePointer<Struct> {
        let memory = UnsafeMutablePointer<Struct>.allocate(capacity: 1)
        memory.initialize(to: value)
        return UnsafePointer(memory)
    }

    private static func list<Struct>(
        _ values: [Struct]
    ) -> UnsafePointer<UnsafePointer<Struct>?>? {
        let memory = UnsafeMutablePointer<UnsafePointer<Struct>?>.allocate(
            capacity: max(1, values.count)
        )
        for (index, value) in values.enumerated() {
            (memory + index).initialize(to: forever(value))
        }
        return UnsafePointer(memory)
    }

    private static func text(_ text: String) -> apus_str {
        let bytes = Array(text.utf8)
        let memory = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, bytes.count))
        for (index, byte) in bytes.enumerated() {
            (memory + index).initialize(to: CChar(bitPattern: byte))
        }
        return apus_str(data: memory, len: UInt64(bytes.count))
    }
}
