import ApusMemory

/// Finds frames in an input by way of a ``FrameSplitter``, and gives them out one by one.
struct FrameQueue {
    private let splitter: any FrameSplitter
    private let byteCountMax: Int
    private var frames: [Range<Int>] = []
    private var next = 0
    /// Where the first byte that was split is in the window.
    private var base = 0

    /// Creates a queue of frames of at most so many bytes.
    init(_ splitter: any FrameSplitter, byteCountMax: Int) {
        self.splitter = splitter
        self.byteCountMax = byteCountMax
    }

    /// Looks for frames in what is unread, when none is left.
    ///
    /// All that are found must be taken before the window is filled again: they are used up.
    ///
    /// - Parameters:
    ///   - window: Where the bytes are; those that are done with are consumed.
    ///   - isFinal: Whether nothing follows.
    ///   - countMax: The most frames.
    ///   - name: What messages call the input.
    /// - Throws: ``EndpointError`` when there is no telling where the next frame begins.
    mutating func look(
        in window: InputWindow,
        isFinal: Bool,
        atMost countMax: Int,
        name: String
    ) throws(EndpointError) {
        guard next == frames.count, !window.unread.isEmpty else { return }
        frames.removeAll(keepingCapacity: true)
        next = 0
        base = window.unreadIndex
        let unread = window.unread
        let offset = window.unreadOffset
        do throws(EndpointError) {
            let used = try splitter.split(
                unread.buffer,
                isEnd: isFinal,
                atMost: countMax,
                into: &frames
            )
            window.consume(used)
            guard frames.isEmpty, used == 0 else { return }
        } catch {
            throw EndpointError("\(name), behind byte \(offset): \(error.description)")
        }
        guard unread.count <= byteCountMax else {
            throw EndpointError(
                "\(name), behind byte \(offset): no frame ends within \(byteCountMax) bytes; "
                    + "the bytes are not what the codec takes them for"
            )
        }
        guard isFinal else { return }
        throw EndpointError(
            "\(name), behind byte \(offset): the last \(unread.count) bytes are no whole frame: "
                + "the input was cut off"
        )
    }

    /// The next frame, as a place in the window; nil when none is left.
    mutating func take() -> Range<Int>? {
        guard next < frames.count else { return nil }
        defer { next += 1 }
        return frames[next].lowerBound + base..<frames[next].upperBound + base
    }
}
