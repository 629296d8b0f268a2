import ApusControl
import ApusCore
import ApusPluginHost
import ApusRuntime
import ApusState
import ApusStateTools
import ApusSwap
import Foundation

extension JobMethods {
    /// The most keys of a request: a task thread works on them in slices, and can do nothing else
    /// that is asked for meanwhile.
    static let keyCountMax = 10_000

    // MARK: - state.purge

    /// The parameters of `state.purge`.
    struct Purge: Codable {
        /// A key.
        struct Key: Codable {
            var key: Data
            /// The second of its last write, since 2020-01-01T00:00:00Z.
            var written: UInt32
        }

        var `operator`: String
        /// The state that alone goes; nil for everything.
        var state: String?
        var keys: [Key]
    }

    /// The result of `state.purge`.
    struct Purged: Codable {
        var removed: Int
        /// Left, because they were written since.
        var touched: Int
        /// Not there any more.
        var missing: Int
    }

    func purge(_ call: ControlCall) throws(ControlError) -> any Encodable {
        let asked = try call.parameters(Purge.self)
        let run = session.run
        let component = try component(run, asked.operator, keyCount: asked.keys.count)
        var slot: Int?
        if let state = asked.state { slot = try self.slot(state, asked.operator, component) }
        let keys = asked.keys.map { (key: Array($0.key), written: $0.written) }
        let noted = try begin("at most \(keys.count) keys of '\(asked.operator)' removed")
        let sum = try ending(noted) { () throws(ControlError) in
            let change = run.removeState(of: asked.operator, keys, slot: slot)
            return try wait(change, of: run, call, "keys are removed")
        }
        return Purged(removed: sum.done, touched: sum.left, missing: sum.other)
    }

    // MARK: - state.undo

    /// The parameters of `state.undo`.
    struct Undo: Codable {
        /// A state of a key: one of the members is there.
        struct State: Codable {
            var name: String
            var value: Data?
            var number: Int64?
            var list: [Data]?
            var map: [Entry]?
        }

        /// An entry of a map.
        struct Entry: Codable {
            var key: Data
            var value: Data
        }

        /// A timer of a key.
        struct Timer: Codable {
            var name: String
            var id: UInt64
            var timeMicroseconds: Int64
            var payload: Data
        }

        /// A key.
        struct Key: Codable {
            var key: Data
            var states: [State]
            var timers: [Timer]
        }

        var `operator`: String
        /// Whether the keys had nothing else: they get it back only when they have nothing now.
        var isWhole: Bool
        var keys: [Key]
    }

    /// The result of `state.undo`.
    struct Undone: Codable {
        var restored: Int
        /// Left, because they have something now.
        var occupied: Int
        /// Not what the operator declares.
        var unfit: Int
    }

    func undo(_ call: ControlCall) throws(ControlError) -> any Encodable {
        let asked = try call.parameters(Undo.self)
        let run = session.run
        let component = try component(run, asked.operator, keyCount: asked.keys.count)
        var images: [KeyImage] = []
        for key in asked.keys {
            var image = KeyImage(
                key: Array(key.key),
                values: [],
                timers: [],
                isWhole: asked.isWhole
            )
            for state in key.states {
                image.values.append(
                    KeyImage.Value(
                        slot: try slot(state.name, asked.operator, component),
                        content: try state.content()
                    )
                )
            }
            for timer in key.timers {
                image.timers.append(try Self.timer(timer, asked.operator, component))
            }
            images.append(image)
        }
        let noted = try begin("at most \(images.count) keys of '\(asked.operator)' put back")
        let sum = try ending(noted) { () throws(ControlError) in
            let change = run.restoreState(of: asked.operator, images)
            return try wait(change, of: run, call, "keys are put back")
        }
        return Undone(restored: sum.done, occupied: sum.left, unfit: sum.other)
    }

    // MARK: - state.sizes

    func sizes(_ call: ControlCall) throws(ControlError) -> any Encodable {
        let run = session.run
        let measurement = run.measureState()
        while true {
            if let operators = measurement.wait(nanoseconds: Self.second) {
                return StateSizes(operators)
            }
            try checkRunning(run, call, "the operators are asked")
        }
    }

    // MARK: - The journal

