/// The keys that one kind of mapping in a job file may have.
///
/// Every key that the reader reads is a case of one of these enumerations, in the order in which
/// messages list them. `docs/job.schema.json` holds the same keys, and a test compares the two.
protocol JobFileKey: RawRepresentable<String>, CaseIterable, Hashable, Sendable {}

extension JobFileKey {
    /// All keys of the mapping, as messages list them.
    static var names: [String] { allCases.map(\.rawValue) }
}

/// The keys at the top of the file.
enum RootKey: String, JobFileKey {
    case apiVersion, kind, metadata, spec
}

/// The keys of `metadata`.
enum MetadataKey: String, JobFileKey {
    case name
}

/// The keys of `spec`.
enum SpecKey: String, JobFileKey {
    case parallelism
    case maxParallelism = "max-parallelism"
    case bufferTimeout = "buffer-timeout"
    case errors, checkpoint, state, memory, plugins, delivery, secrets, sources, operators, sinks
}

/// The keys of `spec.errors`.
enum ErrorsKey: String, JobFileKey {
    case policy
    case deadLetterFile = "dead-letter-file"
}

/// The keys of `spec.checkpoint`.
enum CheckpointKey: String, JobFileKey {
    case dir, interval
    case minPause = "min-pause"
    case timeout
    case tolerableFailures = "tolerable-failures"
    case alignmentTimeout = "alignment-timeout"
    case retain
    case ioLimit = "io-limit"
}

/// The keys of `spec.state`.
enum StateKey: String, JobFileKey {
    case backend, dir
}

/// The keys of `spec.memory`.
enum MemoryKey: String, JobFileKey {
    case budget
}

/// The keys of `spec.plugins`.
enum PluginsKey: String, JobFileKey {
    case callTimeout = "call-timeout"
    case callWarning = "call-warning"
}

/// The keys of a source.
enum SourceKey: String, JobFileKey {
    case id, plugin, component, parallelism, config, watermark
}

/// The keys of an operator.
enum OperatorKey: String, JobFileKey {
    case id, plugin, component, function, input, inputs, broadcast, key, state, async, config
}

/// The keys of the `async` of an operator.
enum AsyncKey: String, JobFileKey {
    case capacity, timeout, retries
    case retryDelay = "retry-delay"
    case order
    case onFailure = "on-failure"
}

/// The keys of the `function` of an operator.
enum FunctionKey: String, JobFileKey {
    case library, symbol, signature, arguments, result
    case use = "as"
    case noValue = "no-value"
    case threadSafe = "thread-safe"
    case pure, samples
}

/// The keys of one state in the `state` of an operator.
enum ExpiryKey: String, JobFileKey {
    case ttl, refresh, time
}

/// The keys of a sink.
enum SinkKey: String, JobFileKey {
    case id, plugin, component, parallelism, input, inputs, delivery, config
}

/// The keys of a watermark.
enum WatermarkKey: String, JobFileKey {
    case field, fields, unit
    case outOfOrder = "out-of-order"
    case idleAfter = "idle-after"
}

/// The keys of the `config` of a `file` source.
enum FileSourceKey: String, RecordFormatKey {
    case path, format, emit
    case nullValues = "null-values"
    case delimiter, follow
}

/// The keys of the `config` of a `stdin` source.
enum StdinSourceKey: String, RecordFormatKey {
    case format, emit
    case nullValues = "null-values"
    case delimiter
}

/// The keys of the `config` of a `generator` source.
enum GeneratorKey: String, JobFileKey {
    case kind, count, keys, rate, seed
    case valueSize = "value-size"
}

/// The keys of the `config` of a `file` sink.
enum FileSinkKey: String, JobFileKey {
    case path, append, format
}

/// The keys of the `config` of a `stdout` sink.
enum StdoutSinkKey: String, JobFileKey {
    case format
}

/// The keys of a `format` that is a codec.
enum CodecKey: String, JobFileKey {
    case plugin, component, config
}

/// The keys of one secret.
enum SecretKey: String, JobFileKey {
    case env, file
}

/// The keys of the `config` of a component that has nothing to configure.
enum NoKey: String, JobFileKey {
    /// A placeholder, because an enumeration of strings needs a case; it is in no list of keys.
    case none

    static let allCases: [NoKey] = []
}

/// The keys that every source of lines has.
protocol RecordFormatKey: JobFileKey {
    static var format: Self { get }
    static var emit: Self { get }
    static var nullValues: Self { get }
    static var delimiter: Self { get }
}
