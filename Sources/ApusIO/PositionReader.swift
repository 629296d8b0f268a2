import ApusMemory

/// Reads what a ``PositionWriter`` wrote; says of bytes that are not a position what they are.
struct PositionReader {
    private let bytes: [UInt8]
    private let name: String
    private var index = 0

    /// Begins to read.
    ///
    /// - Parameters:
    ///   - bytes: A position: a byte that tells its kind, a byte with its version, then fields.
    ///   - name: What messages call the endpoint.
    ///   - kind: The first byte of positions of its kind.
    ///   - version: The version that is known.
    /// - Throws: ``EndpointError`` when the position is of another kind or version.
    init(
        _ bytes: [UInt8],
        name: String,
        kind: PositionKind,
        version: UInt8
    ) throws(EndpointError) {
        self.bytes = bytes
        self.name = name
        let found = try takeByte()
        guard found == kind.rawValue else {
            let what = PositionKind(rawValue: found)?.words ?? "something unknown (\(found))"
            throw EndpointError(
                "\(name): the checkpoint has the position of \(what) here, not of \(kind.words): "
                    + "the job was changed; change it back, or start it without the checkpoint"
            )
        }
        let foundVersion = try takeByte()
        guard foundVersion == version else {
            throw EndpointError(
                "\(name): the checkpoint's position has version \(foundVersion), and this program "
                    + "knows version \(version): use the program that wrote it"
            )
        }
    }

    mutating func takeByte() throws(EndpointError) -> UInt8 {
        guard index < bytes.count else { throw wrongSize }
        index += 1
        return bytes[index - 1]
    }

    mutating func takeWord() throws(EndpointError) -> UInt64 {
        guard bytes.count - index >= 8 else { throw wrongSize }
        var value: UInt64 = 0
        for _ in 0..<8 {
            value = value << 8 | UInt64(bytes[index])
            index += 1
        }
        return value
    }

    /// A number that cannot be negative.
    mutating func takeCount() throws(EndpointError) -> Int {
        guard let count = Int(exactly: try takeWord()) else { throw wrongSize }
        return count
    }

    /// To be called when all fields are read.
    func finish() throws(EndpointError) {
        guard index == bytes.count else { throw wrongSize }
    }

    private var wrongSize: EndpointError {
        EndpointError(
            "\(name): the checkpoint's position (\(bytes.count) bytes) is damaged: "
                + "start from another checkpoint"
        )
    }
}
