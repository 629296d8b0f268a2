import ApusSDKTesting
import ApusState
import CApusPlugin
import Testing

@testable import ApusSDK

/// A record as the tests say it and see it.
struct TestRecord: Equatable {
    var key: String?
    var value: String
    var time: Int64 = 0
}

/// A host for one instance, with outputs as narrow as a test wants them and fixed-length values
/// as its only state.
///
/// It calls the plugin by its C functions alone, and goes on after each result as the ABI says.
final class TestHost {
    /// How much an output takes.
    struct Limits {
        /// Records until `more` has to be asked.
        var recordsPerSegment = 1024
        /// Times that `more` agrees in one callback.
        var segmentsPerCallback = Int.max
    }

    /// More calls than any test needs; a plugin that needs more goes round in circles.
    private static let callCountMax = 10_000

    private let component: UnsafePointer<apus_component>
    private let functions: UnsafePointer<apus_operator_vt>
    private var object: UnsafeMutableRawPointer?
    private let context = UnsafeMutablePointer<apus_ctx>.allocate(capacity: 1)
    private let error = UnsafeMutablePointer<apus_error>.allocate(capacity: 1)
    private let stop = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
    private let counterCells = UnsafeMutablePointer<UInt64>.allocate(capacity: 8)
    private let outs: UnsafeMutablePointer<UnsafeMutablePointer<apus_out>?>
    private let outputs: [TestOutput]

    /// What came out of each output.
    var received: [[TestRecord]] { outputs.map(\.received) }
    /// The reasons of bad records, by their indices.
    private(set) var rejected: [Int: String] = [:]
    /// How often the plugin was called.
    private(set) var callCount = 0
    /// Maps that are the same everywhere.
    private let broadcast: TestBroadcast
    /// Items of the subtask.
    let operatorState: TestOperatorState
    /// Values by key.
    let state: TestState

