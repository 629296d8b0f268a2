import ApusPluginHost

/// One property of a plugin that is checked: what it demands, and how it is looked at.
struct Check: Sendable {
    /// What a check is made for.
    enum Subject: Sendable {
        /// The plugin as a whole.
        case plugin
        /// Each component of these kinds.
        case components(Set<UInt32>)

        static let allComponents = Subject.components([1, 2, 3, 4])
        static let operators = Subject.components([2])
    }

    /// A letter for the group and a number, "E48"; stable for ever.
    let id: String
    /// In kebab case.
    let name: String
    /// What it demands and why, in one line.
    let demand: String
    /// 1 to 10: what is checked at a strictness is everything up to it; 5 is what a plugin needs to
    /// be listed in `plugins.lock`.
    let strictness: Int
    /// Whether its input comes from a seed.
    var isRandomised = false
    /// How long it may take.
    var timeoutSeconds = 30
    /// Whether it hooks the plugin's calls of the C library.
    var hooks: UInt32 = 0
    var subject = Subject.operators
    /// The check: returns when it has passed.
    let body: @Sendable (CheckBench) throws -> CheckOutcome

    /// The letter of its group.
    var group: CheckGroup { CheckGroup(rawValue: String(id.prefix(1))) ?? .data }

    /// Where it stands among the others: by its letter, then by its number.
    var place: String {
        let digits = id.dropFirst().prefix { $0.isNumber }
        return id.prefix(1) + String(repeating: "0", count: 3 - digits.count) + id.dropFirst()
    }

    /// Whether it is made for components of a kind.
    func applies(to kind: ComponentKind) -> Bool {
        switch subject {
        case .plugin: false
        case .components(let kinds): kinds.contains(kind.rawValue)
        }
    }
}

/// The groups of checks, by their letters.
public enum CheckGroup: String, Codable, Sendable, CaseIterable {
    /// What can be seen without running code.
    case file = "A"
    /// Loading and the entry function.
    case load = "B"
    /// What the plugin says of itself.
    case describe = "C"
    /// Create, open, close, destroy.
    case lifecycle = "D"
    /// Records in, records out.
    case data = "E"
    /// State, time, restarts, migration.
    case state = "F"
    /// Threads and asynchronous calls.
    case threads = "G"
    /// What it does to the process.
    case process = "H"
    /// How fast it is; a report.
    case speed = "I"
    /// Random sequences of legal calls.
    case fuzz = "J"

    /// The group in words.
    public var title: String {
        switch self {
        case .file: "File"
        case .load: "Load"
        case .describe: "Describe"
        case .lifecycle: "Lifecycle"
        case .data: "Data"
        case .state: "State, time, restart"
        case .threads: "Threads and asynchronous calls"
        case .process: "Behaviour in the process"
        case .speed: "Speed"
        case .fuzz: "Fuzzing"
        }
    }
}

/// How a check that ran to its end came out.
enum CheckOutcome {
    /// The plugin does as is demanded; perhaps with figures.
    case pass(String = "")
    /// It may be meant like this, and probably is not.
    case warn(String)
}

/// Why a check did not run to its end.
enum CheckStop: Error {
    /// The plugin does not do as is demanded.
    case fail(String)
    /// The check says nothing about this plugin.
    case skip(String)
}
