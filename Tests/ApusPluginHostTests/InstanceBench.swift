import ApusCore
import ApusMemory
import ApusPluginHost
import ApusState
import ApusTestPlugins
import CApusPlugin

/// One instance of an operator, driven by hand, and the batch in its hands.
final class InstanceBench {
    /// An output record, copied.
    struct Record: Equatable {
        var text: String
        var bytes: [UInt8]
        var time: Int64
    }

    let instance: OperatorInstance
    private var batch = RecordBatch(recordCapacity: 1024, arenaCapacity: 1 << 16)
    private let timers = TimerBatch()
    private var isKeyed: Bool { instance.description.isKeyed }

    /// Creates an instance for operator `op`, subtask 3 of 4.
    init(
        _ plugin: LoadedPlugin,
        _ component: String,
        configuration: String = "null"
    ) throws(PluginError) {
        instance = try OperatorInstance(
            plugin: plugin,
            component: try plugin.componentIndex(component),
            arguments: InstanceArguments(
                job: "job",
                operatorID: "op",
                configuration: configuration,
                subtask: 3,
                parallelism: 4,
                groups: KeyGroups(count: 128),
                recordsPerBatch: 1024
            )
        )
    }

    /// A component of the hostile plugin.
    convenience init(hostile component: String, configuration: String = "null") throws {
        let world = try PluginWorld()
        try self.init(
            try world.loader.load(try TestPlugin.hostile()),
            component,
            configuration: configuration
        )
    }

    /// Who is blamed.
    static func subject(_ callback: String) -> String {
        "plugin test.hostile 6.6.6, operator op, subtask 3, \(callback)"
    }

    /// Takes new records in hand: value, key and time (the index).
    ///
    /// A value "-" has no key.
    func load(_ values: [String]) {
        batch = RecordBatch(recordCapacity: 1024, arenaCapacity: 1 << 16)
        for (index, value) in values.enumerated() {
            let text = Array(value.utf8)
            text.withUnsafeBytes { bytes in
                _ = batch.append(key: value == "-" ? nil : bytes, value: bytes, time: Int64(index))
            }
        }
        KeyHash.fill(batch)
    }

    /// One call over new records.
    func process(_ values: [String], from first: Int = 0) -> CallOutcome {
        load(values)
        return process(from: first)
    }

    /// One call over the records in hand.
    func process(from first: Int) -> CallOutcome {
        var view = batch.view(input: 0, isKeyed: isKeyed)
        return withUnsafePointer(to: &view) {
            instance.process($0, from: first, watermark: 5, nowMicroseconds: 7)
        }
    }

    /// Fires what is due in event time; nil when nothing is.
    func fireTimers(upTo time: Int64) -> CallOutcome? {
        guard instance.state?.takeDue(.event, upTo: time, into: timers) == true else { return nil }
        return instance.onTimers(
            timers,
            domain: .event,
            from: 0,
            watermark: time,
            nowMicroseconds: 7
        )
    }

    /// Takes what was written to the main output.
    func drain() -> [Record] {
        var records: [Record] = []
        instance.outputs[0].drain { batch in
            for index in 0..<batch.count {
                let bytes = Array(batch.bytes(of: batch.values + index))
                records.append(
                    Record(
                        text: String(decoding: bytes, as: UTF8.self),
                        bytes: bytes,
                        time: batch.times[index]
                    )
                )
            }
        }
        return records
    }

    /// The error of an outcome that is a failure.
    static func error(_ outcome: CallOutcome?) -> PluginError? {
        if case .failed(let error) = outcome { error } else { nil }
    }
}
