package import ApusGraph
package import ApusMemory

/// Makes sources, sinks and key extractors: the runtime's door to files and the rest of the world.
package protocol EndpointFactory: Sendable {
    /// Makes a source for one subtask.
    ///
    /// - Throws: ``EndpointError`` when it cannot be opened.
    func makeSource(
        _ source: SourceDescription,
        key: KeySelector?,
        subtask: Int,
        subtaskCount: Int
    ) throws(EndpointError) -> any RecordSource

    /// Makes a sink for one subtask.
    ///
    /// - Throws: ``EndpointError`` when it cannot be opened.
    func makeSink(_ sink: SinkDescription, subtask: Int) throws(EndpointError) -> any RecordSink

    /// Makes what delivers the sealed output of all subtasks of a sink.
    ///
    /// Asked only for a job that takes checkpoints.
    ///
    /// - Returns: Nil for a sink whose subtasks are no ``EpochSink``.
    /// - Throws: ``EndpointError`` when the target cannot be used.
    func makeDelivery(_ sink: SinkDescription) throws(EndpointError) -> (any OutputDelivery)?

    /// Makes an extractor of the field that a path of names leads to.
    func makeKeyExtractor(_ path: [String]) -> any KeyExtractor
}

/// For factories that know no sinks of this kind.
extension EndpointFactory {
    /// Nil: output is delivered at once.
    package func makeDelivery(
        _ sink: SinkDescription
    ) throws(EndpointError) -> (any OutputDelivery)? { nil }
}
