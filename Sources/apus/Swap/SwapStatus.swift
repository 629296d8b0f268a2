import ApusRuntime
import ApusSwap

/// How a swap stands; what `apus swap status` prints.
struct SwapStatus: Codable, Sendable {
    /// Where a swap is.
    enum Phase: String, Codable, Sendable {
        /// There has been none since the process began.
        case none
        /// The new versions are scanned, loaded and made.
        case preparing
        /// The new version runs beside the old one, and its output is compared.
        case shadowing
        /// The operators switch.
        case cutting
        /// The new versions are in force, and may be taken back.
        case probation
        /// The old versions take over again.
        case rollingBack = "rolling-back"
        /// The new versions stay.
        case committed
        /// The old versions are in force again.
        case rolledBack = "rolled-back"
        /// The old versions never stopped.
        case abandoned

        /// Whether it has ended.
        var isOver: Bool {
            switch self {
            case .none, .committed, .rolledBack, .abandoned: true
            case .preparing, .shadowing, .cutting, .probation, .rollingBack: false
            }
        }
    }

    /// A subtask.
    struct Subtask: Codable, Sendable {
        var subtask: Int
        /// Whether the version that counts is in force: the new one, or after a way back the old.
        var inForce: Bool
        /// Keys whose state an older version has written and nobody has moved yet.
        var originKeys: Int
    }

    /// An operator.
    struct Operator: Codable, Sendable {
        var `operator`: String
        var from: PluginVersion
        var to: PluginVersion
        var subtasks: [Subtask]
        /// Keys whose state could not be migrated.
        var quarantined: Int
    }

    /// A probation.
    struct Guard: Codable, Sendable {
        var endsInSeconds: Double
        var records: Int
        var errorRate: Double
        var p99Microseconds: Int64?
        var counters: [String: UInt64]
    }

    /// A shadow.
    struct Shadow: Codable, Sendable {
        /// 0 when it is over.
        var endsInSeconds: Double
        /// The part of the outputs that differ, 0 to 1.
        var differenceRate: Double
        /// What was found, over all subtasks.
        var report: ShadowReport
    }

    /// A plugin in the process.
    struct Resident: Codable, Sendable {
        var plugin: String
        var version: String
        var sha256: String
        /// Who uses it: why it stays.
        var users: [String]
    }

    /// How long the cut took.
    struct Figures: Codable, Sendable {
        /// From the order until the last subtask had switched.
        var inForceMicroseconds: Int64
        /// The longest that a thread has spent on it.
        var longestSwitchMicroseconds: Int64
        /// Event time at the cut, in microseconds since 1970: the least and the most over all
        /// subtasks; nil for none.
        var watermarksMicroseconds: [Int64]?
        /// How long the way back took; nil when there was none.
        var rollbackMicroseconds: Int64?
        /// The way back that was taken: "flip", "rewind" or "downgrade".
        var rung: String?
    }

    var job: String
    var phase: Phase
    /// Its number in the journal; nil for a job without one.
    var swap: Int?
    /// What it is: "swap", or "upgrade" of the whole graph; nil when there was none.
    var kind: SwapIntent.Kind?
    var operators: [Operator]
    /// The job file before and after; nil when it stays.
    var jobFile: SwapIntent.JobFileChange?
    /// The shadow, while there is one and afterwards.
    var shadow: Shadow?
    var `guard`: Guard?
    /// Why it was taken back or abandoned; nil otherwise.
    var reason: String?
    /// The checkpoint of the cut; nil for a cut at batch boundaries.
    var checkpoint: UInt64?
    var figures: Figures?
    var resident: [Resident]
}
