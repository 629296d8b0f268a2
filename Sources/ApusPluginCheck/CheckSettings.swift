/// What the checks of a plugin get besides its file.
public struct CheckSettings: Codable, Equatable, Sendable {
    /// The seed of all random input.
    public var seed: UInt64 = 1
    /// The component that alone is checked; nil for all.
    public var component: String?
    /// The configuration of each component by its id, as JSON; "" stands for all others.
    public var configurations: [String: String] = [:]
    /// A file with real records, one per line, from which input is made.
    public var sample: String?
    /// A folder with bytes of older versions of states: `STATE/VERSION/*.bin`, and beside each what
    /// it becomes, `*.expected`.
    public var golden: String?
    /// A file to which every call across the boundary is written.
    public var trace: String?
    /// How long to fuzz; 0 for not at all.
    public var fuzzSeconds: Int = 0

    /// Creates the settings that are used when nothing is said.
    public init() {}
}
