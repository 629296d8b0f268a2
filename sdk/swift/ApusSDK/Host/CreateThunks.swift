import CApusPlugin

/// A C function for each place among a plugin's components.
///
/// The ABI does not say which component `create` is called for, so each needs one of its own, and
/// a C function cannot carry a number along.
enum CreateThunks {
    typealias Create =
        @convention(c) (
            UnsafePointer<apus_args>?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
            UnsafeMutablePointer<apus_error>?
        ) -> Int32

    // SAFETY: the pointers are handed on as they are.
    static let all: [Create] = [
        { OperatorThunks.create(0, $0, $1, $2) },
        { OperatorThunks.create(1, $0, $1, $2) },
        { OperatorThunks.create(2, $0, $1, $2) },
        { OperatorThunks.create(3, $0, $1, $2) },
        { OperatorThunks.create(4, $0, $1, $2) },
        { OperatorThunks.create(5, $0, $1, $2) },
        { OperatorThunks.create(6, $0, $1, $2) },
        { OperatorThunks.create(7, $0, $1, $2) },
        { OperatorThunks.create(8, $0, $1, $2) },
        { OperatorThunks.create(9, $0, $1, $2) },
        { OperatorThunks.create(10, $0, $1, $2) },
        { OperatorThunks.create(11, $0, $1, $2) },
        { OperatorThunks.create(12, $0, $1, $2) },
        { OperatorThunks.create(13, $0, $1, $2) },
        { OperatorThunks.create(14, $0, $1, $2) },
        { OperatorThunks.create(15, $0, $1, $2) },
    ]
}
