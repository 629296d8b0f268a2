/// Cuts a stream of bytes into lines, with a limit on their length.
package struct LineFraming {
    /// A line that is longer than it may be.
    package struct TooLong: Error, Equatable {
        /// The most bytes of a line.
        package let byteCountMax: Int
    }

    private let byteCountMax: Int
    private var bytes: [UInt8] = []
    /// Bytes in front of this one are known to have no end of a line.
    private var searched = 0

    /// Creates framing of an empty stream.
    ///
    /// - Parameter byteCountMax: The most bytes of a line, its end not counted.
    package init(byteCountMax: Int) {
        self.byteCountMax = byteCountMax
    }

    /// Whether a part of a line is there.
    package var hasPart: Bool { !bytes.isEmpty }

    /// Adds what came.
    package mutating func append(_ more: [UInt8]) { bytes += more }

    /// Takes the next whole line, without its end.
    ///
    /// - Returns: The line; nil when there is none yet.
    /// - Throws: ``TooLong``; the stream cannot be read any further then.
    package mutating func next() throws(TooLong) -> [UInt8]? {
        guard let end = bytes[searched...].firstIndex(of: 10) else {
            searched = bytes.count
            guard bytes.count <= byteCountMax else { throw TooLong(byteCountMax: byteCountMax) }
            return nil
        }
        guard end <= byteCountMax else { throw TooLong(byteCountMax: byteCountMax) }
        let line = Array(bytes[..<end])
        bytes.removeSubrange(...end)
        searched = 0
        return line
    }
}
