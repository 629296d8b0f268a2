/// What can be kept in state: a type that says what its bytes are.
///
/// Numbers, `Bool`, `String`, `[UInt8]`, optionals of these and enums with such raw values can be
/// kept as they are.  A struct lists its fields twice, in one order:
///
/// ```swift
/// struct Ticket: StateCodable {
///     var isUrgent: Bool
///     var since: Timestamp
///
///     static let fixedByteCount = StateEncoder.byteCount(Bool.self, Timestamp.self)
///
///     init(from decoder: inout StateDecoder) throws {
///         isUrgent = try decoder.decode()
///         since = try decoder.decode()
///     }
///
///     func encode(into encoder: inout StateEncoder) {
///         encoder.encode(isUrgent)
///         encoder.encode(since)
///     }
/// }
/// ```
///
/// All conformances of the SDK, and structs made of them as above, are ordered by their bytes as
/// their values are, field by field.  So any of them can be the key of a ``MapState``, and the
/// first fields of a key are a prefix by which it is found.
///
/// A type that has changed conforms to ``StateMigratable``, and values that an older version of
/// the plugin has stored are brought forward.
public protocol StateCodable {
    /// The number of bytes if it is the same for all values, which are then kept in place; nil,
    /// which is the default, if not.
    static var fixedByteCount: Int? { get }

    /// What the bytes mean; 1 unless stated.
    static var schemaVersion: Int { get }

    /// The oldest version of the bytes that can be read; ``schemaVersion`` unless the type is
    /// ``StateMigratable``.
    static var oldestReadableVersion: Int { get }

    /// The oldest version whose bytes can be written; ``schemaVersion`` unless the type is
    /// ``StateReversible``.
    static var oldestWritableVersion: Int { get }

    /// Reads a value that this or an older version of the type has written.
    ///
    /// - Throws: ``OperatorError`` when there is no such version, or the bytes are not those of it.
    static func decode(version: Int, from decoder: inout StateDecoder) throws -> Self

    /// Reads a value back.
    ///
    /// - Throws: ``OperatorError`` when the bytes are not those of a value.
    init(from decoder: inout StateDecoder) throws

    /// Appends the bytes of the value.
    func encode(into encoder: inout StateEncoder)

    /// Appends what the value is in this or an older version of the type.
    ///
    /// - Throws: ``OperatorError`` when there is no such version, or it cannot say the value.
    func encode(version: Int, into encoder: inout StateEncoder) throws
}

extension StateCodable {
    /// Any number.
    @inlinable
    public static var fixedByteCount: Int? { nil }

    /// One.
    @inlinable
    public static var schemaVersion: Int { 1 }

    /// The version of the type.
    @inlinable
    public static var oldestReadableVersion: Int { schemaVersion }

    /// The version of the type.
    @inlinable
    public static var oldestWritableVersion: Int { schemaVersion }

    /// Reads a value of this version of the type.
    @inlinable
    public static func decode(version: Int, from decoder: inout StateDecoder) throws -> Self {
        guard version == schemaVersion else {
            throw OperatorError(
                "version \(version) of the bytes cannot be read; the oldest is \(schemaVersion)"
            )
        }
        return try Self(from: &decoder)
    }

    /// Appends the bytes of this version of the type.
    @inlinable
    public func encode(version: Int, into encoder: inout StateEncoder) throws {
        guard version == Self.schemaVersion else {
            throw OperatorError(
                "version \(version) of the bytes cannot be written; the oldest is "
                    + "\(Self.schemaVersion)"
            )
        }
        encode(into: &encoder)
    }
}