    /// Notes that keys are about to change: not beside a swap, whose way back would undo it.
    ///
    /// - Returns: The operation; nil for a job without a journal.
    private func begin(_ remark: String) throws(ControlError) -> SwapIntent? {
        try conductor.checkIdle()
        guard session.folderPath != nil else { return nil }
        var intent = SwapIntent(.purge)
        intent.remark = remark
        do throws(SwapJournalError) {
            return try session.journal().begin(
                intent,
                atMicroseconds: admission.world.clock.wallMicroseconds()
            )
        } catch {
            throw ControlError(.refused, "job '\(job)': \(error.description)")
        }
    }

    /// Carries it out, and notes what has become of it.
    private func ending<Result>(
        _ intent: SwapIntent?,
        _ body: () throws(ControlError) -> Result
    ) throws(ControlError) -> Result {
        func note(_ event: SwapEntry.Event) throws(ControlError) {
            do throws(SwapJournalError) {
                let now = admission.world.clock.wallMicroseconds()
                try session.journal().add(event, atMicroseconds: now)
            } catch {
                throw ControlError(.failed, "job '\(job)': \(error.description)")
            }
        }
        do throws(ControlError) {
            let result = try body()
            if let intent { try note(.committed(swap: intent.swap)) }
            return result
        } catch {
            if let intent { try note(.abandoned(swap: intent.swap, reason: error.message)) }
            throw error
        }
    }

    // MARK: - Parts

    private func component(
        _ run: JobRun,
        _ id: String,
        keyCount: Int
    ) throws(ControlError) -> ComponentDescription {
        guard keyCount <= Self.keyCountMax else {
            throw ControlError(
                .badParameters,
                "\(keyCount) keys; expected at most \(Self.keyCountMax) in a request"
            )
        }
        guard let component = run.component(of: id) else {
            throw ControlError(.refused, "job '\(job)' has no operator '\(id)'")
        }
        return component
    }

    private func slot(
        _ name: String,
        _ id: String,
        _ component: ComponentDescription
    ) throws(ControlError) -> Int {
        guard let slot = component.states.firstIndex(where: { $0.slot.name == name }) else {
            throw ControlError(.refused, "operator '\(id)' of the running job has no '\(name)'")
        }
        return slot
    }

    private static func timer(
        _ timer: Undo.Timer,
        _ id: String,
        _ component: ComponentDescription
    ) throws(ControlError) -> StoredRow.Timer {
        guard let name = component.timers.firstIndex(where: { $0.name == timer.name }) else {
            throw ControlError(
                .refused,
                "operator '\(id)' of the running job has no timer '\(timer.name)'"
            )
        }
        return StoredRow.Timer(
            domain: component.timers[name].domain == .event ? 0 : 1,
            name: name,
            id: timer.id,
            timeMicroseconds: timer.timeMicroseconds,
            payload: Array(timer.payload)
        )
    }

    private func wait(
        _ change: StateChange?,
        of run: JobRun,
        _ call: ControlCall,
        _ what: String
    ) throws(ControlError) -> (done: Int, left: Int, other: Int) {
        guard let change else {
            throw ControlError(.refused, "job '\(job)': the operator does not run any more")
        }
        while true {
            switch change.wait(nanoseconds: Self.second) {
            case .changed(let done, let left, let other): return (done, left, other)
            case .refused(let reason): throw ControlError(.ended, "job '\(job)': \(reason)")
            case nil: try checkRunning(run, call, what)
            }
        }
    }

    /// Tells that work goes on, and gives up when nobody does it or waits for it.
    private func checkRunning(
        _ run: JobRun,
        _ call: ControlCall,
        _ what: String
    ) throws(ControlError) {
        guard !run.hasEnded else {
            throw ControlError(.ended, "job '\(job)' has ended")
        }
        call.tell(ControlProgress("job '\(job)': \(what)"))
        guard !call.isOver else { throw Self.nobodyWaits }
    }
}

extension JobMethods.Undo.State {
    /// What the state held.
    fileprivate func content() throws(ControlError) -> KeyImage.Value.Content {
        if let value { return .bytes(Array(value)) }
        if let number { return .number(number) }
        if let list { return .list(list.map { Array($0) }) }
        if let map { return .map(map.map { (Array($0.key), Array($0.value)) }) }
        throw ControlError(
            .badParameters,
            "state '\(name)': expected one of value, number, list, map"
        )
    }
}
