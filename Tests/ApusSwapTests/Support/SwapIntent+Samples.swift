import ApusSwap

extension PluginVersion {
    /// A version whose hash is 64 times the same digit.
    static func sample(_ digit: Character, component: String = "count") -> PluginVersion {
        PluginVersion(
            sha256: String(repeating: digit, count: 64),
            file: "lib\(digit).so",
            plugin: "com.example.count",
            version: "1.\(digit)",
            component: component
        )
    }
}

extension SwapIntent {
    /// A swap of the operator `op`.
    static func sample(
        _ from: Character = "1",
        _ to: Character = "2",
        operators: [String] = ["op"],
        guarded: Bool = true,
        isCodeOnly: Bool = false,
        cut: Cut? = nil
    ) -> SwapIntent {
        var intent = SwapIntent(
            .swap,
            operators: operators.map {
                SwapIntent.Operator(
                    id: $0,
                    from: .sample(from),
                    to: .sample(to),
                    isCodeOnly: isCodeOnly
                )
            },
            cut: cut ?? (guarded ? .barrier : .boundary)
        )
        if guarded { intent.guard = SwapIntent.Guard(durationMicroseconds: 30_000_000) }
        return intent
    }
}
