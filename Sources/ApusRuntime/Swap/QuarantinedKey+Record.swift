import ApusMemory
import ApusState

extension QuarantinedKey {
    /// What the dead letters get of the key: its state as it was, bytes in hexadecimal, by the
    /// numbers of the old version's slots and timers.
    func rejected(node: String, policy: BadValuePolicy) -> RejectedRecord {
        var parts = image.values.map { value in
            "{\"slot\":\(value.slot),\(Self.text(value.content))}"
        }
        parts += image.timers.map { timer in
            "{\"timer\":\(timer.name),\"id\":\(timer.id),\"time_us\":\(timer.timeMicroseconds),"
                + "\"payload\":\"\(Self.hex(timer.payload))\"}"
        }
        return RejectedRecord(
            position: "state of operator '\(node)'",
            reason: "the key's state could not be migrated (\(policy.rawValue)): \(reason)",
            bytes: Array("[\(parts.joined(separator: ","))]".utf8),
            key: image.key
        )
    }

    private static func text(_ content: KeyImage.Value.Content) -> String {
        switch content {
        case .bytes(let bytes): "\"bytes\":\"\(hex(bytes))\""
        case .number(let number): "\"count\":\(number)"
        case .list(let items):
            "\"list\":[\(items.map { "\"\(hex($0))\"" }.joined(separator: ","))]"
        case .map(let entries):
            "\"map\":["
                + entries.map { "[\"\(hex($0.key))\",\"\(hex($0.value))\"]" }
                .joined(separator: ",") + "]"
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
