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

    /// Makes an extractor of the field that a path of names leads to.
    func makeKeyExtractor(_ path: [String]) -> any KeyExtractor
}