    /// Creates and opens an instance.
    ///
    /// - Throws: ``TestHostError`` with the plugin's code and message.
    init(
        _ plugin: UnsafePointer<apus_plugin>,
        component id: String,
        config: String = "null",
        limits: Limits = Limits(),
        items: [OperatorStateItems] = []
    ) throws {
        component = try Self.find(id, in: plugin)
        let states = component.pointee.states
        let length = component.pointee.state_count > 0 ? states?[0]?.pointee.fixed_len : nil
        state = TestState(byteCount: Int(length ?? 8))
        broadcast = TestBroadcast(count: Int(component.pointee.broadcast_count))
        operatorState = TestOperatorState(
            count: Int(component.pointee.operator_state_count),
            items: items
        )
        functions = try #require(component.pointee.vt).assumingMemoryBound(
            to: apus_operator_vt.self
        )
        outputs = (0..<component.pointee.output_count).map { TestOutput(port: $0, limits) }
        outs = .allocate(capacity: outputs.count)
        for (index, output) in outputs.enumerated() { (outs + index).initialize(to: output.out) }
        error.initialize(to: apus_error())
        stop.initialize(to: 0)
        counterCells.initialize(repeating: 0, count: 8)
        context.initialize(to: apus_ctx())
        context.pointee.size = UInt32(MemoryLayout<apus_ctx>.size)
        context.pointee.out_count = component.pointee.output_count
        context.pointee.outs = UnsafePointer(outs)
        context.pointee.state = UnsafePointer(state.functions)
        context.pointee.host_private = Unmanaged.passUnretained(state).toOpaque()
        context.pointee.broadcast = UnsafePointer(broadcast.functions)
        context.pointee.broadcast_private = broadcast.pointer
        context.pointee.operator_state = UnsafePointer(operatorState.functions)
        context.pointee.operator_state_private = operatorState.pointer
        context.pointee.stop = UnsafePointer(stop)
        context.pointee.counters = counterCells
        context.pointee.error = error
        try create(config)
        try check(functions.pointee.open?(object, context) ?? APUS_OK)
    }

    deinit {
        if object != nil { component.pointee.destroy(object) }
        context.deallocate()
        error.deallocate()
        stop.deallocate()
        counterCells.deallocate()
        outs.deallocate()
    }

    private static func find(
        _ id: String,
        in plugin: UnsafePointer<apus_plugin>
    ) throws -> UnsafePointer<apus_component> {
        for index in 0..<Int(plugin.pointee.component_count) {
            let component = try #require(plugin.pointee.components[index])
            if Bytes(start: component.pointee.id.data, count: Int(component.pointee.id.len)).text
                == id
            {
                return component
            }
        }
        throw TestHostError(code: 0, message: "no component \(id)")
    }

    private func create(_ config: String) throws {
        try config.withBytes { config in
            var arguments = apus_args()
            arguments.size = UInt32(MemoryLayout<apus_args>.size)
            arguments.config = apus_bytes(config)
            try OperatorHarness.alone {
                try check(component.pointee.create(&arguments, &object, error))
            }
        }
    }

    private func check(_ code: Int32) throws {
        guard code == APUS_OK else { throw TestHostError(code: code, message: message) }
    }

    private var message: String {
        withUnsafeBytes(of: error.pointee.message) {
            String(decoding: $0.prefix(Int(error.pointee.len)), as: UTF8.self)
        }
    }

    // MARK: - Calling

    /// Asks the plugin to stop after the record in hand, all the time.
    func keepStopping() { stop.pointee = 1 }

    /// The value of a counter.
    func counter(_ index: Int) -> UInt64 { counterCells[index] }

    /// Has records handled.
    func process(_ records: [TestRecord]) throws {
        let batch = begin(records)
        try run(records.count) { functions.pointee.process(object, context, batch.pointer) }
    }

    /// Has records of a broadcast input handled.
    func processBroadcast(_ values: [String]) throws {
        let batch = begin(values.map { TestRecord(key: nil, value: $0) })
        let function = try #require(functions.pointee.process_broadcast)
        broadcast.isWritable = true
        defer { broadcast.isWritable = false }
        try run(values.count) { function(object, context, batch.pointer) }
    }

    /// Fires timers: their declarations, and records for their keys, payloads and times; the ids
    /// are their indices.
    func fire(_ timers: [UInt32], _ records: [TestRecord]) throws {
        let batch = begin(records)
        let onTimers = try #require(functions.pointee.on_timers)
        try timers.withUnsafeBufferPointer { timers in
            try records.indices.map { UInt64($0) }.withUnsafeBufferPointer { ids in
                var list = apus_timers(
                    size: UInt32(MemoryLayout<apus_timers>.size),
                    domain: UInt32(bitPattern: APUS_EVENT_TIME),
                    batch: batch.pointer,
                    timer: timers.baseAddress,
                    id: ids.baseAddress
                )
                try run(records.count) { onTimers(object, context, &list) }
            }
        }
    }

    private func begin(_ records: [TestRecord]) -> TestBatch {
        let batch = TestBatch(records)
        state.keys = records.map(\.key)
        rejected = [:]
        for output in outputs { output.input = batch }
        return batch
    }

    /// Tells of a watermark.
    func advance(to time: Int64) throws {
        begin(at: 0)
        context.pointee.watermark_us = time
        state.keys = []
        let code = functions.pointee.on_watermark?(object, context, time) ?? APUS_OK
        for output in outputs { output.drain() }
        try check(code)
    }

    private func begin(at index: Int) {
        callCount += 1
        for output in outputs { output.begin() }
        context.pointee.at = UInt32(index)
        error.pointee.len = 0
    }

    private func run(_ count: Int, _ call: () -> Int32) throws {
        var at = 0
        while at < count {
            begin(at: at)
            let code = call()
            for output in outputs { output.drain() }
            let stopped = Int(context.pointee.at)
            switch code {
            case APUS_OK:
                return
            case APUS_YIELD where callCount > Self.callCountMax:
                throw TestHostError(code: code, message: "no end after \(callCount) calls")
            case APUS_YIELD, APUS_LIMIT:
                let isProgress = stopped > at || outputs.contains(where: \.hasTaken)
                guard (at..<count).contains(stopped), isProgress else {
                    throw TestHostError(code: code, message: "stopped at \(stopped)")
                }
                at = stopped
            case APUS_RECORD:
                guard (at..<count).contains(stopped), rejected[stopped] == nil else {
                    throw TestHostError(code: code, message: "rejected \(stopped)")
                }
                rejected[stopped] = message
                at = stopped + 1
            default:
                throw TestHostError(code: code, message: message)
            }
        }
    }
}

/// What a plugin reported.
struct TestHostError: Error, Equatable {
    let code: Int32
    let message: String
}
