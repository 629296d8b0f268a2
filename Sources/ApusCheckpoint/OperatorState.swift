/// What a checkpoint says of an operator: enough to know what its bytes mean without the plugin.
package struct OperatorState: Codable, Equatable, Sendable {
    /// The operator's id in the job file.
    package var id: String
    /// The number under which its state is filed, given once in the job's life.
    package var number: UInt16
    /// The plugin that wrote the state; nil for an operator that is part of Apus.
    package var plugin: PluginReference?
    /// The declared states, in the order of their slots.
    package var states: [StateDeclaration]
    /// The declared timers, in their order.
    package var timers: [TimerDeclaration]
    /// The subtasks that took part.
    package var subtasks: [SubtaskState]
    /// Its broadcast state; nil for none.
    package var broadcast: BroadcastReference?
    /// Its operator state, items that belong to subtasks; nil for none.
    package var operatorState: OperatorStateReference?

    /// Creates a description.
    ///
    /// - Parameters:
    ///   - id: The operator's id.
    ///   - number: Its number.
    ///   - plugin: The plugin that wrote the state.
    ///   - states: The declared states.
    ///   - timers: The declared timers.
    ///   - subtasks: The subtasks that took part.
    ///   - broadcast: Its broadcast state.
    ///   - operatorState: Its operator state.
    package init(
        id: String,
        number: UInt16,
        plugin: PluginReference? = nil,
        states: [StateDeclaration] = [],
        timers: [TimerDeclaration] = [],
        subtasks: [SubtaskState] = [],
        broadcast: BroadcastReference? = nil,
        operatorState: OperatorStateReference? = nil
    ) {
        self.id = id
        self.number = number
        self.plugin = plugin
        self.states = states
        self.timers = timers
        self.subtasks = subtasks
        self.broadcast = broadcast
        self.operatorState = operatorState
    }
}

extension OperatorState {
    /// The files that hold its state outside of the database, by content name.
    package var ownContentNames: [String] {
        [broadcast?.contentName, operatorState?.contentName].compactMap { $0 }
    }
}

/// A component of a plugin file.
package struct PluginReference: Codable, Equatable, Sendable {
    /// The component's id.
    package var component: String
    /// The file, as the job file named it.
    package var fileName: String
    /// The hash of the file's content, in hexadecimal.
    package var contentHash: String

    /// Creates a reference.
    ///
    /// - Parameters:
    ///   - component: The component's id.
    ///   - fileName: The file.
    ///   - contentHash: The hash of the file's content.
    package init(component: String, fileName: String, contentHash: String) {
        self.component = component
        self.fileName = fileName
        self.contentHash = contentHash
    }
}

/// A state as the plugin declared it.
package struct StateDeclaration: Codable, Equatable, Sendable {
    /// The name, unique in the operator.
    package var name: String
    /// "value", "counter", "list" or "map".
    package var kind: String
    /// What the bytes mean, as a number.
    package var schemaVersion: Int
    /// What the bytes mean, for people; may be empty.
    package var schema: String
    /// The length of each value; nil when it varies.
    package var fixedByteCount: Int?
    /// How long a value lives after it was last written; nil for ever.
    package var timeToLiveMicroseconds: Int64?

    /// Creates a declaration.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - kind: "value", "counter", "list" or "map".
    ///   - schemaVersion: What the bytes mean.
    ///   - schema: The same for people.
    ///   - fixedByteCount: The length of each value.
    ///   - timeToLiveMicroseconds: How long a value lives.
    package init(
        name: String,
        kind: String,
        schemaVersion: Int,
        schema: String = "",
        fixedByteCount: Int? = nil,
        timeToLiveMicroseconds: Int64? = nil
    ) {
        self.name = name
        self.kind = kind
        self.schemaVersion = schemaVersion
        self.schema = schema
        self.fixedByteCount = fixedByteCount
        self.timeToLiveMicroseconds = timeToLiveMicroseconds
    }
}

/// A timer as the plugin declared it.
package struct TimerDeclaration: Codable, Equatable, Sendable {
    /// The name, unique in the operator.
    package var name: String
    /// "event" or "processing".
    package var domain: String
    /// What times and payloads mean; nil for version 1.
    package var schemaVersion: Int?

    /// Creates a declaration.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - domain: "event" or "processing".
    ///   - schemaVersion: What times and payloads mean; nil for version 1.
    package init(name: String, domain: String, schemaVersion: Int? = nil) {
        self.name = name
        self.domain = domain
        self.schemaVersion = schemaVersion
    }
}

/// Where a subtask of an operator was.
package struct SubtaskState: Codable, Equatable, Sendable {
    /// Its index.
    package var subtask: Int
    /// Its watermark in microseconds; nil when there was none yet.
    package var watermarkMicroseconds: Int64?
    /// The number of its keys.
    package var keyCount: Int
    /// The bytes of their state, as far as they are known.
    package var byteCount: Int
    /// Armed timers in event time; nil where that was not counted.
    package var eventTimerCount: Int?
    /// Armed timers in processing time; nil where that was not counted.
    package var processingTimerCount: Int?

    /// Creates a description.
    ///
    /// - Parameters:
    ///   - subtask: Its index.
    ///   - watermarkMicroseconds: Its watermark.
    ///   - keyCount: The number of its keys.
    ///   - byteCount: The bytes of their state.
    ///   - eventTimerCount: Armed timers in event time.
    ///   - processingTimerCount: Armed timers in processing time.
    package init(
        subtask: Int,
        watermarkMicroseconds: Int64?,
        keyCount: Int,
        byteCount: Int,
        eventTimerCount: Int? = nil,
        processingTimerCount: Int? = nil
    ) {
        self.subtask = subtask
        self.watermarkMicroseconds = watermarkMicroseconds
        self.keyCount = keyCount
        self.byteCount = byteCount
        self.eventTimerCount = eventTimerCount
        self.processingTimerCount = processingTimerCount
    }
}
