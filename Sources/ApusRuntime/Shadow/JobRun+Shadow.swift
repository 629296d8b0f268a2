import ApusGraph
import ApusPluginHost

// A new version beside a running one, as a shadow.  One thread of the control plane at a time.
extension JobRun {
    /// A subtask that tells a shadow what it does.
    package struct ShadowSource: Sendable {
        /// The message that comes first; those of the feed follow.
        package let setup: [UInt8]
        /// What the subtask tells.
        package let feed: ShadowFeed
    }

    /// The message that ends a shadow.
    package static var shadowEnd: [UInt8] { ShadowWriter.message(.end) }

    /// Has the subtasks of an operator tell what they do, from their next batch boundaries on.
    ///
    /// - Parameters:
    ///   - id: The operator.
    ///   - running: The version that runs.
    ///   - new: The version that is to be compared with it.
    ///   - encode: Writes a setup as JSON.
    /// - Returns: For each subtask; each is to be closed some time.
    package func beginShadow(
        of id: String,
        running: ShadowSetup.Version,
        new: ShadowSetup.Version,
        encode: (ShadowSetup) throws -> [UInt8]
    ) rethrows -> [ShadowSource] {
        let stages = operators.stages.filter { $0.node == id }.sorted { $0.subtask < $1.subtask }
        let sources = try stages.map { stage in
            let setup = ShadowSetup(
                running: running,
                new: new,
                arguments: stage.arguments,
                mainInputCount: stage.mainInputCount
            )
            let message = ShadowWriter.message(.setup, try encode(setup))
            return ShadowSource(setup: message, feed: ShadowFeed())
        }
        for (stage, source) in zip(stages, sources) { stage.swaps.post(source.feed) }
        wakeThreads()
        return sources
    }
}
