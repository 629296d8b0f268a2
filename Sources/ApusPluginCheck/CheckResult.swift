/// How a check came out, as `--json` prints it.
public struct CheckResult: Codable, Equatable, Sendable {
    /// How it came out.
    public enum Verdict: String, Codable, Sendable {
        /// The plugin does as is demanded.
        case pass
        /// It may be meant like this, and probably is not.
        case warn
        /// The plugin does not do as is demanded.
        case fail
        /// The child in which the check ran was ended by a signal.
        case crash
        /// The check did not end in time.
        case hang
        /// The check says nothing about this plugin; the message has the reason.
        case skip
    }

    /// The check's id, "E48".
    public var check: String
    /// Its name, "batch-split-invariance".
    public var name: String
    /// Its group.
    public var group: CheckGroup
    /// The component, or nil when it is about the plugin as a whole.
    public var component: String?
    /// The check's strictness, 1 to 10.
    public var strictness: Int
    /// How it came out.
    public var verdict: Verdict
    /// What was found, what was expected, and how to mend it; figures when it passed.
    public var message: String
    /// Where random input came from; nil for a check without any.
    public var seed: UInt64?
    /// How long it took.
    public var milliseconds: Int64

    /// Whether the plugin is not as it should be.
    public var isBad: Bool { [.fail, .crash, .hang].contains(verdict) }
}

extension CheckResult {
    init(
        _ check: Check,
        component: String?,
        verdict: Verdict,
        message: String,
        seed: UInt64 = 0,
        milliseconds: Int64 = 0
    ) {
        self.init(
            check: check.id,
            name: check.name,
            group: check.group,
            component: component,
            strictness: check.strictness,
            verdict: verdict,
            message: message,
            seed: check.isRandomised ? seed : nil,
            milliseconds: milliseconds
        )
    }
}
