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

    /// Makes what reads the frames of a source that has a codec.
    ///
    /// - Parameters:
    ///   - source: A file or standard input.
    ///   - splitter: What tells where frames end; nil for lines.
    /// - Returns: A source whose values are frames.
    /// - Throws: ``EndpointError`` when it cannot be opened.
    func makeFrameSource(
        _ source: SourceDescription,
        splitter: (any FrameSplitter)?
    ) throws(EndpointError) -> any RecordSource

    /// Makes what keeps the output of a sink until a checkpoint has it: the values of records as
    /// they are, one behind the other.
    ///
    /// Asked only for a job that takes checkpoints.
    ///
    /// - Throws: ``EndpointError`` when it cannot be made.
    func makeOutbox(
        _ sink: SinkDescription,
        subtask: Int
    ) throws(EndpointError) -> any EpochSink

    /// Makes what takes event times out of records that nobody has parsed; nil when they have
    /// theirs.
    func makeTimeStamper(_ timestamp: WatermarkDescription.Timestamp) -> (any TimeStamper)?

    /// Makes an extractor of the field that a path of names leads to.
    func makeKeyExtractor(_ path: [String]) -> any KeyExtractor
}

/// For factories that know no sinks of this kind.
extension EndpointFactory {
    /// Nil: output is delivered at once.
    package func makeDelivery(
        _ sink: SinkDescription
    ) throws(EndpointError) -> (any OutputDelivery)? { nil }

    // doc: inherited
    package func makeFrameSource(
        _ source: SourceDescription,
        splitter: (any FrameSplitter)?
    ) throws(EndpointError) -> any RecordSource {
        throw EndpointError("there are no sources of frames here")
    }

    // doc: inherited
    package func makeOutbox(
        _ sink: SinkDescription,
        subtask: Int
    ) throws(EndpointError) -> any EpochSink {
        throw EndpointError("there is no outbox here")
    }

    // doc: inherited
    package func makeTimeStamper(
        _ timestamp: WatermarkDescription.Timestamp
    ) -> (any TimeStamper)? { nil }
}
