/// Cuts bytes into frames: for sources whose records are not lines.
///
/// One thread.
package protocol FrameSplitter: AnyObject {
    // SAFETY: the bytes are the caller's, and valid for the time of the call.

    /// Finds frames at the start of some bytes.
    ///
    /// - Parameters:
    ///   - bytes: What is there; what is not used is given again, with more behind it.
    ///   - isEnd: Whether nothing comes behind it.
    ///   - countMax: The most frames, at least 1.
    ///   - frames: Empty; gets the frames, in their order, none beyond what is used.
    /// - Returns: How many bytes are done with.
    /// - Throws: ``EndpointError`` when there is no telling where the next frame begins.
    func split(
        _ bytes: UnsafeRawBufferPointer,
        isEnd: Bool,
        atMost countMax: Int,
        into frames: inout [Range<Int>]
    ) throws(EndpointError) -> Int
}
