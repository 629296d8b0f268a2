import ApusCheckpoint

@testable import ApusState

/// What an operator of these tests declares, for its state and for manifests.
struct SampleOperator {
    let id: String
    let number: UInt16
    let slots: [SlotDescription]
    let timers: [(name: String, domain: KeyedState.TimerDomain)]

    /// Each kind of state, timers in both domains.
    static let tickets = SampleOperator(
        id: "tickets",
        number: 1,
        slots: [
            SlotDescription(name: "text", kind: .value, schemaVersion: 2),
            SlotDescription(name: "eight", kind: .fixedValue(byteCount: 8)),
            SlotDescription(name: "count", kind: .counter),
            SlotDescription(name: "list", kind: .list, schemaVersion: 3),
            SlotDescription(name: "map", kind: .map),
            SlotDescription(
                name: "brief",
                kind: .value,
                schemaVersion: 1,
                expiry: SlotExpiry(
                    ttlMicroseconds: 3_600_000_000,
                    isRefreshedByReads: false,
                    domain: .processing
                )
            ),
        ],
        timers: [("due", .event), ("poll", .processing)]
    )
    /// A second one, whose number is far from the first's.
    static let aircraft = SampleOperator(
        id: "aircraft",
        number: 300,
        slots: [
            SlotDescription(name: "last", kind: .fixedValue(byteCount: 8)),
            SlotDescription(name: "map", kind: .map),
        ],
        timers: [("grounded", .event)]
    )
    /// One that the manifest does not have: the job has it no longer.
    static let retired = SampleOperator(
        id: "retired",
        number: 7,
        slots: [
            SlotDescription(name: "note", kind: .value),
            SlotDescription(name: "list", kind: .list),
        ],
        timers: []
    )

    /// What a manifest says of it.
    func declaration(keyCount: Int) -> OperatorState {
        OperatorState(
            id: id,
            number: number,
            plugin: PluginReference(component: id, fileName: "lib\(id).so", contentHash: "ab"),
            states: slots.map { slot in
                let (kind, fixedByteCount): (String, Int?) =
                    switch slot.kind {
                    case .fixedValue(let byteCount): ("value", byteCount)
                    case .value: ("value", nil)
                    case .counter: ("counter", nil)
                    case .list: ("list", nil)
                    case .map: ("map", nil)
                    }
                return StateDeclaration(
                    name: slot.name,
                    kind: kind,
                    schemaVersion: Int(slot.schemaVersion),
                    fixedByteCount: fixedByteCount
                )
            },
            timers: timers.map {
                TimerDeclaration(
                    name: $0.name,
                    domain: $0.domain == .event ? "event" : "processing"
                )
            },
            subtasks: [
                SubtaskState(subtask: 0, watermarkMicroseconds: 5, keyCount: keyCount, byteCount: 9)
            ]
        )
    }
}
