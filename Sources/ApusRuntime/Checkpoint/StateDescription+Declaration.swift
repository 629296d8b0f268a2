import ApusCheckpoint
import ApusPluginHost
import ApusState

extension StateDescription {
    /// The state as a manifest says it.
    var declaration: StateDeclaration {
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
            schemaVersion: schemaVersion,
            schema: schema,
            fixedByteCount: fixedByteCount
        )
    }
}

extension TimerDescription {
    /// The timer as a manifest says it.
    var declaration: TimerDeclaration {
        TimerDeclaration(
            name: name,
            domain: domain == .event ? "event" : "processing",
            schemaVersion: schemaVersion == 1 ? nil : schemaVersion
        )
    }
}
