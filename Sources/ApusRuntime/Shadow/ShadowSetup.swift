import ApusCore
import ApusPluginHost
import ApusState

/// What the process of a shadow needs to make instances like those of the job.
package struct ShadowSetup: Codable, Sendable {
    /// A version of the operator.
    package struct Version: Codable, Sendable {
        /// The private copy of its file.
        package var image: String
        /// The component's id.
        package var component: String

        /// Creates a version.
        package init(image: String, component: String) {
            self.image = image
            self.component = component
        }
    }

    /// When a state expires.
    struct Expiry: Codable {
        var ttlSeconds: UInt32
        var isRefreshedByReads: Bool
        var isEventTime: Bool
    }

    /// The version that runs, and the one that is to be compared with it.
    package var running: Version
    /// The version that is to be compared with it.
    package var new: Version
    var job: String
    var operatorID: String
    var configuration: String
    var subtask: Int
    var parallelism: Int
    var keyGroupCount: Int
    var recordsPerBatch: Int
    var mainInputCount: Int
    var expiries: [String: Expiry]
    var secrets: [String: [UInt8]]

    init(
        running: Version,
        new: Version,
        arguments: InstanceArguments,
        mainInputCount: Int
    ) {
        self.running = running
        self.new = new
        job = arguments.job
        operatorID = arguments.operatorID
        configuration = arguments.configuration
        subtask = arguments.subtask
        parallelism = arguments.parallelism
        keyGroupCount = arguments.groups.count
        recordsPerBatch = arguments.recordsPerBatch
        self.mainInputCount = mainInputCount
        expiries = arguments.expiries.mapValues {
            Expiry(
                ttlSeconds: $0.ttlSeconds,
                isRefreshedByReads: $0.isRefreshedByReads,
                isEventTime: $0.domain == .event
            )
        }
        secrets = arguments.secrets?.contents ?? [:]
    }

    /// What instances are made for; their state is in memory alone.
    var arguments: InstanceArguments {
        var arguments = InstanceArguments(
            job: job,
            operatorID: operatorID,
            configuration: configuration,
            subtask: subtask,
            parallelism: parallelism,
            groups: KeyGroups(count: keyGroupCount),
            recordsPerBatch: recordsPerBatch
        )
        arguments.expiries = expiries.mapValues {
            SlotExpiry(
                ttlMicroseconds: Int64($0.ttlSeconds) * 1_000_000,
                isRefreshedByReads: $0.isRefreshedByReads,
                domain: $0.isEventTime ? .event : .processing
            )
        }
        arguments.secrets = secrets.isEmpty ? nil : SecretTable(secrets)
        return arguments
    }
}
